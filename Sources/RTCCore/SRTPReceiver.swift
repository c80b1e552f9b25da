import CSRTP
public import RTCWire

/// Opens what one peer sends: authenticates, decrypts in place, refuses replays.
///
/// The GCM profiles go by the library chosen; RTP of the SHA-1 profile by OpenSSL, its RTCP by libsrtp2. Owned by one
/// worker.
public struct SRTPReceiver: ~Copyable {
  private let profile: SRTPProfile
  private let ciphers: DirectionCiphers
  private var windows = ReplayWindows()
  private var reportWindows = ReplayWindows()

  /// - Parameter library: what does AES-GCM, one of `CipherLibrary.available` (trap).
  public init(keys: SRTPKeys, library choice: CipherLibrary = .best) {
    profile = keys.profile
    ciphers = DirectionCiphers(
      profile: profile, key: keys.remoteKey, salt: keys.remoteSalt, isSealing: false, library: choice)
  }

  /// Opens one SRTP packet in place.
  ///
  /// Layout: `[header | ciphertext | tag]`; the header stays, the payload becomes plain, the tag is left as garbage.
  /// - Returns: byte count without the tag.
  /// - Throws: `.tooShort`, `.replayed` (window 128), `.authentication`, `.malformed` (a 65th SSRC). The bytes are
  ///   unspecified after a throw. Cost: one pass over the payload (two for SHA-1), no allocation. RFC 7714 §8.2,
  ///   RFC 3711 §3.3.
  public mutating func openRTP(
    _ packet: UnsafeMutableRawBufferPointer, header: RTPHeader
  ) throws(SRTPError) -> Int {
    let count = packet.count - profile.rtpTagByteCount
    let textCount = count - header.payloadOffset
    guard textCount >= 0 else { throw .tooShort }
    guard let state = windows.find(header.ssrc) else { throw .malformed }
    guard let index = state.estimate(header.sequence), !state.isReplay(index) else { throw .replayed }
    let base = packet.baseAddress!.assumingMemoryBound(to: UInt8.self)  // not empty: it has a header
    let isAuthentic =
      profile.isGCM
      ? ciphers.media.open(
        ssrc: header.ssrc, index: index, associated: UnsafeRawBufferPointer(start: base, count: header.payloadOffset),
        text: base + header.payloadOffset, byteCount: textCount)
      : ciphers.counterMode.open(
        ssrc: header.ssrc, index: index, packet: base, headerByteCount: header.payloadOffset, byteCount: count)
    guard isAuthentic else { throw .authentication }
    windows.commit(index, header.ssrc)
    return count
  }

  /// Opens one SRTCP packet in place; returns its byte count without trailer and tag.
  ///
  /// Layout of the GCM profiles: `[header 8 | ciphertext | tag 16 | E and index 4]` (RFC 7714 §9.2).
  /// - Throws: `.tooShort`, `.replayed` (window 128), `.authentication`, `.malformed` (not encrypted, or a 65th SSRC).
  ///   The bytes are unspecified after a throw. Cost: one pass; no allocation but in the SHA-1 profile.
  public mutating func openRTCP(_ packet: UnsafeMutableRawBufferPointer) throws(SRTPError) -> Int {
    guard profile.isGCM else { return try openRTCPByLibrary(packet) }
    let textCount = packet.count - ReportLayout.overheadByteCount - ReportLayout.headerByteCount
    guard textCount >= 0 else { throw .tooShort }
    let trailer = UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: packet.count - 4, as: UInt32.self))
    // DTLS-SRTP agrees on encrypted SRTCP; the bit is authenticated with the index.
    guard trailer & ReportLayout.encryptionFlag != 0 else { throw .malformed }
    let ssrc = UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    let index = Int64(trailer & ~ReportLayout.encryptionFlag)
    guard let state = reportWindows.find(ssrc) else { throw .malformed }
    guard !state.isReplay(index) else { throw .replayed }
    let base = packet.baseAddress!.assumingMemoryBound(to: UInt8.self)  // not empty: measured above
    let isAuthentic = ReportLayout.withAssociated(base, trailer: trailer) {
      ciphers.report.open(
        ssrc: ssrc, index: index, associated: $0, text: base + ReportLayout.headerByteCount, byteCount: textCount)
    }
    guard isAuthentic else { throw .authentication }
    reportWindows.commit(index, ssrc)
    return packet.count - ReportLayout.overheadByteCount
  }

  private mutating func openRTCPByLibrary(_ packet: UnsafeMutableRawBufferPointer) throws(SRTPError) -> Int {
    guard packet.count >= 8 + 4 + 10 else { throw .tooShort }
    var count = Int32(packet.count)
    let status = tk_srtp_unprotect_rtcp(ciphers.library.session, packet.baseAddress, &count)
    guard status == TK_SRTP_OK else { throw SRTPLibrary.error(status) }
    return Int(count)
  }
}
