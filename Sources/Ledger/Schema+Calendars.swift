extension Schema {
  /// Links to calendars, of which only the hash (SHA-256) is kept; and whether a local timetable is the whole of its
  /// class's, or what one teacher's file told of it.
  static let calendarLinks = """
    CREATE TABLE calendarLinks (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
      kind TEXT NOT NULL, target BLOB NOT NULL CHECK (length(target) = 16), label TEXT NOT NULL,
      madeBy BLOB NOT NULL CHECK (length(madeBy) = 16), madeAt INTEGER NOT NULL, usedAt INTEGER
    ) STRICT;
    CREATE INDEX calendarLinksOfTarget ON calendarLinks(kind, target);
    ALTER TABLE localTimetables ADD COLUMN isWhole INTEGER NOT NULL DEFAULT 1;
    """
}
