// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")

let package = Package(
  name: "tongke",
  platforms: [.macOS(.v15)],
  dependencies: [
    // The command line: help, completion and typed arguments are not ours to write.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // SHA-256 of the event chain and of resources, HMAC of one-time codes; SwiftNIO's TLS brings its BoringSSL anyway.
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    // JSON Web Tokens: ours (EdDSA), and those of platforms with whatever algorithm they sign.
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    // Structured logs in the form every Swift server writes.
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    // SQLite with migrations, transactions and concurrent readers.
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    // The HTTP server: routing, streaming bodies, TLS.
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    // The channel types that Hummingbird's request contexts are made of.
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    // A client's trust in a relay's own authority; the HTTP libraries bring it anyway.
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    // Starting and ending the HTTP server in order, which Hummingbird leaves to it.
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    // The configuration file, with line numbers for what is wrong in it.
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    // The HTTP client of publishers, receivers and the command line.
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
  ],
  targets: [
    // Ground: C shims and system libraries, no policy
    .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
    // Finds intel-ipsec-mb when it runs.
    .target(name: "CIPSecMB"),
    .target(name: "CLinuxIO"),
    .target(name: "CSRTP", linkerSettings: [.linkedLibrary("srtp2")]),
    .target(
      name: "CLibAV",
      linkerSettings: ["avformat", "avcodec", "avutil", "swscale", "swresample", "avdevice", "m"].map {
        .linkedLibrary($0)
      }),
    // Level 1
    .target(name: "PacketRing", swiftSettings: settings),
    .target(name: "RTCWire", swiftSettings: settings),
    .target(name: "Classroom", swiftSettings: settings),
    .target(
      name: "ControlAPI",
      dependencies: [
        httpClient, .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOFoundationCompat", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ], swiftSettings: settings),
    // Level 2
    .target(
      name: "RTCCore", dependencies: ["PacketRing", "RTCWire", "CIPSecMB", "COpenSSL", "CSRTP"],
      swiftSettings: settings),
    .target(name: "Recorder", dependencies: ["PacketRing", "RTCWire", "CLinuxIO"], swiftSettings: settings),
    .target(name: "Media", dependencies: ["RTCWire", "CLibAV"], swiftSettings: settings),
    .target(name: "Ledger", dependencies: ["Classroom", grdb, crypto], swiftSettings: settings),
    // Level 3
    .target(
      name: "MediaWorker", dependencies: ["RTCCore", "RTCWire", "PacketRing", "CLinuxIO", "COpenSSL"],
      swiftSettings: settings),
    // Level 4
    .target(
      name: "MediaClient",
      dependencies: [
        "MediaWorker", "RTCCore", "PacketRing", "RTCWire", "Media", "Classroom", httpClient,
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ], swiftSettings: settings),
    .target(
      name: "Resources", dependencies: ["Recorder", "Media", "Ledger", "Classroom", "PacketRing", crypto],
      swiftSettings: settings),
    .target(name: "Reporting", dependencies: ["Ledger", "Classroom", crypto], swiftSettings: settings),
    // Level 5
    .target(
      name: "ControlPlane",
      dependencies: [
        "ControlAPI", "MediaWorker", "MediaClient", "RTCCore", "RTCWire", "PacketRing", "Classroom", "Ledger",
        "Recorder", "Resources", "Reporting", "Media", "COpenSSL", "CLinuxIO", crypto, jwt,
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdTLS", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"), httpClient, .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOFoundationCompat", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"), "Yams",
      ],
      resources: [
        "app.js", "index.html", "openapi.json", "play.html", "play.js", "session.js", "sign-in.css", "sign-in.html",
        "sign-in.js", "style.css",
        "text.json", "trust.html", "trust.js", "whep.js", "whip.js",
      ].map { .embedInCode("Web/\($0)") }, swiftSettings: settings),
    .target(
      name: "Simulation", dependencies: ["RTCCore", "RTCWire", "PacketRing", "Classroom"], swiftSettings: settings),
    // Level 6
    .executableTarget(
      name: "tongke",
      dependencies: [
        "ControlPlane", "ControlAPI", "MediaClient", "Ledger", "Classroom", "Media",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: settings),
    // Measurements
    .target(name: "CMeasure", dependencies: ["CIPSecMB", "CLinuxIO", "COpenSSL"], path: "Benchmarks/CMeasure"),
    .executableTarget(
      name: "tongke-bench",
      dependencies: [
        "ControlPlane", "ControlAPI", "Classroom", "Ledger", "Reporting", "Recorder", "Resources", "Simulation",
        "MediaClient", "MediaWorker", "RTCCore", "RTCWire", "PacketRing", "Media", "COpenSSL", "CLinuxIO", "CMeasure",
        httpClient,
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "Logging", package: "swift-log"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Benchmarks/Bench", swiftSettings: settings),
    // Tests
    .testTarget(name: "PacketRingTests", dependencies: ["PacketRing"], swiftSettings: settings),
    .testTarget(name: "RTCWireTests", dependencies: ["RTCWire"], swiftSettings: settings),
    .testTarget(
      name: "RTCCoreTests", dependencies: ["RTCCore", "RTCWire", "PacketRing", "COpenSSL", "CSRTP"],
      swiftSettings: settings),
    .testTarget(
      name: "MediaWorkerTests", dependencies: ["MediaWorker", "RTCCore", "RTCWire", "PacketRing", "Simulation"],
      swiftSettings: settings),
    .testTarget(
      name: "RecorderTests", dependencies: ["Recorder", "PacketRing", "CLinuxIO"], swiftSettings: settings),
    .testTarget(name: "MediaTests", dependencies: ["Media", "RTCWire"], swiftSettings: settings),
    .testTarget(name: "ClassroomTests", dependencies: ["Classroom", "CLinuxIO"], swiftSettings: settings),
    .testTarget(name: "ControlAPITests", dependencies: ["ControlAPI"], swiftSettings: settings),
    .testTarget(name: "LedgerTests", dependencies: ["Ledger", "Classroom", grdb, crypto], swiftSettings: settings),
    .testTarget(
      name: "ResourcesTests", dependencies: ["Resources", "Recorder", "Media", "Ledger", "Classroom", "PacketRing"],
      swiftSettings: settings),
    .testTarget(name: "ReportingTests", dependencies: ["Reporting", "Ledger", "Classroom"], swiftSettings: settings),
    .testTarget(
      name: "MediaClientTests",
      dependencies: [
        "MediaClient", "ControlPlane", "Media", "Ledger", "Classroom", .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ControlPlaneTests",
      dependencies: [
        "ControlPlane", "ControlAPI", "MediaWorker", "RTCCore", "RTCWire", "Ledger", "Classroom", "Yams", crypto,
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "SimulationTests", dependencies: ["Simulation", "RTCCore", "RTCWire", "PacketRing", "Classroom"],
      swiftSettings: settings),
    .testTarget(
      name: "FuzzTests",
      dependencies: [
        "RTCCore", "RTCWire", "PacketRing", "Recorder", "Media", "Classroom", "ControlPlane", "Ledger", crypto,
      ],
      path: "Tests/Fuzz", exclude: ["Entry", "corpus"], swiftSettings: settings),
    .testTarget(name: "LayoutTests", swiftSettings: settings),
  ]
)

// TONGKE_PARTS=media: the media path, the domain and their tests alone, which need no package. For sanitizers and a
// short edit loop; `--scratch-path` keeps its products apart.
if Context.environment["TONGKE_PARTS"] == "media" {
  let parts: Set = ["PacketRing", "RTCWire", "RTCCore", "Recorder", "MediaWorker", "Simulation", "Classroom"]
  // For Benchmarks/Micro, which is a package of its own.
  package.products = [.library(name: "MediaParts", targets: ["PacketRing", "RTCWire", "RTCCore"])]
  package.dependencies = []
  package.targets.removeAll { target in
    let part = target.name.hasSuffix("Tests") ? String(target.name.dropLast(5)) : target.name
    return !parts.contains(part) && !["CIPSecMB", "COpenSSL", "CLinuxIO", "CSRTP"].contains(part)
  }
}

// TONGKE_PARTS=records: what keeps and accounts for lessons, with its tests, for a short edit loop. Apart as well.
if Context.environment["TONGKE_PARTS"] == "records" {
  let parts: Set = [
    "PacketRing", "RTCWire", "Recorder", "Media", "Classroom", "Ledger", "Resources", "Reporting", "CLinuxIO",
    "CLibAV",
  ]
  let packages: Set = ["swift-crypto", "GRDB.swift"]
  package.dependencies.removeAll { dependency in
    guard case .sourceControl(_, let location, _) = dependency.kind else { return false }
    return !packages.contains(String(location.split(separator: "/").last ?? ""))
  }
  package.targets.removeAll { target in
    !parts.contains(target.name.hasSuffix("Tests") ? String(target.name.dropLast(5)) : target.name)
  }
}
