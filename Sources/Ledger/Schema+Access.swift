extension Schema {
  /// Keys of tokens, who may do what, and what is counted against guessing. Hashes are SHA-256 or HMAC-SHA-256; no
  /// password stands anywhere.
  static let accessVersion3 = """
    CREATE TABLE tokenKeys (
      id TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL CHECK (length(value) = 32), madeAt INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE issuedTokens (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      subject BLOB NOT NULL CHECK (length(subject) = 16), grants TEXT NOT NULL, label TEXT NOT NULL,
      madeAt INTEGER NOT NULL, expires INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX issuedTokensByExpiry ON issuedTokens(expires);
    CREATE TABLE revocations (
      id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL, value BLOB NOT NULL CHECK (length(value) = 16), at INTEGER NOT NULL,
      expires INTEGER NOT NULL, actor BLOB
    ) STRICT;
    CREATE TABLE grants (
      id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
      subject BLOB NOT NULL CHECK (length(subject) = 16), role TEXT NOT NULL, scope TEXT NOT NULL,
      validFrom INTEGER, validUntil INTEGER, givenBy BLOB, givenAt INTEGER NOT NULL, endedAt INTEGER
    ) STRICT;
    CREATE INDEX grantsOfSubject ON grants(subject);
    CREATE TABLE oneTimeCodes (
      hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
      kind TEXT NOT NULL, subject BLOB NOT NULL CHECK (length(subject) = 16), institution BLOB,
      madeAt INTEGER NOT NULL, expires INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, usedAt INTEGER
    ) STRICT;
    CREATE INDEX oneTimeCodesByExpiry ON oneTimeCodes(expires);
    CREATE TABLE secondFactors (
      subject BLOB NOT NULL PRIMARY KEY CHECK (length(subject) = 16),
      secret BLOB NOT NULL CHECK (length(secret) >= 16), isConfirmed INTEGER NOT NULL DEFAULT 0,
      -- the latest time step a code was accepted for
      lastStep INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE failures (
      subject TEXT NOT NULL PRIMARY KEY,
      count INTEGER NOT NULL, since INTEGER NOT NULL, lockedUntil INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    """
}
