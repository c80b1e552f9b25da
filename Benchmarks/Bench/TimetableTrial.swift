import Classroom
import ControlAPI
import Foundation

/// A coordinator's work with one relay, measured.
struct TimetableTrial {
  let relay: ServedRelay
  let county: TimetableCounty
  let rounds: Int

  func run(_ figures: inout TimetableFigures) async throws {
    let sheets = try county.write(to: relay.folder)
    let client = try ControlClient(base: relay.base, token: relay.token)
    defer { Task { await client.shutdown() } }
    try importAll(sheets, &figures)
    try await importLocals(client, &figures)
    try ask(&figures)
    try publish(&figures)
    try await change(client, &figures)
    try lists(&figures)
  }

  private func milliseconds(_ arguments: [String], mayFail: Bool = false) throws -> Double {
    let run = try relay.command(arguments)
    guard run.status == 0 || mayFail else {
      let said = String(decoding: run.output.prefix(1_000), as: UTF8.self)
      throw BenchError("tongke \(arguments.prefix(3).joined(separator: " ")) left with \(run.status): \(said)")
    }
    return run.seconds * 1_000
  }

  private func middle(_ arguments: [String], mayFail: Bool = false) throws -> Double {
    median(try (0..<rounds).map { _ in try milliseconds(arguments, mayFail: mayFail) })
  }

  private var terms: [String] { county.timetables.map(\.term.code) }

  // MARK: Import

  private func importAll(_ sheets: [String], _ figures: inout TimetableFigures) throws {
    let dry = try milliseconds(["import", "--dry-run", "--json"] + sheets)
    figures.add("import", "dry run", dry, .milliseconds, aim: 5_000)
    figures.add("import", "whole county", try milliseconds(["import", "--json"] + sheets), .milliseconds, aim: 5_000)
    let again = try milliseconds(["import", "--json"] + sheets)
    figures.add("import", "the same again", again, .milliseconds, aim: 5_000)
  }

  /// While a long import runs, lists and the routes of running lessons are asked all the time.
  private func importLocals(_ client: ControlClient, _ figures: inout TimetableFigures) async throws {
    _ = try milliseconds(["course", "list", "--term", terms[0], "--json"])
    let watch = WaitWatch(client: client, base: relay.base, token: relay.token, term: terms[0])
    let waiting = Task { await watch.run() }
    let files = county.locals.map { relay.folder.appending(path: $0.name).path }
    let commands = relay.commands
    let term = terms[0]
    let runs = try await Task.detached {
      try files.map { try commands.run(["import", "--json", "--term", term, $0]) }
    }.value
    waiting.cancel()
    let waits = await waiting.value
    if let failed = runs.first(where: { $0.status != 0 }) {
      throw BenchError(
        "local timetables were not imported: \(String(decoding: failed.output.prefix(1_000), as: UTF8.self))")
    }
    let spent = runs.reduce(0) { $0 + $1.seconds } * 1_000
    figures.add("import", "local timetables of a term, \(files.count) files", spent, .milliseconds)
    figures.add("meanwhile", "list of courses, longest", waits.courses * 1_000, .milliseconds)
    figures.add("meanwhile", "list of lessons, longest", waits.lessons * 1_000, .milliseconds)
    figures.add("meanwhile", "making a lesson, longest", waits.making * 1_000, .milliseconds)
  }

  // MARK: Checking and finding

  private func ask(_ figures: inout TimetableFigures) throws {
    for term in terms {
      let arguments = ["timetable", "check", "--term", term, "--severity", "conflict", "--json"]
      figures.add("check", "\(term), first", try milliseconds(arguments, mayFail: true), .milliseconds)
      figures.add("check", "\(term), again", try middle(arguments, mayFail: true), .milliseconds, aim: 2_000)
    }
    let courses = county.timetables[0].courses
    let places = stride(from: 0, to: courses.count, by: max(1, courses.count / 10))
    let free = try places.map {
      try milliseconds(["timetable", "free", "--term", terms[0], "--course", courses[$0].number, "--json"])
    }
    figures.add("find", "free, middle", median(free), .milliseconds, aim: 200)
    figures.add("find", "free, longest", free.max() ?? 0, .milliseconds, aim: 200)
  }

  // MARK: Publication

  private func publish(_ figures: inout TimetableFigures) throws {
    for term in terms {
      let run = try relay.command(["timetable", "publish", "--term", term, "--json"])
      guard run.status == 0 else {
        throw BenchError("\(term) was not published: \(String(decoding: run.output.prefix(2_000), as: UTF8.self))")
      }
      figures.add("publish", term, run.seconds * 1_000, .milliseconds)
    }
    figures.add(
      "publish", "\(terms[0]), again", try milliseconds(["timetable", "publish", "--term", terms[0], "--json"]),
      .milliseconds)
  }

  /// Single lessons moved by an hour and back, each checked against the term.
  private func change(_ client: ControlClient, _ figures: inout TimetableFigures) async throws {
    var query = LessonQuery(from: "2000-01-01", to: "2999-12-31", limit: 200)
    query.course = county.timetables[1].courses[0].number
    let lessons = try await client.lessons(query).lessons.filter { $0.state == "published" }
    // The first finds the term read.
    var spans: [Double] = []
    for lesson in lessons.prefix(20) {
      let start = ContinuousClock.now
      _ = try await client.change(
        lesson: lesson.id, revision: lesson.revision,
        LessonChangeRequest(action: .move, start: lesson.start, end: lesson.end, reason: "bench", force: true))
      spans.append((ContinuousClock.now - start).seconds * 1_000)
    }
    figures.add("change", "a lesson moved, first", spans.first ?? 0, .milliseconds)
    figures.add("change", "a lesson moved, middle", median(Array(spans.dropFirst())), .milliseconds)
    figures.add("change", "a lesson moved, longest", spans.dropFirst().max() ?? 0, .milliseconds)
  }

  // MARK: Lists

  private func lists(_ figures: inout TimetableFigures) throws {
    let term = terms[0]
    let timetable = county.timetables[0]
    let course = timetable.courses[0]
    let room = timetable.rooms[course.lead.room]?.number ?? ""
    let from = timetable.term.firstDay.monday + 21
    let week = ["--from", "\(from)", "--to", "\(from + 6)"]
    let commands: [(String, [String])] = [
      ("term list", ["term", "list"]), ("course list", ["course", "list", "--term", term]),
      ("lesson list, a week", ["lesson", "list"] + week + ["--limit", "2000"]),
      ("lesson list, a room's", ["lesson", "list", "--room", room] + week),
      ("lesson list, a course's", ["lesson", "list", "--course", course.number, "--to", "2999-12-31"]),
      ("lesson list, now", ["lesson", "list", "--now"]),
    ]
    for (name, arguments) in commands {
      figures.add("list", name, try middle(arguments + ["--json"]), .milliseconds, aim: 200)
    }
    let gaps = try middle(["timetable", "gaps", "--term", term, "--json"])
    figures.add("list", "gaps", gaps, .milliseconds, aim: 200)
    let printed = try middle(["timetable", "week", "--term", term, "--room", room, "--week", "4"])
    figures.add("list", "a room's week", printed, .milliseconds, aim: 200)
    figures.add(
      "list", "a room's calendar", try middle(["timetable", "calendar", "--room", room]), .milliseconds, aim: 200)
  }
}

/// Asks a relay again and again, and remembers how long the longest answers took, in seconds.
struct WaitWatch: Sendable {
  let client: ControlClient
  let base: String
  let token: String
  let term: String

  struct Waits: Sendable {
    var courses = 0.0
    var lessons = 0.0
    var making = 0.0
  }

  /// Until it is cancelled.
  func run() async -> Waits {
    var waits = Waits()
    func seconds(_ body: () async -> Void) async -> Double {
      let start = ContinuousClock.now
      await body()
      return (ContinuousClock.now - start).seconds
    }
    while !Task.isCancelled {
      waits.courses = max(waits.courses, await seconds { _ = try? await client.courses(term: term) })
      waits.lessons = max(waits.lessons, await seconds { _ = try? await client.lessons(LessonQuery(now: true)) })
      waits.making = max(waits.making, await seconds { await makeLesson() })
      try? await Task.sleep(for: .milliseconds(20))
    }
    return waits
  }

  /// What a running lesson's routes do as well: they write the ledger.
  private func makeLesson() async {
    guard let url = URL(string: base + "/api/v1/lessons") else { return }
    let now = Int64(Date().timeIntervalSince1970 * 1_000)
    let body: [String: Any] = ["title": "Bench", "plannedStart": now, "plannedEnd": now + 60_000, "receivers": 1]
    guard let data = try? JSONSerialization.data(withJSONObject: body) else { return }
    await HTTPPost.send(url: url, token: token, body: data)
  }
}
