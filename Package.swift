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
    // Level 1
    .target(name: "PacketRing", swiftSettings: settings),
    .target(name: "RTCWire", swiftSettings: settings),
    // Tests
    .testTarget(name: "PacketRingTests", dependencies: ["PacketRing"], swiftSettings: settings),
    .testTarget(name: "RTCWireTests", dependencies: ["RTCWire"], swiftSettings: settings),
  ]
)
