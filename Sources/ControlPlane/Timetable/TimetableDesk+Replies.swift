import Classroom
import ControlAPI
import Ledger

extension FindingReply {
  init(_ conflict: Conflict, _ snapshot: TermSnapshot, _ texts: ConflictText) {
    self.init(
      code: conflict.code.rawValue, severity: conflict.severity.rawValue,
      course: snapshot.number(ofCourse: conflict.course),
      sentence: texts.sentence(conflict), resolutions: texts.resolutions(conflict),
      dates: conflict.dates.map(\.description))
  }
}

extension TermReply {
  init(_ term: Term) {
    self.init(
      code: term.code, name: term.name, state: term.state.rawValue, version: term.version,
      firstDay: term.firstDay.description, weeks: term.weeks)
  }
}

extension CourseReply {
  init(_ course: Course, _ names: TimetableNames) {
    let timetable = names.timetable
    self.init(
      number: course.number, cluster: timetable.clusters[course.cluster]?.number ?? "",
      subject: names.subject(course.subject), grades: course.grades, lead: names.number(ofRoom: course.lead.room),
      receivers: course.receivers.map { names.number(ofRoom: $0.room) },
      times: course.weeklyTimes.map(names.weeklyTime), mode: course.mode.rawValue, label: course.label.rawValue,
      version: timetable.term.version)
  }
}

extension FreeWindowReply {
  init(_ window: FreeWindow, _ timetable: Timetable) {
    let minutes = max(0, window.end - window.start)
    self.init(
      weekday: window.weekday, period: window.period, start: window.start.description, end: window.end.description,
      weeks: window.weeks.description,
      sites: window.sites.map {
        Site(
          room: timetable.rooms[$0.room]?.number ?? "", overlapMinutes: $0.overlapMinutes,
          // Without bells the whole of it may be off.
          misfitMinutes: $0.misfit ?? minutes, known: $0.isKnown)
      })
  }
}

extension GapReply {
  init(_ gap: Gap, _ names: TimetableNames) {
    let row = names.timetable.classes[gap.schoolClass]
    self.init(
      institution: names.institution(row?.institution), schoolClass: row?.number ?? "", grades: gap.grades,
      subject: names.subject(gap.subject), state: gap.state == .missing ? .missing : .notKnown)
  }
}

extension PublishReply {
  init(_ summary: PublicationSummary) {
    self.init(
      version: summary.version, made: summary.made,
      kept: summary.kept + summary.unchanged + summary.changed + summary.reinstated, cancelled: summary.cancelled)
  }
}

extension ImportReply {
  /// Lines that are told; `counts` are of all.
  static let lineLimit = 50_000

  init(_ plan: ImportPlan, applied: Bool, language: Language) {
    var counts = Counts()
    for sheet in SheetKind.allCases {
      let some = plan.counts(of: sheet)
      counts.add += some.add
      counts.change += some.change
      counts.same += some.same
      counts.absent += some.absent
      counts.remove += some.remove
    }
    let told = plan.lines.lazy.filter { $0.action != .same }.prefix(Self.lineLimit)
    self.init(applied: applied, lines: told.map { Line($0, language) }, counts: counts)
  }
}

extension ImportReply.Line {
  init(_ line: ImportPlan.Line, _ language: Language) {
    var changes: [ImportReply.Change] = []
    let action: ImportReply.Action
    switch line.action {
    case .add: action = .add
    case .same: action = .same
    case .absent: action = .absent
    case .remove: action = .remove
    case .change(let fields):
      action = .change
      changes = fields.map { field in
        let column = line.sheet.columns.first { $0.field == field.field }
        let title = language == .chinese ? column?.chinese : column?.english
        return ImportReply.Change(column: title ?? field.field.rawValue, old: field.old, new: field.new)
      }
    }
    self.init(
      sheet: line.sheet.rawValue, row: line.row, key: line.key, name: line.name, action: action, changes: changes)
  }
}

extension ImportIssueReply {
  /// `file`: what it is about where no sheet is known.
  init(_ issue: ImportIssue, file: String, language: Language) {
    self.init(
      sheet: issue.sheet?.rawValue ?? file, row: issue.row > 0 ? issue.row : nil,
      column: issue.column.isEmpty ? nil : issue.column, value: issue.value.isEmpty ? nil : issue.value,
      code: issue.code.rawValue, text: ImportIssueText.text(of: issue, in: language, namesSheet: true))
  }
}
