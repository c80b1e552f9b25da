/// What a catalogue elsewhere is told of one resource, in words that are already chosen; what is empty is left out.
///
/// Its forms are made of the value alone, so that the same resource always has the same bytes.
public struct CollectionRecord: Hashable, Sendable {
  /// One file, by the name that it has beside the metadata.
  public struct File: Hashable, Sendable {
    public var name: String
    public var mediaType: String
    public var byteCount: Int64
    public var sha256: String
    public var durationMilliseconds: Int64

    public init(name: String, mediaType: String, byteCount: Int64, sha256: String, durationMilliseconds: Int64) {
      self.name = name
      self.mediaType = mediaType
      self.byteCount = byteCount
      self.sha256 = sha256
      self.durationMilliseconds = durationMilliseconds
    }
  }

  /// `draft`, `final`, `revised` or `unavailable` (IEEE 1484.12.1, 2.2).
  public enum Status: String, Hashable, Sendable {
    case draft, final, revised, unavailable
  }

  /// UUID.
  public var identifier: String
  public var title: String
  public var subject: String
  /// 1…12.
  public var grades: [Int]
  public var term = ""
  public var volume = ""
  public var textbook = ""
  public var chapter = ""
  public var lessonName = ""
  public var keywords: [String] = []
  public var summary = ""
  public var teacher = ""
  public var school = ""
  /// ISO 8601, UTC.
  public var made: String
  public var status: Status
  public var files: [File]

  public init(
    identifier: String, title: String, subject: String, grades: [Int], made: String, status: Status, files: [File]
  ) {
    self.identifier = identifier
    self.title = title
    self.subject = subject
    self.grades = grades
    self.made = made
    self.status = status
    self.files = files
  }

  /// The language of everything that people wrote.
  static let language = "zh-CN"

  var bytes: Int64 { files.reduce(0) { $0 &+ $1.byteCount } }
  var mediaTypes: [String] { Set(files.map(\.mediaType)).sorted() }
  /// Of the longest file, milliseconds.
  var milliseconds: Int64 { files.map(\.durationMilliseconds).max() ?? 0 }

  /// ISO 8601, such as `PT40M12.5S`; tenths of a second, rounded down.
  static func duration(_ milliseconds: Int64) -> String {
    let tenths = max(0, milliseconds) / 100
    let (hours, minutes, seconds) = (tenths / 36_000, tenths / 600 % 60, tenths % 600)
    var text = "PT"
    if hours > 0 { text += "\(hours)H" }
    if minutes > 0 { text += "\(minutes)M" }
    if seconds > 0 || (hours == 0 && minutes == 0) {
      text += seconds % 10 == 0 ? "\(seconds / 10)S" : "\(seconds / 10).\(seconds % 10)S"
    }
    return text
  }

  /// Years that pupils of the grades are of: six in the first.
  var ageRange: String? {
    guard let first = grades.min(), let last = grades.max() else { return nil }
    return "\(first + 5)-\(last + 6)"
  }
}
