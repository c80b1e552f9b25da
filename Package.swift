// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "tongke",
  platforms: [.macOS(.v15)],
  targets: [
    // Ground: C shims and system libraries, no policy
    .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
    .target(name: "CLinuxIO"),
    .target(name: "CSRTP", linkerSettings: [.linkedLibrary("srtp2")]),
    // Level 1
    .target(name: "PacketRing", swiftSettings: settings),
    .target(name: "RTCWire", swiftSettings: settings),
    // Level 2
    .target(name: "RTCCore", dependencies: ["PacketRing", "RTCWire", "COpenSSL", "CSRTP"], swiftSettings: settings),
    // Level 3
    .target(
      name: "MediaWorker", dependencies: ["RTCCore", "RTCWire", "PacketRing", "CLinuxIO", "COpenSSL"],
      swiftSettings: settings),
    // Level 5
    .target(name: "Simulation", dependencies: ["RTCCore", "RTCWire", "PacketRing"], swiftSettings: settings),
    // Tests
    .testTarget(name: "PacketRingTests", dependencies: ["PacketRing"], swiftSettings: settings),
    .testTarget(name: "RTCWireTests", dependencies: ["RTCWire"], swiftSettings: settings),
    .testTarget(
      name: "RTCCoreTests", dependencies: ["RTCCore", "RTCWire", "COpenSSL", "CSRTP"], swiftSettings: settings),
    .testTarget(
      name: "MediaWorkerTests", dependencies: ["MediaWorker", "RTCCore", "RTCWire", "PacketRing"],
      swiftSettings: settings),
    .testTarget(name: "SimulationTests", dependencies: ["Simulation", "RTCCore"], swiftSettings: settings),
  ]
)
