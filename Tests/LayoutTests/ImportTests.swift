// Goal: a part touches only what the plan of the project lets it touch. Method: reading the imports of every source
// file against the table of ARCHITECTURE.md.
import Testing

@Suite struct ImportTests {
  /// A part's level, the parts it may import, and what it may import from outside.
  struct Part: Sendable {
    var level: Int
    var parts: Set<String>
    var outside: Set<String> = []
  }

  private static let system: Set<String> = ["Glibc", "Musl", "Darwin"]
  private static let hot: Set<String> = ["Synchronization", "BasicContainers"]
  private static let foundation: Set<String> = [
    "Foundation", "FoundationEssentials", "Dispatch", "Logging", "Synchronization",
  ]
  private static let nio: Set<String> = ["NIOCore", "NIOPosix", "NIOHTTP1", "NIOSSL", "NIOFoundationCompat"]
  private static let server: Set<String> = [
    "Crypto", "Hummingbird", "HummingbirdCore", "HummingbirdTLS", "HTTPTypes", "JWTKit", "ServiceLifecycle", "X509",
    "Yams",
  ]

  static let table: [String: Part] = [
    "PacketRing": Part(level: 1, parts: [], outside: system.union(hot)),
    "RTCWire": Part(level: 1, parts: [], outside: hot),
    "Classroom": Part(level: 1, parts: []),
    "ControlAPI": Part(level: 1, parts: [], outside: foundation.union(nio).union(["AsyncHTTPClient"])),
    "RTCCore": Part(level: 2, parts: ["PacketRing", "RTCWire", "CIPSecMB", "CSRTP", "COpenSSL"], outside: hot),
    "Recorder": Part(
      level: 2, parts: ["PacketRing", "RTCWire", "CLinuxIO"], outside: system.union(hot).union(foundation)),
    "Media": Part(level: 2, parts: ["RTCWire", "CLibAV", "COpus"], outside: foundation),
    "Ledger": Part(level: 2, parts: ["Classroom"], outside: foundation.union(["GRDB", "Crypto"])),
    "MediaWorker": Part(
      level: 3, parts: ["RTCCore", "RTCWire", "PacketRing", "CLinuxIO", "COpenSSL"], outside: system.union(hot)),
    // RTCCore's values are what MediaWorker's interface is made of.
    "MediaClient": Part(
      level: 4, parts: ["MediaWorker", "RTCCore", "PacketRing", "RTCWire", "Media", "Classroom"],
      outside: foundation.union(nio).union(["AsyncHTTPClient"])),
    // PacketRing's record is what the lesson log's reader hands out.
    "Resources": Part(
      level: 4, parts: ["Recorder", "Media", "Ledger", "Classroom", "PacketRing", "RTCWire"],
      outside: foundation.union(["Crypto"])),
    "Reporting": Part(level: 4, parts: ["Ledger", "Classroom"], outside: foundation.union(["Crypto"])),
    "Simulation": Part(
      level: 5, parts: ["RTCCore", "RTCWire", "PacketRing", "Recorder", "Classroom"], outside: hot),
    "ControlPlane": Part(
      level: 5,
      parts: [
        "MediaClient", "Resources", "Reporting", "MediaWorker", "RTCCore", "Recorder", "Media", "Ledger", "PacketRing",
        "RTCWire", "Classroom", "ControlAPI", "CLinuxIO",
      ], outside: foundation.union(nio).union(server).union(["AsyncHTTPClient"])),
    // The lower parts' values come through ControlPlane's interface.
    "tongke": Part(
      level: 6, parts: ["ControlPlane", "ControlAPI", "MediaClient", "Simulation", "Ledger", "Classroom", "Media"],
      outside: foundation.union(["ArgumentParser"])),
  ]

  static let ground: Set<String> = ["CIPSecMB", "CLinuxIO", "COpenSSL", "CSRTP", "CLibAV", "COpus"]

  @Test func everyImportIsInTheTable() {
    #expect(SourceTree.swiftFiles.count > 50, "the tree was not found")
    for file in SourceTree.swiftFiles where !file.isTest {
      guard let part = Self.table[file.target] else {
        Issue.record("\(file.path): \(file.target) is no part of the plan")
        continue
      }
      for (module, line) in file.imports where !part.parts.contains(module) && !part.outside.contains(module) {
        Issue.record("\(file.path):\(line): \(file.target) may not import \(module)")
      }
    }
  }

  @Test func partsImportLowerLevelsOnly() {
    for (name, part) in Self.table {
      for other in part.parts where !Self.ground.contains(other) {
        let level = Self.table[other]?.level
        #expect(level != nil && level! < part.level, "\(name) imports \(other)")  // nil was just checked
      }
    }
  }

  /// Nothing below the worker waits for a runtime or reads the world (invariant 1 and the bans of the table).
  @Test func coresImportNoFoundation() {
    for name in ["PacketRing", "RTCWire", "RTCCore", "MediaWorker", "Classroom"] {
      let part = Self.table[name]
      for module in ["Foundation", "FoundationEssentials", "Logging", "Dispatch"] {
        #expect(part?.outside.contains(module) == false, "\(name) and \(module)")
      }
    }
  }

  @Test func everyTargetHasAFolderAndEveryFolderATarget() throws {
    let package = SourceTree.text("Package.swift")
    var names: [(name: String, isTest: Bool, path: String?)] = []
    for piece in package.split(separator: "arget(").dropFirst() {
      guard let name = Self.quoted(after: "name:", in: piece), piece.firstRange(of: "name:")?.lowerBound != nil else {
        continue
      }
      let before = package[..<piece.startIndex]
      names.append((name, before.hasSuffix(".testTarget("), Self.quoted(after: "path:", in: piece)))
    }
    #expect(names.count > 10)
    for target in names {
      let folder = target.path ?? (target.isTest ? "Tests/" : "Sources/") + target.name
      #expect(!SourceTree.files(ending: "", under: folder).isEmpty, "\(target.name) has no folder \(folder)")
    }
    let known = Set(names.map(\.name))
    for file in SourceTree.swiftFiles + SourceTree.cFiles where !file.isTest {
      #expect(known.contains(file.target), "\(file.path) belongs to no target")
    }
  }

  private static func quoted(after label: String, in text: Substring) -> String? {
    guard let place = text.firstRange(of: label) else { return nil }
    let rest = text[place.upperBound...].drop { $0 == " " || $0 == "\n" }
    guard rest.first == "\"" else { return nil }
    return String(rest.dropFirst().prefix { $0 != "\"" })
  }
}
