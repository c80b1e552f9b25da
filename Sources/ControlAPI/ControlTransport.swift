import AsyncHTTPClient
package import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One request of the interface, before it has an address.
package struct ControlRequest: Sendable {
  package enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
    case patch = "PATCH"
    case delete = "DELETE"
  }

  var method: Method
  /// Below `/api/v1`, not yet percent-encoded.
  var path: [String]
  /// Without those that are nil.
  package var query: [(name: String, value: String?)] = []
  /// JSON.
  var body: Data?
  /// A body that is no JSON.
  var bytes: ByteBuffer?
  /// The revision or version that `If-Match` names, without quotes.
  var match: String?
  var accept = "application/json, application/problem+json"

  package init(_ method: Method, _ path: [String]) {
    self.method = method
    self.path = path
  }

  /// Path and query, percent-encoded to unreserved characters (RFC 3986).
  package var target: String {
    var target = "/api/v1" + path.map { "/" + Self.encoded($0) }.joined()
    var separator = "?"
    for case (let name, let value?) in query {
      target += separator + name + "=" + Self.encoded(value)
      separator = "&"
    }
    return target
  }

  static func encoded(_ text: String) -> String {
    // A segment of dots alone would be taken for a folder.
    guard text.contains(where: { $0 != "." }) else { return text.map { _ in "%2E" }.joined() }
    var encoded = ""
    for byte in text.utf8 {
      let scalar = UnicodeScalar(byte)
      if scalar.isASCII,
        scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "-._~".contains(Character(scalar))
      {
        encoded.unicodeScalars.append(scalar)
      } else {
        encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return encoded
  }
}

/// HTTP with one relay: trust, token, times and sizes.
package struct ControlTransport: Sendable {
  /// An answer that is longer is refused; a term of a county has about 10 MiB of findings at the worst.
  static let answerByteLimit = 64 << 20
  /// Brackets within brackets.
  static let nestingLimit = 32
  private static let timeout = TimeAmount.seconds(120)

  private let http: HTTPClient
  private let base: String
  private let host: String
  private let token: String?
  private let language: String?

  package init(base: String, token: String?, language: String?, trust: String?) throws(ControlError) {
    guard let url = URL(string: base), let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
      let host = url.host, !host.isEmpty, url.user == nil, url.password == nil, url.query == nil, url.fragment == nil
    else { throw .badURL(base) }
    // A header carries no line ends, and a token has none.
    if let token, token.isEmpty || !token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { throw .badToken }
    self.base = String(base.reversed().drop { $0 == "/" }.reversed())
    self.host = host
    self.token = token
    self.language = language
    var tls = TLSConfiguration.makeClientConfiguration()
    if let trust {
      guard let certificates = try? NIOSSLCertificate.fromPEMFile(trust), !certificates.isEmpty else {
        throw .cannotTrust(file: trust)
      }
      tls.additionalTrustRoots = [.certificates(certificates)]
    }
    // A redirection could take the token elsewhere.
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .disallow,
      timeout: HTTPClient.Configuration.Timeout(connect: .seconds(5), read: Self.timeout))
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  func shutdown() async { try? await http.shutdown() }

  func send(_ request: ControlRequest) async throws(ControlError) -> Data { try await sendTagged(request).data }

  /// The answer and its `ETag`.
  func sendTagged(_ request: ControlRequest) async throws(ControlError) -> (data: Data, tag: String?) {
    let answer = try await exchange(request)
    return (answer.data, answer.tag)
  }

  /// What an answer holds besides its status.
  struct Answer: Sendable {
    var data: Data
    var tag: String?
    /// Rows that an export leaves out.
    var leftOut: Int
  }

  /// - Throws: every case but `.cannotTrust` and `.badToken`.
  func exchange(_ request: ControlRequest) async throws(ControlError) -> Answer {
    let (status, answer) = try await execute(wire(request))
    guard (200..<300).contains(status) else { throw .refused(Self.problem(status: status, answer.data)) }
    return answer
  }

  func wire(_ request: ControlRequest) -> HTTPClientRequest {
    var wire = HTTPClientRequest(url: base + request.target)
    wire.method = HTTPMethod(rawValue: request.method.rawValue)
    wire.headers.add(name: "Accept", value: request.accept)
    if let language { wire.headers.add(name: "Accept-Language", value: language) }
    if let token { wire.headers.add(name: "Authorization", value: "Bearer " + token) }
    if let match = request.match, match.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 }) {
      wire.headers.add(name: "If-Match", value: "\"" + match + "\"")
    }
    if let body = request.body {
      wire.headers.add(name: "Content-Type", value: "application/json")
      wire.body = .bytes(ByteBuffer(data: body))
    } else if let bytes = request.bytes {
      wire.headers.add(name: "Content-Type", value: "application/octet-stream")
      wire.body = .bytes(bytes)
    }
    return wire
  }

  /// The head of an answer whose body has no end; comments keep it from being silent for long.
  func open(_ request: HTTPClientRequest) async throws(ControlError) -> (Int, HTTPClientResponse.Body) {
    do {
      let response = try await http.execute(request, deadline: .distantFuture)
      return (Int(response.status.code), response.body)
    } catch { throw failure(error) }
  }

  private func execute(_ request: HTTPClientRequest) async throws(ControlError) -> (Int, Answer) {
    do {
      let response = try await http.execute(request, timeout: Self.timeout)
      let body = try await response.body.collect(upTo: Self.answerByteLimit)
      let leftOut = response.headers.first(name: "Tongke-Left-Out").flatMap { Int($0) } ?? 0
      return (
        Int(response.status.code),
        Answer(data: Data(buffer: body), tag: response.headers.first(name: "ETag"), leftOut: leftOut)
      )
    } catch is NIOTooManyBytesError {
      throw .badAnswer(reason: "more than \(Self.answerByteLimit >> 20) MiB")
    } catch {
      throw failure(error)
    }
  }

  private func failure(_ error: any Error) -> ControlError {
    if let error = error as? HTTPClientError, error == .invalidURL { return .badURL(base) }
    let text = Self.words(of: error)
    if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidateCertificate") {
      return .untrusted(host: host)
    }
    return .unreachable(host: host, reason: text)
  }

  /// The innermost reason, on one line.
  private static func words(of error: any Error) -> String {
    if let connection = error as? NIOConnectionError, let first = connection.connectionErrors.first {
      return words(of: first.error)
    }
    if let system = error as? IOError { return system.description }
    return String(String(describing: error).map { $0.isNewline ? " " : $0 }.prefix(200))
  }

  /// What a refusal says, whether or not it is problem+json.
  package static func problem(status: Int, _ data: Data) -> ProblemReply {
    if let problem: ProblemReply = try? decode(data) { return problem }
    let bare: BareProblem? = try? decode(data)
    return ProblemReply(
      type: bare?.type ?? "", title: bare?.title ?? "HTTP \(status)", status: status, detail: bare?.detail ?? "")
  }

  private struct BareProblem: Decodable {
    var type: String?
    var title: String?
    var detail: String?
  }

  /// - Throws: `.badAnswer` for what is no JSON of this shape, or nests deeper than any answer does.
  package static func decode<Value: Decodable>(_ data: Data) throws(ControlError) -> Value {
    // Foundation's decoder traps on a text that ends with the bracket that nests too deep.
    guard isShallow(data) else { throw .badAnswer(reason: "JSON nests too deep") }
    do { return try JSONDecoder().decode(Value.self, from: data) } catch {
      throw .badAnswer(reason: "no JSON of the expected form")
    }
  }

  private static func isShallow(_ data: Data) -> Bool {
    var depth = 0
    var isText = false
    var isEscaped = false
    for byte in data {
      if isText {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isText = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isText = true
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        if depth > nestingLimit { return false }
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
    }
    return true
  }
}
