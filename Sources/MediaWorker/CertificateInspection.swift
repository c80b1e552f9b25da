import COpenSSL

/// What the first certificate of a PEM text says; reads the text anew at each call, so it is for start-up only.
public struct CertificateInspection: Sendable {
  private let certificatePEM: String
  /// UTC seconds between which it is good.
  public let notBefore: Int64
  public let notAfter: Int64

  /// - Throws: `.cannotRead` when the text begins with no certificate.
  public init(certificatePEM: String) throws(CertificateError) {
    var before: Int64 = 0
    var after: Int64 = 0
    guard tk_certificate_period(certificatePEM, &before, &after) == 1 else { throw .cannotRead }
    self.certificatePEM = certificatePEM
    notBefore = before
    notAfter = after
  }

  /// Whether the subjectAltName has the DNS name (RFC 6125 §6.4).
  public func covers(name: String) -> Bool { tk_certificate_covers(certificatePEM, name, 0) == 1 }

  /// Whether the subjectAltName has the address, in text form without scope.
  public func covers(address: String) -> Bool { tk_certificate_covers(certificatePEM, address, 1) == 1 }

  /// Whether the unencrypted private key belongs to it.
  public func matches(privateKeyPEM: String) -> Bool { tk_certificate_matches_key(certificatePEM, privateKeyPEM) == 1 }

  public func isSigned(by authorityPEM: String) -> Bool {
    tk_certificate_is_signed_by(certificatePEM, authorityPEM) == 1
  }
}
