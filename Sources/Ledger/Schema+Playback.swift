/// What lessons of asynchronous courses play.
extension Schema {
  /// `position` and `played` in milliseconds are where it stood a second ago at most; `session` is the playback that
  /// goes on, NULL when none does.
  static let playback = """
    CREATE TABLE lessonPlaybacks (
      lesson BLOB NOT NULL PRIMARY KEY REFERENCES lessons(id),
      source BLOB NOT NULL REFERENCES lessons(id), position INTEGER NOT NULL DEFAULT 0,
      played INTEGER NOT NULL DEFAULT 0, session BLOB CHECK (length(session) = 16)
    ) STRICT;
    CREATE INDEX lessonPlaybacksOfSource ON lessonPlaybacks(source);
    """
}
