import CIPSecMB
import COpenSSL

/// The libraries that do AES-GCM, by the names of their projects; both write the same bytes.
public enum CipherLibrary: String, Sendable, CaseIterable {
  /// Everywhere, by EVP.
  case openSSL = "openssl"
  /// intel-ipsec-mb, on x86-64 processors with AES instructions where it is installed: two to three times cheaper.
  case multiBuffer = "ipsec-mb"

  /// What this machine has, best first, never empty. Found out once in a process.
  public static var available: [CipherLibrary] {
    tk_mb_available() == 1 ? [.multiBuffer, .openSSL] : [.openSSL]
  }

  /// The first of `available`.
  public static var best: CipherLibrary { tk_mb_available() == 1 ? .multiBuffer : .openSSL }
}

/// How SRTCP of the GCM profiles lies: `[header 8 | ciphertext | tag 16 | E and index 4]` (RFC 7714 §9.2).
enum ReportLayout {
  static let headerByteCount = 8
  static let overheadByteCount = GCMCipher.tagByteCount + 4
  static let encryptionFlag: UInt32 = 0x8000_0000

  /// What is authenticated and not encrypted: the header and the trailing word.
  static func withAssociated<Result>(
    _ packet: UnsafePointer<UInt8>, trailer: UInt32, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    var bytes = (UInt64(0), UInt32(0))
    return withUnsafeMutableBytes(of: &bytes) { raw in
      raw.copyMemory(from: UnsafeRawBufferPointer(start: packet, count: headerByteCount))
      raw.storeBytes(of: trailer.bigEndian, toByteOffset: headerByteCount, as: UInt32.self)
      return body(UnsafeRawBufferPointer(rebasing: raw[..<(headerByteCount + 4)]))
    }
  }
}

/// AES-GCM of one direction under one session key.
package struct GCMCipher: ~Copyable {
  static let tagByteCount = 16

  private enum Context {
    /// The profile that has no GCM.
    case none
    case openSSL(OpaquePointer)
    case multiBuffer(OpaquePointer)
  }

  private let context: Context
  /// 96-bit session salt, as the IV starts from it.
  private let salt: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8)

  /// Derives the session key and salt of the labels (RFC 7714 §11).
  init(
    masterKey: [UInt8], masterSalt: [UInt8], keyLabel: UInt8, saltLabel: UInt8, isSealing: Bool, library: CipherLibrary
  ) {
    var key = SRTPKeyDerivation.derive(
      key: masterKey, salt: masterSalt, label: keyLabel, byteCount: masterKey.count)
    let salt = SRTPKeyDerivation.derive(key: masterKey, salt: masterSalt, label: saltLabel, byteCount: 12)
    self.init(sessionKey: key, sessionSalt: salt, isSealing: isSealing, library: library)
    tk_cleanse(&key, key.count)
  }

  /// - Parameter library: one of `CipherLibrary.available` (trap).
  package init(sessionKey key: [UInt8], sessionSalt salt: [UInt8], isSealing: Bool, library: CipherLibrary) {
    switch library {
    case .openSSL:
      guard let pointer = tk_gcm_create(key, key.count, isSealing ? 1 : 0) else {
        preconditionFailure("OpenSSL has no AES-GCM")
      }
      context = .openSSL(pointer)
    case .multiBuffer:
      guard let pointer = tk_mb_gcm_create(key, key.count) else {
        preconditionFailure("intel-ipsec-mb is not available here")
      }
      context = .multiBuffer(pointer)
    }
    self.salt = (
      salt[0], salt[1], salt[2], salt[3], salt[4], salt[5], salt[6], salt[7], salt[8], salt[9], salt[10], salt[11]
    )
  }

  /// No cipher: the SHA-1 profile.
  init() {
    context = .none
    salt = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  }

  deinit {
    switch context {
    case .none: break
    case .openSSL(let pointer): tk_gcm_free(pointer)
    case .multiBuffer(let pointer): tk_mb_gcm_free(pointer)
    }
  }

  /// Fetches the key into the cache ahead of its use, where its memory is known.
  func prefetch() {
    if case .multiBuffer(let pointer) = context { tk_mb_gcm_prefetch(pointer) }
  }

  /// Seals header, prefix, payload and padding into `out` in one pass; `[header | encrypted | tag]`.
  ///
  /// `out` has room for all, and overlaps none. - Returns: bytes written; 0 when the library fails.
  package func seal(
    ssrc: UInt32, index: Int64, header: UnsafeRawBufferPointer, prefix: UnsafeRawBufferPointer,
    payload: UnsafeRawBufferPointer, padding: UInt8, into out: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let bytes = { (buffer: UnsafeRawBufferPointer) in buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) }
    return withIV(ssrc: ssrc, index: index) { iv in
      switch context {
      case .none: 0
      case .openSSL(let pointer):
        tk_gcm_seal(
          pointer, iv, bytes(header), header.count, bytes(prefix), prefix.count, bytes(payload), payload.count,
          padding, out)
      case .multiBuffer(let pointer):
        tk_mb_gcm_seal(
          pointer, iv, bytes(header), header.count, bytes(prefix), prefix.count, bytes(payload), payload.count,
          padding, out)
      }
    }
  }

  /// Encrypts the text in place and writes the tag behind it, where there is room. False when the library fails.
  package func seal(
    ssrc: UInt32, index: Int64, associated: UnsafeRawBufferPointer, text: UnsafeMutablePointer<UInt8>, byteCount: Int
  ) -> Bool {
    let associatedBytes = associated.baseAddress?.assumingMemoryBound(to: UInt8.self)
    return withIV(ssrc: ssrc, index: index) { iv in
      switch context {
      case .none: return false
      case .openSSL(let pointer):
        return tk_gcm_seal_in_place(pointer, iv, associatedBytes, associated.count, text, byteCount) == 1
      case .multiBuffer(let pointer):
        tk_mb_gcm_seal_in_place(pointer, iv, associatedBytes, associated.count, text, byteCount)
        return true
      }
    }
  }

  /// Decrypts the text in place; the tag lies behind it. False when it is not authentic: the text is worthless then.
  package func open(
    ssrc: UInt32, index: Int64, associated: UnsafeRawBufferPointer, text: UnsafeMutablePointer<UInt8>, byteCount: Int
  ) -> Bool {
    let associatedBytes = associated.baseAddress?.assumingMemoryBound(to: UInt8.self)
    return withIV(ssrc: ssrc, index: index) { iv in
      switch context {
      case .none: false
      case .openSSL(let pointer):
        tk_gcm_open(pointer, iv, associatedBytes, associated.count, text, byteCount) == 1
      case .multiBuffer(let pointer):
        tk_mb_gcm_open(pointer, iv, associatedBytes, associated.count, text, byteCount) == 1
      }
    }
  }

  /// Writes the IV of a packet: (0 0 ‖ SSRC ‖ ROC ‖ SEQ) ⊕ salt (RFC 7714 §8.1), or of an SRTCP packet, whose index has
  /// 31 bits: (0 0 ‖ SSRC ‖ 0 0 ‖ index) ⊕ salt (§9.1).
  private func withIV<Result>(ssrc: UInt32, index: Int64, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    var iv = salt
    return withUnsafeMutableBytes(of: &iv) { bytes in
      for offset in 0..<4 { bytes[2 + offset] ^= UInt8(truncatingIfNeeded: ssrc >> UInt32(24 - 8 * offset)) }
      for offset in 0..<6 { bytes[6 + offset] ^= UInt8(truncatingIfNeeded: index >> Int64(40 - 8 * offset)) }
      return body(bytes.assumingMemoryBound(to: UInt8.self).baseAddress!)  // a tuple of 12 bytes
    }
  }
}
