import COpenSSL
import CSRTP
public import RTCWire

/// Opens what one peer sends: authenticates, decrypts in place, refuses replays.
///
/// GCM goes by the library chosen; the SHA-1 profile and all RTCP by libsrtp2. Owned by one worker.
public struct SRTPReceiver: ~Copyable {
  /// SSRCs of one peer; a new one counts only once it has been authenticated.
  static let sourceLimit = 64

  private let profile: SRTPProfile
  private let cipher: GCMCipher
  private let library: SRTPLibrary
  private var windows: [ReplayWindow] = []
  private var lastWindow = 0

  /// - Parameter library: what does AES-GCM, one of `CipherLibrary.available` (trap).
  public init(keys: SRTPKeys, library choice: CipherLibrary = .best) {
    profile = keys.profile
    cipher =
      keys.profile.isGCM
      ? GCMCipher(
        masterKey: keys.remoteKey, masterSalt: keys.remoteSalt, keyLabel: 0, saltLabel: 2, isSealing: false,
        library: choice) : GCMCipher()
    library = SRTPLibrary(profile: keys.profile, key: keys.remoteKey, salt: keys.remoteSalt, isOutbound: false)
  }

  /// Opens one SRTP packet in place.
  ///
  /// Layout: `[header | ciphertext | tag]`; the header stays, the payload becomes plain, the tag is left as garbage.
  /// - Returns: byte count without the tag.
  /// - Throws: `.tooShort`, `.replayed` (window 128), `.authentication`, `.malformed` (a 65th SSRC). The bytes are
  ///   unspecified after a throw. Cost: one pass over the payload, no allocation. RFC 7714 §8.2, RFC 3711 §3.3.
  public mutating func openRTP(
    _ packet: UnsafeMutableRawBufferPointer, header: RTPHeader
  ) throws(SRTPError) -> Int {
    let tagCount = profile.rtpTagByteCount
    let textCount = packet.count - header.payloadOffset - tagCount
    guard textCount >= 0 else { throw .tooShort }
    guard profile.isGCM else {
      guard hasRoom(for: header.ssrc) else { throw .malformed }
      var count = Int32(packet.count)
      let status = tk_srtp_unprotect(library.session, packet.baseAddress, &count)
      guard status == TK_SRTP_OK else { throw SRTPLibrary.error(status) }
      _ = window(header.ssrc)
      return Int(count)
    }
    let known = find(header.ssrc)
    let state = known.map { windows[$0] } ?? ReplayWindow(ssrc: header.ssrc)
    if known == nil, windows.count >= Self.sourceLimit { throw .malformed }
    guard let index = state.estimate(header.sequence), !state.isReplay(index) else { throw .replayed }
    let base = packet.baseAddress!.assumingMemoryBound(to: UInt8.self)  // not empty: it has a header
    let isAuthentic = cipher.open(
      ssrc: header.ssrc, index: index, associated: UnsafeRawBufferPointer(start: base, count: header.payloadOffset),
      text: base + header.payloadOffset, byteCount: textCount)
    guard isAuthentic else { throw .authentication }
    windows[known ?? window(header.ssrc)].commit(index)
    return packet.count - tagCount
  }

  /// Opens one SRTCP packet in place; returns its byte count without trailer and tag.
  public mutating func openRTCP(_ packet: UnsafeMutableRawBufferPointer) throws(SRTPError) -> Int {
    guard packet.count >= 8 + 4 + 10 else { throw .tooShort }
    var count = Int32(packet.count)
    let status = tk_srtp_unprotect_rtcp(library.session, packet.baseAddress, &count)
    guard status == TK_SRTP_OK else { throw SRTPLibrary.error(status) }
    return Int(count)
  }

  private mutating func find(_ ssrc: UInt32) -> Int? {
    if lastWindow < windows.count, windows[lastWindow].ssrc == ssrc { return lastWindow }
    guard let place = windows.firstIndex(where: { $0.ssrc == ssrc }) else { return nil }
    lastWindow = place
    return place
  }

  private mutating func hasRoom(for ssrc: UInt32) -> Bool { find(ssrc) != nil || windows.count < Self.sourceLimit }

  private mutating func window(_ ssrc: UInt32) -> Int {
    if let place = find(ssrc) { return place }
    windows.append(ReplayWindow(ssrc: ssrc))
    return windows.count - 1
  }
}
