// Goal: a coordinator reads what collides with what, when, and what to do. Method: whole sentences for a conflict of
// each code; every text of every code, reason and resolution filled; conflicts that the checker itself finds.
import Classroom
import ControlPlane
import Testing

@Suite struct ConflictTextTests {
  typealias Sample = TimetableSample
  let chinese = ConflictText(Sample.timetable, language: .chinese)
  let english = ConflictText(Sample.timetable, language: .english)

  private func conflict(
    _ code: ConflictCode, _ reason: ConflictReason? = nil, _ severity: TimetablePolicy.Severity = .conflict,
    _ change: (inout Conflict) -> Void = { _ in }
  ) -> Conflict {
    var conflict = Conflict(
      code: code, reason: reason, severity: severity, course: Sample.music, dates: Sample.mondays,
      start: Sample.time("10:10"), end: Sample.time("10:50"))
    change(&conflict)
    return conflict
  }

  static let when = "周一 10:10-10:50（2026-09-07 等 3 次）："
  static let music = "K0137（三年级音乐，石桥中心小学主讲）"
  static let art = "三年级、四年级美术，石桥中心小学主讲"

  @Test func whatIsNeededTwice() {
    let teacher = conflict(.leadTeacher) { ($0.person, $0.other) = (Sample.pointTeacher, .course(Sample.art)) }
    #expect(
      chinese.sentence(teacher) == "\(Self.when)李强（石壁坳教学点，工号 001）同时要上 \(Self.music)和 \(Self.art)。")
    #expect(
      english.sentence(teacher)
        == "Monday 10:10-10:50 (3 dates from 2026-09-07): 李强 (石壁坳教学点, staff number 001) is needed at the same time "
        + "for K0137 (Music, grade 3, led by 石桥中心小学) and for Fine Arts, grade 3, grade 4, led by 石桥中心小学.")
    let room = conflict(.leadRoom) { ($0.room, $0.other) = (Sample.leadRoom, .course(Sample.art)) }
    #expect(
      chinese.sentence(room) == "\(Self.when)石桥中心小学 P01-1 同时排了 \(Self.music)和 \(Self.art)，其中有课要在这里主讲。")
    let own = conflict(.leadRoom) { ($0.room, $0.other) = (Sample.leadRoom, .course(Sample.music)) }
    #expect(chinese.sentence(own) == "\(Self.when)\(Self.music)自己的两节课在石桥中心小学 P01-1 重叠。")
    let local = conflict(.siteClass) {
      ($0.schoolClass, $0.other) = (Sample.pointClass, .local(schoolClass: Sample.pointClass, subject: "chinese"))
    }
    let pupils = "石壁坳教学点 二、三年级（P07-B23）"
    #expect(chinese.sentence(local) == "\(Self.when)\(pupils)要接收 \(Self.music)，本校课表上同时有\(pupils)的语文课。")
  }

  @Test func whatDoesNotFit() {
    let misfit = conflict(.bellMisfit, .departs) {
      ($0.room, $0.minutes, $0.limit, $0.dates) = (Sample.pointRoom, 8, 5, [Sample.mondays[0]])
      $0.resolutions = [.siteAdoptsLeadBell(room: Sample.pointRoom), .shorten(minutes: 35), .moveLesson]
    }
    #expect(
      chinese.sentence(misfit)
        == "周一 10:10-10:50（2026-09-07）：石壁坳教学点 P07-2 的上下课时间与 \(Self.music)相差 8 分钟，最多允许 5 分钟。")
    #expect(
      chinese.resolutions(misfit) == [
        "可以：石壁坳教学点这一节改按主讲学校的作息", "可以：每次只上 35 分钟（在上课时间后面写“35分”）",
        "可以：换一个时间（tongke timetable free --course K0137 列出空闲的时间）",
      ])
    let thin = conflict(.siteBandwidth, .uplink) { $0.room = Sample.pointRoom }
    #expect(chinese.sentence(thin) == "石壁坳教学点 P07-2 的上行带宽只有 300 kbit/s，\(Self.music)需要 500 kbit/s。")
    let full = conflict(.relayCapacity) { ($0.seats, $0.limit) = (4_002, 4_000) }
    #expect(chinese.sentence(full) == "\(Self.when)加上 \(Self.music)，中继同时要带 4002 个席位，最多只能带 4000 个。")
    let mixed = conflict(.holiday, .leadHoliday, .note) {
      $0.institution = Sample.school
      $0.dates.append(Sample.date("2026-09-26"))
    }
    #expect(
      chinese.sentence(mixed) == "10:10-10:50，2026-09-07 等 4 次：主讲的石桥中心小学放假，\(Self.music)不上。")
    let pairing = conflict(.unpairedInstitution, .notMember) { $0.institution = Sample.other }
    #expect(chinese.sentence(pairing) == "上坪小学参加了 \(Self.music)，却不在联校群“石桥联校群”里。")
    let strange = conflict(.unacceptedRoom) { $0.room = Identifier(high: 0, low: 0) }
    #expect(chinese.sentence(strange) == "没有登记的教室 还没有验收，已经排了 \(Self.music)。")
  }

  /// The reasons that each code has.
  static let reasons: [ConflictCode: [ConflictReason]] = [
    .unpairedInstitution: [.notMember, .noParent, .unknownRoom],
    .bellMisfit: [.departs, .noPeriod, .noBells, .noLeadPeriod],
    .holiday: [.leadHoliday, .siteHoliday, .otherWeekday], .siteBandwidth: [.downlink, .uplink],
    .screenTime: [.day, .continuous, .week],
    .modeOrRole: [.leadOnlyReceives, .noReceivers, .classInResearch, .noLocalTeacher, .leadReceives],
  ]

  static let resolutions: [Resolution] = [
    .siteAdoptsLeadBell(room: Sample.pointRoom), .shorten(minutes: 35), .moveLesson, .changeTeacher, .changeRoom,
    .pairInstitution, .nameParent, .acceptRoom, .widenLine, .letLead, .addReceiver, .removeClass, .nameLocalTeacher,
    .changeMode,
  ]

  @Test func everyReasonIsOfACode() {
    #expect(Set(Self.reasons.values.joined()) == Set(ConflictReason.allCases))
  }

  @Test(arguments: ConflictCode.allCases)
  func everyConflictHasASentenceOfItsOwn(_ code: ConflictCode) {
    var sentences: Set<String> = []
    let reasons: [ConflictReason?] = Self.reasons[code] ?? [nil]
    for reason in reasons {
      for severity in TimetablePolicy.Severity.allCases {
        let conflict = conflict(code, reason, severity) {
          ($0.room, $0.schoolClass, $0.person) = (Sample.pointRoom, Sample.pointClass, Sample.pointTeacher)
          ($0.institution, $0.other) = (Sample.point, .course(Sample.art))
          ($0.minutes, $0.limit, $0.seats) = (41, 40, 9)
          $0.resolutions = Self.resolutions
        }
        for text in [chinese, english] {
          let sentence = text.sentence(conflict)
          #expect(sentence.contains("K0137"))
          sentences.insert(sentence)
          let lines = [sentence] + text.resolutions(conflict)
          for line in lines {
            #expect(!line.isEmpty && !line.contains("{") && !line.contains("?"), "\(line)")
            #expect(
              !line.contains("conflict.") && !line.contains("resolution.") && !line.contains("timetable."), "\(line)")
          }
          #expect(Set(text.resolutions(conflict)).count == Self.resolutions.count)
        }
        #expect(!chinese.sentence(conflict).hasPrefix(ConflictText.label(of: code, in: .chinese) + "："))
      }
    }
    #expect(sentences.count >= 2 * reasons.count)
  }

  @Test func everyCodeHasAName() {
    for language in Language.allCases {
      #expect(Set(ConflictCode.allCases.map { ConflictText.label(of: $0, in: language) }).count == 13)
    }
  }

  @Test func whatTheCheckerFindsIsTold() throws {
    let found = ConflictChecker(Sample.timetable).check()
    let sentences = found.map(chinese.sentence)
    #expect(
      sentences.contains("\(Self.when)石壁坳教学点 P07-2 的上下课时间与 \(Self.music)相差 8 分钟，最多允许 5 分钟。"))
    #expect(Set(found.map(\.code)).isSuperset(of: [.leadTeacher, .leadRoom, .leadClass, .siteRoom, .siteClass]))
    #expect(Set(sentences).count == found.count)
  }
}
