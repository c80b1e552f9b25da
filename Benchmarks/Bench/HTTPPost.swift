import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// One request with a token and a body of JSON; what it answers does not matter.
enum HTTPPost {
  static func send(url: URL, token: String, body: Data) async {
    var request = HTTPClientRequest(url: url.absoluteString)
    request.method = .POST
    request.headers.add(name: "Authorization", value: "Bearer " + token)
    request.headers.add(name: "Content-Type", value: "application/json")
    request.body = .bytes(ByteBuffer(bytes: body))
    guard let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(60)) else { return }
    _ = try? await response.body.collect(upTo: 1 << 20)
  }
}
