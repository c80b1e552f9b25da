import COpenSSL
public import RTCCore

/// Why a certificate could not be made or used.
public enum CertificateError: Error, Sendable { case cannotMake, cannotRead }

private func pair(
  _ make: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) ->
    Int32
) throws(CertificateError) -> (certificate: String, key: String) {
  var certificate: UnsafeMutablePointer<CChar>?
  var key: UnsafeMutablePointer<CChar>?
  defer {
    tk_free(certificate)
    tk_free(key)
  }
  guard make(&certificate, &key) == 1, let certificate, let key else { throw .cannotMake }
  return (String(cString: certificate), String(cString: key))
}

/// The relay's own certificate for DTLS: ECDSA P-256, self-signed, kept across restarts by its owner.
public struct DTLSIdentity: Sendable {
  public let certificatePEM: String
  public let privateKeyPEM: String
  /// SHA-256, as it goes into SDP.
  public let fingerprint: CertificateFingerprint

  /// Makes a new key and certificate, good for ten years: the fingerprint is what peers check, not the dates.
  public static func generate() throws(CertificateError) -> DTLSIdentity {
    let made = try pair { tk_certificate_self_signed("tongke", 3_650, $0, $1) }
    return try DTLSIdentity(certificatePEM: made.certificate, privateKeyPEM: made.key)
  }

  /// - Throws: `.cannotRead` when the texts are no PEM of a certificate and its key.
  public init(certificatePEM: String, privateKeyPEM: String) throws(CertificateError) {
    var digest = [UInt8](repeating: 0, count: 32)
    guard tk_certificate_fingerprint(certificatePEM, &digest) == 1,
      let identity = tk_identity_create(certificatePEM, privateKeyPEM)
    else { throw .cannotRead }
    tk_identity_free(identity)
    self.certificatePEM = certificatePEM
    self.privateKeyPEM = privateKeyPEM
    fingerprint = CertificateFingerprint(algorithm: "sha-256", digest: digest)
  }
}

/// The relay's own authority for HTTPS on machines without a public certificate.
public struct CertificateAuthority: Sendable {
  public let certificatePEM: String
  public let privateKeyPEM: String

  public init(certificatePEM: String, privateKeyPEM: String) {
    self.certificatePEM = certificatePEM
    self.privateKeyPEM = privateKeyPEM
  }

  public static func generate(name: String) throws(CertificateError) -> CertificateAuthority {
    let made = try pair { tk_certificate_authority(name, 3_650, $0, $1) }
    return CertificateAuthority(certificatePEM: made.certificate, privateKeyPEM: made.key)
  }

  /// Issues a server certificate for names and addresses, good for 397 days, which browsers accept at most.
  public func issue(
    names: [String], addresses: [String]
  ) throws(CertificateError) -> (certificatePEM: String, privateKeyPEM: String) {
    let isClean = (names + addresses).allSatisfy { $0.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 44 } }
    guard isClean, !(names + addresses).isEmpty else { throw .cannotMake }
    let entries = names.map { "DNS:" + $0 } + addresses.map { "IP:" + $0 }
    let made = try pair {
      tk_certificate_issue(
        certificatePEM, privateKeyPEM, names.first ?? "tongke", entries.joined(separator: ","), 397, $0, $1)
    }
    return (made.certificate, made.key)
  }

  /// Seconds until a certificate ends, negative when it has; nil when it cannot be read.
  public static func secondsLeft(certificatePEM: String) -> Int64? {
    let left = tk_certificate_seconds_left(certificatePEM)
    return left == Int64.min ? nil : left
  }
}

/// Bytes of the system's secure generator, for credentials and tokens.
public func secureRandomBytes(_ count: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  precondition(tk_random(&bytes, count) == 1, "the system has no randomness")
  return bytes
}
