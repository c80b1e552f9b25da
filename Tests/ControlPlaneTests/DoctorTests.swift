// Goal: each reading leads to the right word, every word has a fix, and examining changes nothing.
import Classroom
import ControlPlane
import Foundation
import Ledger
import MediaWorker
import RTCCore
import RTCWire
import Testing

@Suite struct DoctorTests {
  private static let gigabyte: UInt64 = 1_000_000_000

  @Test func readingsAreJudged() {
    #expect(Doctor.cipher(microseconds: 0.7, library: "openssl").outcome == .cipherFast)
    #expect(Doctor.cipher(microseconds: 12, library: "openssl").outcome == .cipherSlow)
    #expect(Doctor.codecs(missing: []).outcome == .codecsPresent)
    #expect(Doctor.codecs(missing: ["libopus"]).sentence(in: .english).contains("libopus"))
    #expect(Doctor.room(bytes: 100 * Self.gigabyte, folder: "/d").outcome == .diskRoomy)
    #expect(Doctor.room(bytes: 10 * Self.gigabyte, folder: "/d").outcome == .diskLow)
    #expect(Doctor.room(bytes: Self.gigabyte, folder: "/d").outcome == .diskFull)
    #expect(Doctor.buffers(receive: 212_992, send: 8 << 20, wanted: 4 << 20).outcome == .buffersSmall)
    #expect(Doctor.buffers(receive: nil, send: nil, wanted: 4 << 20).outcome == .buffersLarge)
    #expect(Doctor.files(limit: 1_024, sessions: 1_000).outcome == .filesFew)
    #expect(Doctor.files(limit: 65_536, sessions: 1_000).outcome == .filesEnough)
    #expect(Doctor.speed(.init(megabytesPerSecond: 300, syncMilliseconds: 5), folder: "/d").outcome == .diskFast)
    #expect(Doctor.speed(.init(megabytesPerSecond: 3, syncMilliseconds: 5), folder: "/d").outcome == .diskSlow)
    #expect(Doctor.speed(.init(megabytesPerSecond: 300, syncMilliseconds: 900), folder: "/d").outcome == .diskSlow)
  }

  @Test func cipherLibrariesAreJudged() {
    func outcome(_ available: [CipherLibrary], _ choice: CipherChoice, hasBetter: Bool = true) -> Finding.Outcome {
      Doctor.libraries(available: available, choice: choice, hasBetter: hasBetter).outcome
    }
    #expect(outcome([.multiBuffer, .openSSL], .auto) == .cipherLibraries)
    #expect(outcome([.multiBuffer, .openSSL], .openSSL) == .cipherLibraries)
    #expect(outcome([.openSSL], .auto) == .cipherLibraryMissing)
    #expect(outcome([.openSSL], .auto, hasBetter: false) == .cipherLibraries)
    #expect(outcome([.openSSL], .openSSL) == .cipherLibraries)
    #expect(outcome([.openSSL], .multiBuffer) == .cipherChoiceMissing)
    #expect(CipherChoice.auto.library(of: [.multiBuffer, .openSSL]) == .multiBuffer)
    #expect(CipherChoice.openSSL.library(of: [.multiBuffer, .openSSL]) == .openSSL)
  }

  @Test func workersAndTheirPortsAreJudged() {
    let some = Doctor.workers(2, ports: [8_189, 8_190], isFree: false, takesTCP: true)
    #expect(some.map(\.outcome) == [.workersPlanned])
    #expect(some.first?.sentence(in: .english).contains("8189–8190") == true)
    #expect(Doctor.workers(2, ports: [65_535], isFree: false, takesTCP: true).map(\.outcome) == [.workersBeyondPorts])
    #expect(Doctor.workers(2, ports: [], isFree: true, takesTCP: true).isEmpty)
  }

  @Test func hugePagesAreJudged() {
    #expect(Doctor.hugePages(setting: "always [madvise] never\n").outcome == .hugePagesGiven)
    #expect(Doctor.hugePages(setting: "[always] madvise never\n").outcome == .hugePagesGiven)
    #expect(Doctor.hugePages(setting: "always madvise [never]\n").outcome == .hugePagesRefused)
    #expect(Doctor.hugePages(setting: nil).outcome == .hugePagesRefused)
  }

  @Test func congestionControlIsJudged() {
    func outcome(_ available: String?, _ allowed: String?, isRoot: Bool = false) -> Finding.Outcome {
      Doctor.congestionControl(available: available, allowed: allowed, isRoot: isRoot).outcome
    }
    #expect(outcome("reno cubic bbr", "reno cubic bbr") == .tcpWithBBR)
    #expect(outcome("reno cubic bbr", "reno cubic") == .tcpWithoutBBR)
    #expect(outcome("reno cubic bbr", "reno cubic", isRoot: true) == .tcpWithBBR)
    #expect(outcome("reno cubic", "reno cubic", isRoot: true) == .tcpWithoutBBR)
    #expect(outcome(nil, nil) == .tcpWithoutBBR)
  }

  @Test func clockIsJudged() {
    let now: Int64 = 1_800_000_000_000
    #expect(Doctor.clock(now: now, jump: 0, isSynchronised: true).outcome == .clockGood)
    #expect(Doctor.clock(now: now, jump: 0, isSynchronised: nil).outcome == .clockGood)
    #expect(Doctor.clock(now: now, jump: 0.001, isSynchronised: false).outcome == .clockUnsynchronised)
    #expect(Doctor.clock(now: now, jump: -3, isSynchronised: true).outcome == .clockJumps)
    #expect(Doctor.clock(now: 0, jump: 0, isSynchronised: true).outcome == .clockWrong)
    #expect(Doctor.clock(now: .max, jump: 0, isSynchronised: true).outcome == .clockWrong)
  }

  @Test func certificateIsJudged() {
    let day: Int64 = 86_400
    #expect(Doctor.certificate(file: "f", secondsLeft: 300 * day, isOwn: false).outcome == .certificateGood)
    #expect(Doctor.certificate(file: "f", secondsLeft: 29 * day, isOwn: false).outcome == .certificateEnding)
    #expect(Doctor.certificate(file: "f", secondsLeft: -1, isOwn: false).outcome == .certificateEnded)
    #expect(Doctor.certificate(file: "f", secondsLeft: -1, isOwn: true).outcome == .certificateToBeMade)
  }

  @Test func portsAreJudged() {
    let address = ListenAddress(host: "::", port: 8443)
    func outcome(_ state: MachineProbe.Port, _ owner: PortOwner? = nil) -> Finding.Outcome {
      Doctor.port(address, isUDP: false, state: state, owner: owner).outcome
    }
    #expect(outcome(.free) == .portFree)
    #expect(outcome(.forbidden) == .portForbidden)
    #expect(outcome(.noSuchAddress) == .portWithoutAddress)
    #expect(outcome(.inUse) == .portTakenByUnknown)
    #expect(outcome(.inUse, PortOwner(name: "nginx", process: 7)) == .portTaken)
    #expect(outcome(.inUse, PortOwner(name: "tongke", process: 7)) == .portOurs)
  }

  @Test func everyOutcomeIsToldInBothLanguages() {
    // What any sentence may name.
    let arguments = [
      "protocol", "port", "address", "process", "names", "microseconds", "time", "milliseconds", "folder", "gigabytes",
      "rate", "file", "days", "bytes", "library", "workers", "ports", "wanted", "limit", "events", "head", "event",
      "count", "lesson", "attempts", "problem", "sent", "waiting", "held", "parked", "hours", "platform",
    ]
    let filled = Dictionary(uniqueKeysWithValues: arguments.map { ($0, "7") })
    for outcome in Finding.Outcome.allCases {
      let finding = Finding(outcome, filled)
      for language in Language.allCases {
        #expect(Text.has("doctor.\(outcome.rawValue)", in: language), "\(outcome)")
        #expect(!finding.sentence(in: language).contains("{"), "\(outcome)")
        #expect((finding.fix(in: language) == nil) == (finding.level == .ok), "\(outcome)")
        if finding.level != .ok { #expect(Text.has("doctor.\(outcome.rawValue).do", in: language), "\(outcome)") }
        #expect(finding.fix(in: language)?.contains("{") != true, "\(outcome)")
      }
    }
  }

  @Test func theWorstFindingIsTheDiagnosis() throws {
    #expect(Diagnosis(findings: [Finding(.trainsWork)]).level == .ok)
    let bad = Diagnosis(findings: [Finding(.trainsWork), Finding(.trainsMissing), Finding(.ledgerToBeMade)])
    #expect(bad.level == .warning)
    #expect(Diagnosis(findings: bad.findings + [Finding(.diskFull, ["gigabytes": "0.1"])]).level == .failure)
    let json = try JSONSerialization.jsonObject(with: Data(bad.json(in: .english).utf8)) as? [String: Any]
    #expect(json?["level"] as? String == "warning")
    let findings = json?["findings"] as? [[String: Any]]
    #expect(findings?.map { $0["outcome"] as? String } == ["trainsWork", "trainsMissing", "ledgerToBeMade"])
    #expect(findings?[0]["fix"] == nil)
    #expect(findings?[1]["fix"] != nil)
    #expect(bad.text(in: .chinese).split(separator: "\n").count == 5)
  }

  /// 128 bytes a socket: more of them than a page of the kernel's table holds, each found.
  @Test func ownersAreFoundInLongTables() throws {
    let sockets = (0..<100).map { _ in socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) }
    defer { for socket in sockets { close(socket) } }
    for socket in sockets {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let isBound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
          bind(socket, raw, length) == 0 && getsockname(socket, raw, &length) == 0
        }
      }
      try #require(isBound)
      #expect(PortOwner.find(port: UInt16(bigEndian: address.sin_port), isUDP: true)?.process == getpid())
    }
  }

  @Test func takenPortsAreFoundWithTheirOwner() throws {
    let identity = try DTLSIdentity.generate()
    var settings = WorkerConfiguration()
    settings.loopbackOnly = true
    settings.tcp = false
    settings.slotCount = 64
    let worker = try MediaWorker(configuration: settings, identity: identity)
    defer { worker.stop() }
    let address = try #require(SocketAddress(address: "127.0.0.1", port: worker.port))
    #expect(MachineProbe.port(address, isUDP: true) == .inUse)
    #expect(MachineProbe.port(address, isUDP: false) == .free)
    #expect(PortOwner.find(port: worker.port, isUDP: true)?.process == getpid())
    let elsewhere = try #require(SocketAddress(address: "203.0.113.77", port: 0))
    #expect(MachineProbe.port(elsewhere, isUDP: true) == .noSuchAddress)
  }

  @Test func socketTablesAreRead() {
    let table = """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0
         1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 20 4 30 10 -1
         2: short
      """
    #expect(PortOwner.inodes(in: table, port: 8_080, isUDP: false) == ["4242"])
    #expect(PortOwner.inodes(in: table, port: 8_080, isUDP: true) == ["4242", "4243"])
    #expect(PortOwner.inodes(in: "", port: 8_080, isUDP: true).isEmpty)
  }

  @Test func examiningChangesNothing() throws {
    let folder = try ScratchFolder()
    var configuration = RelayConfiguration()
    configuration.http = ListenAddress(host: "127.0.0.1", port: 0)
    configuration.https = ListenAddress(host: "127.0.0.1", port: 0)
    configuration.udpPort = 0
    configuration.loopbackOnly = true
    configuration.data = folder.file("data")
    let now = Int64(Date().timeIntervalSince1970 * 1_000)
    let fresh = Doctor(configuration: configuration, missingCodecs: { [] }, now: now).examine()
    let outcomes = Set(fresh.findings.map(\.outcome))
    #expect(outcomes.isSuperset(of: [.portFree, .codecsPresent, .certificateToBeMade, .ledgerToBeMade]))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)

    configuration.data = folder.path
    let store = try LedgerStore(path: folder.file("ledger.sqlite")) { now }
    _ = try store.installSampleCluster()
    _ = try ServerCertificate.load(configuration: configuration, folder: folder.file("tls"), now: now)
    let used = Doctor(configuration: configuration, missingCodecs: { ["aac"] }, now: now).examine()
    #expect(Set(used.findings.map(\.outcome)).isSuperset(of: [.ledgerIntact, .certificateGood, .codecsMissing]))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!left.contains { $0.contains("doctor") })

    try store.close()
    _ = try folder.write("not a ledger at all, but long enough to look at", to: "ledger.sqlite")
    _ = try folder.write("nonsense", to: "tls/server.pem")
    let broken = Doctor(configuration: configuration, missingCodecs: { [] }, now: now).examine()
    #expect(Set(broken.findings.map(\.outcome)).isSuperset(of: [.ledgerForeign, .certificateBad]))
    #expect(broken.level == .failure)
  }
}
