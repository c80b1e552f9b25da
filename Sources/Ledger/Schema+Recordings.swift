extension Schema {
  /// What is still to be done with recordings, and what is known of files.
  ///
  /// Files made before are taken for showing pupils, unless they are a shared screen's. Quality is JSON, empty where
  /// nothing is known.
  static let recordings = """
    ALTER TABLE resourceFiles ADD COLUMN containsFaces INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE resourceFiles ADD COLUMN schoolClass BLOB REFERENCES classes(id);
    ALTER TABLE resourceFiles ADD COLUMN quality TEXT NOT NULL DEFAULT '' CHECK (length(quality) <= 65536);
    UPDATE resourceFiles SET containsFaces = 0 WHERE path GLOB 'lessons/*/screen*';
    CREATE INDEX resourceFilesOfClass ON resourceFiles(schoolClass) WHERE schoolClass IS NOT NULL;
    CREATE INDEX resourceFilesByTime ON resourceFiles(madeAt);
    ALTER TABLE courses ADD COLUMN recordsSites INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE recordingJobs (
      id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
      lesson BLOB NOT NULL REFERENCES lessons(id), kind TEXT NOT NULL, state TEXT NOT NULL,
      attempts INTEGER NOT NULL, notBefore INTEGER NOT NULL,
      problem TEXT NOT NULL CHECK (length(problem) <= 1000), askedAt INTEGER NOT NULL,
      UNIQUE (lesson, kind)
    ) STRICT;
    CREATE INDEX recordingJobsDue ON recordingJobs(state, notBefore);
    """
}
