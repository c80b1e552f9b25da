import Classroom
import ControlAPI

/// What people are told of schools that do not belong together as they should.
struct PairingText: Sendable {
  let institutions: [Identifier: Institution]
  let clusters: [Identifier: Cluster]
  let language: Language

  /// Keys of the catalogue that are put together here.
  static var keys: [String] {
    PairingFinding.Code.allCases.flatMap { ["pairing.\($0.rawValue)", "pairing.\($0.rawValue).do"] }
  }

  /// Such as `石壁坳教学点（P07）`.
  private func name(_ id: Identifier?) -> String {
    guard let value = id.flatMap({ institutions[$0] }) else {
      return Text.of("timetable.unknown.institution", in: language)
    }
    return value.number.isEmpty ? value.name : value.name + language.inBrackets(value.number)
  }

  func reply(_ finding: PairingFinding) -> PairingReply {
    let cluster = finding.cluster.flatMap { clusters[$0] }
    let arguments = [
      "institution": name(finding.institution), "other": name(finding.other),
      "cluster": cluster.map { $0.name + ($0.number.isEmpty ? "" : language.inBrackets($0.number)) }
        ?? Text.of("timetable.unknown.cluster", in: language),
    ]
    let key = "pairing.\(finding.code.rawValue)"
    return PairingReply(
      code: finding.code.rawValue, institution: finding.institution.flatMap { institutions[$0]?.number },
      cluster: cluster?.number, sentence: Text.of(key, in: language, arguments),
      remedy: Text.of(key + ".do", in: language, arguments))
  }
}
