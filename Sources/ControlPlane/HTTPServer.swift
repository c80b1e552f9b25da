import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import RTCWire
import ServiceLifecycle
import Synchronization

/// Why the relay cannot listen; told in words by `message`.
public struct ListenError: Error, Sendable {
  public var address: ListenAddress
  public var reason: String

  public func message(in language: Language) -> String {
    Text.of("serve.cannotListen", in: language, ["address": address.description, "reason": reason])
  }
}

/// A responder that tells every refusal in the client's language and lets pages of other origins call the relay.
private struct TellingResponder<Inner: HTTPResponder>: HTTPResponder where Inner.Context == RelayContext {
  let inner: Inner
  let counters: HTTPCounters

  func respond(to request: Request, context: RelayContext) async throws -> Response {
    var response: Response
    do {
      response = try await inner.respond(to: request, context: context)
    } catch let problem as Problem {
      response = problem.response(in: request.language)
    } catch let error as any HTTPResponseError {
      response =
        error.status == .notFound ? Problem(.notFound).response(in: request.language) : Response(status: error.status)
    } catch {
      context.logger.error("request failed", metadata: ["path": "\(request.loggedPath)", "error": "\(error)"])
      response = Response(status: .internalServerError)
    }
    response.headers[.accessControlAllowOrigin] = "*"
    response.headers[.accessControlExposeHeaders] = "Location, ETag, Link, Retry-After"
    counters.count(response.status.code)
    return response
  }
}

/// What the plain port answers: everything to this machine itself, to others only how to trust the relay and where it
/// is.
private struct PlainPortResponder<Inner: HTTPResponder>: HTTPResponder where Inner.Context == RelayContext {
  static var openPaths: Set<String> { ["/trust", "/trust.js", "/ca.crt", "/style.css", "/text.json", "/healthz"] }
  let inner: Inner
  /// The port of HTTPS; nil when a proxy on this machine has the certificate.
  let securePort: @Sendable () -> Int?

  func respond(to request: Request, context: RelayContext) async throws -> Response {
    if context.remote?.isLoopback == true || Self.openPaths.contains(request.uri.path) {
      return try await inner.respond(to: request, context: context)
    }
    guard let port = securePort() else { throw Problem(.notFound) }
    let host = request.head.authority.map(Self.hostName) ?? context.local?.addressText ?? "localhost"
    let place = port == 443 ? host : "\(host):\(port)"
    // 307 keeps method and body, as WHIP asks (RFC 9725 §4.5); a person is first told how to trust the certificate.
    let isPage = request.method == .get && request.uri.path == "/"
    let location = isPage ? "/trust" : "https://\(place)\(request.uri)"
    return Response(status: .temporaryRedirect, headers: [.location: location])
  }

  /// The host of an authority without its port; brackets of IPv6 stay.
  static func hostName(_ authority: String) -> String {
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") { return String(authority[...end]) }
    return String(authority.prefix { $0 != ":" })
  }
}

/// Responses by status class since the start.
final class HTTPCounters: Sendable {
  private let counts = Mutex<[UInt64]>(Array(repeating: 0, count: 6))
  func count(_ status: Int) { counts.withLock { $0[min(max(status / 100, 0), 5)] += 1 } }
  /// Index 1…5: 1xx…5xx.
  var byClass: [UInt64] { counts.withLock { $0 } }
}

/// The HTTP and HTTPS listeners.
final class HTTPServer: Sendable {
  private struct Listening {
    var port: Int?
    var group: ServiceGroup?
    var task: Task<Void, any Error>?
  }

  private let plain = Mutex(Listening())
  private let secure = Mutex(Listening())
  let counters = HTTPCounters()

  var httpPort: Int? { plain.withLock { $0.port } }
  var httpsPort: Int? { secure.withLock { $0.port } }

  /// Listens, plain and, with a certificate, with TLS 1.2 or 1.3.
  /// - Throws: `ListenError`.
  func start(
    routes: [Route], http: ListenAddress, https: ListenAddress?, chainPEM: String, keyPEM: String, logger: Logger
  ) async throws {
    let router = Router(context: RelayContext.self)
    for route in routes { router.on(RouterPath(route.path), method: route.method, use: route.respond) }
    let inner = router.buildResponder()
    if let https {
      var tls = TLSConfiguration.makeServerConfiguration(
        certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(chainPEM.utf8)).map { .certificate($0) },
        privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(keyPEM.utf8), format: .pem)))
      tls.minimumTLSVersion = .tlsv12
      try await listen(
        TellingResponder(inner: inner, counters: counters),
        builder: .tls(.http1(configuration: Self.channel), tlsConfiguration: tls), at: https,
        isSecure: true, logger: logger)
    }
    let plain = PlainPortResponder(inner: inner, securePort: { [weak self] in self?.httpsPort })
    try await listen(
      TellingResponder(inner: plain, counters: counters), builder: .http1(configuration: Self.channel), at: http,
      isSecure: false, logger: logger)
  }

  private static var channel: HTTP1Channel.Configuration { .init(idleTimeout: .seconds(120)) }

  private func note(isSecure: Bool, _ change: (inout Listening) -> Void) {
    if isSecure { secure.withLock { change(&$0) } } else { plain.withLock { change(&$0) } }
  }

  private func listen<Responder: HTTPResponder>(
    _ responder: Responder, builder: HTTPServerBuilder, at address: ListenAddress, isSecure: Bool, logger: Logger
  ) async throws where Responder.Context == RelayContext {
    let (running, continuation) = AsyncThrowingStream.makeStream(of: Int.self)
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    let application = Application(
      responder: responder, server: builder,
      configuration: ApplicationConfiguration(
        address: .hostname(address.host, port: address.port), serverName: "tongke"),
      onServerRunning: { channel in
        continuation.yield(channel.localAddress?.port ?? address.port)
      }, logger: quiet)
    var lifecycle = ServiceGroupConfiguration(services: [application], logger: quiet)
    // Requests under way are answered; who follows a lesson has been told that it is over.
    lifecycle.maximumGracefulShutdownDuration = .seconds(3)
    let group = ServiceGroup(configuration: lifecycle)
    let task = Task {
      do {
        try await group.run()
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
        throw error
      }
    }
    do {
      for try await port in running {
        note(isSecure: isSecure) {
          $0.port = port
          $0.group = group
          $0.task = task
        }
        return
      }
    } catch {
      throw ListenError(address: address, reason: Self.words(error))
    }
    throw ListenError(address: address, reason: "stopped")
  }

  private static func words(_ error: any Error) -> String {
    (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
  }

  func stop() async {
    let groups = [plain.withLock { $0.group }, secure.withLock { $0.group }].compactMap(\.self)
    for group in groups { await group.triggerGracefulShutdown() }
    for task in [plain.withLock { $0.task }, secure.withLock { $0.task }].compactMap(\.self) { _ = await task.result }
  }
}
