import HTTPTypes
package import Hummingbird
import NIOCore
import RTCWire

/// What a request handler knows besides the request: both ends of the connection, as the kernel sees them.
package struct RelayContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  let local: RTCWire.SocketAddress?
  let remote: RTCWire.SocketAddress?

  package init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    local = RTCWire.SocketAddress(source.channel.localAddress)
    remote = RTCWire.SocketAddress(source.channel.remoteAddress)
  }
}

extension HTTPField.Name {
  static let forwarded = Self("Forwarded")!  // a valid token
  static let xForwardedFor = Self("X-Forwarded-For")!  // a valid token
  static let xForwardedHost = Self("X-Forwarded-Host")!  // a valid token
  static let xForwardedProto = Self("X-Forwarded-Proto")!  // a valid token
  static let link = Self("Link")!  // a valid token
  static let acceptPost = Self("Accept-Post")!  // a valid token
}

extension Request {
  var language: Language { Language(acceptLanguage: headers[.acceptLanguage]) }

  /// A proxy stands between: the connection's addresses say nothing about the client.
  var isForwarded: Bool {
    headers[.forwarded] != nil || headers[.xForwardedFor] != nil || headers[.xForwardedHost] != nil
      || headers[.xForwardedProto] != nil
  }

  func reach(_ context: RelayContext) -> Reach { Reach(local: context.local, isForwarded: isForwarded) }

  /// Whether it comes from this machine itself, not through a proxy.
  func isLocal(_ context: RelayContext) -> Bool { !isForwarded && context.remote?.isLoopback == true }

  /// Whether the client takes an answer of this type; one that does not say takes any (RFC 9110 §12.5.1).
  func accepts(_ mediaType: String) -> Bool {
    guard let header = headers[.accept] else { return true }
    let family = mediaType.prefix { $0 != "/" } + "/*"
    return header.lowercased().split(separator: ",").contains { entry in
      let type = entry.prefix { $0 != ";" }.filter { $0 != " " }
      return type == mediaType || type == family || type == "*/*"
    }
  }

  /// The body as text of one media type.
  /// - Throws: `wrongType`, `tooLarge`, `empty`.
  func text(of mediaType: String, limit: Int) async throws -> String {
    let type = headers[.contentType]?.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
    guard type == mediaType else { throw Problem(.wrongType, arguments: ["wanted": mediaType]) }
    if let announced = headers[.contentLength].flatMap({ Int($0) }), announced > limit { throw Problem(.tooLarge) }
    var text = ByteBuffer()
    for try await part in body {
      guard text.readableBytes + part.readableBytes <= limit else { throw Problem(.tooLarge) }
      text.writeImmutableBuffer(part)
    }
    guard text.readableBytes > 0 else { throw Problem(.empty) }
    return String(buffer: text)
  }

  /// The body as a JSON value.
  /// - Throws: as `text(of:limit:)`, and `badJSON`.
  func json<Value: Decodable>(limit: Int = bodyLimit) async throws -> Value {
    try decodeBody(try await text(of: "application/json", limit: limit))
  }
}

/// One entry of the route table, which the OpenAPI document is tested against.
struct Route: Sendable {
  let method: HTTPRequest.Method
  /// With `{name}` for what varies.
  let path: String
  let respond: @Sendable (Request, RelayContext) async throws -> Response

  init(
    _ method: HTTPRequest.Method, _ path: String,
    _ respond: @escaping @Sendable (Request, RelayContext) async throws -> Response
  ) {
    self.method = method
    self.path = path
    self.respond = respond
  }
}

extension RelayContext {
  /// A path parameter that the route's pattern has.
  func parameter(_ name: String) -> String { parameters.get(name) ?? "" }
}
