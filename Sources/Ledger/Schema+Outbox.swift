/// Spaces of the platform, and what is on its way to it.
extension Schema {
  /// A statement's bytes never change once they are there; they go only when a person is forgotten.
  static let outbox = """
    CREATE TABLE spaces (
      id INTEGER NOT NULL PRIMARY KEY,
      kind TEXT NOT NULL,
      person BLOB UNIQUE REFERENCES persons(id) ON DELETE CASCADE,
      schoolClass BLOB UNIQUE REFERENCES classes(id) ON DELETE CASCADE,
      institution BLOB UNIQUE REFERENCES institutions(id) ON DELETE CASCADE,
      region TEXT UNIQUE,
      homePage TEXT NOT NULL, name TEXT NOT NULL,
      CHECK ((person IS NOT NULL) + (schoolClass IS NOT NULL) + (institution IS NOT NULL) + (region IS NOT NULL) = 1)
    ) STRICT;
    CREATE TABLE outbox (
      id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
      -- what the platform knows lessons and resources by, given once
      activityBase TEXT NOT NULL,
      -- the last event that statements were made of, and the last whose day's file is written
      cursor INTEGER NOT NULL DEFAULT 0, dropCursor INTEGER NOT NULL DEFAULT 0,
      isPaused INTEGER NOT NULL DEFAULT 0,
      -- events that say nothing to a platform are not counted; these would have, of nobody or of no kept kind of lesson
      passedOver INTEGER NOT NULL DEFAULT 0,
      sent INTEGER NOT NULL DEFAULT 0,
      -- who delivers, one at a time
      holder BLOB, host TEXT NOT NULL DEFAULT '', heldUntil INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE statements (
      number INTEGER NOT NULL PRIMARY KEY,
      id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
      event INTEGER NOT NULL, place INTEGER NOT NULL, lesson BLOB,
      -- the event for which it was told again; null for the first time
      correction INTEGER,
      -- whose it is, as spaces are owned; of a void the statement that it takes back
      owner TEXT NOT NULL, voids BLOB,
      platform TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
      body BLOB, hash BLOB, madeAt INTEGER NOT NULL, settledAt INTEGER,
      -- the statement that took this one back
      voidedBy BLOB
    ) STRICT;
    CREATE INDEX statementsToSend ON statements(platform, number) WHERE state = 'waiting';
    CREATE INDEX statementsHeld ON statements(owner, number) WHERE state = 'held';
    CREATE INDEX statementsParked ON statements(number) WHERE state = 'parked';
    CREATE INDEX statementsOfLesson ON statements(lesson, number) WHERE lesson IS NOT NULL;
    CREATE INDEX statementsOfOwner ON statements(owner, number);
    -- what a lesson's technical sessions and a seat's presence are told by, apart from the minutes between
    CREATE INDEX eventsOfSessions ON events(lesson, id)
      WHERE seat IS NULL AND kind IN ('lessonLive', 'lessonEnded', 'interrupted');
    CREATE INDEX eventsOfPresence ON events(seat, id)
      WHERE seat IS NOT NULL AND kind IN ('seatJoined', 'peerConnected', 'seatLeft', 'interrupted');
    CREATE TRIGGER statementsRefuseRewriting BEFORE UPDATE OF body ON statements
      WHEN OLD.body IS NOT NULL AND NEW.body IS NOT NULL AND NEW.body IS NOT OLD.body
      BEGIN SELECT RAISE(ABORT, 'a statement is made once'); END;
    """
}
