// swift-tools-version: 6.2
import PackageDescription

// Measurements of single steps. A package of its own, so that nobody's first build waits for what it needs; built with
// TONGKE_PARTS=media, which keeps the relay's packages out of it. With TONGKE_MICRO=count the counted steps alone.
let counts = Context.environment["TONGKE_MICRO"] == "count"

let package = Package(
  name: "tongke-micro",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "tongke", path: "../..")],
  targets: [
    .target(name: "MicroWork", dependencies: [.product(name: "MediaParts", package: "tongke")], path: "Work"),
    .executableTarget(name: "micro-count", dependencies: ["MicroWork"], path: "Count"),
  ]
)

if !counts {
  // Runs the steps and tells their spread; its interposers are left out, since they say nothing here.
  package.dependencies.append(.package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []))
  package.targets.append(
    .executableTarget(
      name: "MicroBenchmarks",
      dependencies: ["MicroWork", .product(name: "Benchmark", package: "benchmark")],
      path: "Benchmarks/MicroBenchmarks", plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]))
}
