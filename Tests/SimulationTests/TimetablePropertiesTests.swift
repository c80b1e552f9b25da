// Goal: what the checker says of a timetable is what anyone would find who compared all lessons minute by minute, and
// the windows it offers are all there are. Method: hundreds of small counties in disorder, each named by its seed,
// against `BruteForce`; a planned district with planted mistakes.
import Classroom
import RTCCore
import Simulation
import Testing

@Suite struct TimetablePropertiesTests {
  static let codes: Set<ConflictCode> = [
    .leadTeacher, .leadRoom, .leadClass, .siteRoom, .siteClass, .relayCapacity, .bellMisfit, .holiday,
  ]

  /// A small county in disorder, its relay too small for it.
  static func timetable(_ seed: UInt64) -> (timetable: Timetable, bells: [BellSchedule]) {
    let county = SyntheticCounty(seed: seed, scale: .small, doubleBookings: Int(seed % 3))
    var timetable = county.timetable(Int(seed % 2))
    timetable.policy.relaySeats = 4 + Int(seed % 5)
    return (timetable, county.bells)
  }

  static func findings(_ conflicts: [Conflict]) -> [BruteForce.Finding] {
    conflicts.filter { codes.contains($0.code) && $0.reason != .leadHoliday }.flatMap { conflict in
      let what: Identifier?
      switch conflict.code {
      case .leadTeacher: what = conflict.person
      case .leadClass, .siteClass: what = conflict.schoolClass
      case .relayCapacity: what = nil
      case .bellMisfit: what = conflict.reason == .noLeadPeriod ? nil : conflict.room
      case .holiday: what = conflict.institution
      default: what = conflict.room
      }
      return conflict.dates.map {
        BruteForce.Finding(
          code: conflict.code, reason: [.bellMisfit, .holiday].contains(conflict.code) ? conflict.reason : nil,
          severity: conflict.severity, course: conflict.course, other: conflict.other, what: what, date: $0)
      }
    }
  }

  static func agree(_ found: [BruteForce.Finding], _ expected: Set<BruteForce.Finding>, _ what: String) {
    let invented = Set(found).subtracting(expected).sorted()
    let missed = expected.subtracting(found).sorted()
    #expect(invented.isEmpty, "\(what): \(invented.count) invented, such as \(invented.prefix(2))")
    #expect(missed.isEmpty, "\(what): \(missed.count) missed, such as \(missed.prefix(2))")
  }

  @Test(arguments: 0..<20 as Range<UInt64>) func checkAgreesWithBruteForce(block: UInt64) {
    var kinds: Set<ConflictCode> = []
    for seed in block * 10..<block * 10 + 10 {
      let (timetable, bells) = Self.timetable(seed)
      let expected = BruteForce(timetable, bells: bells).findings
      kinds.formUnion(expected.map(\.code))
      Self.agree(Self.findings(ConflictChecker(timetable).check()), expected, "seed \(seed)")
    }
    #expect(kinds.count >= 6, "the counties are worth comparing")
  }

  /// Adding a course tells exactly what the whole check tells of it when it comes last.
  @Test(arguments: 0..<4 as Range<UInt64>) func addingAgreesWithBruteForce(block: UInt64) {
    for seed in block * 10 + 1_000..<block * 10 + 1_010 {
      var (timetable, bells) = Self.timetable(seed)
      let index = Int(seed) % timetable.courses.count
      let added = timetable.courses.remove(at: index)
      var checker = ConflictChecker(timetable)
      let found = Self.findings(checker.check(adding: added))
      timetable.courses.append(added)
      let expected = BruteForce(timetable, bells: bells).findings
      Self.agree(found, expected.filter { $0.course == added.id }, "adding, seed \(seed)")
      checker.add(added)
      Self.agree(Self.findings(checker.check()), expected, "added, seed \(seed)")
      let first = timetable.courses.removeFirst()
      checker.remove(first.id)
      Self.agree(Self.findings(checker.check()), BruteForce(timetable, bells: bells).findings, "less, seed \(seed)")
    }
  }

  @Test func aPlannedDistrictHasItsPlantedMistakesAlone() {
    for seed in 1...4 as ClosedRange<UInt64> {
      let county = SyntheticCounty(seed: seed, scale: .district, doubleBookings: seed == 1 ? 0 : 10)
      var found: Set<SyntheticCounty.DoubleBooking> = []
      for term in 0...1 {
        let checker = ConflictChecker(county.timetable(term))
        for conflict in checker.check() where Self.codes.subtracting([.bellMisfit, .holiday]).contains(conflict.code) {
          guard case .course(let first)? = conflict.other else {
            Issue.record("seed \(seed): \(conflict)")
            continue
          }
          found.insert(.init(code: conflict.code, term: term, first: first, second: conflict.course))
        }
      }
      #expect(found == Set(county.doubleBookings), "seed \(seed)")
    }
  }
}
