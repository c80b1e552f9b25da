import ArgumentParser
import ControlPlane
import Foundation
import Media

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say whether this machine can carry lessons, and what to do where it cannot.",
    discussion: "Exit status 1 when something would keep lessons from working; warnings leave 0.")

  @OptionGroup var relay: RelayOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let configuration = try relay.configuration()
    let doctor = Doctor(
      configuration: configuration, missingCodecs: { MediaLibraries.missing },
      now: Int64(Date().timeIntervalSince1970 * 1_000))
    let diagnosis = doctor.examine()
    let language = Language.ofEnvironment
    Console.text(json ? diagnosis.json(in: language) + "\n" : diagnosis.text(in: language))
    if diagnosis.level == .failure { throw ExitCode(1) }
  }
}
