import ArgumentParser
import Foundation

/// What a second worker brings, for one large lesson and for many small ones.
struct CoresBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cores", abstract: "The same load with one worker and with more.",
    discussion: """
      Neither relay nor its processors are pinned apart, as with one worker in `fanout`: workers and load share what the
      machine has, so the packets of a second are given, and what they cost is compared.
      """)

  @Option(help: "Receivers of all lessons together.") var receivers = 300
  @Option(help: "Lessons of the load that has many.") var lessons = 30
  @Option(help: "Numbers of workers, with commas between.") var workers = "1,2"
  @Option(help: "Folder of RESULTS.md; a dash writes nothing.") var output = "Benchmarks"
  @OptionGroup var options: FanoutOptions
  @Flag(help: "Print one JSON object.") var json = false

  private var counts: [Int] { workers.split(separator: ",").compactMap { Int($0) } }

  func validate() throws {
    guard !counts.isEmpty, counts.allSatisfy({ (1...64).contains($0) }), (1...2_000).contains(receivers),
      (1...min(receivers, 300)).contains(lessons)
    else { throw ValidationError("out of range") }
  }

  func run() async throws {
    var results: [FanoutResult] = []
    for lessons in [1, lessons] {
      for workers in counts {
        let run = try FanoutRun(
          options: options, receivers: receivers, lessons: lessons, workers: workers, pinsRelay: false)
        defer { run.stop() }
        let result = try await run.measure(memorySettle: nil)
        CurveBench.tell(result)
        results.append(result)
      }
    }
    if json {
      let object: [String: Any] = ["bench": "cores", "runs": results.map(\.object)]
      let data = try JSONSerialization.data(
        withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
      print(String(decoding: data, as: UTF8.self))
    }
    guard output != "-" else { return }
    try ResultsFile.write(
      section: "cores", table(results), to: URL(filePath: output).appending(path: "RESULTS.md"))
  }

  private func table(_ results: [FanoutResult]) -> String {
    var text = ResultsFile.machine(
      command: "tools/bench cores --receivers \(receivers) --lessons \(lessons) --seconds \(options.seconds)",
      about: "\(results.first?.profile ?? ""), \(results.first?.cipher ?? ""), \(options.pacing.rawValue)")
    text += """
      | load | workers | relay µs | against one worker | packets of each worker | packets/s | lost | p50 / p99 / max ms |
      | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: |

      """
    for result in results {
      let single = results.first { $0.lessons == result.lessons && $0.workers == 1 }
      let against = single.map { result.relayMicroseconds / max($0.relayMicroseconds, 1e-9) }
      let shares = result.spans.last?.shares ?? []
      let cells = [
        result.lessons == 1
          ? "one lesson, \(result.receivers) receivers" : "\(result.lessons) lessons, \(result.receivers) receivers",
        "\(result.workers)", CurveBench.number(result.relayMicroseconds),
        against.map { CurveBench.number($0) } ?? "",
        shares.map { CurveBench.number($0 * 100, 0) + " %" }.joined(separator: ", "),
        CurveBench.number(result.middle(\.packetsPerSecond), 0), "\(result.packetsLost)",
        [0.5, 0.99, 1].map { CurveBench.number(percentile(result.latencies.others, $0) / 1e6) }
          .joined(separator: " / "),
      ]
      text += "| " + cells.joined(separator: " | ") + " |\n"
    }
    return text
  }
}
