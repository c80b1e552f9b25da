import Classroom

/// What the doctor found out about one thing: an outcome, and the figures its sentence names.
public struct Finding: Sendable, Equatable {
  public enum Level: String, Sendable, CaseIterable, Comparable {
    case ok, warning, failure

    public static func < (first: Self, second: Self) -> Bool {
      allCases.firstIndex(of: first)! < allCases.firstIndex(of: second)!
    }
  }

  /// Each has `doctor.<outcome>` in the catalogue and, unless it is good, `doctor.<outcome>.do`, the fix.
  public enum Outcome: String, Sendable, CaseIterable {
    case portFree, portOurs, portTaken, portTakenByUnknown, portForbidden, portWithoutAddress
    case codecsPresent, codecsMissing
    case cipherFast, cipherSlow
    case cipherLibraries, cipherLibraryMissing, cipherChoiceMissing
    case workersPlanned, workersBeyondPorts
    case tcpWithBBR, tcpWithoutBBR, tcpPortShared
    case hugePagesGiven, hugePagesRefused
    case clockGood, clockUnsynchronised, clockWrong, clockJumps
    case folderUnwritable
    case diskRoomy, diskLow, diskFull
    case diskFast, diskSlow
    case certificateGood, certificateToBeMade, certificateEnding, certificateEnded, certificateBad, httpsOff
    case buffersLarge, buffersSmall
    case trainsWork, trainsMissing
    case filesEnough, filesFew
    case outboxGood, outboxFiles, outboxHeld, outboxLate, outboxSecret
    case daysRoomy, daysFew, jobsDone, jobsTroubled
    case ledgerIntact, ledgerToBeMade, ledgerBroken, ledgerNewer, ledgerForeign, ledgerUnreadable

    public var level: Level {
      switch self {
      case .portFree, .portOurs, .codecsPresent, .cipherFast, .cipherLibraries, .workersPlanned, .tcpWithBBR,
        .hugePagesGiven,
        .clockGood, .diskRoomy, .diskFast, .certificateGood,
        .certificateToBeMade, .httpsOff, .buffersLarge, .trainsWork, .filesEnough, .ledgerIntact, .ledgerToBeMade,
        .outboxGood, .outboxFiles,
        .daysRoomy, .jobsDone:
        .ok
      case .cipherSlow, .cipherLibraryMissing, .tcpWithoutBBR, .tcpPortShared, .hugePagesRefused, .clockUnsynchronised,
        .clockJumps,
        .diskLow, .diskSlow,
        .certificateEnding, .buffersSmall,
        .trainsMissing, .filesFew, .outboxHeld, .outboxLate, .daysFew, .jobsTroubled:
        .warning
      case .portTaken, .portTakenByUnknown, .portForbidden, .portWithoutAddress, .codecsMissing, .cipherChoiceMissing,
        .workersBeyondPorts, .clockWrong,
        .folderUnwritable, .diskFull, .certificateEnded, .certificateBad, .ledgerBroken, .ledgerNewer,
        .ledgerForeign, .ledgerUnreadable, .outboxSecret:
        .failure
      }
    }
  }

  public var outcome: Outcome
  public var arguments: [String: String]

  public init(_ outcome: Outcome, _ arguments: [String: String] = [:]) {
    self.outcome = outcome
    self.arguments = arguments
  }

  public var level: Level { outcome.level }

  public func sentence(in language: Language) -> String {
    Text.of("doctor.\(outcome.rawValue)", in: language, arguments)
  }

  /// What to do about it; nil when it is good.
  public func fix(in language: Language) -> String? {
    level == .ok ? nil : Text.of("doctor.\(outcome.rawValue).do", in: language, arguments)
  }
}

/// All the doctor found, as text for people and as JSON.
public struct Diagnosis: Sendable {
  public var findings: [Finding]

  public init(findings: [Finding]) { self.findings = findings }

  public var level: Finding.Level { findings.map(\.level).max() ?? .ok }

  /// A line each, with the fix indented beneath what needs one.
  public func text(in language: Language) -> String {
    let marks = Finding.Level.allCases.map { ($0, Text.of("doctor.level.\($0.rawValue)", in: language)) }
    let width = marks.map { TextWidth.of($0.1) }.max() ?? 0
    var lines: [String] = []
    for finding in findings {
      let mark = marks.first { $0.0 == finding.level }?.1 ?? ""
      lines.append(TextWidth.padded(mark, to: width) + "  " + finding.sentence(in: language))
      if let fix = finding.fix(in: language) {
        lines += fix.split(separator: "\n").map { String(repeating: " ", count: width + 4) + $0 }
      }
    }
    lines.append(Text.of("doctor.summary.\(level.rawValue)", in: language))
    return lines.joined(separator: "\n") + "\n"
  }

  /// Layout: `{"level", "findings": [{"outcome", "level", "sentence", "fix"?, "figures"}]}`.
  public func json(in language: Language) -> String {
    let entries = findings.map { finding in
      JSONText.object([
        ("outcome", JSONText.string(finding.outcome.rawValue)), ("level", JSONText.string(finding.level.rawValue)),
        ("sentence", JSONText.string(finding.sentence(in: language))),
        ("fix", finding.fix(in: language).map(JSONText.string)),
        ("figures", JSONText.object(finding.arguments.sorted { $0.key < $1.key }.map { ($0, JSONText.string($1)) })),
      ])
    }
    return JSONText.object([("level", JSONText.string(level.rawValue)), ("findings", JSONText.array(entries))])
  }
}
