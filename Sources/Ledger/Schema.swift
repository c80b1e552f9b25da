internal import Classroom
internal import GRDB

/// The tables, migration by migration. A released migration is never edited: a change is a new one.
enum Schema {
  /// `TKLG`: tells a ledger from any other SQLite file.
  static let applicationID: Int32 = 0x544b_4c47

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("v1") { db in
      try db.execute(sql: "PRAGMA application_id = \(applicationID)")
      try db.execute(sql: catalogueVersion1)
      try db.execute(sql: eventsVersion1)
      try db.execute(
        sql: "INSERT INTO chain (id, events, hash) VALUES (1, 0, ?)", arguments: [EventChain.genesis.databaseValue])
      try db.execute(sql: appendOnlyVersion1)
    }
    migrator.registerMigration("v2") { db in
      try db.execute(sql: catalogueVersion2)
      try db.execute(sql: auditVersion2)
      try db.execute(
        sql: "INSERT INTO auditChain (id, entries, hash) VALUES (1, 0, ?)",
        arguments: [EventChain.genesis.databaseValue])
      try db.execute(sql: appendOnlyVersion2)
    }
    migrator.registerMigration("v3") { try $0.execute(sql: accessVersion3) }
    migrator.registerMigration("v4 indexes of the lesson clock") { try $0.execute(sql: clockVersion4) }
    migrator.registerMigration("v5 rooms are tested and accepted") { try $0.execute(sql: acceptance) }
    migrator.registerMigration("v6 calendar links, whole local timetables") { try $0.execute(sql: calendarLinks) }
    migrator.registerMigration("v7 files by their own name") { try $0.execute(sql: resourceFiles) }
    migrator.registerMigration("v8 making files is kept as jobs") { try $0.execute(sql: recordings) }
    migrator.registerMigration("v9 resources are reviewed and found") { db in
      try db.execute(sql: resources)
      try ResourceRow.makeAll(db)
    }
    migrator.registerMigration("v10 figures, and the relay in every event") { try addFigures($0) }
    migrator.registerMigration("v11 spaces and the outbox") { try $0.execute(sql: outbox) }
    migrator.registerMigration("v12 lessons play recordings") { try $0.execute(sql: playback) }
    return migrator
  }

  /// Identifiers are 16-byte blobs; times are UTC milliseconds; lists are JSON.
  private static let catalogueVersion1 = """
    CREATE TABLE institutions (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      kind TEXT NOT NULL, name TEXT NOT NULL, code TEXT, parent BLOB REFERENCES institutions(id),
      setting TEXT NOT NULL, region TEXT NOT NULL, validFrom INTEGER, validUntil INTEGER,
      successor BLOB REFERENCES institutions(id)
    ) STRICT;
    CREATE TABLE rooms (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      institution BLOB NOT NULL REFERENCES institutions(id),
      number TEXT NOT NULL, name TEXT NOT NULL, equipment TEXT NOT NULL, acceptedAt INTEGER
    ) STRICT;
    CREATE INDEX roomsOfInstitution ON rooms(institution);
    CREATE TABLE classes (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      institution BLOB NOT NULL REFERENCES institutions(id),
      name TEXT NOT NULL, typeCode TEXT NOT NULL, cohorts TEXT NOT NULL, homeRoom BLOB REFERENCES rooms(id),
      consentRecord TEXT NOT NULL
    ) STRICT;
    CREATE INDEX classesOfInstitution ON classes(institution);
    CREATE TABLE clusters (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      name TEXT NOT NULL, members TEXT NOT NULL
    ) STRICT;
    CREATE TABLE courses (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      cluster BLOB NOT NULL REFERENCES clusters(id),
      term TEXT NOT NULL, subject TEXT NOT NULL, grades TEXT NOT NULL, textbook TEXT NOT NULL,
      lead TEXT NOT NULL, receivers TEXT NOT NULL, mode TEXT NOT NULL, label TEXT NOT NULL,
      weeklyTimes TEXT NOT NULL
    ) STRICT;
    CREATE INDEX coursesOfCluster ON courses(cluster);
    CREATE TABLE lessons (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      registration BLOB NOT NULL UNIQUE CHECK (length(registration) = 16),
      course BLOB REFERENCES courses(id), cluster BLOB NOT NULL REFERENCES clusters(id),
      title TEXT NOT NULL, plannedStart INTEGER NOT NULL, plannedEnd INTEGER NOT NULL, state TEXT NOT NULL,
      isAlwaysLive INTEGER NOT NULL, thresholdsVersion INTEGER NOT NULL,
      eventCount INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX lessonsByStart ON lessons(plannedStart);
    CREATE INDEX lessonsByState ON lessons(state);
    CREATE TABLE seats (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      lesson BLOB NOT NULL REFERENCES lessons(id),
      role TEXT NOT NULL, room BLOB REFERENCES rooms(id), schoolClass BLOB REFERENCES classes(id), person BLOB
    ) STRICT;
    CREATE INDEX seatsOfLesson ON seats(lesson);
    CREATE TABLE resources (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      lesson BLOB NOT NULL REFERENCES lessons(id),
      kind TEXT NOT NULL, path TEXT NOT NULL, mediaType TEXT NOT NULL, byteCount INTEGER NOT NULL,
      sha256 TEXT NOT NULL, durationMilliseconds INTEGER NOT NULL, state TEXT NOT NULL, madeAt INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX resourcesOfLesson ON resources(lesson);
    """

  private static let eventsVersion1 = """
    CREATE TABLE events (
      id INTEGER NOT NULL PRIMARY KEY,
      at INTEGER NOT NULL, kind TEXT NOT NULL,
      lesson BLOB REFERENCES lessons(id), seat BLOB REFERENCES seats(id),
      payload TEXT NOT NULL CHECK (length(payload) <= 4096),
      hash BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    CREATE INDEX eventsOfLesson ON events(lesson, id);
    CREATE TABLE chain (
      id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
      events INTEGER NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    CREATE TABLE attendance (
      seat BLOB NOT NULL PRIMARY KEY REFERENCES seats(id),
      lesson BLOB NOT NULL REFERENCES lessons(id),
      effectiveMilliseconds INTEGER NOT NULL DEFAULT 0,
      -- what the event log has been told of effectiveMilliseconds
      sealedMilliseconds INTEGER NOT NULL DEFAULT 0,
      isConnected INTEGER NOT NULL DEFAULT 0,
      seenAt INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX attendanceOfLesson ON attendance(lesson);
    CREATE INDEX attendanceOpen ON attendance(isConnected) WHERE isConnected = 1;
    CREATE TABLE secrets (
      name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL, madeAt INTEGER NOT NULL
    ) STRICT;
    """

  /// The insert trigger also stops `INSERT OR REPLACE`, which deletes without firing a delete trigger.
  private static let appendOnlyVersion1 = """
    CREATE TRIGGER eventsRefuseUpdate BEFORE UPDATE ON events
      BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
    CREATE TRIGGER eventsRefuseDelete BEFORE DELETE ON events
      BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
    CREATE TRIGGER eventsRefuseGap BEFORE INSERT ON events
      WHEN NEW.id IS NOT (SELECT events + 1 FROM chain WHERE id = 1)
      BEGIN SELECT RAISE(ABORT, 'events are appended in order'); END;
    CREATE TRIGGER chainRefuseDelete BEFORE DELETE ON chain
      BEGIN SELECT RAISE(ABORT, 'the chain has one head'); END;
    CREATE TRIGGER chainRefuseInsert BEFORE INSERT ON chain
      BEGIN SELECT RAISE(ABORT, 'the chain has one head'); END;
    CREATE TRIGGER chainRefuseJump BEFORE UPDATE ON chain
      WHEN NEW.events IS NOT OLD.events + 1
      BEGIN SELECT RAISE(ABORT, 'the chain moves one event at a time'); END;
    """
}
