/// What is reviewed, found and played.
extension Schema {
  /// Words that people search for stand in `resourceWords` under the resource's number; names of persons do not. Levels
  /// of visibility are 1…5, grades and keywords JSON.
  ///
  /// Triggers say once more what the state machine says: whatever writes here, nothing is published that nobody
  /// approved, and not by who submitted it.
  static let resources = """
    CREATE TABLE resources (
      number INTEGER NOT NULL PRIMARY KEY,
      id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
      lesson BLOB NOT NULL UNIQUE REFERENCES lessons(id),
      madeAt INTEGER NOT NULL, changedAt INTEGER NOT NULL,
      title TEXT NOT NULL, subject TEXT NOT NULL, grades TEXT NOT NULL, term TEXT NOT NULL, volume TEXT NOT NULL,
      textbook TEXT NOT NULL, chapter TEXT NOT NULL, lessonName TEXT NOT NULL, keywords TEXT NOT NULL,
      summary TEXT NOT NULL, containsFaces INTEGER NOT NULL, consent TEXT NOT NULL,
      institution BLOB, author BLOB, cluster BLOB,
      state TEXT NOT NULL, submitter BLOB, approver BLOB, approvedFor INTEGER, visibility INTEGER, digest TEXT,
      reason TEXT NOT NULL,
      isNominated INTEGER NOT NULL DEFAULT 0, isHeld INTEGER NOT NULL DEFAULT 0,
      isExpired INTEGER NOT NULL DEFAULT 0, epoch INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX resourcesByState ON resources(state, number);
    CREATE INDEX resourcesOfInstitution ON resources(institution, number);
    CREATE INDEX resourcesOfAuthor ON resources(author) WHERE author IS NOT NULL;
    CREATE TRIGGER resourcesBeginUnpublished BEFORE INSERT ON resources
      WHEN NEW.state NOT IN ('recorded', 'draft')
      BEGIN SELECT RAISE(ABORT, 'a resource begins unreviewed'); END;
    CREATE TRIGGER resourcesPublishApproved BEFORE UPDATE ON resources
      WHEN NEW.state = 'published' AND (
        OLD.state NOT IN ('approved', 'published') OR NEW.visibility IS NULL OR NEW.digest IS NOT OLD.digest
        OR NEW.visibility > COALESCE(OLD.approvedFor, 0) OR NEW.approver IS NULL OR NEW.approver IS NEW.submitter)
      BEGIN SELECT RAISE(ABORT, 'nothing is published without approval'); END;
    CREATE TRIGGER resourcesApproveSubmitted BEFORE UPDATE ON resources
      WHEN NEW.state = 'approved' AND (
        OLD.state NOT IN ('submitted', 'approved') OR NEW.digest IS NOT OLD.digest OR NEW.approver IS NULL
        OR NEW.approvedFor IS NULL OR NEW.submitter IS NOT OLD.submitter OR NEW.approver IS NEW.submitter)
      BEGIN SELECT RAISE(ABORT, 'approval is of what another submitted'); END;
    CREATE VIRTUAL TABLE resourceWords USING fts5(words, tokenize = "unicode61 remove_diacritics 2");
    CREATE TABLE resourcePushes (
      id INTEGER NOT NULL PRIMARY KEY,
      resource BLOB NOT NULL REFERENCES resources(id), institution BLOB NOT NULL REFERENCES institutions(id),
      by BLOB NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, answeredBy BLOB, answeredAt INTEGER,
      UNIQUE (resource, institution)
    ) STRICT;
    CREATE INDEX resourcePushesTo ON resourcePushes(institution, id);
    -- who played or fetched what of a recording; kept as long as the audit trail
    CREATE TABLE recordingReads (
      id INTEGER NOT NULL PRIMARY KEY,
      at INTEGER NOT NULL, resource BLOB NOT NULL, file BLOB NOT NULL, actor BLOB, link TEXT NOT NULL,
      address TEXT NOT NULL
    ) STRICT;
    CREATE INDEX recordingReadsByTime ON recordingReads(at);
    CREATE INDEX recordingReadsOfResource ON recordingReads(resource, id);
    """
}
