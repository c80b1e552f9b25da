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

/// Why a protected packet was refused, or one not protected.
public enum SRTPError: Error, Sendable {
  case tooShort, replayed, authentication, malformed
  /// All 2^31 indices of an SSRC's SRTCP have been used.
  case exhausted
}

/// The last SRTCP index of every SSRC this side reports with: 31 bits, none used twice (RFC 3711 §3.2.1, §3.4).
package struct ReportIndices {
  package static let maximum: Int64 = 0x7FFF_FFFF
  /// A peer's own SSRC and its send streams, with room for those of lines given up.
  static let sourceLimit = 1_024

  private var entries: [(ssrc: UInt32, last: Int64)] = []
  private let start: Int64

  /// - Parameter start: the index before the first; libsrtp2 begins with 1, and so do we.
  package init(after start: Int64 = 0) { self.start = start }

  /// The index of an SSRC's next packet. - Throws: `.exhausted`, and `.malformed` past 1,024 SSRCs.
  package mutating func next(_ ssrc: UInt32) throws(SRTPError) -> Int64 {
    guard let place = entries.firstIndex(where: { $0.ssrc == ssrc }) else {
      guard entries.count < Self.sourceLimit else { throw .malformed }
      guard start < Self.maximum else { throw .exhausted }
      entries.append((ssrc, start + 1))
      return start + 1
    }
    guard entries[place].last < Self.maximum else { throw .exhausted }
    entries[place].last += 1
    return entries[place].last
  }
}

/// How far one outgoing SSRC has been sealed: the guard against using an index twice.
public struct SealIndex: Sendable {
  public internal(set) var last: Int64 = -1
  public init() {}
}

/// The replay windows of one peer's SSRCs; a new one counts only once a packet of it has been authenticated.
struct ReplayWindows {
  static let limit = 64

  private var windows: [ReplayWindow] = []
  private var last = 0

  /// The window of an SSRC; a fresh one for one not seen yet, nil when there are too many.
  mutating func find(_ ssrc: UInt32) -> ReplayWindow? {
    if let place = place(ssrc) { return windows[place] }
    return windows.count < Self.limit ? ReplayWindow(ssrc: ssrc) : nil
  }

  /// Notes an index whose packet was authentic.
  mutating func commit(_ index: Int64, _ ssrc: UInt32) {
    if let place = place(ssrc) {
      windows[place].commit(index)
    } else {
      var window = ReplayWindow(ssrc: ssrc)
      window.commit(index)
      windows.append(window)
    }
  }

  private mutating func place(_ ssrc: UInt32) -> Int? {
    if last < windows.count, windows[last].ssrc == ssrc { return last }
    guard let place = windows.firstIndex(where: { $0.ssrc == ssrc }) else { return nil }
    last = place
    return place
  }
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
