import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct LessonStopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "End a lesson at once for everyone, or all within one's scope (一键关停).",
    discussion: """
      With --all every lesson that is armed or being taught ends whose schools all lie within what the token looks \
      after. On a terminal it asks first.
      """)

  @Argument(
    help: "The lesson's identifier, as tongke lesson list prints it.",
    transform: { text in
      guard let lesson = Identifier(text) else {
        throw ValidationError(Text.of("cli.notALesson", in: .ofEnvironment, ["text": text]))
      }
      return lesson
    })
  var lesson: Identifier?
  @Flag(help: "All lessons within the scope of the token.") var all = false
  @Flag(help: "Do not ask.") var yes = false
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (lesson == nil) == all else { throw ValidationError("a lesson's identifier or --all, one of them") }
  }

  func run() async throws {
    if all { return try await stopAll() }
    guard let lesson else { return }
    try confirm("cli.stop.ask", ["lesson": lesson.description])
    try await control.with { try await $0.end(lesson: lesson.description) }
    let done = StopAllReply(stopped: [StopAllReply.Lesson(id: lesson.description, title: "")], failed: [])
    if json { return Console.line(try OutputOptions.json(done)) }
    Console.line(Text.of("cli.stop.done", in: .ofEnvironment, ["lesson": lesson.description]))
  }

  private func stopAll() async throws {
    try confirm("cli.stop.askAll")
    let reply = try await control.with { try await $0.endAll() }
    if json {
      Console.line(try OutputOptions.json(reply))
    } else {
      tell(reply)
    }
    if !reply.failed.isEmpty { throw ExitCode(1) }
  }

  private func tell(_ reply: StopAllReply) {
    func line(_ key: String, _ arguments: [String: String]) {
      Console.line(Text.of(key, in: .ofEnvironment, arguments))
    }
    for lesson in reply.stopped {
      line("cli.stop.one", ["lesson": lesson.id, "title": TerminalText.line(lesson.title)])
    }
    for lesson in reply.failed {
      let code = lesson.problem ?? ""
      let isKnown = code == "outsideScope" || code == "store"
      let why = isKnown ? Text.of("problem.\(code)", in: .ofEnvironment) : TerminalText.line(code)
      line("cli.stop.failed", ["lesson": lesson.id, "title": TerminalText.line(lesson.title), "why": why])
    }
    line("cli.stop.count", ["stopped": "\(reply.stopped.count)", "failed": "\(reply.failed.count)"])
  }

  /// Somebody at a terminal is asked; a program that gives no answer has meant what it says.
  private func confirm(_ key: String, _ arguments: [String: String] = [:]) throws {
    guard !yes, isatty(STDIN_FILENO) == 1 else { return }
    Console.text(Text.of(key, in: .ofEnvironment, arguments) + " ")
    let answer = readLine(strippingNewline: true)?.lowercased() ?? ""
    guard ["y", "yes", "是"].contains(answer) else { throw Refusal("cli.stop.notDone") }
  }
}

struct LessonLinksCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "links", abstract: "Print the links that lead and sites open for a lesson: keys, for them alone.",
    discussion: """
      Whoever coordinates the lesson gets all of them, a school those of its own rooms. They end with the lesson. \
      --json has the addresses and tokens for programs as well.
      """)

  @OptionGroup var argument: LessonArgument
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let links = try await control.with { try await $0.links(lesson: argument.lesson.description) }
    try output.print(links) { links.table(in: $0) }
    if output.isForPeople {
      Console.error(Text.of("cli.links.keys", in: .ofEnvironment, ["expires": TerminalText.line(links.expires)]))
    }
  }
}
