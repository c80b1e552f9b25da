import ArgumentParser
import Foundation

/// Measures the relay, always beside something that does the same without it. Asserts nothing.
@main
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measurements of the relay, as ratios within one run.",
    subcommands: [
      JoinBench.self, LatencyBench.self, CoreBench.self, LessonBench.self, FanoutBench.self, CurveBench.self,
      CoresBench.self, CallsBench.self, StormBench.self, TimetableBench.self, OutboxBench.self,
      ResourceBench.self, ReportBench.self, RelayCommand.self,
      BaselineCommand.self,
    ])
}

/// Why nothing could be measured.
struct BenchError: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// The figures of one run, ratios first.
struct Report {
  private struct Figure {
    var group: String
    var name: String
    var value: Double
    var meaning: String
  }

  private let name: String
  private let unit: String
  private var figures: [Figure] = []

  init(_ name: String, unit: String) {
    self.name = name
    self.unit = unit
  }

  mutating func add(_ group: String, _ name: String, _ value: Double, _ meaning: String) {
    figures.append(Figure(group: group, name: name, value: value, meaning: meaning))
  }

  func print(asJSON: Bool) {
    if asJSON {
      var groups: [String: [String: Double]] = [:]
      for figure in figures { groups[figure.group, default: [:]][figure.name] = figure.value }
      let object: [String: Any] = ["bench": name, "unit": unit, "figures": groups]
      let options: JSONSerialization.WritingOptions = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      let data = (try? JSONSerialization.data(withJSONObject: object, options: options)) ?? Data()
      Swift.print(String(decoding: data, as: UTF8.self))
      return
    }
    Swift.print("\(name); the unit is \(unit)")
    var group = ""
    for figure in figures {
      if figure.group != group {
        group = figure.group
        Swift.print("  \(group)")
      }
      let value = Self.text(figure.value)
      let padding = String(repeating: " ", count: max(1, 14 - value.count))
      let name = figure.name.padding(toLength: 30, withPad: " ", startingAt: 0)
      Swift.print("    \(name)\(padding)\(value)  \(figure.meaning)")
    }
  }

  private static func text(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 1e12 { return String(Int64(value)) }
    return String(format: abs(value) < 0.1 ? "%.6f" : abs(value) < 100 ? "%.3f" : "%.1f", value)
  }
}

/// The middle of the values; 0 of none.
func median(_ values: [Double]) -> Double { percentile(values, 0.5) }

/// The value that this share of the values does not exceed; 0 of none.
func percentile(_ values: [Double], _ share: Double) -> Double {
  let sorted = values.sorted()
  guard let last = sorted.last else { return 0 }
  let place = Int((Double(sorted.count) * share).rounded(.up)) - 1
  return sorted.indices.contains(place) ? sorted[max(place, 0)] : last
}
