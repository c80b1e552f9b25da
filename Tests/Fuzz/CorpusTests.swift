// Goal: no input that a fuzzer has found interesting, nor any cut of it, traps a parser. Method: the committed corpora.
import Foundation
import Testing

let fuzzTargets = wireTargets + recorderTargets + mediaTargets + controlTargets + importTargets

@Suite struct CorpusTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "corpus")

  static func inputs(_ name: String) throws -> [(name: String, bytes: [UInt8])] {
    try FileManager.default.contentsOfDirectory(
      at: folder.appending(path: name), includingPropertiesForKeys: nil
    )
    .sorted { $0.path < $1.path }.map { ($0.lastPathComponent, [UInt8](try Data(contentsOf: $0))) }
  }

  @Test func everyFolderHasATarget() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0.first != "." }
    #expect(Set(folders) == Set(fuzzTargets.map(\.name)))
  }

  @Test(arguments: fuzzTargets.map(\.name)) func corpusIsTaken(name: String) throws {
    let target = try #require(fuzzTargets.first { $0.name == name })
    let inputs = try Self.inputs(name)
    #expect((5...60).contains(inputs.count))
    for input in inputs {
      #expect(input.bytes.count <= 4_096, "\(input.name) is longer than a run's inputs")
      input.bytes.withUnsafeBytes { target.body($0) }
    }
  }

  /// At every length, but for the two slow targets: a row of datagrams at every 16th, those of `TruncationTests` being
  /// cut at each, and of files only the fixtures.
  @Test(arguments: fuzzTargets.map(\.name)) func everyTruncationIsTaken(name: String) throws {
    let target = try #require(fuzzTargets.first { $0.name == name })
    for input in try Self.inputs(name) where name != "mediafile" || input.name.hasPrefix("fixture-") {
      for count in stride(from: 0, to: input.bytes.count, by: name == "datagram" ? 16 : 1) {
        // A copy of its own, so that reading on behind its end is a fault rather than the rest of the input.
        Array(input.bytes[..<count]).withUnsafeBytes { target.body($0) }
      }
    }
  }
}
