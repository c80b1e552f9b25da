public import Foundation

/// `POST /api/v1/imports`: the files of one import, and how to take them.
public struct ImportRequest: Codable, Hashable, Sendable {
  public struct File: Codable, Hashable, Sendable {
    /// As messages name it.
    public var name: String
    /// As it is on disk, in whatever encoding; base64 in JSON.
    public var data: Data
    /// Raw value of a kind of sheet, such as `courses`; nil to tell it by the headers.
    public var kind: String?

    public init(name: String, data: Data, kind: String? = nil) {
      self.name = name
      self.data = data
      self.kind = kind
    }
  }

  public var files: [File]
  /// Code of the term that rows without one belong to, such as `2026-2027-1`.
  public var term: String?
  /// The year in whose September the school year begins that grades are meant in.
  public var schoolYear: Int?
  /// Number of the class that local lessons without one are of.
  public var schoolClass: String?
  /// Institution and staff number, `P07/001`, that local lessons without a teacher are of.
  public var teacher: String?
  /// Whether rows that the files leave out are removed.
  public var deleteMissing: Bool
  /// Whether to tell the difference and write nothing.
  public var dryRun: Bool

  public init(
    files: [File], term: String? = nil, schoolYear: Int? = nil, schoolClass: String? = nil, teacher: String? = nil,
    deleteMissing: Bool = false, dryRun: Bool = false
  ) {
    self.files = files
    self.term = term
    self.schoolYear = schoolYear
    self.schoolClass = schoolClass
    self.teacher = teacher
    self.deleteMissing = deleteMissing
    self.dryRun = dryRun
  }
}

/// What an import did, or with `dryRun` would do.
public struct ImportReply: Codable, Hashable, Sendable {
  public enum Action: String, Codable, Hashable, Sendable, CaseIterable {
    case add, change, same, absent, remove
  }

  public struct Change: Codable, Hashable, Sendable {
    /// The column's header.
    public var column: String
    public var old: String
    public var new: String

    public init(column: String, old: String, new: String) {
      self.column = column
      self.old = old
      self.new = new
    }
  }

  public struct Line: Codable, Hashable, Sendable {
    /// The file or kind of sheet.
    public var sheet: String
    /// 1-based, the header being 1; 0 for what no row stands for.
    public var row: Int
    public var key: String
    public var name: String
    public var action: Action
    public var changes: [Change]

    public init(sheet: String, row: Int, key: String, name: String, action: Action, changes: [Change] = []) {
      self.sheet = sheet
      self.row = row
      self.key = key
      self.name = name
      self.action = action
      self.changes = changes
    }
  }

  /// Rows by what becomes of them.
  public struct Counts: Codable, Hashable, Sendable {
    public var add: Int
    public var change: Int
    public var same: Int
    public var absent: Int
    public var remove: Int

    public init(add: Int = 0, change: Int = 0, same: Int = 0, absent: Int = 0, remove: Int = 0) {
      self.add = add
      self.change = change
      self.same = same
      self.absent = absent
      self.remove = remove
    }
  }

  /// Whether it is written; false for a dry run.
  public var applied: Bool
  /// Without the rows that stay the same.
  public var lines: [Line]
  public var counts: Counts

  public init(applied: Bool, lines: [Line], counts: Counts) {
    self.applied = applied
    self.lines = lines
    self.counts = counts
  }
}

/// One thing that is wrong with an import's files, of a `ProblemReply`.
public struct ImportIssueReply: Codable, Hashable, Sendable {
  /// The file or kind of sheet.
  public var sheet: String
  /// 1-based, the header being 1; nil when it is about the whole file.
  public var row: Int?
  /// The column's header or letter; nil when it is about the whole row.
  public var column: String?
  /// What stands there.
  public var value: String?
  /// Stable.
  public var code: String
  /// The sentence, in the language of the request.
  public var text: String

  public init(sheet: String, row: Int?, column: String?, value: String?, code: String, text: String) {
    self.sheet = sheet
    self.row = row
    self.column = column
    self.value = value
    self.code = code
    self.text = text
  }
}
