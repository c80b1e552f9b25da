import Classroom
import ControlAPI

/// What people are told of a room's requirements: what was asked, what was measured, what to do.
struct AcceptanceText: Sendable {
  let language: Language

  private func text(_ key: String, _ arguments: [String: String] = [:]) -> String {
    Text.of("acceptance.\(key)", in: language, arguments)
  }

  /// Keys of the catalogue that are put together here.
  static var keys: [String] {
    AcceptanceRequirement.allCases.flatMap { requirement in
      [
        "acceptance.\(requirement.rawValue)", "acceptance.\(requirement.rawValue).do",
        "acceptance.\(unit(requirement))",
      ]
    } + ["acceptance.atLeast", "acceptance.atMost", "acceptance.notMeasured", "acceptance.notMeasured.do"]
  }

  private static func unit(_ requirement: AcceptanceRequirement) -> String {
    switch requirement {
    case .recentTest: "unit.days"
    case .cameras, .microphones, .speakers, .codecs: "unit.count"
    case .downlink, .uplink: "unit.kilobits"
    case .roundTrip: "unit.milliseconds"
    case .loss: "unit.permille"
    }
  }

  private static func isUpperLimit(_ requirement: AcceptanceRequirement) -> Bool {
    [.recentTest, .roundTrip, .loss].contains(requirement)
  }

  /// - Parameter room: number of the room, which what to do names.
  func reply(_ finding: AcceptanceFinding, room: String) -> AcceptanceFindingReply {
    let requirement = finding.requirement
    func amount(_ value: Int) -> String { text(Self.unit(requirement), ["value": "\(value)"]) }
    let measured = finding.measured.map(amount) ?? text("notMeasured")
    let remedy: String =
      switch finding.state {
      case .met: ""
      case .notMeasured: text("notMeasured.do", ["room": room])
      case .notMet:
        text(
          "\(requirement.rawValue).do",
          ["room": room, "codecs": finding.missing.joined(separator: language.listSeparator)])
      }
    return AcceptanceFindingReply(
      requirement: requirement.rawValue, state: finding.state.rawValue, name: text(requirement.rawValue),
      needed: text(Self.isUpperLimit(requirement) ? "atMost" : "atLeast", ["value": amount(finding.needed)]),
      measured: measured, remedy: remedy)
  }
}
