import COpenSSL
import CSRTP

/// Seals what one peer is sent. Every (SSRC, index) is sealed once at most, by the caller's `SealIndex`.
public struct SRTPSender: ~Copyable {
  private let profile: SRTPProfile
  private let cipher: GCMCipher
  private let counterMode: CounterModeCipher
  private let library: SRTPLibrary

  /// - Parameter library: what does AES-GCM, one of `CipherLibrary.available` (trap); the SHA-1 profile goes by OpenSSL.
  public init(keys: SRTPKeys, library choice: CipherLibrary = .best) {
    profile = keys.profile
    cipher =
      keys.profile.isGCM
      ? GCMCipher(
        masterKey: keys.localKey, masterSalt: keys.localSalt, keyLabel: 0, saltLabel: 2, isSealing: true,
        library: choice) : GCMCipher()
    counterMode =
      keys.profile.isGCM
      ? CounterModeCipher() : CounterModeCipher(masterKey: keys.localKey, masterSalt: keys.localSalt)
    library = SRTPLibrary(profile: keys.profile, key: keys.localKey, salt: keys.localSalt, isOutbound: true)
  }

  /// Seals header, prefix, payload and padding into `destination` in one pass.
  ///
  /// Layout of the result: `[header, as it is | encrypted prefix, payload and padding | tag]`. `payload` is read where it
  /// lies; it and `destination` never overlap.
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
      written = cipher.seal(
        ssrc: ssrc, index: index, header: header, prefix: prefix, payload: payload, padding: UInt8(padding), into: out)
    } else {
      let bytes = { (buffer: UnsafeRawBufferPointer) in buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) }
      let rollover = UInt32(truncatingIfNeeded: index >> 16)
      written = counterMode.withCounter(ssrc: ssrc, index: index) {
        tk_cm_seal(
          counterMode.context, $0, rollover, bytes(header), header.count, bytes(prefix), prefix.count, bytes(payload),
          payload.count, UInt8(padding), out)
      }
    }
    precondition(written == plainCount + profile.rtpTagByteCount, "the library could not encrypt")
    return written
  }

  /// Protects an RTCP compound in place; 20 bytes of room behind it are enough for every profile.
  public mutating func sealRTCP(
    _ buffer: UnsafeMutableRawBufferPointer, byteCount: Int
  ) throws(SRTPError) -> Int {
    guard byteCount >= 8, buffer.count >= byteCount + 24 else { throw .tooShort }
    var count = Int32(byteCount)
    let status = tk_srtp_protect_rtcp(library.session, buffer.baseAddress, &count)
    guard status == TK_SRTP_OK else { throw SRTPLibrary.error(status) }
    return Int(count)
  }
}
