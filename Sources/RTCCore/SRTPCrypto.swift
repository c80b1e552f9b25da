import COpenSSL
import CSRTP

/// The session keys derived from a master key (RFC 3711 §4.3.1; RFC 7714 §11 for GCM).
package enum SRTPKeyDerivation {
  /// - Parameter label: 0 RTP encryption, 1 RTP authentication, 2 RTP salt; 3…5 the same for RTCP.
  package static func derive(key: [UInt8], salt: [UInt8], label: UInt8, byteCount: Int) -> [UInt8] {
    // x = (label ‖ index÷kdr) ⊕ salt, as a 16-byte block whose last two bytes count; a 12-byte salt is padded right.
    var block = salt + [UInt8](repeating: 0, count: 16 - salt.count)
    block[7] ^= label
    var derived = [UInt8](repeating: 0, count: byteCount)
    let status = tk_aes_keystream(key, key.count, block, &derived, byteCount)
    precondition(status == 1, "AES key derivation failed")
    return derived
  }
}

/// AES-GCM of one direction under one session key.
package struct GCMCipher: ~Copyable {
  /// Nil for the profile that has no GCM.
  package let context: OpaquePointer?
  /// 96-bit session salt, as the IV starts from it.
  let salt: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8)

  init(masterKey: [UInt8], masterSalt: [UInt8], isSealing: Bool) {
    self.init(
      sessionKey: SRTPKeyDerivation.derive(key: masterKey, salt: masterSalt, label: 0, byteCount: masterKey.count),
      sessionSalt: SRTPKeyDerivation.derive(key: masterKey, salt: masterSalt, label: 2, byteCount: 12),
      isSealing: isSealing)
  }

  package init(sessionKey key: [UInt8], sessionSalt salt: [UInt8], isSealing: Bool) {
    guard let context = tk_gcm_create(key, key.count, isSealing ? 1 : 0) else {
      preconditionFailure("OpenSSL has no AES-GCM")
    }
    self.context = context
    self.salt = (
      salt[0], salt[1], salt[2], salt[3], salt[4], salt[5], salt[6], salt[7], salt[8], salt[9], salt[10], salt[11]
    )
  }

  /// No cipher: the SHA-1 profile.
  init() {
    context = nil
    salt = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  }

  deinit { if let context { tk_gcm_free(context) } }

  /// Writes the IV of a packet: (0 0 ‖ SSRC ‖ ROC ‖ SEQ) ⊕ salt (RFC 7714 §8.1).
  package func withIV<Result>(ssrc: UInt32, index: Int64, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    var iv = salt
    return withUnsafeMutableBytes(of: &iv) { bytes in
      for offset in 0..<4 { bytes[2 + offset] ^= UInt8(truncatingIfNeeded: ssrc >> UInt32(24 - 8 * offset)) }
      for offset in 0..<6 { bytes[6 + offset] ^= UInt8(truncatingIfNeeded: index >> Int64(40 - 8 * offset)) }
      return body(bytes.assumingMemoryBound(to: UInt8.self).baseAddress!)  // a tuple of 12 bytes
    }
  }
}

/// AES in counter mode with HMAC-SHA1 of one sending direction (RFC 3711 §4.1.1, §4.2.1).
struct CounterModeCipher: ~Copyable {
  /// Nil for the profiles of GCM.
  let context: OpaquePointer?
  /// The 112-bit session salt, with the two bytes that count blocks behind it.
  private let salt: (UInt64, UInt64)

  init(masterKey: [UInt8], masterSalt: [UInt8]) {
    func derive(_ label: UInt8, _ count: Int) -> [UInt8] {
      SRTPKeyDerivation.derive(key: masterKey, salt: masterSalt, label: label, byteCount: count)
    }
    guard let context = tk_cm_create(derive(0, 16), derive(1, 20)) else {
      preconditionFailure("OpenSSL has no AES counter mode")
    }
    self.context = context
    let words = (derive(2, 14) + [0, 0]).withUnsafeBytes {
      ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    salt = (UInt64(bigEndian: words.0), UInt64(bigEndian: words.1))
  }

  /// No cipher: a profile of GCM.
  init() {
    context = nil
    salt = (0, 0)
  }

  deinit { if let context { tk_cm_free(context) } }

  /// The packet's first counter block: salt · 2^16 ⊕ SSRC · 2^64 ⊕ index · 2^16.
  func withCounter<Result>(ssrc: UInt32, index: Int64, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    var block = ((salt.0 ^ UInt64(ssrc)).bigEndian, (salt.1 ^ UInt64(truncatingIfNeeded: index) << 16).bigEndian)
    return withUnsafeBytes(of: &block) { body($0.assumingMemoryBound(to: UInt8.self).baseAddress!) }  // 16 bytes
  }
}

/// libsrtp2 in one direction: SRTCP of every profile, and received RTP of the SHA-1 profile.
struct SRTPLibrary: ~Copyable {
  let session: OpaquePointer

  init(profile: SRTPProfile, key: [UInt8], salt: [UInt8], isOutbound: Bool) {
    guard
      let session = tk_srtp_create(
        Int32(profile.rawValue), key, Int32(key.count), salt, Int32(salt.count), isOutbound ? 1 : 0)
    else { preconditionFailure("libsrtp2 refused a profile it was built with") }
    self.session = session
  }

  deinit { tk_srtp_free(session) }

  static func error(_ status: tk_srtp_status) -> SRTPError {
    switch status {
    case TK_SRTP_REPLAYED: .replayed
    case TK_SRTP_AUTHENTICATION: .authentication
    default: .malformed
    }
  }
}

/// HMAC-SHA1 for STUN MESSAGE-INTEGRITY (RFC 8489 §14.5).
public func hmacSHA1(key: String, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer? = nil) -> [UInt8]
{
  var parts = [tk_part(bytes: first.baseAddress, count: first.count)]
  if let second { parts.append(tk_part(bytes: second.baseAddress, count: second.count)) }
  var digest = [UInt8](repeating: 0, count: 20)
  let keyBytes = Array(key.utf8)
  precondition(tk_hmac_sha1(keyBytes, keyBytes.count, parts, parts.count, &digest) == 1, "HMAC-SHA1 failed")
  return digest
}

/// Whether two byte strings are equal, in time that does not tell where they differ.
func constantTimeEqual(_ left: UnsafeRawBufferPointer, _ right: [UInt8]) -> Bool {
  left.count == right.count && tk_equal(left.baseAddress, right, right.count) == 1
}
