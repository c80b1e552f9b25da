/// The SRTP profiles the relay speaks, by their DTLS-SRTP numbers (RFC 5764 §4.1.2, RFC 7714 §14.2).
public enum SRTPProfile: UInt16, Sendable {
  case aes128CMSHA180 = 0x0001
  case aeadAES128GCM = 0x0007
  case aeadAES256GCM = 0x0008

  public var masterKeyByteCount: Int { self == .aeadAES256GCM ? 32 : 16 }
  public var masterSaltByteCount: Int { self == .aes128CMSHA180 ? 14 : 12 }
  public var rtpTagByteCount: Int { self == .aes128CMSHA180 ? 10 : 16 }
  var isGCM: Bool { self != .aes128CMSHA180 }
}

/// The master keys of one DTLS session; `local` is what this side sends with.
public struct SRTPKeys: Sendable {
  public var profile: SRTPProfile
  public var localKey: [UInt8]
  public var localSalt: [UInt8]
  public var remoteKey: [UInt8]
  public var remoteSalt: [UInt8]
  public init(
    profile: SRTPProfile, localKey: [UInt8], localSalt: [UInt8], remoteKey: [UInt8], remoteSalt: [UInt8]
  ) {
    self.profile = profile
    self.localKey = localKey
    self.localSalt = localSalt
    self.remoteKey = remoteKey
    self.remoteSalt = remoteSalt
  }
}

/// Why a protected packet was refused.
public enum SRTPError: Error, Sendable { case tooShort, replayed, authentication, malformed }

/// How far one outgoing SSRC has been sealed: the guard against using an index twice.
public struct SealIndex: Sendable {
  public internal(set) var last: Int64 = -1
  public init() {}
}

/// One SSRC's incoming index: the highest authenticated one and the 128 below it (RFC 3711 §3.3.1, §3.3.2).
struct ReplayWindow {
  let ssrc: UInt32
  private(set) var highest: Int64 = -1
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  init(ssrc: UInt32) { self.ssrc = ssrc }

  /// The 48-bit index a sequence number most likely stands for (RFC 3711 Appendix A); nil for one before the first.
  func estimate(_ sequence: UInt16) -> Int64? {
    guard highest >= 0 else { return Int64(sequence) }
    let difference = Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest)))
    let index = highest + difference
    return index >= 0 ? index : nil
  }

  func isReplay(_ index: Int64) -> Bool {
    guard index <= highest else { return false }
    let behind = highest - index
    if behind >= 128 { return true }
    return behind < 64 ? low >> UInt64(behind) & 1 != 0 : high >> UInt64(behind - 64) & 1 != 0
  }

  /// Notes an index whose packet was authentic.
  mutating func commit(_ index: Int64) {
    if index > highest {
      let ahead = highest < 0 ? 128 : index - highest
      if ahead >= 128 {
        high = 0
        low = 0
      } else if ahead >= 64 {
        high = low << UInt64(ahead - 64)
        low = 0
      } else {
        high = high << UInt64(ahead) | low >> UInt64(64 - ahead)
        low <<= UInt64(ahead)
      }
      low |= 1
      highest = index
    } else {
      let behind = highest - index
      if behind < 64 { low |= 1 << UInt64(behind) } else { high |= 1 << UInt64(behind - 64) }
    }
  }
}
