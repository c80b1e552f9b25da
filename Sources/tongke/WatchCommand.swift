import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Synchronization

struct LessonWatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Watch how a lesson goes at every seat, until it is over or Ctrl-C.",
    discussion: """
      On a terminal the table is drawn again in place; elsewhere it is printed anew when something changes. While the \
      relay cannot be reached the table waits for it.
      """)

  @OptionGroup var argument: LessonArgument
  @Flag(help: "Print how it stands now, and leave.") var once = false
  @Flag(help: "Print a line of JSON each time.") var json = false
  @Option(help: ArgumentHelp("Seconds between two looks, 1…60.", valueName: "seconds")) var every = 2
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (1...60).contains(every) else { throw ValidationError("--every is 1…60") }
  }

  func run() async throws {
    let lesson = argument.lesson.description
    if once {
      let list = try await control.with { try await $0.allSeats(lesson: lesson) }
      return try LessonScreen.print(list, json: json)
    }
    let signals = StopSignals()
    let screen = LessonScreen(json: json)
    defer { screen.close() }
    let pause = every
    try await control.with { client in
      let watch = LessonWatch(lesson: lesson, client: client, screen: screen, every: pause)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await signals.first() }
        group.addTask { try await watch.run() }
        defer { group.cancelAll() }
        try await group.next()
      }
    }
  }
}

/// Looks at a lesson until it is over; a relay that is away is waited for.
private struct LessonWatch: Sendable {
  let lesson: String
  let client: ControlClient
  let screen: LessonScreen
  /// Seconds.
  let every: Int

  func run() async throws {
    var trouble = 0
    let bell = LessonBell()
    let follower = Task { await bell.follow(lesson, client) }
    defer { follower.cancel() }
    while !Task.isCancelled {
      do throws(ControlError) {
        let list = try await client.allSeats(lesson: lesson)
        if trouble > 0 { screen.tell("watch.back") }
        trouble = 0
        if try show(list) { return }
      } catch {
        guard error.mayPass, !Task.isCancelled else { throw error }
        let pause = min(1 << min(trouble, 4), 15)
        trouble += 1
        screen.tell("watch.away", ["reason": error.message(in: .ofEnvironment), "seconds": "\(pause)"])
        try? await Task.sleep(for: .seconds(pause))
        continue
      }
      await bell.wait(seconds: every)
    }
  }

  /// - Returns: whether the lesson is over.
  private func show(_ list: SeatList) throws(ControlError) -> Bool {
    do { try screen.show(list) } catch { throw .badAnswer(reason: "\(error)") }
    return LessonWatchText(list, in: .ofEnvironment).isOver
  }
}

extension ControlError {
  /// Whether the same request may succeed later: the relay is away, starts, or has too much to do.
  var mayPass: Bool {
    switch self {
    case .unreachable: true
    case .refused(let problem): problem.status >= 500 || problem.status == 429
    default: false
    }
  }
}

/// Wakes whoever waits when the relay tells of the lesson, so that a change is seen at once.
private actor LessonBell {
  private var waiter: Task<Void, any Error>?
  private var hasRung = false

  /// Follows the lesson's news as long as there are any; a lesson that is not open has none.
  func follow(_ lesson: String, _ client: ControlClient) async {
    while !Task.isCancelled {
      if let news = try? await client.news(lesson: lesson) {
        for await _ in news { ring() }
        ring()
      }
      try? await Task.sleep(for: .seconds(5))
    }
  }

  private func ring() {
    hasRung = true
    waiter?.cancel()
  }

  /// Waits for the time or the next news, at least half a second: many seats that come at once are one change.
  func wait(seconds: Int) async {
    try? await Task.sleep(for: .milliseconds(500))
    if !hasRung {
      let pause = Task { try await Task.sleep(for: .milliseconds(seconds * 1_000 - 500)) }
      waiter = pause
      await withTaskCancellationHandler {
        _ = await pause.result
      } onCancel: {
        pause.cancel()
      }
      waiter = nil
    }
    hasRung = false
  }
}

/// Where a lesson is shown: in place on a terminal, one block after another elsewhere.
private final class LessonScreen: Sendable {
  private struct State {
    var last: [String] = []
    var list: SeatList?
    var note = ""
    var isOpen = false
  }

  private let json: Bool
  private let isTerminal: Bool
  private let state = Mutex(State())

  init(json: Bool) {
    self.json = json
    isTerminal = !json && isatty(STDOUT_FILENO) == 1
    guard isTerminal else { return }
    // The other screen, without wrapping and without a cursor; what was on the terminal comes back afterwards.
    Console.text("\u{1B}[?1049h\u{1B}[?7l\u{1B}[?25l")
    state.withLock { $0.isOpen = true }
  }

  static func print(_ list: SeatList, json: Bool) throws {
    if json { return Console.line(try OutputOptions.json(list)) }
    Console.text(LessonWatchText(list, in: .ofEnvironment).whole)
  }

  func show(_ list: SeatList) throws {
    if json { return try Self.print(list, json: true) }
    let text = LessonWatchText(list, in: .ofEnvironment)
    let isChanged = state.withLock { state in
      let changes = text.changes
      defer { (state.list, state.last, state.note) = (list, changes, "") }
      return changes != state.last
    }
    if isTerminal { return draw() }
    if isChanged { Console.text(text.whole + "\n") }
  }

  /// Tells of the connection, in a line of its own.
  func tell(_ key: String, _ arguments: [String: String] = [:]) {
    let line = TerminalText.line(Text.of(key, in: .ofEnvironment, arguments))
    guard isTerminal else { return Console.error(line) }
    state.withLock { $0.note = line }
    draw()
  }

  private func draw() {
    let (list, note) = state.withLock { ($0.list, $0.note) }
    let text = list.map { LessonWatchText($0, in: .ofEnvironment).whole } ?? ""
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if !note.isEmpty { lines.insert(note, at: 0) }
    let rows = Self.rows
    if lines.count > rows {
      let more = Text.of("watch.more", in: .ofEnvironment, ["count": "\(lines.count - rows + 1)"])
      lines = lines.prefix(rows - 1) + [more]
    }
    Console.text("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
  }

  private static var rows: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 2 else { return 24 }
    return Int(size.ws_row)
  }

  /// Gives the terminal back, with how the lesson stood last.
  func close() {
    let list = state.withLock { state -> SeatList? in
      guard state.isOpen else { return nil }
      state.isOpen = false
      Console.text("\u{1B}[?25h\u{1B}[?7h\u{1B}[?1049l")
      return state.list
    }
    if let list { Console.text(LessonWatchText(list, in: .ofEnvironment).whole) }
  }
}
