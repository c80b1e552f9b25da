// Goal: the documented file is the configuration: every key, its default, nothing else.
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct ConfigurationFileTests {
  private func text(_ name: String) throws -> String {
    try String(contentsOf: projectRoot.appending(path: "Configs/\(name)"), encoding: .utf8)
  }

  @Test func everyKeyIsDocumentedWithTypeAndDefault() throws {
    let blocks = try text("tongke.yaml").components(separatedBy: "\n\n").dropFirst()
    var documented: [String] = []
    for block in blocks {
      let lines = block.split(separator: "\n").map(String.init)
      guard
        let key = lines.lazy.compactMap({ $0.wholeMatch(of: /(?:# )?([a-zA-Z]+):(?: .*)?/)?.1 }).first(where: {
          RelayConfiguration.keys.contains(String($0))
        })
      else { continue }
      documented.append(String(key))
      #expect(lines.contains { $0.contains("# Type: ") }, "\(key)")
      #expect(lines.contains { $0.contains("Default: ") }, "\(key)")
    }
    #expect(Set(documented) == Set(RelayConfiguration.keys))
    #expect(documented.count == RelayConfiguration.keys.count)
  }

  @Test func theFileIsTheDefaults() throws {
    #expect(try RelayConfiguration(yaml: text("tongke.yaml")) == RelayConfiguration())
  }

  @Test func theSampleFileIsTheStandardSample() throws {
    let yaml = try text("sample-cluster.yaml")
    #expect(try SamplePlan(yaml: yaml) == .standard)
    // Every key is wanted, none besides.
    for key in ["cluster", "lesson", "lead", "receivers", "institution", "room", "name"] {
      #expect(throws: ConfigurationError.self, "\(key)") {
        try SamplePlan(yaml: yaml.replacingOccurrences(of: key + ":", with: key + "s:"))
      }
    }
  }

  @Test func theFileWithTLSParsesToo() throws {
    let yaml = try text("tongke.yaml").replacing(/(?m)^# (tls:|  certificate:|  privateKey:)/) { "\($0.1)" }
    let configuration = try RelayConfiguration(yaml: yaml)
    #expect(configuration.certificate == "/etc/tongke/tls/fullchain.pem")
    #expect(configuration.privateKey == "/etc/tongke/tls/privkey.pem")
  }

  @Test func theExampleOfReportingIsRead() throws {
    let lines = try text("tongke.yaml").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let start = try #require(lines.firstIndex(of: "# reporting:"))
    let block = lines[start...].prefix { $0.hasPrefix("# ") }.map { String($0.dropFirst(2)) }
    let reporting = try RelayConfiguration(yaml: block.joined(separator: "\n")).reporting
    #expect(reporting.appID == "4101" && reporting.platformCode == "430000" && reporting.batch == 50)
    #expect(reporting.platforms.map(\.endpoint) == ["https://lrs.example.cn/xAPI"])
    #expect(reporting.platforms[0].homePage == "https://space.example.cn" && reporting.writesFiles)
    // Two that would take the same accounts.
    let platform = "\n    - {name: N, endpoint: \"https://l.example\", user: u, passwordFile: /p}"
    let two = platform.replacing("N", with: "a") + platform.replacing("N", with: "b")
    #expect(throws: ConfigurationError.self) { try RelayConfiguration(yaml: "reporting:\n  platforms:" + two) }
  }

  @Test(arguments: [
    ("htp: :80\n", ConfigurationError.Reason.unknownKey, 1), ("\nhttp: here\n", .wrongValue, 2),
    ("udpPort: 70000", .wrongValue, 1), ("announce: [relay.example]", .wrongValue, 1), ("- http", .notAMapping, 1),
    ("tls:\n  certificate: /a\n", .wrongValue, 2), ("tls:\n  cert: /a\n", .unknownKey, 2),
    ("sessionLimit: 0", .wrongValue, 1), ("subjects: \"\"", .wrongValue, 1), ("logLevel: loud", .wrongValue, 1),
    ("record: perhaps", .wrongValue, 1),
    ("workers: 65", .wrongValue, 1), ("pinWorkers: 1", .wrongValue, 1), ("cipher: fast", .wrongValue, 1),
    ("segmentation: true", .wrongValue, 1), ("coalescing: 21", .wrongValue, 1), ("coalescing: 0", .wrongValue, 1),
    ("tcp: maybe", .wrongValue, 1), ("admission: on", .wrongValue, 1),
    ("admission:\n  processor: 101\n", .wrongValue, 2), ("admission:\n  cpu: 80\n", .unknownKey, 2),
    ("admission:\n  uplink: -1\n", .wrongValue, 2), ("admission:\n  backlog: 0\n", .wrongValue, 2),
    ("secondFactor: 6", .wrongValue, 1), ("publicAddress: relay.example", .wrongValue, 1),
    ("publicAddress: http://relay.example", .wrongValue, 1),
    ("publicAddress: https://relay.example/x", .wrongValue, 1),
    ("openid: https://id.example", .wrongValue, 1), ("openid:\n  issuer: https://id.example\n", .wrongValue, 2),
    ("openid:\n  issuer: http://id.example\n  clientId: t\n", .wrongValue, 2),
    ("openid:\n  isuer: https://id.example\n", .unknownKey, 2),
    ("openid:\n  issuer: https://id.example\n  clientId: t\n", .wrongValue, 2),
    ("ticket:\n  gateway: https://g.example\n  appId: a\n", .wrongValue, 2),
    ("ticket:\n  gateway: https://u:p@g.example\n  appId: a\n  appKeyFile: /k\n", .wrongValue, 2),
    ("reporting: on", .notAMapping, 1), ("reporting:\n  apId: x\n", .unknownKey, 2),
    ("reporting:\n  profile: cmi5\n", .wrongValue, 2), ("reporting:\n  batch: 501\n", .wrongValue, 2),
    ("reporting:\n  files: often\n", .wrongValue, 2), ("reporting:\n  activityBase: relay/\n", .wrongValue, 2),
    ("reporting:\n  activityBase: https://relay.example/\n", .wrongValue, 2),
    ("reporting:\n  platforms:\n    - name: a\n      endpoint: http://lrs.example\n", .wrongValue, 4),
    ("reporting:\n  platforms:\n    - name: a\n      url: http://lrs.example\n", .unknownKey, 4),
    // A sum of sixties to YAML 1.1, and too large a one.
    ("udpPort: 9223372036854775807:1", .wrongValue, 1),
  ])
  func mistakesAreToldWithTheirLine(_ yaml: String, _ reason: ConfigurationError.Reason, _ line: Int) {
    let error = #expect(throws: ConfigurationError.self) { try RelayConfiguration(yaml: yaml) }
    #expect(error?.reason == reason)
    #expect(error?.line == line)
    for language in Language.allCases {
      let message = error?.message(in: language, file: "relay.yaml") ?? ""
      #expect(message.contains("relay.yaml") && !message.contains("{"))
    }
  }

  @Test func keysOfMediaAreRead() throws {
    let yaml = """
      workers: 4
      pinWorkers: true
      hugePages: true
      cipher: ipsec-mb
      segmentation: off
      coalescing: 3
      tcp: false
      admission:
        uplink: 1000
      """
    let read = try RelayConfiguration(yaml: yaml)
    var expected = RelayConfiguration()
    expected.workers = 4
    expected.pinsWorkers = true
    expected.wantsHugePages = true
    expected.cipher = .multiBuffer
    expected.segmentsTrains = false
    expected.coalescing = .milliseconds(3)
    expected.takesTCP = false
    expected.admission?.uplink = 1_000
    #expect(read == expected)
    #expect(try RelayConfiguration(yaml: "admission: off").admission == nil)
    #expect(try RelayConfiguration(yaml: "coalescing: off").coalescing == .off)
    #expect(try RelayConfiguration(yaml: "cipher: openssl").cipher == .openSSL)
  }

  @Test func waysToSignInAreRead() throws {
    // Usage has an appId too.
    let file = try #require(try text("tongke.yaml").components(separatedBy: "# How usage is told").first)
    let yaml = file.replacing(/(?m)^# (publicAddress|openid|ticket):/) { "\($0.1):" }
      .replacing(/(?m)^#   ((?:issuer|clientId|clientSecretFile|gateway|appId|appKeyFile): \S+)$/) { "  \($0.1)" }
    let access = try RelayConfiguration(yaml: yaml).access
    #expect(access.publicAddress == "https://relay.example.cn:8443" && !access.requiresSecondFactor)
    #expect(access.openID?.issuer == "https://id.example.cn" && access.openID?.clientID == "tongke")
    #expect(access.openID?.secretFile == "/etc/tongke/openid.secret" && access.openID?.scopes == "openid")
    #expect(access.ticket?.gateway == "https://gateway.example.cn/apigateway" && access.ticket?.appID == "1000")
    #expect(access.ticket?.keyFile == "/etc/tongke/ticket.key" && access.ticket?.system == "0")
    #expect(try RelayConfiguration(yaml: "publicAddress: http://127.0.0.1:8080").access.publicAddress != nil)
    #expect(try RelayConfiguration(yaml: "secondFactor: true").access.requiresSecondFactor)
  }

  @Test func systemdUnitStartsTheRelayAndGivesItTimeToFinish() throws {
    let unit = try text("tongke.service")
    for line in ["StateDirectory=tongke", "KillSignal=SIGTERM", "NoNewPrivileges=yes", "ProtectSystem=strict"] {
      #expect(unit.contains("\n\(line)\n"), "\(line)")
    }
    #expect(unit.contains("ExecStart=/usr/local/bin/tongke serve --config /etc/tongke/tongke.yaml"))
    #expect(unit.contains("\nTimeoutStopSec="))
  }
}
