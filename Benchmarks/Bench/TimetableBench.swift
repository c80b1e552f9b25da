import ArgumentParser
import Classroom
import ControlAPI
import Foundation
import Simulation

/// How long a county coordinator waits.
struct TimetableBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "timetable", abstract: "A county's timetable: import, check, free times, publication, lists, memory.",
    discussion: """
      A seeded county of 3,000 institutions, 6,000 rooms, 300 clusters and 1,600 courses in two terms of 20 weeks. The
      checker is measured by itself; the rest as a coordinator meets it, by commands of tongke against a relay in a
      process of its own, from the start of the command to its end. Each figure stands beside its aim.
      """)

  enum Size: String, ExpressibleByArgument, CaseIterable { case district, full }

  @Option(help: "What the county is made of.") var seed: UInt64 = 1
  @Option(help: "How large it is.") var size = Size.full
  @Option(help: "Commands of each kind, of which the middle is told.") var rounds = 5
  @Flag(help: "Print one JSON object.") var json = false
  @Option(
    help: ArgumentHelp(
      "Folder of RESULTS.md, whose section is written; - writes none.", valueName: "folder"))
  var output = "-"

  func validate() throws {
    guard (1...50).contains(rounds) else { throw ValidationError("--rounds is 1…50") }
  }

  func run() async throws {
    let county = TimetableCounty(seed: seed, scale: size == .full ? .full : .district)
    var figures = TimetableFigures()
    figures.note("courses", Double(county.county.courses.joined().count))
    figures.note("lessons", Double(county.lessons))
    figures.note("local lessons of a term", Double(county.localLessons))
    measureChecker(county, &figures)
    let relay = try await ServedRelay()
    defer { relay.stop() }
    let trial = TimetableTrial(relay: relay, county: county, rounds: rounds)
    try await trial.run(&figures)
    figures.add(
      "memory", "peak of the relay", Double(try relay.peakBytes()) / 1_048_576, .mebibytes, aim: 1_024)
    figures.print(asJSON: json)
    guard output != "-" else { return }
    let text =
      ResultsFile.machine(
        command: "tools/bench timetable --seed \(seed) --rounds \(rounds)",
        about: "\(county.county.courses.joined().count) courses, \(county.lessons) lessons") + figures.table
    try ResultsFile.write(section: "timetable", text, to: URL(filePath: output).appending(path: "RESULTS.md"))
  }

  // MARK: The checker by itself

  private func measureChecker(_ county: TimetableCounty, _ figures: inout TimetableFigures) {
    func seconds(_ body: () -> Void) -> Double {
      let start = ContinuousClock.now
      body()
      return (ContinuousClock.now - start).seconds
    }
    var found = 0
    let whole = (0..<max(1, rounds / 2)).map { _ in
      seconds { found = county.timetables.reduce(0) { $0 + ConflictChecker($1).check().count } }
    }
    figures.note("findings", Double(found))
    figures.add("checker", "both terms, whole", median(whole) * 1_000, .milliseconds, aim: 2_000)
    let timetable = county.timetables[0]
    let checker = ConflictChecker(timetable)
    let courses = stride(from: 0, to: timetable.courses.count, by: max(1, timetable.courses.count / 100)).map {
      timetable.courses[$0]
    }
    let added = courses.map { course in seconds { _ = checker.check(adding: course) } }
    figures.add("checker", "one added course, middle", median(added) * 1_000, .milliseconds, aim: 20)
    figures.add("checker", "one added course, longest", (added.max() ?? 0) * 1_000, .milliseconds, aim: 20)
    let free = courses.prefix(40).map { course in seconds { _ = checker.free(FreeRequest(for: course)) } }
    figures.add("checker", "free, middle", median(free) * 1_000, .milliseconds, aim: 200)
    figures.add("checker", "free, longest", (free.max() ?? 0) * 1_000, .milliseconds, aim: 200)
  }
}

/// Figures beside their aims.
struct TimetableFigures {
  enum Unit: String {
    case milliseconds = "ms"
    case mebibytes = "MiB"
  }

  private struct Figure {
    var group: String
    var name: String
    var value: Double
    var unit: Unit
    var aim: Double?
  }

  private var figures: [Figure] = []
  private var notes: [(name: String, value: Double)] = []

  mutating func note(_ name: String, _ value: Double) { notes.append((name, value)) }

  /// An aim is what the value should stay below; nil where nothing is asked.
  mutating func add(_ group: String, _ name: String, _ value: Double, _ unit: Unit, aim: Double? = nil) {
    figures.append(Figure(group: group, name: name, value: value, unit: unit, aim: aim))
  }

  func print(asJSON: Bool) {
    guard !asJSON else {
      var groups: [String: [String: [String: Any]]] = [:]
      for figure in figures {
        var entry: [String: Any] = ["value": figure.value, "unit": figure.unit.rawValue]
        if let aim = figure.aim { entry["aim"] = aim }
        groups[figure.group, default: [:]][figure.name] = entry
      }
      let object: [String: Any] = [
        "bench": "timetable", "figures": groups,
        "county": Dictionary(notes.map { ($0.name, $0.value) }) { $1 },
      ]
      let options: JSONSerialization.WritingOptions = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      let data = (try? JSONSerialization.data(withJSONObject: object, options: options)) ?? Data()
      return Swift.print(String(decoding: data, as: UTF8.self))
    }
    Swift.print("timetable; " + notes.map { "\(Int($0.value)) \($0.name)" }.joined(separator: ", "))
    var group = ""
    for figure in figures {
      if figure.group != group { Swift.print("  \(figure.group)") }
      group = figure.group
      let value = Self.text(figure.value) + " " + figure.unit.rawValue
      let aim = figure.aim.map { aim in
        "aim < \(Int(aim)) \(figure.unit.rawValue)" + (figure.value < aim ? "" : "  MISSED")
      }
      let name = figure.name.padding(toLength: 36, withPad: " ", startingAt: 0)
      let padding = String(repeating: " ", count: max(1, 14 - value.count))
      Swift.print("    \(name)\(padding)\(value)  \(aim ?? "")")
    }
  }

  /// For people to read on.
  var table: String {
    var text = "| | measured | aim |\n| --- | ---: | ---: |\n"
    for figure in figures {
      let aim = figure.aim.map { "\(Int($0)) \(figure.unit.rawValue)" } ?? ""
      text += "| \(figure.group): \(figure.name) | \(Self.text(figure.value)) \(figure.unit.rawValue) | \(aim) |\n"
    }
    return text
  }

  private static func text(_ value: Double) -> String { String(format: value < 100 ? "%.2f" : "%.0f", value) }
}
