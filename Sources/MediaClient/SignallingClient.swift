import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import RTCWire

/// What a session URL stands for, as the POST was answered.
struct SignalledSession: Sendable {
  var url: String
  var entityTag: String?
  var answer: SessionDescription
  /// Where the relay takes wishes what the lines of a receiver show; nil from one that has none.
  var panes: String?
}

/// The HTTP half of WHIP (RFC 9725) and WHEP (draft-03), which differ in their offers alone.
struct SignallingClient: Sendable {
  static let answerByteLimit = 1 << 17
  private static let timeout = TimeAmount.seconds(10)

  private let http: HTTPClient
  private let language: String?

  /// - Parameter trustFile: PEM certificates to trust besides the system's; nil for the system's alone.
  init(trustFile: String?, language: String?) throws(ClientError) {
    self.language = language
    var tls = TLSConfiguration.makeClientConfiguration()
    if let trustFile {
      guard let certificates = try? NIOSSLCertificate.fromPEMFile(trustFile), !certificates.isEmpty else {
        throw .cannotTrust(file: trustFile)
      }
      tls.additionalTrustRoots = [.certificates(certificates)]
    }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .follow(max: 3, allowCycles: false),
      timeout: HTTPClient.Configuration.Timeout(connect: .seconds(5), read: Self.timeout))
    configuration.httpVersion = .http1Only
    // A refused connection is told at once; whether to try again is the session's to decide.
    configuration.connectionPool.retryConnectionEstablishment = false
    http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  func shutdown() async { try? await http.shutdown() }

  /// POSTs an offer.
  /// - Throws: `.refused` with what the answer said, `.badAnswer`, `.unreachable`, `.untrusted`, `.badURL`.
  func open(url: String, token: String?, offer: SessionDescription) async throws(ClientError) -> SignalledSession {
    guard let base = URL(string: url), let scheme = base.scheme, ["http", "https"].contains(scheme), base.host != nil
    else { throw .badURL(url) }
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/sdp")
    request.headers.add(name: "Accept", value: "application/sdp, application/problem+json")
    if let language { request.headers.add(name: "Accept-Language", value: language) }
    authorize(&request, token)
    request.body = .bytes(ByteBuffer(string: offer.text))
    let (response, body) = try await execute(request, host: base.host ?? url)
    guard response.status == .created else { throw .refused(Self.refusal(response, body)) }
    guard let location = response.headers.first(name: "Location"),
      let session = URL(string: location, relativeTo: response.url ?? base)
    else { throw .badAnswer(reason: "no Location") }
    // Whatever stands before the version line is no part of it.
    let text = body.range(of: "v=0").map { String(body[$0.lowerBound...]) } ?? body
    guard let answer = try? SessionDescription(parsing: text) else {
      await close(url: session.absoluteString, token: token)
      throw .badAnswer(reason: "no SDP")
    }
    return SignalledSession(
      url: session.absoluteString, entityTag: response.headers.first(name: "ETag"), answer: answer,
      panes: Self.link("urn:tongke:panes", in: response.headers["Link"], base: response.url ?? base))
  }

  /// The target of a relation (RFC 8288 §3), as our relay writes it.
  private static func link(_ relation: String, in fields: [String], base: URL) -> String? {
    for field in fields.flatMap({ $0.split(separator: ",") }) where field.contains("rel=\"\(relation)\"") {
      guard let open = field.firstIndex(of: "<"), let close = field[open...].firstIndex(of: ">") else { continue }
      return URL(string: String(field[field.index(after: open)..<close]), relativeTo: base)?.absoluteString
    }
    return nil
  }

  /// Wishes what every line of a receiver shows: a pane's name; of a seat's its picture alone.
  /// - Throws: `.refused` with what the answer said, `.badAnswer` from a relay that has no panes, `.unreachable`.
  func show(_ pane: String, in session: SignalledSession, token: String?) async throws(ClientError) {
    struct Wish: Encodable {
      var mid: String
      var show: String
    }
    guard let url = session.panes else { throw .badAnswer(reason: "no panes") }
    let wishes = session.answer.media.filter { !$0.isRejected }.map { section in
      Wish(mid: section.mid ?? "", show: section.kind == "audio" && pane.hasPrefix("seat:") ? "none" : pane)
    }
    guard let body = try? JSONEncoder().encode(wishes) else { throw .badAnswer(reason: "no panes") }
    var request = HTTPClientRequest(url: url)
    request.method = .PUT
    request.headers.add(name: "Content-Type", value: "application/json")
    if let language { request.headers.add(name: "Accept-Language", value: language) }
    authorize(&request, token)
    request.body = .bytes(ByteBuffer(bytes: body))
    let (response, text) = try await execute(request, host: URL(string: url)?.host ?? url)
    guard response.status == .noContent else { throw .refused(Self.refusal(response, text)) }
  }

  /// DELETEs a session. What it is answered changes nothing: the relay would notice without it, only later.
  func close(url: String, token: String?) async {
    var request = HTTPClientRequest(url: url)
    request.method = .DELETE
    authorize(&request, token)
    _ = try? await http.execute(request, timeout: .seconds(3))
  }

  private func authorize(_ request: inout HTTPClientRequest, _ token: String?) {
    if let token { request.headers.add(name: "Authorization", value: "Bearer " + token) }
  }

  private func execute(
    _ request: HTTPClientRequest, host: String
  ) async throws(ClientError) -> (HTTPClientResponse, String) {
    do {
      let response = try await http.execute(request, timeout: Self.timeout)
      let body = try await response.body.collect(upTo: Self.answerByteLimit)
      return (response, String(buffer: body))
    } catch let error as HTTPClientError where error == .invalidURL {
      throw .badURL(request.url)
    } catch {
      if Task.isCancelled { throw .stopped }
      let text = Self.words(of: error)
      if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidateCertificate") {
        throw .untrusted(host: host)
      }
      throw .unreachable(host: host, reason: text)
    }
  }

  /// The innermost reason, on one line.
  private static func words(of error: any Error) -> String {
    if let connection = error as? NIOConnectionError, let first = connection.connectionErrors.first {
      return words(of: first.error)
    }
    if let system = error as? IOError { return system.description }
    return String(describing: error).replacingOccurrences(of: "\n", with: " ").prefix(200).description
  }

  private struct Problem: Decodable {
    var type: String?
    var title: String?
    var detail: String?
  }

  private static func refusal(_ response: HTTPClientResponse, _ body: String) -> HTTPRefusal {
    // Foundation's decoder traps on a text that ends with the bracket that nests too deep.
    let isFlat = body.utf8.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") } <= 256
    let problem = isFlat ? try? JSONDecoder().decode(Problem.self, from: Data(body.utf8)) : nil
    return HTTPRefusal(
      status: Int(response.status.code), type: problem?.type ?? "",
      title: problem?.title ?? response.status.reasonPhrase, detail: problem?.detail ?? "",
      retryAfter: response.headers.first(name: "Retry-After").flatMap { Int($0) })
  }
}
