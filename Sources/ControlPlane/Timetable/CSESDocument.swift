public import Classroom
import Yams

/// Reads a class's timetable in the Course Schedule Exchange Schema, as timetable programs export it (YAML).
///
/// Told is what has another structure than the schema, by path and line; what stands in a value, and what is missing,
/// is told by the plan that is made of the file, with all else. Keys that the schema does not know are left out.
public enum CSESDocument {
  /// Bytes of a file.
  public static let byteLimit = 1 << 20
  /// Subjects, and lessons of all schedules; as many as the importer takes.
  static let entryLimit = 1_000

  /// Throws `fileTooLarge`, `unknownEncoding`, `notYAML` with its line, `tooManyEntries`, and `badStructure` for every
  /// place that is not as it should be. UTF-8 with or without a mark, or GB18030.
  public static func read(_ file: [UInt8]) throws(ImportRefusal) -> CSESFile {
    var walk = CSESWalk()
    do throws(ImportIssue) {
      let root = try compose(try text(of: file))
      let document = walk.document(root)
      if walk.issues.isEmpty { return document }
    } catch {
      throw ImportRefusal([error])
    }
    throw ImportRefusal(walk.issues)
  }

  private static func text(of file: [UInt8]) throws(ImportIssue) -> String {
    guard file.count <= byteLimit else {
      throw ImportIssue(.fileTooLarge, arguments: ["limit": "1"], suggestion: .splitFile)
    }
    let bytes = file.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(file.dropFirst(3)) : file
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    guard let text = ImportDecoding.utf8(ofGB18030: bytes) else { throw ImportIssue(.unknownEncoding) }
    return String(decoding: text, as: UTF8.self)
  }

  private static func compose(_ text: String) throws(ImportIssue) -> Node? {
    guard !repeatsItself(text) else { throw ImportIssue(.badStructure, value: "&") }
    do { return try ConfigurationError.compose(text) } catch { throw ImportIssue(.notYAML, row: error.line) }
  }

  /// Whether it names a part and says it again: a few lines may stand for more than any memory holds.
  private static func repeatsItself(_ text: String) -> Bool {
    var (names, repeats) = (false, false)
    var last = UInt8(ascii: " ")
    var isAtStart = false
    for byte in text.utf8 {
      let isBlank = byte <= 0x20
      if isAtStart, !isBlank {
        if last == UInt8(ascii: "&") { names = true }
        if last == UInt8(ascii: "*") { repeats = true }
      }
      isAtStart =
        (byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*")) && (last <= 0x20 || "[{,:-?!".utf8.contains(last))
      last = byte
    }
    return names && repeats
  }
}

/// Goes through a document and gathers what is not built as it should be.
private struct CSESWalk {
  private(set) var issues: [ImportIssue] = []
  private var entries = 0

  mutating func document(_ root: Node?) -> CSESFile {
    guard let root, let mapping = mapping(root, "") else {
      if root == nil { issues.append(ImportIssue(.emptyFile)) }
      return CSESFile(version: nil, subjects: [], schedules: [])
    }
    var file = CSESFile(version: text(mapping, "version", ""), subjects: [], schedules: [])
    for (path, node) in list(mapping, "subjects", "") {
      guard takes(path), let subject = self.mapping(node, path) else { continue }
      file.subjects.append(
        CSESFile.Subject(name: text(subject, "name", path) ?? "", teacher: text(subject, "teacher", path)))
    }
    entries = 0
    for (path, node) in list(mapping, "schedules", "", isRequired: true) {
      guard takes(path), let schedule = self.mapping(node, path) else { continue }
      file.schedules.append(self.schedule(schedule, path))
    }
    return file
  }

  private mutating func schedule(_ schedule: Node.Mapping, _ path: String) -> CSESFile.Schedule {
    var lessons: [CSESFile.Entry] = []
    for (path, node) in list(schedule, "classes", path) {
      guard takes(path), let entry = mapping(node, path) else { continue }
      lessons.append(
        CSESFile.Entry(
          subject: text(entry, "subject", path) ?? "", start: text(entry, "start_time", path) ?? "",
          end: text(entry, "end_time", path) ?? ""))
    }
    return CSESFile.Schedule(
      name: text(schedule, "name", path) ?? "", day: text(schedule, "enable_day", path) ?? "",
      weeks: text(schedule, "weeks", path), entries: lessons)
  }

  /// Whether there is room for one more; says once that there is not.
  private mutating func takes(_ path: String) -> Bool {
    entries += 1
    if entries == CSESDocument.entryLimit + 1 {
      issues.append(
        ImportIssue(.tooManyEntries, column: path, arguments: ["limit": "\(CSESDocument.entryLimit)"]))
    }
    return entries <= CSESDocument.entryLimit
  }

  private mutating func note(_ node: Node, _ path: String) {
    guard issues.count <= CSESDocument.entryLimit else { return }
    issues.append(ImportIssue(.badStructure, row: node.mark?.line ?? 0, column: path))
  }

  private mutating func mapping(_ node: Node, _ path: String) -> Node.Mapping? {
    if let mapping = node.mapping { return mapping }
    note(node, path)
    return nil
  }

  private func value(_ mapping: Node.Mapping, _ key: String) -> Node? {
    mapping.first { $0.key.scalar?.string == key }?.value
  }

  private func joined(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// The text of a scalar as it is written, so that times are no sums of sixties; nil where it is absent or null.
  private mutating func text(_ mapping: Node.Mapping, _ key: String, _ path: String) -> String? {
    guard let node = value(mapping, key) else { return nil }
    guard let scalar = node.scalar else {
      note(node, joined(path, key))
      return nil
    }
    return node.null == nil ? scalar.string : nil
  }

  /// Entries with their paths; none where the list is absent and may be so, or null.
  private mutating func list(
    _ mapping: Node.Mapping, _ key: String, _ path: String, isRequired: Bool = false
  ) -> [(path: String, node: Node)] {
    let path = joined(path, key)
    guard let node = value(mapping, key) else {
      if isRequired { issues.append(ImportIssue(.missingValue, column: path)) }
      return []
    }
    if node.null != nil { return [] }
    guard let sequence = node.sequence else {
      note(node, path)
      return []
    }
    // One more than is taken, so that it is told.
    return sequence.prefix(CSESDocument.entryLimit + 1).enumerated().map { ("\(path)[\($0)]", $1) }
  }
}
