public import Classroom

/// What people are told about a conflict: a sentence that names both sides, and what would resolve it.
public struct ConflictText: Sendable {
  private let names: TimetableNames
  private var language: Language { names.language }
  private var timetable: Timetable { names.timetable }

  /// - Parameter timetable: the one in which the conflicts were found; its names are told.
  public init(_ timetable: Timetable, subjects: SubjectTable = .standard, language: Language) {
    names = TimetableNames(timetable, subjects: subjects, language: language)
  }

  /// One line, such as `周一 10:10-10:50（2026-09-07 等 14 次）：李强（石壁坳教学点，工号 001）同时要上 …`.
  public func sentence(_ conflict: Conflict) -> String { text(key(of: conflict), conflict) }

  /// A line for each resolution, such as `可以：石壁坳教学点这一节改按主讲学校的作息`.
  public func resolutions(_ conflict: Conflict) -> [String] {
    advice(conflict).map { Text.of("resolution.line", in: language, ["text": $0]) }
  }

  /// What a code stands for, in two or three words.
  package static func label(of code: ConflictCode, in language: Language) -> String {
    Text.of("conflict.code.\(code.rawValue)", in: language)
  }

  // MARK: Keys

  private func key(of conflict: Conflict) -> String {
    let code = "conflict.\(conflict.code.rawValue)"
    let variants: [String] =
      switch (conflict.code, conflict.other) {
      case (.leadTeacher, .local), (.leadClass, .local), (.siteClass, .local): ["local"]
      case (.leadTeacher, _), (.leadRoom, _), (.leadClass, _), (.siteRoom, _), (.siteClass, _):
        [conflict.other == .course(conflict.course) ? "own" : "", "course"]
      case (.relayCapacity, _), (.unacceptedRoom, _): [""]
      default: reasons(conflict)
      }
    let keys = variants.map { $0.isEmpty ? code : "\(code).\($0)" }
    return keys.first { Text.has($0, in: language) } ?? "conflict.plain"
  }

  private func reasons(_ conflict: Conflict) -> [String] {
    guard let reason = conflict.reason?.rawValue else { return [] }
    return conflict.severity == .note ? ["\(reason).note", reason] : [reason]
  }

  // MARK: Arguments

  /// A text with what it asks for.
  private func text(_ key: String, _ conflict: Conflict, _ own: [String: String] = [:]) -> String {
    var arguments = own
    for name in Text.arguments(of: key, in: language) where own[name] == nil {
      arguments[name] = argument(name, conflict)
    }
    return Text.of(key, in: language, arguments)
  }

  private func argument(_ name: String, _ conflict: Conflict) -> String {
    let course = names.course(conflict.course)
    return switch name {
    case "class": names.schoolClass(conflict.schoolClass)
    case "cluster": names.cluster(course?.cluster)
    case "code": Self.label(of: conflict.code, in: language)
    case "course": names.name(ofCourse: conflict.course)
    case "courseNumber": course.map(names.number) ?? "\(conflict.course)"
    case "dates": names.dates(conflict.dates)
    case "institution": institution(of: conflict)
    case "limit": conflict.limit.map { "\($0)" } ?? "?"
    case "minutes": conflict.minutes.map { "\($0)" } ?? "?"
    case "needed": "\(conflict.reason == .uplink ? timetable.policy.siteUplink : timetable.policy.siteDownlink)"
    case "other": other(of: conflict)
    case "person": names.person(conflict.person)
    case "rate": rate(of: conflict)
    case "room": names.room(conflict.room)
    case "roomNumber": names.number(ofRoom: conflict.room)
    case "seats": conflict.seats.map { "\($0)" } ?? "?"
    case "when": when(conflict)
    case "who": conflict.person.map(names.person) ?? names.schoolClass(conflict.schoolClass)
    default: ""
    }
  }

  private func when(_ conflict: Conflict) -> String { names.when(conflict.dates, conflict.start, conflict.end) }

  private func institution(of conflict: Conflict) -> String {
    if let institution = conflict.institution { return names.institution(institution) }
    return names.institution(ofRoom: conflict.room)
  }

  /// What the last acceptance measured of a room's line, in kbit/s.
  private func rate(of conflict: Conflict) -> String {
    let room = conflict.room.flatMap { timetable.rooms[$0] }
    return (conflict.reason == .uplink ? room?.uplink : room?.downlink).map { "\($0)" } ?? "?"
  }

  private func other(of conflict: Conflict) -> String {
    switch conflict.other {
    case .course(let course): names.name(ofCourse: course)
    case .local(let schoolClass, let subject):
      names.text("localLesson", ["class": names.schoolClass(schoolClass), "subject": names.subject(subject)])
    case nil: names.unknown("course")
    }
  }

  // MARK: What to do

  private func advice(_ conflict: Conflict) -> [String] {
    conflict.resolutions.map { resolution in
      switch resolution {
      case .siteAdoptsLeadBell(let room):
        text(
          "resolution.siteAdoptsLeadBell", conflict,
          ["institution": names.institution(ofRoom: room), "roomNumber": names.number(ofRoom: room)])
      case .shorten(let minutes): text("resolution.shorten", conflict, ["minutes": "\(minutes)"])
      case .moveLesson: text("resolution.moveLesson", conflict)
      case .changeTeacher: text("resolution.changeTeacher", conflict)
      case .changeRoom: text("resolution.changeRoom", conflict)
      case .pairInstitution: text("resolution.pairInstitution", conflict)
      case .nameParent: text("resolution.nameParent", conflict)
      case .acceptRoom: text("resolution.acceptRoom", conflict)
      case .widenLine: text("resolution.widenLine", conflict)
      case .letLead: text("resolution.letLead", conflict)
      case .addReceiver: text("resolution.addReceiver", conflict)
      case .removeClass: text("resolution.removeClass", conflict)
      case .nameLocalTeacher: text("resolution.nameLocalTeacher", conflict)
      case .changeMode: text("resolution.changeMode", conflict)
      }
    }
  }
}
