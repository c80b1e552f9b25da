public import Classroom
import Crypto
import Foundation
import Ledger
import MediaWorker

extension AccessDesk {
  /// What a device is given when it is enrolled.
  public struct EnrolledDevice: Sendable {
    /// The device's identifier, to revoke it by.
    public var device: Identifier
    public var room: Identifier
    public var access: IssuedAccess
  }

  /// 6 digits for a device of a room, to be typed in together with the school's number.
  public struct Digits: Sendable {
    public var code: String
    public var institution: Identifier
    /// UTC milliseconds.
    public var expires: Int64
  }

  /// A link that enrols one device of a room.
  /// - Throws: `notFound` for an unknown room.
  public func makeDeviceLink(room: Identifier) throws -> Link {
    guard let known = try store.room(room) else { throw Problem(.notFound) }
    return try makeLink(.deviceLink, subject: room, institution: known.institution)
  }

  /// A code that enrols one device of a room.
  /// - Throws: `notFound` for an unknown room, `tooFast` when 20 codes of the school are open.
  public func makeDeviceDigits(room: Identifier) throws -> Digits {
    guard let known = try store.room(room) else { throw Problem(.notFound) }
    let expires = clock() + policy.digitsSeconds * 1_000
    for _ in 0..<8 {
      let number = Int.random(in: 0..<1_000_000)
      let digits = String(repeating: "0", count: 6 - String(number).count) + String(number)
      let code = OneTimeCode(
        hash: try hash(digits: digits, institution: known.institution), kind: .deviceDigits, subject: room,
        institution: known.institution, expires: expires)
      do { try store.put(code) } catch LedgerError.alreadyExists { continue } catch LedgerError.full {
        throw Problem(.tooFast, retryAfter: Int(clamping: policy.digitsSeconds))
      }
      return Digits(code: digits, institution: known.institution, expires: expires)
    }
    throw Problem(.tooFast, retryAfter: 5)
  }

  /// With a key: a million codes are tried in a second by whoever has only the hashes.
  private func hash(digits: String, institution: Identifier) throws -> [UInt8] {
    let key = SymmetricKey(data: try store.secret("deviceCodeKey") { secureRandomBytes(32) })
    let message = institution.bytes + Array(digits.utf8)
    return Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
  }

  /// Enrols a device by a link.
  /// - Throws: `lockedOut`, `badCode`.
  public func enrol(link code: String, from address: String) throws -> EnrolledDevice {
    let hash = try openLink(code, .deviceLink, from: address)
    guard let taken = try store.takeCode(hash) else { throw Problem(.badCode) }
    return try enrol(room: taken.subject)
  }

  /// Enrols a device by the 6 digits of a school's room. Wrong ones are counted against the address and the school;
  /// too many close the door of either for a while.
  /// - Throws: `lockedOut`, `badCode`.
  public func enrol(digits: String, institution: Identifier, from address: String) throws -> EnrolledDevice {
    let keys = [
      (Self.key(address: address), policy.perAddress), ("institution:\(institution)", policy.perInstitution),
    ]
    for (key, _) in keys { try checkLock(key) }
    let isCode = digits.utf8.count == 6 && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard isCode, let taken = try store.takeCode(try hash(digits: digits, institution: institution)),
      taken.kind == .deviceDigits
    else {
      // A school that does not exist is counted by the address alone: its name is whatever somebody makes up.
      let isKnown = try store.institution(institution) != nil
      for (key, policy) in keys.prefix(isKnown ? 2 : 1) { try store.countFailure(key, policy) }
      throw Problem(.badCode)
    }
    return try enrol(room: taken.subject)
  }

  private func enrol(room: Identifier) throws -> EnrolledDevice {
    guard let known = try store.room(room) else { throw Problem(.notFound) }
    var random = SystemRandomNumberGenerator()
    let device = Identifier(milliseconds: clock(), using: &random)
    let access = try issue(
      to: device, grants: [Grant(.device, .room(room))], days: policy.deviceDays, label: known.number)
    return EnrolledDevice(device: device, room: room, access: access)
  }
}
