import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Logging
import Synchronization
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A clock that stands until the test moves it, from the present on.
final class GivenClock: Sendable {
  private let time = Mutex(Int64(Date().timeIntervalSince1970) * 1_000)

  var now: Int64 { time.withLock { $0 } }
  func advance(minutes: Int64) { time.withLock { $0 += minutes * 60_000 } }
  func set(_ milliseconds: Int64) { time.withLock { $0 = milliseconds } }
}

/// A running relay that is asked over HTTP, and the sheets of a small county whose term begins next Monday.
final class TimetableRelay: Sendable {
  static let term = "T1"
  static let county = "甲县"
  let scratch: ScratchFolder
  let relay: Relay
  let monday: CivilDate
  let clock: GivenClock?

  struct Answer: Sendable {
    var status: Int
    var data: Data
    var tag: String?
    var text: String { String(decoding: data, as: UTF8.self) }
    /// What a refusal is called.
    var kind: String {
      let problem = try? JSONDecoder().decode(ProblemReply.self, from: data)
      return (problem?.type ?? "").split(separator: ":").last.map(String.init) ?? ""
    }

    func value<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
      try #require(try? JSONDecoder().decode(type, from: data), "\(status) \(text)")
    }
  }

  /// - Parameters:
  ///   - clock: the relay's; nil is this machine's.
  ///   - scratch: the folder of a relay that was stopped.
  init(clock: GivenClock? = nil, scratch: ScratchFolder? = nil) async throws {
    self.scratch = try scratch ?? ScratchFolder()
    self.clock = clock
    var configuration = RelayConfiguration()
    configuration.http = ListenAddress(host: "127.0.0.1", port: 0)
    configuration.https = nil
    configuration.udpPort = 0
    configuration.loopbackOnly = true
    configuration.data = self.scratch.path
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    if let clock {
      relay = try await Relay.start(configuration: configuration, logger: logger) { clock.now }
    } else {
      relay = try await Relay.start(configuration: configuration, logger: logger)
    }
    monday = CivilTime.date(of: Int64(Date().timeIntervalSince1970 * 1_000)).monday + 7
  }

  func token(_ role: Role, _ scope: Scope) throws -> String {
    let now = clock?.now ?? Int64(Date().timeIntervalSince1970 * 1_000)
    return try relay.tokens.sign(
      AccessClaims(
        subject: Identifier(high: 3, low: 1), grants: [Grant(role, scope)], expires: now / 1_000 + 600, now: now))
  }

  /// Asks as the operator unless another token is given.
  func ask(
    _ method: String, _ path: String, token: String? = nil, body: (any Encodable)? = nil,
    headers: [String: String] = [:]
  ) async throws -> Answer {
    var request = URLRequest(url: try #require(URL(string: relay.localBase + path)))
    request.httpMethod = method
    request.cachePolicy = .reloadIgnoringLocalCacheData
    request.setValue("Bearer " + (token ?? relay.operatorToken()), forHTTPHeaderField: "Authorization")
    request.setValue("zh-CN", forHTTPHeaderField: "Accept-Language")
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    if let body {
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
      request.httpBody = try JSONEncoder().encode(body)
    }
    let (data, response) = try await URLSession.shared.data(for: request)
    let answer = try #require(response as? HTTPURLResponse)
    return Answer(status: answer.statusCode, data: data, tag: answer.value(forHTTPHeaderField: "ETag"))
  }

  // MARK: Sheets

  private func file(_ name: String, _ text: String) -> ImportRequest.File {
    ImportRequest.File(name: name, data: Data(text.utf8))
  }

  /// As Chinese spreadsheets save it: 学校编号,工号,姓名 of two teachers in GB18030.
  private var teachers: ImportRequest.File {
    let text = "0afQo7HgusUsuaS6xSzQ1cP7CkEwMSwxMDAxLMDuuuwKQTAxLDEwMDIszfXHvwo="
    return ImportRequest.File(name: "teachers.csv", data: Data(base64Encoded: text) ?? Data())
  }

  var places: [ImportRequest.File] {
    [
      file(
        "institutions.csv",
        "编号,名称,类型,中心校,区县\nA01,中心小学,学校,,\(Self.county)\nB01,石壁坳教学点,教学点,A01,\(Self.county)\n"),
      file(
        "rooms.csv",
        """
        教室编号,学校编号,名称,验收日期,下行带宽,上行带宽
        A01-1,A01,录播教室,2026/8/20,100000,50000
        A01-2,A01,互动教室,2026/8/20,100000,50000
        B01-1,B01,教室一,2026/8/20,20000,10000
        B01-2,B01,教室二,2026/8/20,20000,10000
        """),
      teachers,
      file(
        "bells.csv",
        """
        学校编号,作息名称,星期,第1节,第2节,第3节
        A01,作息,周一至周五,8:20-9:00,9:10-9:50,10:20-11:00
        B01,作息,周一至周五,8:20-9:00,9:10-9:50,10:20-11:00
        """),
      file("clusters.csv", "联校群编号,名称,主讲学校,接收学校\nQ1,联校群,A01,B01\n"),
      file("terms.csv", "学期,名称,第一周日期,周数\n\(Self.term),试验学期,\(monday),4\n"),
    ]
  }

  /// K1 on Mondays, K2 when it is said; both of one teacher.
  func courses(second: String = "周三第2节", weeks: String = "1-4") -> ImportRequest.File {
    file(
      "courses.csv",
      """
      课程编号,学期,联校群编号,学科,年级,主讲教室,主讲教师,接收教室,上课时间,周次
      K1,\(Self.term),Q1,音乐,三年级,A01-1,1001,B01-1,周一第2节,\(weeks)
      K2,\(Self.term),Q1,美术,三年级,A01-2,1001,B01-2,\(second),1-4
      """)
  }

  func send(
    _ files: [ImportRequest.File], dryRun: Bool = false, token: String? = nil, headers: [String: String] = [:]
  ) async throws -> Answer {
    try await ask(
      "POST", "/api/v1/imports", token: token, body: ImportRequest(files: files, dryRun: dryRun), headers: headers)
  }

  func check() async throws -> CheckReply { try await ask("GET", "/api/v1/terms/\(Self.term)/check").value() }
}
