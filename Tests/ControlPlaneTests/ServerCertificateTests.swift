// Goal: the relay's certificates last, are renewed when they must be, and every refusal is told.
import ControlPlane
import Foundation
import MediaWorker
import RTCWire
import Testing

@Suite struct ServerCertificateTests {
  private let folder: ScratchFolder
  private let now = Int64(Date().timeIntervalSince1970 * 1_000)
  private static let day: Int64 = 86_400_000

  init() throws { folder = try ScratchFolder() }

  private func load(_ configuration: RelayConfiguration = RelayConfiguration(), after: Int64 = 0) throws
    -> ServerCertificate
  {
    try ServerCertificate.load(configuration: configuration, folder: folder.file("tls"), now: now + after)
  }

  @Test func isMadeAtFirstStartAndKept() throws {
    let first = try load()
    let second = try load()
    #expect(first.chainPEM == second.chainPEM)
    #expect(first.privateKeyPEM == second.privateKeyPEM)
    let authority = try #require(first.authorityPEM)
    let inspection = try CertificateInspection(certificatePEM: first.chainPEM)
    #expect(inspection.isSigned(by: authority))
    #expect(inspection.matches(privateKeyPEM: first.privateKeyPEM))
    #expect(inspection.covers(name: "localhost"))
    #expect(inspection.covers(address: "127.0.0.1"))
    #expect(inspection.covers(address: "::1"))
    for local in LocalAddresses.list() where !local.address.isLinkLocal {
      #expect(inspection.covers(address: local.address.addressText))
    }
    #expect(!inspection.covers(address: "203.0.113.77"))
    #expect(try folder.mode("tls/server.pem") == 0o600)
    #expect(try folder.mode("tls/authority.pem") == 0o600)
    #expect(try folder.mode("tls") == 0o700)
    #expect(try String(contentsOfFile: folder.file("tls/ca.crt"), encoding: .utf8) == authority)
  }

  @Test func isIssuedAnewForANewAddressByTheSameAuthority() throws {
    let before = try load()
    var configuration = RelayConfiguration()
    configuration.announce = ["203.0.113.77"]
    let after = try load(configuration)
    #expect(after.chainPEM != before.chainPEM)
    #expect(after.authorityPEM == before.authorityPEM)
    #expect(try CertificateInspection(certificatePEM: after.chainPEM).covers(address: "203.0.113.77"))
    #expect(try load(configuration).chainPEM == after.chainPEM)
  }

  @Test func isIssuedAnewWhenLessThanThirtyDaysAreLeft() throws {
    let first = try load()
    let total = first.expires * 1_000 - now
    #expect(try load(after: total - 31 * Self.day).chainPEM == first.chainPEM)
    let renewed = try load(after: total - 29 * Self.day)
    #expect(renewed.chainPEM != first.chainPEM)
    #expect(renewed.authorityPEM == first.authorityPEM)
  }

  @Test func authorityLastsTenYears() throws {
    let authority = try #require(try load().authorityPEM)
    #expect(try load(after: 3_600 * Self.day).authorityPEM == authority)
    #expect(try load(after: 3_640 * Self.day).authorityPEM != authority)
  }

  @Test func damagedServerFileIsReplacedAndDamagedAuthorityIsNot() throws {
    let first = try load()
    _ = try folder.write("nonsense", to: "tls/server.pem")
    let second = try load()
    #expect(second.authorityPEM == first.authorityPEM)
    #expect(second.chainPEM != first.chainPEM)
    _ = try folder.write(first.chainPEM, to: "tls/authority.pem")
    let error = #expect(throws: ServerCertificateError.self) { try load() }
    #expect(error?.reason == .damagedAuthority)
  }

  @Test func truncatedFilesAtEveryLengthAreNeverServed() throws {
    _ = try load()
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder.file("tls/server.pem")))
    for count in stride(from: 0, to: whole.count - 1, by: 7) {
      try whole.prefix(count).write(to: URL(fileURLWithPath: folder.file("tls/server.pem")))
      let loaded = try load()
      #expect(try CertificateInspection(certificatePEM: loaded.chainPEM).matches(privateKeyPEM: loaded.privateKeyPEM))
    }
  }

  @Test func operatorsCertificateIsServedAsItIs() throws {
    let authority = try CertificateAuthority.generate(name: "Town")
    let issued = try authority.issue(names: ["lessons.example"], addresses: [])
    var configuration = RelayConfiguration()
    configuration.certificate = try folder.write(issued.certificatePEM + authority.certificatePEM, to: "chain.pem")
    configuration.privateKey = try folder.write(issued.privateKeyPEM, to: "key.pem")
    let loaded = try load(configuration)
    #expect(loaded.chainPEM == issued.certificatePEM + authority.certificatePEM)
    #expect(loaded.authorityPEM == nil)
    #expect(!FileManager.default.fileExists(atPath: folder.file("tls/server.pem")))
    // One that has run out is served all the same.
    #expect(try load(configuration, after: 500 * Self.day).expires == loaded.expires)
  }

  @Test func operatorsMistakesAreNamed() throws {
    let authority = try CertificateAuthority.generate(name: "Town")
    let issued = try authority.issue(names: ["lessons.example"], addresses: [])
    let good = try folder.write(issued.certificatePEM, to: "chain.pem")
    let key = try folder.write(issued.privateKeyPEM, to: "key.pem")
    let otherKey = try folder.write(authority.privateKeyPEM, to: "other.pem")
    let cases: [(String, String, ServerCertificateError.Reason)] = [
      (folder.file("absent.pem"), key, .unreadable), (good, folder.file("absent.pem"), .unreadable),
      (key, key, .notPEM), (good, good, .notPEM), (good, otherKey, .wrongKey), (folder.path, key, .unreadable),
    ]
    for (certificate, privateKey, reason) in cases {
      var configuration = RelayConfiguration()
      configuration.certificate = certificate
      configuration.privateKey = privateKey
      let error = #expect(throws: ServerCertificateError.self) { try load(configuration) }
      #expect(error?.reason == reason, "\(certificate) \(privateKey)")
      for language in Language.allCases {
        let message = error?.message(in: language) ?? ""
        #expect(message.contains(error?.file ?? "?"))
        #expect(!message.contains("{"))
      }
    }
  }

  @Test func dtlsIdentityIsKeptAndADamagedOneIsMadeAnew() throws {
    let first = try DTLSIdentityFile.load(folder: folder.file("tls"))
    let second = try DTLSIdentityFile.load(folder: folder.file("tls"))
    #expect(first.certificatePEM == second.certificatePEM)
    #expect(first.fingerprint == second.fingerprint)
    #expect(try folder.mode("tls/dtls.pem") == 0o600)
    _ = try folder.write("nonsense", to: "tls/dtls.pem")
    #expect(try DTLSIdentityFile.load(folder: folder.file("tls")).certificatePEM != first.certificatePEM)
  }
}
