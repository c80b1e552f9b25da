import CLinuxIO
import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore

/// Sheets out, as imports take them in again.
struct ExportRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] { [Route(.get, "/api/v1/exports/{kind}", export)] }

  private enum Encoding: String { case utf8, gb18030 }

  private func export(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let name = context.name("kind")
    guard let kind = SheetKind(rawValue: name) else { throw Problem.unknown(name) }
    let encoding = try request.query.choice("encoding", Encoding.self) ?? .utf8
    let gate = relay.gate
    // A list of teachers is a list of names.
    let operations: [AccessOperation] = kind == .persons ? [.exportTables, .readPersons] : [.exportTables]
    let places = relay.places.places()
    let targets = caller.grants.compactMap { places.target($0.scope) }
    for operation in operations where !targets.contains(where: { gate.allows(operation, on: $0, by: caller) }) {
      try gate.require(operation, on: .city, by: caller)
    }
    var isOwn: (@Sendable (AccessPlace) -> Bool)?
    if !operations.allSatisfy({ gate.allows($0, on: .city, by: caller) }) {
      isOwn = { place in operations.allSatisfy { gate.allows($0, on: .place(place), by: caller) } }
    }
    let (text, leftOut) = try await relay.timetables.export(
      kind, term: request.query["term"], language: request.language, isOwn: isOwn)
    let bytes = encoding == .utf8 ? Array(text.utf8) : try Self.gb18030(text)
    var response = Response(
      status: .ok,
      headers: [
        .contentType: encoding == .utf8 ? "text/csv; charset=utf-8" : "text/csv; charset=gb18030",
        .contentDisposition: "attachment; filename=\"\(kind.rawValue).csv\"", .cacheControl: "no-store",
      ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    response.headers[.leftOut] = "\(leftOut)"
    return response
  }

  /// Without the mark of UTF-8.
  private static func gb18030(_ text: String) throws(Problem) -> [UInt8] {
    let plain = Array(
      text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()).utf8 : text.utf8)
    // Two bytes of UTF-8 become four at most.
    let limit = plain.count * 2 + 4
    var isText = false
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      let written = plain.withUnsafeBufferPointer {
        tk_utf8_to_gb18030($0.baseAddress, $0.count, buffer.baseAddress, limit)
      }
      isText = written >= 0
      count = max(0, Int(written))
    }
    guard isText else { throw Problem(.badQuery, arguments: ["name": "encoding", "value": "gb18030"]) }
    return bytes
  }
}

extension HTTPField.Name {
  static let leftOut = Self("Tongke-Left-Out")!  // a valid token
}

extension TimetableDesk {
  /// A sheet of what there is: its text, and how many rows it lacks because nothing finds them or what they name.
  ///
  /// `isOwn` says which schools the caller may take away, nil all; `term` chooses courses and local lessons.
  func export(
    _ kind: SheetKind, term: String?, language: Language, isOwn: (@Sendable (AccessPlace) -> Bool)?
  ) throws -> (text: String, leftOut: Int) {
    var base = try store.importBase(subjects: subjects)
    if let term {
      guard base.terms.contains(where: { $0.code == term }) else { throw Problem.unknown(term) }
      base.courses.removeAll { $0.term != term }
      base.localLessons.removeAll { $0.term != term }
      if kind == .terms { base.terms.removeAll { $0.code != term } }
    }
    if let isOwn { base = base.limited(to: isOwn) }
    let rows = base.table(of: kind, inEnglish: language == .english)
    let header = rows.first ?? []
    // A school is found by its number or by the ministry's code; all else by what has to be there.
    let keys = Set(
      kind.columns.filter { kind == .institutions ? $0.isKey : $0.isRequired }.map {
        language == .english ? $0.english : $0.chinese
      })
    let places = header.indices.filter { keys.contains(header[$0]) }
    var table = CSVWriter(header: header)
    var leftOut = 0
    for row in rows.dropFirst() {
      let isFound =
        kind == .institutions
        ? places.contains { !row[$0].isEmpty } : places.allSatisfy { !row[$0].isEmpty }
      if isFound { table.add(row.map { .text($0) }) } else { leftOut += 1 }
    }
    return (table.text, leftOut + table.leftOut)
  }
}
