import AsyncHTTPClient
package import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL
import Synchronization

/// A request that the relay makes of somebody else's server.
package struct OutgoingRequest: Sendable {
  package var url: String
  /// Content type and bytes; nil asks with GET.
  package var body: (type: String, data: Data)?
  /// What stands in the Authorization field.
  package var authorization: String?

  package init(url: String, body: (type: String, data: Data)? = nil, authorization: String? = nil) {
    self.url = url
    self.body = body
    self.authorization = authorization
  }
}

/// Why nothing came of a request to somebody else's server.
package enum OutgoingError: Error, Sendable, Equatable {
  /// No whole answer in time, of a bounded size, from a server whose certificate holds.
  case unreachable
  /// The server said no.
  case refused(status: Int)
}

/// How requests to others are made; a value, so that it can be another one where no network is.
package typealias OutgoingFetch = @Sendable (OutgoingRequest) async throws -> Data

/// HTTP to others: no redirections, bounded in time and size, and only with TLS unless the server is this machine.
final class OutgoingHTTP: Sendable {
  static let byteLimit = OpenIDProvider.byteLimit
  /// Seconds until the head of an answer, and until its end however it trickles.
  static let headSeconds: Int64 = 5
  static let seconds = 8

  private let trust: String?
  private let client = Mutex<HTTPClient?>(nil)

  /// - Parameter trust: file of PEM certificates to trust besides the system's.
  init(trust: String?) { self.trust = trust }

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
        timeout: HTTPClient.Configuration.Timeout(connect: .seconds(3), read: .seconds(Self.headSeconds)))
      configuration.httpVersion = .http1Only
      configuration.connectionPool.retryConnectionEstablishment = false
      let made = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
      client = made
      return made
    }
  }

  /// The body of a 2xx answer.
  /// - Throws: `OutgoingError`.
  func send(_ request: OutgoingRequest) async throws -> Data {
    guard AccessConfiguration.isSafe(Self.withoutQuery(request.url)) else { throw OutgoingError.unreachable }
    return try await withThrowingTaskGroup(of: Data.self) { group in
      group.addTask { try await self.exchange(request) }
      group.addTask {
        try await Task.sleep(for: .seconds(Self.seconds))
        throw OutgoingError.unreachable
      }
      defer { group.cancelAll() }
      guard let data = try await group.next() else { throw OutgoingError.unreachable }
      return data
    }
  }

  private static func withoutQuery(_ url: String) -> String { String(url.prefix { $0 != "?" }) }

  private func exchange(_ request: OutgoingRequest) async throws -> Data {
    var wire = HTTPClientRequest(url: request.url)
    wire.headers.add(name: "Accept", value: "application/json")
    if let authorization = request.authorization { wire.headers.add(name: "Authorization", value: authorization) }
    if let body = request.body {
      wire.method = .POST
      wire.headers.add(name: "Content-Type", value: body.type)
      wire.body = .bytes(ByteBuffer(data: body.data))
    }
    let status: Int
    let data: Data
    do {
      let response = try await opened().execute(wire, timeout: .seconds(Self.headSeconds))
      status = Int(response.status.code)
      data = Data(buffer: try await response.body.collect(upTo: Self.byteLimit))
    } catch { throw OutgoingError.unreachable }
    guard (200..<300).contains(status) else { throw OutgoingError.refused(status: status) }
    return data
  }
}
