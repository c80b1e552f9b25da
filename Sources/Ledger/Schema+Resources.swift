/// Resources: files by themselves first.
extension Schema {
  /// A file is one thing, what is reviewed and found another: the table takes the name of what it holds.
  static let resourceFiles = """
    ALTER TABLE resources RENAME TO resourceFiles;
    DROP INDEX resourcesOfLesson;
    CREATE INDEX resourceFilesOfLesson ON resourceFiles(lesson);
    """
}
