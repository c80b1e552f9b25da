import ArgumentParser
import Foundation

/// What one more receiver costs, from few to many.
struct CurveBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "curve", abstract: "Fan-out from ten receivers to as many as the machine lasts, drawn.",
    discussion: """
      Runs `fanout` for each count, draws `Benchmarks/curve.svg` and writes the table of `Benchmarks/RESULTS.md`. Ends
      when the relay's processor is more than 90 % busy or packets are lost.
      """)

  @Option(help: "Counts of receivers, with commas between.") var counts = "10,50,100,200,500,1000,1500,2000"
  @Option(help: "Folder of the table and the drawing; a dash writes neither.") var output = "Benchmarks"
  @OptionGroup var options: FanoutOptions
  @Flag(help: "Print one JSON object.") var json = false

  private var receivers: [Int] { counts.split(separator: ",").compactMap { Int($0) } }

  func validate() throws {
    guard !receivers.isEmpty, receivers.count == counts.split(separator: ",").count,
      receivers.allSatisfy({ (1...2_000).contains($0) })
    else { throw ValidationError("counts are numbers up to 2000") }
  }

  func run() async throws {
    var results: [FanoutResult] = []
    var ending = ""
    for count in receivers {
      do {
        let result = try await Self.measure(options, receivers: count)
        Self.tell(result)
        results.append(result)
        if result.packetsLost > 0 { ending = "\(result.packetsLost) packets were lost" }
        if result.middle(\.relayShare) > 0.9 { ending = "the relay's processor was more than 90 % busy" }
      } catch {
        // So many did not fit; what has been measured stands.
        guard !results.isEmpty else { throw error }
        ending = "\(count) receivers could not be measured: \(error)"
      }
      if !ending.isEmpty { break }
    }
    if ending.isEmpty { ending = "all counts were measured" }
    if json {
      let object: [String: Any] = ["bench": "curve", "runs": results.map(\.object), "ended": ending]
      let data = try JSONSerialization.data(
        withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
      print(String(decoding: data, as: UTF8.self))
    }
    guard output != "-" else { return }
    let folder = URL(filePath: output)
    try CurveDrawing(results).text.write(
      to: folder.appending(path: "curve.svg"), atomically: true, encoding: .utf8)
    try ResultsFile.write(
      section: "curve", Self.table(results, ending: ending, options: options), to: folder.appending(path: "RESULTS.md")
    )
  }

  static func measure(_ options: FanoutOptions, receivers: Int) async throws -> FanoutResult {
    let run = try FanoutRun(options: options, receivers: receivers, lessons: 1)
    defer { run.stop() }
    return try await run.measure(memorySettle: nil)
  }

  /// One line of progress.
  static func tell(_ result: FanoutResult) {
    let line = String(
      format:
        "%d receivers, %d lessons, %d workers: relay %.2f µs, baseline %.2f, send each %.2f; %.0f %% busy, %d lost\n",
      result.receivers, result.lessons, result.workers, result.relayMicroseconds, result.baselineMicroseconds,
      result.sendEachMicroseconds, result.middle(\.relayShare) * 100, result.packetsLost)
    FileHandle.standardError.write(Data(line.utf8))
  }

  private static func table(_ results: [FanoutResult], ending: String, options: FanoutOptions) -> String {
    var text = ResultsFile.machine(
      command: "tools/bench curve --seconds \(options.seconds) --rounds \(options.rounds)",
      about: "\(results.first?.profile ?? ""), \(results.first?.cipher ?? ""), \(options.pacing.rawValue)")
    text += """
      | receivers | relay µs | baseline µs | send each µs | ratio | same trains | train / frame | relay's core | load's core \
      | p50 / p99 / max ms | lost |
      | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

      """
    for result in results {
      let latency = result.latencies.others
      let cells = [
        "\(result.receivers)", number(result.relayMicroseconds), number(result.baselineMicroseconds),
        number(result.sendEachMicroseconds), number(result.ratio) + (result.isVoid ? " (void)" : ""),
        number(result.ratioSameTrains),
        "\(number(result.middle(\.meanTrain), 1)) / \(number(result.middle(\.packetsPerFrame), 1))",
        number(result.middle(\.relayShare) * 100, 0) + " %", number(result.middle(\.loadBusy) * 100, 0) + " %",
        [0.5, 0.99, 1].map { number(percentile(latency, $0) / 1e6) }.joined(separator: " / "),
        "\(result.packetsLost)",
      ]
      text += "| " + cells.joined(separator: " | ") + " |\n"
    }
    text += "\nIt ended because \(ending).\n"
    return text
  }

  static func number(_ value: Double, _ digits: Int = 2) -> String { String(format: "%.\(digits)f", value) }
}
