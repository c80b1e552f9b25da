// Goal: lessons that were moved, substituted, cancelled or given another room count as what they have become, and a
// change that is asked about is told exactly what it would make wrong. Method: hundreds of small published counties in
// disorder with random changes, against `BruteForce`; and the checker that takes changes up against one made anew.
import Classroom
import RTCCore
import Simulation
import Testing

@Suite struct TimetablePropertiesChangeTests {
  typealias Base = TimetablePropertiesTests
  typealias Changes = [Identifier: [LessonOrigin: BruteForce.Change?]]

  /// A published county, and the ways in which its lessons are changed.
  struct Published {
    var timetable: Timetable
    let bells: [BellSchedule]
    var changes: Changes = [:]
    var random: SplitMix64

    init(seed: UInt64) {
      (timetable, bells) = Base.timetable(seed)
      random = SplitMix64(seed: seed)
      let draft = BruteForce(timetable, bells: bells)
      for lesson in draft.lessons {
        let course = timetable.courses[lesson.course]
        timetable.lessons.append(
          Lesson(
            id: Identifier(milliseconds: 0, using: &random), registration: Identifier(high: 0, low: 0),
            course: course.id, cluster: course.cluster, title: "课", plannedStart: 0, plannedEnd: 1,
            origin: lesson.origin))
        put(BruteForce.Change(date: lesson.date, minutes: lesson.minutes), at: timetable.lessons.count - 1)
      }
      timetable.term.state = .published
    }

    func course(of lesson: Lesson) -> Course? { timetable.courses.first { $0.id == lesson.course } }

    /// Changes a lesson of the timetable, and what is told of it to brute force.
    mutating func put(_ change: BruteForce.Change?, at index: Int) {
      guard let course = timetable.lessons[index].course, let origin = timetable.lessons[index].origin else { return }
      changes[course, default: [:]].updateValue(change, forKey: origin)
      guard let change else {
        if !timetable.lessons[index].take(.cancel) { Issue.record("a planned lesson can be cancelled") }
        return
      }
      timetable.lessons[index].teacher = change.teacher
      let midnight = CivilTime.instant(change.date, .noon) - 720 * 60_000
      timetable.lessons[index].plannedStart = midnight + Int64(change.minutes.lowerBound) * 60_000
      timetable.lessons[index].plannedEnd = midnight + Int64(change.minutes.upperBound) * 60_000
      let rooms = change.rooms.sorted { $0.key < $1.key }.map { RoomChange(from: $0, to: $1) }
      timetable.roomChanges[timetable.lessons[index].id] = rooms.isEmpty ? nil : rooms
    }

    /// What a lesson becomes: mostly what it was.
    mutating func draw(_ index: Int, oneIn ways: Int) -> BruteForce.Change? {
      let lesson = timetable.lessons[index]
      guard let course = course(of: lesson), let origin = lesson.origin, let known = changes[course.id]?[origin],
        var change = known
      else { return nil }
      switch Int.random(in: 0..<ways, using: &random) {
      case 0: return nil
      case 1: change.date = change.date + Int.random(in: -3...3, using: &random)
      case 2:
        let shift = Int.random(in: -60...60, using: &random)
        change.minutes = change.minutes.lowerBound + shift..<change.minutes.upperBound + shift
      case 3: change.teacher = timetable.persons.keys.sorted().randomElement(using: &random)
      case 4, 5:
        let parties = [course.lead] + course.receivers
        guard let party = parties.randomElement(using: &random),
          let school = timetable.rooms[party.room]?.institution
        else { break }
        let taken = Set(parties.map(\.room))
        let others = timetable.rooms.values.filter { $0.institution == school && !taken.contains($0.id) }
        guard let other = others.map(\.id).sorted().randomElement(using: &random) else { break }
        change.rooms[party.room] = other
      default: break
      }
      return change
    }

    var bruteForce: BruteForce { BruteForce(timetable, bells: bells, changes: changes) }
    /// Weekly times that fell out are told of courses without a lesson alone.
    var expected: Set<BruteForce.Finding> {
      bruteForce.findings.filter { $0.reason != .noLeadPeriod || changes[$0.course] == nil }
    }
  }

  @Test(arguments: 0..<6 as Range<UInt64>) func changedLessonsAgreeWithBruteForce(block: UInt64) {
    var moves = 0
    for seed in block * 10 + 9_000..<block * 10 + 9_010 {
      var county = Published(seed: seed)
      for index in county.timetable.lessons.indices { county.put(county.draw(index, oneIn: 12), at: index) }
      moves += county.timetable.roomChanges.count
      let checker = ConflictChecker(county.timetable)
      Base.agree(Base.findings(checker.check()), county.expected, "published, seed \(seed)")
    }
    #expect(moves > 5, "rooms were changed")
  }

  /// Taking up what a course's lessons have become is as good as making the checker anew.
  @Test(arguments: 0..<4 as Range<UInt64>) func takingUpIsAsGoodAsMakingAnew(block: UInt64) {
    for seed in block * 10 + 20_000..<block * 10 + 20_010 {
      var county = Published(seed: seed)
      var checker = ConflictChecker(county.timetable)
      for _ in 0..<12 {
        let held = county.timetable.lessons.indices.filter { county.timetable.lessons[$0].state != .cancelled }
        guard let index = held.randomElement(using: &county.random) else { continue }
        county.put(county.draw(index, oneIn: 6), at: index)
        guard let course = county.timetable.lessons[index].course else { continue }
        let own = county.timetable.lessons.filter { $0.course == course }
        let ids = Set(own.map(\.id))
        checker.update(
          course, lessons: own, roomChanges: county.timetable.roomChanges.filter { ids.contains($0.key) })
      }
      #expect(checker.check() == ConflictChecker(county.timetable).check(), "seed \(seed)")
    }
  }

  /// What a change is told is what brute force finds with it and not without it.
  @Test func aChangeIsToldWhatItMakesWrong() {
    var (wrong, right) = (0, 0)
    for seed in 30_000..<30_080 as Range<UInt64> {
      var county = Published(seed: seed)
      for index in county.timetable.lessons.indices { county.put(county.draw(index, oneIn: 40), at: index) }
      // Of two courses that meet the later one is told of.
      guard let course = county.timetable.courses.randomElement(using: &county.random) else { continue }
      county.timetable.courses.removeAll { $0.id == course.id }
      county.timetable.courses.append(course)
      let held = county.timetable.lessons.indices.filter {
        county.timetable.lessons[$0].course == course.id && county.timetable.lessons[$0].state != .cancelled
      }
      guard let index = held.randomElement(using: &county.random) else { continue }
      let before = county
      guard let change = county.draw(index, oneIn: 6) else { continue }
      county.put(change, at: index)
      let lesson = county.timetable.lessons[index]
      // Findings are told by date: with another lesson of the course on it nobody could say whose they are.
      let dates = { (lesson: Lesson) in CivilTime.date(of: lesson.plannedStart) }
      let old = dates(before.timetable.lessons[index])
      let others = held.filter { $0 != index }.map { dates(county.timetable.lessons[$0]) }
      guard !others.contains(where: { abs($0 - change.date) <= 1 || abs($0 - old) <= 1 }) else { continue }
      let checker = ConflictChecker(before.timetable)
      let found = checker.check(
        changing: lesson, of: course, roomChanges: county.timetable.roomChanges[lesson.id] ?? [])
      func own(_ findings: Set<BruteForce.Finding>) -> Set<BruteForce.Finding> {
        findings.filter { $0.course == course.id }
      }
      let expected = own(county.expected).subtracting(own(before.expected))
      // What was wrong before by as much again is told when its weight is another.
      let told = Set(Base.findings(found)).subtracting(own(before.expected))
      Base.agree(Array(told), expected, "changing, seed \(seed)")
      if expected.isEmpty { right += 1 } else { wrong += 1 }
    }
    #expect(wrong > 0 && right > 0, "\(wrong) wrong, \(right) right")
  }
}
