extension Schema {
  /// What was measured in rooms, and what they were accepted by. Results and findings are JSON.
  static let acceptance = """
    CREATE TABLE roomTests (
      number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
      id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
      room BLOB NOT NULL REFERENCES rooms(id) ON DELETE CASCADE,
      takenAt INTEGER NOT NULL, actor BLOB, result TEXT NOT NULL CHECK (length(result) <= 65536)
    ) STRICT;
    CREATE INDEX roomTestsOfRoom ON roomTests(room, number);
    CREATE TABLE roomAcceptances (
      number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
      room BLOB NOT NULL REFERENCES rooms(id) ON DELETE CASCADE,
      test BLOB NOT NULL CHECK (length(test) = 16), at INTEGER NOT NULL, actor BLOB NOT NULL, purpose TEXT NOT NULL,
      profile TEXT NOT NULL, profileVersion INTEGER NOT NULL, isAccepted INTEGER NOT NULL,
      findings TEXT NOT NULL CHECK (length(findings) <= 65536)
    ) STRICT;
    CREATE INDEX roomAcceptancesOfRoom ON roomAcceptances(room, number);
    CREATE INDEX roomAcceptancesOfTest ON roomAcceptances(test);
    """
}
