import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A running relay with one lesson of a published term and a file of it, as the maker of files leaves them.
final class ResourceShelf: Sendable {
  static let content = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 * 7 &+ $0 >> 8) })
  let county: TimetableRelay
  let clock = GivenClock()
  let resource: String
  let lesson: Identifier
  let file: ResourceFile
  let teacher: String
  let school: String
  let district: String

  init() async throws {
    county = try await TimetableRelay(clock: clock)
    #expect(try await county.send(county.places + [county.courses()]).status == 200)
    #expect(try await county.ask("POST", "/api/v1/terms/\(TimetableRelay.term)/publish").status == 200)
    let store = county.relay.store
    lesson = try #require(try store.lessons().first).id
    let folder = county.scratch.path + "/lessons/\(lesson)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Self.content.write(to: URL(fileURLWithPath: folder + "/camera.mp4"))
    file = ResourceFile(
      id: Identifier(high: 0xF, low: 1), lesson: lesson, kind: .recording, path: "lessons/\(lesson)/camera.mp4",
      mediaType: "video/mp4", byteCount: Int64(Self.content.count), sha256: ContentDigest(Self.content).text,
      durationMilliseconds: 2_400_000, state: .verified, madeAt: clock.now)
    let made = file
    try store.transaction { try $0.upsert(made) }
    try store.append(LedgerEvent(kind: .resourceMade, lesson: lesson, payload: [("resource", "\(made.id)")]))
    resource = "\(try #require(try store.resource(lesson: lesson)).id)"
    let lead = try #require(try store.institution(number: "A01")).id
    teacher = try Self.token(county, .leadTeacher, .school(lead), 11)
    school = try Self.token(county, .schoolAdmin, .school(lead), 12)
    district = try Self.token(county, .countyCoordinator, .county(TimetableRelay.county), 13)
  }

  static func token(_ county: TimetableRelay, _ role: Role, _ scope: Scope, _ subject: UInt64) throws -> String {
    let now = county.clock?.now ?? 0
    return try county.relay.tokens.sign(
      AccessClaims(
        subject: Identifier(high: 3, low: subject), grants: [Grant(role, scope)], expires: now / 1_000 + 40 * 86_400,
        now: now))
  }

  func token(_ role: Role, _ scope: Scope, _ subject: UInt64 = 20) throws -> String {
    try Self.token(county, role, scope, subject)
  }

  func school(_ number: String) throws -> Identifier {
    try #require(try county.relay.store.institution(number: number)).id
  }

  var path: String { "/api/v1/resources/\(resource)" }
  var filePath: String { path + "/files/\(file.id)" }

  func step(_ step: ResourceStepRequest.Step, _ level: String? = nil, reason: String? = nil, by token: String)
    async throws -> TimetableRelay.Answer
  {
    try await county.ask(
      "POST", path + "/steps", token: token, body: ResourceStepRequest(step: step, level: level, reason: reason))
  }

  func publish(_ level: String = "county") async throws {
    for answer in [
      try await step(.submit, by: teacher), try await step(.approve, level, by: district),
      try await step(.publish, by: teacher),
    ] { #expect(answer.status == 200, "\(answer.text)") }
  }

  func stop() async { await county.relay.stop() }

  /// A request whose answer's headers are looked at; `token` nil sends none.
  func fetch(
    _ method: String, _ path: String, token: String?, headers: [String: String] = [:]
  ) async throws -> (status: Int, data: Data, headers: [String: String]) {
    var request = URLRequest(url: try #require(URL(string: county.relay.localBase + path)))
    request.httpMethod = method
    request.cachePolicy = .reloadIgnoringLocalCacheData
    if let token { request.setValue("Bearer " + token, forHTTPHeaderField: "Authorization") }
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    let (data, response) = try await URLSession.shared.data(for: request)
    let answer = try #require(response as? HTTPURLResponse)
    let fields = answer.allHeaderFields.compactMap { name, value in
      (name as? String).map { ($0.lowercased(), "\(value)") }
    }
    return (answer.statusCode, data, Dictionary(fields) { first, _ in first })
  }
}
