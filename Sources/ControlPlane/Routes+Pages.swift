import Classroom
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The pages, the way to trust the relay, and what operators ask.
struct PageRoutes: Sendable {
  let relay: RelayParts

  private static let pages: [(path: String, type: String, bytes: @Sendable () -> [UInt8])] = [
    ("/", "text/html; charset=utf-8", { PackageResources.index_html }),
    ("/app.js", "text/javascript; charset=utf-8", { PackageResources.app_js }),
    ("/session.js", "text/javascript; charset=utf-8", { PackageResources.session_js }),
    ("/trust.js", "text/javascript; charset=utf-8", { PackageResources.trust_js }),
    ("/whip.js", "text/javascript; charset=utf-8", { PackageResources.whip_js }),
    ("/whep.js", "text/javascript; charset=utf-8", { PackageResources.whep_js }),
    ("/style.css", "text/css; charset=utf-8", { PackageResources.style_css }),
    ("/sign-in", "text/html; charset=utf-8", { PackageResources.sign_in_html }),
    ("/sign-in.js", "text/javascript; charset=utf-8", { PackageResources.sign_in_js }),
    ("/sign-in.css", "text/css; charset=utf-8", { PackageResources.sign_in_css }),
    ("/play", "text/html; charset=utf-8", { PackageResources.play_html }),
    ("/play.js", "text/javascript; charset=utf-8", { PackageResources.play_js }),
    ("/text.json", "application/json", { Text.ofPages }),
    ("/api/v1/openapi.json", "application/json", { PackageResources.openapi_json }),
  ]

  /// Scripts of this origin alone, no plug-in, no frame: what a page shows comes from here.
  private static let policy =
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; "
    + "connect-src 'self' https: http:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'"

  var all: [Route] {
    Self.pages.map { page in
      Route(.get, page.path) { _, _ in Self.file(page.bytes(), type: page.type) }
    } + [
      Route(.get, "/trust", trust), Route(.get, "/ca.crt", authority),
      Route(.get, "/healthz") { _, _ in Self.plain("ok\n") }, Route(.get, "/readyz", ready),
      Route(.get, "/metrics", metrics),
    ]
  }

  private static func file(_ bytes: [UInt8], type: String) -> Response {
    var headers: HTTPFields = [
      .contentType: type, .cacheControl: "no-cache", .contentSecurityPolicy: policy,
      .xContentTypeOptions: "nosniff",
    ]
    headers[HTTPField.Name("Referrer-Policy")!] = "no-referrer"  // a valid token
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  private static func plain(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "text/plain; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  private func trust(_ request: Request, _ context: RelayContext) async throws -> Response {
    let port = relay.httpsPort() ?? 443
    let page = String(decoding: PackageResources.trust_html, as: UTF8.self)
      .replacingOccurrences(of: "{{httpsPort}}", with: String(port))
    return Self.file(Array(page.utf8), type: "text/html; charset=utf-8")
  }

  private func authority(_ request: Request, _ context: RelayContext) async throws -> Response {
    guard let authority = relay.authorityPEM else { throw Problem(.notFound) }
    return Response(
      status: .ok,
      headers: [
        .contentType: "application/x-x509-ca-cert", .contentDisposition: "attachment; filename=\"tongke-ca.crt\"",
      ], body: ResponseBody(byteBuffer: ByteBuffer(string: authority)))
  }

  private func ready(_ request: Request, _ context: RelayContext) async throws -> Response {
    let isReady = await relay.director.isReady
    return Self.plain(isReady ? "ready\n" : "not ready\n", status: isReady ? .ok : .serviceUnavailable)
  }

  /// For this machine itself, or with the token of an administrator.
  private func metrics(_ request: Request, _ context: RelayContext) async throws -> Response {
    if !request.isLocal(context) {
      let caller = try relay.gate.caller(of: request, context)
      try relay.gate.require(.readMetrics, on: .city, by: caller)
    }
    let text = await relay.metricsText()
    return Response(
      status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
