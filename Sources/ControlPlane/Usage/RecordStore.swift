import AsyncHTTPClient
package import Foundation
import Ledger
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL
import Reporting
import Synchronization

/// A platform's learning record store, spoken to in xAPI 1.0.3 with Basic authentication.
///
/// No redirections, bounded in time and size, and only with TLS unless the server is this machine.
final class RecordStore: Sendable {
  static let byteLimit = 1 << 20
  static let version = "1.0.3"

  private let endpoint: String
  private let authorization: String
  private let trust: String?
  private let seconds: Int64
  private let client = Mutex<HTTPClient?>(nil)

  /// - Parameters:
  ///   - seconds: until the whole answer to a request is there.
  init(_ platform: ReportingConfiguration.Platform, password: String, seconds: Int64 = 30) {
    endpoint = platform.endpoint
    authorization = "Basic " + Data("\(platform.user):\(password)".utf8).base64EncodedString()
    trust = platform.trust
    self.seconds = seconds
  }

  func shutdown() async {
    let client = client.withLock { client in
      defer { client = nil }
      return client
    }
    try? await client?.shutdown()
  }

  private func opened() throws -> HTTPClient {
    try client.withLock { client in
      if let client { return client }
      var tls = TLSConfiguration.makeClientConfiguration()
      if let trust { tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(trust))] }
      var configuration = HTTPClient.Configuration(
        tlsConfiguration: tls, redirectConfiguration: .disallow,
        timeout: HTTPClient.Configuration.Timeout(connect: .seconds(5), read: .seconds(seconds)))
      configuration.httpVersion = .http1Only
      configuration.connectionPool.retryConnectionEstablishment = false
      let made = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
      client = made
      return made
    }
  }

  private enum Failure: Error { case unreachable, timedOut }

  private struct Reply {
    var status: Int
    var retryAfter: String?
    var body: Data
  }

  /// Sends statements in one request.
  func post(_ statements: [WaitingStatement]) async -> DeliveryCore.Answer {
    var body = ByteBuffer()
    body.reserveCapacity(statements.reduce(2) { $0 + $1.body.count + 1 })
    body.writeString("[")
    for (place, statement) in statements.enumerated() {
      if place > 0 { body.writeString(",") }
      body.writeBytes(statement.body)
    }
    body.writeString("]")
    do throws(Failure) {
      let reply = try await exchange("/statements", body)
      let isWhole = reply.status != 200 || Self.names(reply.body, of: statements)
      return .status(
        reply.status, retryAfter: reply.retryAfter.flatMap { RetryAfter.milliseconds($0, now: Date()) },
        isWhole: isWhole)
    } catch {
      return error == .timedOut ? .timedOut : .unreachable
    }
  }

  /// Whether an answer is an array of identifiers, each of one that was sent; those that were known may be missing.
  private static func names(_ body: Data, of statements: [WaitingStatement]) -> Bool {
    guard let named: [String] = decodeJSON(body) else { return false }
    let sent = Set(statements.map { "\($0.id)" })
    return named.allSatisfy { sent.contains($0.lowercased()) }
  }

  /// Whether the store has the statement as it was sent.
  func compare(_ statement: WaitingStatement) async -> DeliveryCore.Comparison {
    do throws(Failure) {
      let reply = try await exchange("/statements?statementId=\(statement.id)", nil)
      switch reply.status {
      case 200: return StatementComparison.holds(reply.body, Data(statement.body)) ? .same : .other
      case 404: return .missing
      default: return .unknown
      }
    } catch { return .unknown }
  }

  private func exchange(_ path: String, _ body: ByteBuffer?) async throws(Failure) -> Reply {
    var request = HTTPClientRequest(url: endpoint + path)
    request.headers.add(name: "X-Experience-API-Version", value: Self.version)
    request.headers.add(name: "Authorization", value: authorization)
    request.headers.add(name: "Accept", value: "application/json")
    if let body {
      request.method = .POST
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(body)
    }
    do {
      let response = try await opened().execute(request, deadline: .now() + .seconds(seconds))
      let data = Data(buffer: try await response.body.collect(upTo: Self.byteLimit))
      return Reply(
        status: Int(response.status.code), retryAfter: response.headers.first(name: "Retry-After"), body: data)
    } catch let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout {
      throw .timedOut
    } catch { throw .unreachable }
  }
}

package enum RetryAfter {
  /// Milliseconds from now, of a number of seconds or a date (RFC 9110 §10.2.3); nil for anything else.
  package static func milliseconds(_ field: String, now: Date) -> Int64? {
    let text = field.trimmingCharacters(in: .whitespaces)
    if let seconds = Int64(text) { return min(max(0, seconds), 1_000_000) * 1_000 }
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "GMT")
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return format.date(from: text).map { Int64(min(max(0, $0.timeIntervalSince(now)), 1_000_000) * 1_000) }
  }
}

/// Whether what a store has is what was sent: it adds to statements, and writes times in its own way.
package enum StatementComparison {
  package static func holds(_ theirs: Data, _ ours: Data) -> Bool {
    guard var theirs: Tree = decodeJSON(theirs), let ours: Tree = decodeJSON(ours) else { return false }
    // Some answer with a list of one also to whoever asks for one by its identifier.
    if case .object(let members) = theirs, case .list(let found)? = members["statements"], found.count == 1 {
      theirs = found[0]
    }
    return holds(theirs, ours, key: "")
  }

  private indirect enum Tree: Decodable, Equatable {
    case text(String)
    case number(Double)
    case truth(Bool)
    case list([Tree])
    case object([String: Tree])
    case null

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        self = .null
      } else if let value = try? container.decode(Bool.self) {
        self = .truth(value)
      } else if let value = try? container.decode(Double.self) {
        self = .number(value)
      } else if let value = try? container.decode(String.self) {
        self = .text(value)
      } else if let value = try? container.decode([Tree].self) {
        self = .list(value)
      } else {
        self = .object(try container.decode([String: Tree].self))
      }
    }
  }

  private static func holds(_ theirs: Tree, _ ours: Tree, key: String) -> Bool {
    switch (theirs, ours) {
    case (.object(let theirs), .object(let ours)):
      return ours.allSatisfy { key, value in theirs[key].map { holds($0, value, key: key) } ?? false }
    case (.list(let theirs), .list(let ours)):
      return theirs.count == ours.count && zip(theirs, ours).allSatisfy { holds($0, $1, key: key) }
    case (.text(let theirs), .text(let ours)) where key == "timestamp":
      return theirs == ours || instant(theirs) == instant(ours)
    default: return theirs == ours
    }
  }

  /// Whole milliseconds; nil for what is no time.
  private static func instant(_ text: String) -> Int64? {
    let plain = text.replacingOccurrences(of: "+00:00", with: "Z")
    let format = Date.ISO8601FormatStyle(includingFractionalSeconds: plain.contains("."))
    return (try? format.parse(plain)).map { Int64(($0.timeIntervalSince1970 * 1_000).rounded()) }
  }
}
