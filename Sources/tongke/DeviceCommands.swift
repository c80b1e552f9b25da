import ArgumentParser
import Classroom
import ControlAPI
import ControlPlane
import Foundation

struct DeviceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "device", abstract: "Let the boards and computers of classrooms in.",
    discussion: "An enrolled device opens the lessons of its own room by itself, for a year.",
    subcommands: [DeviceEnrolCommand.self, DeviceListCommand.self, DeviceRevokeCommand.self])
}

struct DeviceEnrolCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enrol", abstract: "Make a code that enrols one device of a room.",
    discussion: """
      On the device, open the page /sign-in and type the school's number and the 6 digits, within ten minutes. With \
      --link, open the link on the device within a day.
      """)

  @Argument(help: "The room's number, such as P07-2.") var room: String
  @Flag(help: "A link in place of 6 digits.") var link = false
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let made = try await control.with { try await $0.deviceCode(room: room, kind: link ? "link" : "digits") }
    if json {
      guard link else { return Console.line(try OutputOptions.json(made)) }
      return Console.line(try OutputOptions.json(["link": made.link, "expires": made.expires]))
    }
    let language = Language.ofEnvironment
    if link {
      Console.line(TerminalText.line(made.link))
      Console.error(Text.of("cli.account.linkExpires", in: language, ["expires": TerminalText.line(made.expires)]))
      return
    }
    Console.line(
      Text.of(
        "cli.device.digits", in: language,
        [
          "page": made.page, "institution": made.institution, "code": made.code, "room": made.room,
          "expires": made.expires,
        ].mapValues(TerminalText.line)))
  }
}

struct DeviceListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List enrolled devices.")

  @Option(help: ArgumentHelp("Those of one room.", valueName: "number")) var room: String?
  @OptionGroup var output: OutputOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    let devices = try await control.with { try await $0.devices(room: room) }
    try output.print(devices) { AccountTables.devices(devices, in: $0) }
  }
}

struct DeviceRevokeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Let a device in no more.")

  @Argument(
    help: "The device's identifier, as tongke device list prints it.",
    transform: { text in
      guard let device = Identifier(text) else {
        throw ValidationError(Text.of("cli.device.notADevice", in: .ofEnvironment, ["text": text]))
      }
      return device
    })
  var device: Identifier
  @OptionGroup var control: ControlOptions

  func run() async throws {
    try await control.with { try await $0.revoke(device: "\(device)") }
    Console.line(Text.of("cli.device.revoked", in: .ofEnvironment))
  }
}
