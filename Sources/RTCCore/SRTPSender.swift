import COpenSSL
import CSRTP

/// Seals what one peer is sent.
///
/// Every (SSRC, index) is sealed once at most: of RTP by the caller's `SealIndex`, of SRTCP by this value's own count.
public struct SRTPSender: ~Copyable {
  private let profile: SRTPProfile
  private let ciphers: DirectionCiphers
  private var reportIndices: ReportIndices

  /// - Parameter library: what does AES-GCM, one of `CipherLibrary.available` (trap); the SHA-1 profile goes by
  ///   OpenSSL, its RTCP by libsrtp2.
  public init(keys: SRTPKeys, library choice: CipherLibrary = .best) {
    self.init(keys: keys, library: choice, reportIndices: ReportIndices())
  }

  package init(keys: SRTPKeys, library choice: CipherLibrary, reportIndices: ReportIndices) {
    profile = keys.profile
    self.reportIndices = reportIndices
    ciphers = DirectionCiphers(
      profile: profile, key: keys.localKey, salt: keys.localSalt, isSealing: true, library: choice)
  }

  /// Fetches into the cache what the next `seal` needs.
  func prefetch() { ciphers.media.prefetch() }

  /// Seals header, prefix, payload and padding into `destination` in one pass.
  ///
  /// Layout of the result: `[header, as it is | encrypted prefix, payload and padding | tag]`. `payload` is read where
  /// it lies; it and `destination` never overlap.
  /// - Parameter padding: 0…255 bytes of RTP padding behind the payload, zeros and their count; the caller has set the
  ///   header's P bit (RFC 3550 §5.1).
  /// - Parameter index: 48 bits, rollover count and sequence number; greater than any before of this stream (trap).
  /// - Returns: bytes written. Cost: one pass (two for SHA-1), no allocation. RFC 7714 §8.1, RFC 3711 §3.3.
  public mutating func seal(
    header: UnsafeRawBufferPointer, prefix: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, padding: Int = 0,
    index: Int64, stream: inout SealIndex, into destination: UnsafeMutableRawBufferPointer
  ) -> Int {
    precondition(index > stream.last, "an index may be sealed once only")
    let plainCount = header.count + prefix.count + payload.count + padding
    precondition(0...255 ~= padding, "the last byte of the padding counts it")
    precondition(header.count >= 12 && destination.count >= plainCount + profile.rtpTagByteCount)
    stream.last = index
    let ssrc = UInt32(bigEndian: header.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    let out = destination.baseAddress!.assumingMemoryBound(to: UInt8.self)  // not empty: room for the header
    let written: Int
    if profile.isGCM {
      written = ciphers.media.seal(
        ssrc: ssrc, index: index, header: header, prefix: prefix, payload: payload, padding: UInt8(padding), into: out)
    } else {
      let bytes = { (buffer: UnsafeRawBufferPointer) in buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) }
      let rollover = UInt32(truncatingIfNeeded: index >> 16)
      written = ciphers.counterMode.withCounter(ssrc: ssrc, index: index) {
        tk_cm_seal(
          ciphers.counterMode.context, $0, rollover, bytes(header), header.count, bytes(prefix), prefix.count,
          bytes(payload), payload.count, UInt8(padding), out)
      }
    }
    precondition(written == plainCount + profile.rtpTagByteCount, "the library could not encrypt")
    return written
  }

  /// Protects an RTCP compound in place; 24 bytes of room behind it are enough for every profile.
  ///
  /// Layout of the GCM profiles: `[header 8 | ciphertext | tag 16 | E and index 4]` (RFC 7714 §9.2).
  /// - Returns: bytes written.
  /// - Throws: `.tooShort` (below 8 bytes, or no room), `.exhausted` (2^31 packets of its SSRC), `.malformed` (1,024
  ///   other SSRCs). Cost: one pass; an allocation for a new SSRC, none for each packet but in the SHA-1 profile.
  public mutating func sealRTCP(
    _ buffer: UnsafeMutableRawBufferPointer, byteCount: Int
  ) throws(SRTPError) -> Int {
    guard byteCount >= 8, buffer.count >= byteCount + 24 else { throw .tooShort }
    guard profile.isGCM else {
      var count = Int32(byteCount)
      let status = tk_srtp_protect_rtcp(ciphers.library.session, buffer.baseAddress, &count)
      guard status == TK_SRTP_OK else { throw SRTPLibrary.error(status) }
      return Int(count)
    }
    let ssrc = UInt32(bigEndian: buffer.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    let index = try reportIndices.next(ssrc)
    let trailer = UInt32(truncatingIfNeeded: index) | ReportLayout.encryptionFlag
    let base = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)  // not empty: measured above
    let isSealed = ReportLayout.withAssociated(base, trailer: trailer) {
      ciphers.report.seal(
        ssrc: ssrc, index: index, associated: $0, text: base + ReportLayout.headerByteCount,
        byteCount: byteCount - ReportLayout.headerByteCount)
    }
    precondition(isSealed, "the library could not encrypt")
    let count = byteCount + ReportLayout.overheadByteCount
    buffer.storeBytes(of: trailer.bigEndian, toByteOffset: count - 4, as: UInt32.self)
    return count
  }
}
