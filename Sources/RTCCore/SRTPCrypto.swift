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

/// AES in counter mode with HMAC-SHA1 of one direction (RFC 3711 §4.1.1, §4.2.1).
struct CounterModeCipher: ~Copyable {
  /// Nil for the profiles of GCM.
  let context: OpaquePointer?
  /// The 112-bit session salt, with the two bytes that count blocks behind it.
  private let salt: (UInt64, UInt64)

  init(masterKey: [UInt8], masterSalt: [UInt8]) {
    func derive(_ label: UInt8, _ count: Int) -> [UInt8] {
      SRTPKeyDerivation.derive(key: masterKey, salt: masterSalt, label: label, byteCount: count)
    }
    var key = derive(0, 16)
    var authenticationKey = derive(1, 20)
    guard let context = tk_cm_create(key, authenticationKey) else {
      preconditionFailure("OpenSSL has no AES counter mode")
    }
    self.context = context
    tk_cleanse(&key, key.count)
    tk_cleanse(&authenticationKey, authenticationKey.count)
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

  /// Authenticates and decrypts a packet in place; its tag lies behind its bytes. False when it is not authentic.
  func open(
    ssrc: UInt32, index: Int64, packet: UnsafeMutablePointer<UInt8>, headerByteCount: Int, byteCount: Int
  ) -> Bool {
    withCounter(ssrc: ssrc, index: index) {
      tk_cm_open(context, $0, UInt32(truncatingIfNeeded: index >> 16), packet, headerByteCount, byteCount) == 1
    }
  }

  /// The packet's first counter block: salt · 2^16 ⊕ SSRC · 2^64 ⊕ index · 2^16.
  func withCounter<Result>(ssrc: UInt32, index: Int64, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    var block = ((salt.0 ^ UInt64(ssrc)).bigEndian, (salt.1 ^ UInt64(truncatingIfNeeded: index) << 16).bigEndian)
    return withUnsafeBytes(of: &block) { body($0.assumingMemoryBound(to: UInt8.self).baseAddress!) }  // 16 bytes
  }
}

/// libsrtp2 in one direction: SRTCP of the SHA-1 profile.
struct SRTPLibrary: ~Copyable {
  /// Nil for the profiles of GCM.
  let session: OpaquePointer?

  init(profile: SRTPProfile, key: [UInt8], salt: [UInt8], isOutbound: Bool) {
    guard
      let session = tk_srtp_create(
        Int32(profile.rawValue), key, Int32(key.count), salt, Int32(salt.count), isOutbound ? 1 : 0)
    else { preconditionFailure("libsrtp2 refused a profile it was built with") }
    self.session = session
  }

  /// Not needed: a profile of GCM.
  init() { session = nil }

  deinit { if let session { tk_srtp_free(session) } }

  static func error(_ status: tk_srtp_status) -> SRTPError {
    switch status {
    case TK_SRTP_REPLAYED: .replayed
    case TK_SRTP_AUTHENTICATION: .authentication
    default: .malformed
    }
  }
}

/// What one direction of a peer is sealed or opened with, of whichever profile was agreed; the others are empty.
struct DirectionCiphers: ~Copyable {
  /// RTP of the GCM profiles.
  let media: GCMCipher
  /// SRTCP of the GCM profiles.
  let report: GCMCipher
  /// RTP of the SHA-1 profile.
  let counterMode: CounterModeCipher
  /// SRTCP of the SHA-1 profile.
  let library: SRTPLibrary

  /// - Parameter choice: what does AES-GCM, one of `CipherLibrary.available` (trap).
  init(profile: SRTPProfile, key: [UInt8], salt: [UInt8], isSealing: Bool, library choice: CipherLibrary) {
    if profile.isGCM {
      media = GCMCipher(
        masterKey: key, masterSalt: salt, keyLabel: 0, saltLabel: 2, isSealing: isSealing, library: choice)
      report = GCMCipher(
        masterKey: key, masterSalt: salt, keyLabel: 3, saltLabel: 5, isSealing: isSealing, library: choice)
      counterMode = CounterModeCipher()
      library = SRTPLibrary()
    } else {
      media = GCMCipher()
      report = GCMCipher()
      counterMode = CounterModeCipher(masterKey: key, masterSalt: salt)
      library = SRTPLibrary(profile: profile, key: key, salt: salt, isOutbound: isSealing)
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
