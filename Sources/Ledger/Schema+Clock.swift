extension Schema {
  /// What the clock asks for each second: they hold lessons that still wait alone, so that what is over costs nothing.
  static let clockVersion4 = """
    CREATE INDEX lessonsToArm ON lessons(plannedStart) WHERE state = 'published' AND isAlwaysLive = 0;
    CREATE INDEX lessonsWithoutEnd ON lessons(plannedEnd)
      WHERE state IN ('planned', 'published', 'armed', 'interrupted') AND isAlwaysLive = 0;
    """
}
