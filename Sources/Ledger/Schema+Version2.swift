/// What the timetables of terms need, and the audit trail.
extension Schema {
  /// Dates are `2026-09-01`, weeks the bits of a `WeekSet`, times of the day minutes since midnight.
  ///
  /// Rooms have a plain index: the first ledgers let rooms of one school share a number, so that only new rows are held
  /// to it.
  static let catalogueVersion2 = """
    CREATE TABLE persons (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      institution BLOB REFERENCES institutions(id), name TEXT NOT NULL, staffNumber TEXT NOT NULL,
      issuer TEXT NOT NULL, subject TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX personsByStaffNumber ON persons(coalesce(institution, ''), staffNumber)
      WHERE staffNumber <> '';
    CREATE INDEX personsOfInstitution ON persons(institution, staffNumber);
    CREATE UNIQUE INDEX personsByAccount ON persons(issuer, subject) WHERE subject <> '';
    CREATE TABLE terms (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      code TEXT NOT NULL UNIQUE, name TEXT NOT NULL, firstDay TEXT NOT NULL, weeks INTEGER NOT NULL,
      rules TEXT NOT NULL, deviations TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE bells (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      institution BLOB NOT NULL REFERENCES institutions(id),
      name TEXT NOT NULL, fromDate TEXT, throughDate TEXT, weekdays TEXT NOT NULL, periods TEXT NOT NULL
    ) STRICT;
    CREATE INDEX bellsOfInstitution ON bells(institution);
    -- that the timetable of a class was imported, also an empty one
    CREATE TABLE localTimetables (
      id INTEGER NOT NULL PRIMARY KEY,
      schoolClass BLOB NOT NULL REFERENCES classes(id), term TEXT NOT NULL, importedAt INTEGER NOT NULL,
      UNIQUE (schoolClass, term)
    ) STRICT;
    CREATE INDEX localTimetablesOfTerm ON localTimetables(term);
    CREATE TABLE localLessons (
      timetable INTEGER NOT NULL REFERENCES localTimetables(id), place INTEGER NOT NULL,
      institution BLOB NOT NULL REFERENCES institutions(id), schoolClass BLOB NOT NULL REFERENCES classes(id),
      teacher BLOB REFERENCES persons(id), subject TEXT NOT NULL, weekday INTEGER NOT NULL,
      period INTEGER, startMinute INTEGER, endMinute INTEGER, weeks INTEGER NOT NULL,
      PRIMARY KEY (timetable, place)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX localLessonsOfInstitution ON localLessons(institution);
    CREATE INDEX localLessonsOfClass ON localLessons(schoolClass);
    CREATE INDEX localLessonsOfTeacher ON localLessons(teacher) WHERE teacher IS NOT NULL;
    -- grade 0 is the institution as a whole
    CREATE TABLE rosterTotals (
      institution BLOB NOT NULL REFERENCES institutions(id), schoolYear INTEGER NOT NULL, grade INTEGER NOT NULL,
      pupils INTEGER NOT NULL, teachers INTEGER NOT NULL,
      PRIMARY KEY (institution, schoolYear, grade)
    ) STRICT, WITHOUT ROWID;

    ALTER TABLE institutions ADD COLUMN number TEXT NOT NULL DEFAULT '';
    CREATE UNIQUE INDEX institutionsByNumber ON institutions(number) WHERE number <> '';
    CREATE INDEX institutionsOfParent ON institutions(parent) WHERE parent IS NOT NULL;
    CREATE INDEX institutionsOfSuccessor ON institutions(successor) WHERE successor IS NOT NULL;
    ALTER TABLE rooms ADD COLUMN downlink INTEGER;
    ALTER TABLE rooms ADD COLUMN uplink INTEGER;
    CREATE INDEX roomsByNumber ON rooms(number);
    ALTER TABLE classes ADD COLUMN number TEXT NOT NULL DEFAULT '';
    CREATE UNIQUE INDEX classesByNumber ON classes(number) WHERE number <> '';
    CREATE INDEX classesOfRoom ON classes(homeRoom) WHERE homeRoom IS NOT NULL;
    ALTER TABLE clusters ADD COLUMN number TEXT NOT NULL DEFAULT '';
    CREATE UNIQUE INDEX clustersByNumber ON clusters(number) WHERE number <> '';
    ALTER TABLE courses ADD COLUMN number TEXT NOT NULL DEFAULT '';
    ALTER TABLE courses ADD COLUMN audio TEXT NOT NULL DEFAULT 'speech';
    CREATE UNIQUE INDEX coursesByNumber ON courses(term, number) WHERE number <> '';
    CREATE INDEX coursesOfTerm ON courses(term);
    ALTER TABLE lessons ADD COLUMN originDate TEXT;
    ALTER TABLE lessons ADD COLUMN originPeriod INTEGER;
    ALTER TABLE lessons ADD COLUMN teacher BLOB REFERENCES persons(id);
    ALTER TABLE lessons ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
    -- changed by hand after publication: the next one leaves it alone
    ALTER TABLE lessons ADD COLUMN isByHand INTEGER NOT NULL DEFAULT 0;
    CREATE UNIQUE INDEX lessonsByOrigin ON lessons(course, originDate, originPeriod) WHERE originDate IS NOT NULL;
    CREATE INDEX lessonsOfCourse ON lessons(course, plannedStart);
    CREATE INDEX lessonsOfCluster ON lessons(cluster, plannedStart);
    CREATE INDEX lessonsOfTeacher ON lessons(teacher) WHERE teacher IS NOT NULL;
    CREATE INDEX seatsOfRoom ON seats(room) WHERE room IS NOT NULL;
    CREATE INDEX seatsOfClass ON seats(schoolClass) WHERE schoolClass IS NOT NULL;
    CREATE INDEX eventsOfSeat ON events(seat) WHERE seat IS NOT NULL;
    -- why and by whom; words that people write stay out of the chain, so that they can be taken back
    CREATE TABLE lessonChanges (
      id INTEGER NOT NULL PRIMARY KEY,
      lesson BLOB NOT NULL REFERENCES lessons(id), revision INTEGER NOT NULL, at INTEGER NOT NULL,
      kind TEXT NOT NULL, actor BLOB, reason TEXT NOT NULL, event INTEGER NOT NULL REFERENCES events(id)
    ) STRICT;
    CREATE INDEX lessonChangesOfLesson ON lessonChanges(lesson, id);
    """

  static let auditVersion2 = """
    CREATE TABLE audit (
      id INTEGER NOT NULL PRIMARY KEY,
      at INTEGER NOT NULL, actor BLOB, role TEXT NOT NULL, operation TEXT NOT NULL, target TEXT NOT NULL,
      address TEXT NOT NULL, outcome TEXT NOT NULL,
      old TEXT CHECK (length(old) <= 4096), new TEXT CHECK (length(new) <= 4096),
      hash BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    CREATE INDEX auditByTime ON audit(at);
    CREATE INDEX auditOfTarget ON audit(target, id);
    CREATE TABLE auditChain (
      id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
      entries INTEGER NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    """

  static let appendOnlyVersion2 = """
    CREATE TRIGGER auditRefuseUpdate BEFORE UPDATE ON audit
      BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
    CREATE TRIGGER auditRefuseDelete BEFORE DELETE ON audit
      BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
    CREATE TRIGGER auditRefuseGap BEFORE INSERT ON audit
      WHEN NEW.id IS NOT (SELECT entries + 1 FROM auditChain WHERE id = 1)
      BEGIN SELECT RAISE(ABORT, 'entries are appended in order'); END;
    CREATE TRIGGER auditChainRefuseDelete BEFORE DELETE ON auditChain
      BEGIN SELECT RAISE(ABORT, 'the chain has one head'); END;
    CREATE TRIGGER auditChainRefuseInsert BEFORE INSERT ON auditChain
      BEGIN SELECT RAISE(ABORT, 'the chain has one head'); END;
    CREATE TRIGGER auditChainRefuseJump BEFORE UPDATE ON auditChain
      WHEN NEW.entries IS NOT OLD.entries + 1
      BEGIN SELECT RAISE(ABORT, 'the chain moves one entry at a time'); END;
    """
}
