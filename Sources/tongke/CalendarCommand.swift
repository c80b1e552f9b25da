import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct TimetableCalendarCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calendar", abstract: "Print the lessons of a room, a teacher or a cluster as a calendar (ICS).",
    discussion: """
      With --subscribe a link instead, which a phone or Outlook can follow. Such programs send no token: whoever has \
      the link reads this one calendar, until it is taken back with --revoke. Its address is printed once.
      """)

  @Option(help: ArgumentHelp("Of a room.", valueName: "number")) var room: String?
  @Option(help: ArgumentHelp("Of a teacher, such as P07/001.", valueName: "school/number")) var teacher: String?
  @Option(help: ArgumentHelp("Of a cluster.", valueName: "number")) var cluster: String?
  @Option(help: ArgumentHelp("Write to a file.", valueName: "file"), completion: .file()) var output: String?
  @Flag(help: "Make a link to subscribe to.") var subscribe = false
  @Option(help: ArgumentHelp("What the link is for; no names.", valueName: "text")) var label: String?
  @Flag(help: "List the links that are open.") var links = false
  @Option(
    help: ArgumentHelp("Take back a link of that list.", valueName: "link"),
    transform: { text in
      guard let link = Identifier(text) else { throw ValidationError("--revoke is an identifier of --links") }
      return link
    })
  var revoke: Identifier?
  @OptionGroup var form: OutputOptions
  @OptionGroup var control: ControlOptions

  /// What the calendar is of.
  private var target: (kind: String, name: String)? {
    room.map { ("room", $0) } ?? teacher.map { ("teacher", $0) } ?? cluster.map { ("cluster", $0) }
  }

  func validate() throws {
    let named = [room, teacher, cluster].count { $0 != nil }
    if links || revoke != nil {
      guard named == 0, !subscribe, !(links && revoke != nil) else {
        throw ValidationError("--links and --revoke go with no other")
      }
      return
    }
    guard named == 1 else { throw ValidationError("give one of --room, --teacher and --cluster") }
    if let teacher, teacher.split(separator: "/").count != 2 {
      throw ValidationError("--teacher is a school's number and a staff number, such as P07/001")
    }
    guard subscribe || (label == nil && form.isForPeople) else {
      throw ValidationError("--label, --json and --csv go with --subscribe or --links")
    }
  }

  func run() async throws {
    if links { return try await list() }
    if let revoke {
      try await control.with { try await $0.removeCalendarLink("\(revoke)") }
      return Console.line(Text.of("cli.calendar.revoked", in: .ofEnvironment, ["link": "\(revoke)"]))
    }
    guard let target else { return }
    if subscribe {
      let link = try await control.with {
        try await $0.shareCalendar(CalendarLinkRequest(kind: target.kind, of: target.name, label: label))
      }
      guard form.isForPeople else { return try form.print(link) { ControlTables.calendarLinks([link], in: $0) } }
      Console.line(TerminalText.line(link.webcal ?? ""))
      Console.line(TerminalText.line(link.url ?? ""))
      return Console.error(Text.of("cli.calendar.made", in: .ofEnvironment, ["link": link.id]))
    }
    let data = try await control.with { client in
      if let room { return try await client.calendar(room: room) }
      if let cluster { return try await client.calendar(cluster: cluster) }
      let parts = (teacher ?? "").split(separator: "/").map(String.init)
      return try await client.calendar(institution: parts[0], staffNumber: parts[1])
    }
    try write(data, to: output)
  }

  private func list() async throws {
    let links = try await control.with { try await $0.calendarLinks() }
    if form.isForPeople, links.isEmpty { return Console.line(Text.of("cli.calendar.none", in: .ofEnvironment)) }
    try form.print(links) { ControlTables.calendarLinks(links, in: $0) }
  }
}
