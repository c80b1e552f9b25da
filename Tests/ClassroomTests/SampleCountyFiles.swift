import CLinuxIO
import Classroom
import Foundation
import Testing

/// The county that ships in `Configs`, read from its files.
struct SampleCountyFiles {
  static let term = "2026-2027-1"
  /// With which the relay is too small for one of the planted courses, and for none of the county's own.
  static let relaySeats = 8

  var base = ImportBase()

  /// Sheets of a folder under `Configs`, each recognised by its header.
  static func sheets(_ folder: String) throws -> [String: ImportSheet] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Configs").appending(path: folder)
    var sheets: [String: ImportSheet] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: root.path) where name.hasSuffix(".csv") {
      let bytes = [UInt8](try Data(contentsOf: root.appending(path: name)))
      sheets[name] = try ImportSheet(bytes, decodeGB18030: utf8)
    }
    return sheets
  }

  private static func utf8(_ gb18030: [UInt8]) -> [UInt8]? {
    var out = [UInt8](repeating: 0, count: tk_gb18030_limit(gb18030.count))
    let count = tk_gb18030_to_utf8(gb18030, gb18030.count, &out, out.count)
    return count < 0 ? nil : Array(out.prefix(Int(count)))
  }

  /// Both folders number their identifiers apart.
  static func plan(_ folder: String, onto base: ImportBase) throws -> ImportPlan {
    let counter = ImportSupport.Counter()
    counter.count = UInt64(base.courses.count) * 1_000_000
    let sheets = try sheets(folder).sorted { $0.key < $1.key }.map(\.value)
    return try ImportPlan.make(sheets, onto: base, newIdentifier: counter.next)
  }

  init() throws { base.apply(try Self.plan("sample-county", onto: base).changes) }

  func timetable(relaySeats: Int? = nil) throws -> Timetable {
    var policy = TimetablePolicy.standard
    if let relaySeats { policy.relaySeats = relaySeats }
    return try #require(Timetable(base, term: Self.term, policy: policy))
  }

  func course(_ number: String) throws -> Course { try #require(base.courses.first { $0.number == number }) }
  func room(_ number: String) throws -> Identifier { try #require(base.rooms.first { $0.number == number }).id }
  func schoolClass(_ number: String) throws -> Identifier {
    try #require(base.classes.first { $0.number == number }).id
  }
  func person(_ staffNumber: String) throws -> Identifier {
    try #require(base.persons.first { $0.staffNumber == staffNumber }).id
  }
}
