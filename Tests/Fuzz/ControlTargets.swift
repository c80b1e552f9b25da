// What the fuzz targets of configuration, tokens and HTTP do with their bytes.
import Classroom
import ControlPlane
import Crypto
import Foundation
import Ledger

let controlTargets: [FuzzTarget] = [
  ("configuration", fuzzConfiguration), ("token", fuzzToken), ("http", fuzzHTTP),
]

@Sendable func fuzzConfiguration(_ bytes: UnsafeRawBufferPointer) {
  do {
    let configuration = try RelayConfiguration(yaml: String(decoding: bytes, as: UTF8.self))
    precondition((1...20_000).contains(configuration.sessionLimit), "a limit outside its range")
    precondition((configuration.certificate == nil) == (configuration.privateKey == nil), "a certificate without key")
    precondition(
      ListenAddress(configuration.http.description) == configuration.http, "an address reads back otherwise")
  } catch {
    precondition(error.line >= 0)
  }
}

/// The bytes are an `Authorization` field, a token, a header and a payload, then claims that are genuinely signed.
@Sendable func fuzzToken(_ bytes: UnsafeRawBufferPointer) {
  let key = [UInt8](repeating: 7, count: 32)
  let now: Int64 = 1_700_000_000_000
  let issuer = TokenIssuer(keys: [TokenKey(id: "k", value: key, madeAt: 0)]) { now }
  let text = String(decoding: bytes, as: UTF8.self)
  precondition((try? issuer.check(authorization: text, now: now)) == nil, "a forged token counts")
  precondition((try? issuer.check(text, now: now)) == nil, "a forged token counts")
  let piece = base64URL(Data(bytes))
  let header = base64URL(Data(#"{"alg":"EdDSA","kid":"k"}"#.utf8))
  let nothing = String(repeating: "A", count: 86)
  precondition((try? issuer.check(piece + ".e30." + nothing, now: now)) == nil, "a forged token counts")
  precondition((try? issuer.check(header + "." + piece + "." + nothing, now: now)) == nil, "a forged token counts")
  let signed = header + "." + piece
  guard let signer = try? Curve25519.Signing.PrivateKey(rawRepresentation: key),
    let signature = try? signer.signature(for: Data(signed.utf8))
  else { preconditionFailure("a key signs") }
  let token = signed + "." + base64URL(Data(signature))
  guard let read = try? issuer.check(authorization: "Bearer " + token, now: now) else { return }
  precondition(read.expires > now / 1_000, "an expired token counts")
  guard let again = try? issuer.sign(read) else { return }
  precondition((try? issuer.check(again, now: now)) == read, "claims that read back otherwise")
}

private func base64URL(_ data: Data) -> String {
  data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
}

/// The bytes are a body of each route that takes JSON, and each field and parameter that is taken apart.
@Sendable func fuzzHTTP(_ bytes: UnsafeRawBufferPointer) {
  let text = String(decoding: bytes.prefix(bodyLimit), as: UTF8.self)
  if let wishes: [PaneWish] = try? decodeBody(text) { for wish in wishes { use(wish.mid.utf8.count) } }
  if let wanted: NewLesson = try? decodeBody(text), (try? wanted.checkReceivers()) != nil {
    let id = Identifier(high: 1, low: 2)
    let lesson = Lesson(
      id: id, registration: id, cluster: id, title: wanted.title, plannedStart: wanted.plannedStart,
      plannedEnd: wanted.plannedEnd)
    if (try? lesson.validate()) != nil { precondition(lesson.plannedMilliseconds > 0, "a lesson without a length") }
  }
  use(Language(acceptLanguage: text))
  if let id = Identifier(text) { precondition(Identifier(id.description) == id, "an identifier reads back otherwise") }
  guard let address = ListenAddress(text) else { return }
  use(address.isLoopback)
  precondition(ListenAddress(address.description) == address, "an address reads back otherwise")
}
