import Foundation
public import MediaWorker
import RTCWire

/// Why there is no certificate to serve with.
public struct ServerCertificateError: Error, Sendable, Equatable {
  public enum Reason: String, Sendable, CaseIterable {
    /// A file cannot be read, or is not there though the configuration names it.
    case unreadable
    case unwritable
    /// The operator's file holds no certificate, or no private key without passphrase.
    case notPEM
    /// The operator's key is another certificate's.
    case wrongKey
    /// The authority's file holds something else; making a new one would undo the trust of every device.
    case damagedAuthority
    /// The cryptographic library failed.
    case cannotMake
  }
  public var reason: Reason
  public var file: String

  init(_ reason: Reason, file: String) {
    self.reason = reason
    self.file = file
  }

  public func message(in language: Language) -> String {
    Text.of("certificate.\(reason.rawValue)", in: language, ["file": file])
  }
}

/// What the relay serves HTTPS with.
///
/// The operator's own certificate when the configuration names one; otherwise a server certificate of the relay's own
/// authority, both in `folder`: `authority.pem` and `server.pem` (certificate and key together, mode 0600, so that a
/// crash never parts them) and `ca.crt`, what devices are to trust.
public struct ServerCertificate: Sendable {
  /// The server's certificate and, of an operator's file, those between it and the root.
  public let chainPEM: String
  public let privateKeyPEM: String
  /// The relay's own authority; nil with an operator's certificate.
  public let authorityPEM: String?
  /// UTC seconds.
  public let expires: Int64

  /// An own certificate with less left is issued anew.
  public static let renewalSeconds: Int64 = 30 * 86_400
  static let nameLimit = 128

  /// Reads the certificate, or makes it: at first start, when the machine has a name or an address that it lacks, and
  /// when less than 30 days are left.
  ///
  /// Cost: a few signatures and a sync of the disk; to be called at start-up and then about once a day.
  /// - Parameter now: UTC milliseconds.
  /// - Throws: `ServerCertificateError`. An operator's certificate that has run out is served all the same: a
  ///   warning in a browser is better than no lesson.
  public static func load(
    configuration: RelayConfiguration, folder: String, now: Int64
  ) throws(ServerCertificateError) -> ServerCertificate {
    if let certificate = configuration.certificate, let key = configuration.privateKey {
      return try operators(certificate: certificate, privateKey: key)
    }
    return try own(subjects: Subjects(configuration: configuration), folder: folder, now: now / 1_000)
  }

  private static func operators(
    certificate: String, privateKey: String
  ) throws(ServerCertificateError) -> ServerCertificate {
    guard let chain = try PEMFile(path: certificate).read() else {
      throw ServerCertificateError(.unreadable, file: certificate)
    }
    guard let key = try PEMFile(path: privateKey).read() else {
      throw ServerCertificateError(.unreadable, file: privateKey)
    }
    guard let inspection = try? CertificateInspection(certificatePEM: chain) else {
      throw ServerCertificateError(.notPEM, file: certificate)
    }
    guard key.contains("PRIVATE KEY-----"), !key.contains("ENCRYPTED") else {
      throw ServerCertificateError(.notPEM, file: privateKey)
    }
    guard inspection.matches(privateKeyPEM: key) else { throw ServerCertificateError(.wrongKey, file: privateKey) }
    return ServerCertificate(
      chainPEM: chain, privateKeyPEM: key, authorityPEM: nil, expires: inspection.notAfter)
  }

  static func own(
    subjects: Subjects, folder: String, now: Int64
  ) throws(ServerCertificateError) -> ServerCertificate {
    try makeFolder(folder)
    let authority = try authority(folder: folder, now: now)
    let server = PEMFile(path: folder + "/server.pem")
    if let kept = try server.read().flatMap(PEMFile.pair),
      let inspection = try? CertificateInspection(certificatePEM: kept.certificatePEM),
      inspection.matches(privateKeyPEM: kept.privateKeyPEM), inspection.isSigned(by: authority.certificatePEM),
      inspection.notAfter - now >= renewalSeconds, subjects.areCovered(by: inspection)
    {
      return ServerCertificate(
        chainPEM: kept.certificatePEM, privateKeyPEM: kept.privateKeyPEM, authorityPEM: authority.certificatePEM,
        expires: inspection.notAfter)
    }
    guard let made = try? authority.issue(names: subjects.names, addresses: subjects.addresses),
      let inspection = try? CertificateInspection(certificatePEM: made.certificatePEM)
    else { throw ServerCertificateError(.cannotMake, file: server.path) }
    try server.write(made.certificatePEM + made.privateKeyPEM)
    return ServerCertificate(
      chainPEM: made.certificatePEM, privateKeyPEM: made.privateKeyPEM, authorityPEM: authority.certificatePEM,
      expires: inspection.notAfter)
  }

  /// The kept authority, a new one at first start or when it is about to end, after ten years.
  private static func authority(folder: String, now: Int64) throws(ServerCertificateError) -> CertificateAuthority {
    let file = PEMFile(path: folder + "/authority.pem")
    let copy = PEMFile(path: folder + "/ca.crt")
    if let text = try file.read() {
      guard let kept = PEMFile.pair(text),
        let inspection = try? CertificateInspection(certificatePEM: kept.certificatePEM),
        inspection.matches(privateKeyPEM: kept.privateKeyPEM)
      else { throw ServerCertificateError(.damagedAuthority, file: file.path) }
      if inspection.notAfter - now >= renewalSeconds {
        if try copy.read() != kept.certificatePEM { try copy.write(kept.certificatePEM, mode: 0o644) }
        return CertificateAuthority(certificatePEM: kept.certificatePEM, privateKeyPEM: kept.privateKeyPEM)
      }
    }
    // The name tells apart the authorities of several relays in a browser's list.
    guard let made = try? CertificateAuthority.generate(name: "Tongke \(Subjects.hostName ?? "relay")") else {
      throw ServerCertificateError(.cannotMake, file: file.path)
    }
    try file.write(made.certificatePEM + made.privateKeyPEM)
    try copy.write(made.certificatePEM, mode: 0o644)
    return made
  }

  static func makeFolder(_ folder: String) throws(ServerCertificateError) {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch { throw ServerCertificateError(.unwritable, file: folder) }
  }
}

extension ServerCertificate {
  /// What a browser may call this machine.
  struct Subjects: Equatable {
    var names: [String]
    /// In text form, without scope.
    var addresses: [String]

    init(names: [String], addresses: [String]) {
      self.names = names
      self.addresses = addresses
    }

    init(configuration: RelayConfiguration, machine: [LocalAddress] = LocalAddresses.list()) {
      names = ["localhost"]
      if let host = Self.hostName {
        names.insert(host, at: 0)
        // What devices of the same network find by multicast DNS (RFC 6762).
        if !host.contains(".") { names.append(host + ".local") }
      }
      var seen = Set<String>()
      let texts = configuration.announce + ["127.0.0.1", "::1"] + machine.map(\.address.addressText)
      addresses = texts.map { String($0.prefix { $0 != "%" }) }.filter { seen.insert($0).inserted }
      addresses = Array(addresses.prefix(ServerCertificate.nameLimit))
    }

    /// The machine's name; nil when it cannot stand in a certificate.
    static var hostName: String? {
      var bytes = [CChar](repeating: 0, count: 256)
      guard gethostname(&bytes, 255) == 0 else { return nil }
      let name = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased()
      let isClean = name.utf8.allSatisfy { unit in
        (97...122).contains(unit) || (48...57).contains(unit) || unit == 45 || unit == 46
      }
      return isClean && (1...64).contains(name.utf8.count) && !name.hasPrefix("localhost") ? name : nil
    }

    func areCovered(by inspection: CertificateInspection) -> Bool {
      names.allSatisfy { inspection.covers(name: $0) } && addresses.allSatisfy { inspection.covers(address: $0) }
    }
  }
}

/// The relay's certificate for DTLS, in `dtls.pem` of the folder (mode 0600).
///
/// Peers learn its fingerprint anew at each negotiation; keeping it spares those that remember it, and its making.
public enum DTLSIdentityFile {
  /// Reads the identity, or makes it at first start and when the file is damaged, which costs nobody anything.
  public static func load(folder: String) throws(ServerCertificateError) -> DTLSIdentity {
    try ServerCertificate.makeFolder(folder)
    let file = PEMFile(path: folder + "/dtls.pem")
    if let kept = try file.read().flatMap(PEMFile.pair),
      let inspection = try? CertificateInspection(certificatePEM: kept.certificatePEM),
      inspection.matches(privateKeyPEM: kept.privateKeyPEM),
      let identity = try? DTLSIdentity(certificatePEM: kept.certificatePEM, privateKeyPEM: kept.privateKeyPEM)
    {
      return identity
    }
    guard let made = try? DTLSIdentity.generate() else { throw ServerCertificateError(.cannotMake, file: file.path) }
    try file.write(made.certificatePEM + made.privateKeyPEM)
    return made
  }
}
