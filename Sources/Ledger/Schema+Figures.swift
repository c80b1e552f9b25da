internal import Classroom
internal import GRDB

/// Figures kept of lessons, the relay's identity in every event, and the heads of days.
extension Schema {
  /// `lessonFacts` and `seatFacts` hold nothing that the events do not: a row holds as long as `events` is the
  /// lesson's count of them and `definitions` the version in force, and is made anew otherwise.
  private static let figures = """
    ALTER TABLE events ADD COLUMN relay BLOB CHECK (relay IS NULL OR length(relay) = 16);
    CREATE TABLE relayIdentity (
      id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), relay BLOB NOT NULL CHECK (length(relay) = 16)
    ) STRICT;
    CREATE TABLE dayHeads (
      -- the day's last event
      event INTEGER NOT NULL PRIMARY KEY,
      day TEXT NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    CREATE TABLE lessonFacts (
      lesson BLOB NOT NULL PRIMARY KEY REFERENCES lessons(id) ON DELETE CASCADE,
      events INTEGER NOT NULL, definitions INTEGER NOT NULL,
      course BLOB, cluster BLOB NOT NULL, term TEXT NOT NULL, subject TEXT NOT NULL, grades TEXT NOT NULL,
      mode TEXT NOT NULL, teacher BLOB, plannedStart INTEGER NOT NULL, plannedEnd INTEGER NOT NULL,
      state TEXT NOT NULL, liveMilliseconds INTEGER NOT NULL, endedAt INTEGER, thresholdsVersion INTEGER NOT NULL,
      isExcluded INTEGER NOT NULL, corrections INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE seatFacts (
      lesson BLOB NOT NULL REFERENCES lessonFacts(lesson) ON DELETE CASCADE, seat BLOB NOT NULL,
      -- of the lesson, as `lessons.plannedStart`
      start INTEGER NOT NULL,
      -- attended a taught lesson, and is its room's only seat that counts
      counted INTEGER NOT NULL,
      role TEXT NOT NULL, institution BLOB, schoolClass BLOB, room BLOB,
      effectiveMilliseconds INTEGER NOT NULL, correctedFrom INTEGER, joins INTEGER NOT NULL, leaves INTEGER NOT NULL,
      reconnects INTEGER NOT NULL, hands INTEGER NOT NULL, calls INTEGER NOT NULL,
      spokenMilliseconds INTEGER NOT NULL, headCount INTEGER,
      minutes INTEGER NOT NULL, fairMinutes INTEGER NOT NULL, poorMinutes INTEGER NOT NULL, loss INTEGER NOT NULL,
      roundTrip INTEGER NOT NULL, jitter INTEGER NOT NULL, bitrate INTEGER NOT NULL, freezes INTEGER NOT NULL,
      frozenMilliseconds INTEGER NOT NULL, degradedMilliseconds INTEGER NOT NULL,
      PRIMARY KEY (lesson, seat)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX seatFactsByStart ON seatFacts(start);
    CREATE INDEX seatFactsCounted ON seatFacts(start, institution) WHERE counted = 1;
    CREATE TABLE figureSnapshots (
      id INTEGER NOT NULL PRIMARY KEY,
      at INTEGER NOT NULL, report TEXT NOT NULL, fromDay TEXT NOT NULL, throughDay TEXT NOT NULL,
      scope TEXT NOT NULL, actor BLOB, body BLOB NOT NULL, signature BLOB NOT NULL
    ) STRICT;
    CREATE TRIGGER relayIdentityRefuseUpdate BEFORE UPDATE ON relayIdentity
      BEGIN SELECT RAISE(ABORT, 'a relay keeps its identity'); END;
    CREATE TRIGGER relayIdentityRefuseDelete BEFORE DELETE ON relayIdentity
      BEGIN SELECT RAISE(ABORT, 'a relay keeps its identity'); END;
    CREATE TRIGGER dayHeadsRefuseUpdate BEFORE UPDATE ON dayHeads
      BEGIN SELECT RAISE(ABORT, 'heads of days are append-only'); END;
    CREATE TRIGGER dayHeadsRefuseDelete BEFORE DELETE ON dayHeads
      BEGIN SELECT RAISE(ABORT, 'heads of days are append-only'); END;
    CREATE TRIGGER figureSnapshotsRefuseUpdate BEFORE UPDATE ON figureSnapshots
      BEGIN SELECT RAISE(ABORT, 'snapshots are append-only'); END;
    CREATE TRIGGER figureSnapshotsRefuseDelete BEFORE DELETE ON figureSnapshots
      BEGIN SELECT RAISE(ABORT, 'snapshots are append-only'); END;
    """

  /// What became of recordings and how they were played, by time.
  private static let useOfResources =
    "CREATE INDEX eventsOfUse ON events(at) WHERE kind IN (\(ResourceUse.list))"

  static func addFigures(_ db: Database) throws {
    try db.execute(sql: figures)
    try db.execute(sql: useOfResources)
    // A relay of the first release gets its identity here; no later start makes another.
    var random = SystemRandomNumberGenerator()
    let relay = Identifier(
      high: random.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000, low: random.next() & (1 << 62 - 1) | 1 << 63)
    try db.execute(sql: "INSERT INTO relayIdentity (id, relay) VALUES (1, ?)", arguments: [relay.databaseValue])
  }
}
