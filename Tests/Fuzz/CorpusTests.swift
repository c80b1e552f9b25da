// Goal: no input that a fuzzer has found interesting, nor any cut of it, traps a parser. Method: the committed corpora.
import Foundation
import Testing

@Suite struct CorpusTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "corpus")

  static func inputs(_ name: String) throws -> [[UInt8]] {
    try FileManager.default.contentsOfDirectory(
      at: folder.appending(path: name), includingPropertiesForKeys: nil
    )
    .sorted { $0.path < $1.path }.map { [UInt8](try Data(contentsOf: $0)) }
  }

  @Test func everyFolderHasATarget() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0.first != "." }
    #expect(Set(folders) == Set(fuzzTargets.map(\.name)))
  }

  @Test(arguments: fuzzTargets.map(\.name)) func corpusIsTaken(name: String) throws {
    let target = try #require(fuzzTargets.first { $0.name == name })
    let inputs = try Self.inputs(name)
    #expect(inputs.count >= 5)
    for input in inputs {
      input.withUnsafeBytes { target.body($0) }
      // Cuts too, a few hundred of each input.
      let step = max(1, input.count / 200)
      for count in stride(from: 0, to: input.count, by: step) {
        Array(input[0..<count]).withUnsafeBytes { target.body($0) }
      }
    }
  }
}
