package import Classroom
package import Crypto
import Foundation
import Ledger
import Synchronization

/// The right to play one file until a time, as it stands in an address.
package struct PlaybackLink: Hashable, Sendable {
  package var resource: Identifier
  package var file: Identifier
  /// What reads by this link are told apart by: 16 hexadecimal digits.
  package var name: String
  /// UTC seconds.
  package var expires: Int64
  /// Of the resource when the link was made: links of before a withdrawal are void.
  package var epoch: Int64

  package init(resource: Identifier, file: Identifier, name: String, expires: Int64, epoch: Int64) {
    self.resource = resource
    self.file = file
    self.name = name
    self.expires = expires
    self.epoch = epoch
  }

  fileprivate var signed: [UInt8] {
    Array("playback 1\n\(resource)\n\(file)\n\(name)\n\(expires)\n\(epoch)".utf8)
  }
}

/// Makes and reads the addresses that play a file without a token: HMAC-SHA256 under a key that the ledger keeps.
package final class PlaybackLinks: Sendable {
  private let makeKey: @Sendable () throws -> SymmetricKey
  private let key = Mutex<SymmetricKey?>(nil)

  package init(key make: @escaping @Sendable () throws -> SymmetricKey) { makeKey = make }

  convenience init(store: LedgerStore) {
    self.init {
      SymmetricKey(
        data: try store.secret("playbackLinks") { SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) } })
    }
  }

  package static func path(_ resource: Identifier, _ file: Identifier) -> String {
    "/api/v1/resources/\(resource)/files/\(file)"
  }

  /// What follows a file's path.
  package func query(of link: PlaybackLink) throws -> String {
    let signature = try sign(link).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    return "?link=\(link.name)&expires=\(link.expires)&epoch=\(link.epoch)&signature=\(signature)"
  }

  /// The link that a request's query is; nil when there is none in it.
  /// - Throws: `badLink` for one that was not made here or for this file, `linkExpired`.
  package func link(
    resource: Identifier, file: Identifier, query: (String) -> String?, now: Int64
  ) throws -> PlaybackLink? {
    guard let signature = query("signature") else { return nil }
    guard let name = query("link"), name.utf8.count == 16, let expires = query("expires").flatMap({ Int64($0) }),
      let epoch = query("epoch").flatMap({ Int64($0) })
    else { throw Problem(.badLink) }
    let link = PlaybackLink(resource: resource, file: file, name: name, expires: expires, epoch: epoch)
    guard let bytes = Self.bytes(signature) else { throw Problem(.badLink) }
    // Every byte is looked at, wherever the first difference is.
    let difference = zip(try sign(link), bytes).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
    guard difference == 0 else { throw Problem(.badLink) }
    guard now / 1_000 < expires else { throw Problem(.linkExpired) }
    return link
  }

  private func sign(_ link: PlaybackLink) throws -> [UInt8] {
    let key = try key.withLock { kept in
      let key = try kept ?? makeKey()
      kept = key
      return key
    }
    return Array(HMAC<SHA256>.authenticationCode(for: link.signed, using: key))
  }

  /// 32 bytes of 64 lower-case digits; nil for anything else.
  private static func bytes(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count == 64 else { return nil }
    func value(_ digit: UInt8) -> UInt8? {
      switch digit {
      case 0x30...0x39: digit - 0x30
      case 0x61...0x66: digit - 0x61 + 10
      default: nil
      }
    }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: 64, by: 2) {
      guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }
}
