import Classroom
import RTCCore

extension CountyPlanner {
  /// Timetables of most classes: every period in which no course needs the class, with the subjects of its grades.
  mutating func planLocalLessons(ofTerm term: Int, in county: inout SyntheticCounty) {
    let year = county.terms[0].firstDay.schoolYear
    for school in schools.indices {
      for index in schools[school].classes where chance(850) {
        let row = county.classes[index]
        let grades = row.cohorts.compactMap { $0.grade(inSchoolYearStarting: year) }
        let subjects = localSubjects(grades: grades, isSchool: schools[school].isSchool)
        var lessons: [LocalLesson] = []
        for weekday in 1...5 {
          for period in schools[school].periods[weekday] {
            guard !slip(500), let minutes = minutes(of: period.number, at: school, weekday: weekday) else { continue }
            guard scale.disorder > 0 || !isBusy(row.id, weekday: weekday, minutes) else { continue }
            var lesson = LocalLesson(
              institution: row.institution, term: county.terms[term].code, schoolClass: row.id,
              subject: pick(subjects),
              weekday: weekday, time: .period(period.number))
            if chance(500) { lesson.teacher = freeTeacher(of: school, weekday: weekday, minutes) }
            if slip(100) { lesson.time = .clock(period.start + number(-9...0), period.end + number(-9...9)) }
            guard chance(60) else {
              lessons.append(lesson)
              continue
            }
            for weeks in [WeekSet.odd, .even] {
              lesson.weeks = weeks
              lessons.append(lesson)
              lesson.subject = pick(subjects)
            }
          }
        }
        county.localLessons[term][row.id] = lessons
      }
    }
  }

  /// What the grades have, more of Chinese and mathematics; teaching points lack some.
  private mutating func localSubjects(grades: [Int], isSchool: Bool) -> [String] {
    var subjects = ["chinese", "chinese", "chinese", "mathematics", "mathematics"]
    let scarce: Set = ["arts", "foreignLanguage", "science", "informationTechnology"]
    for subject in SubjectTable.standard.subjects where grades.contains(where: subject.grades.contains) {
      guard isSchool || !scarce.contains(subject.key) || chance(500) else { continue }
      let given = ["arts": ["music", "fineArts"], "foreignLanguage": ["english"]][subject.key] ?? [subject.key]
      subjects += given
    }
    return subjects
  }

  /// A period's minutes by season; nil where one of them does not have it.
  private func minutes(of number: Int, at school: Int, weekday: Int) -> [Range<Int>]? {
    let minutes = Self.seasons.indices.compactMap { season in
      schools[school].periods[season * 8 + weekday].first { $0.number == number }
        .map { $0.start.minute..<$0.end.minute }
    }
    return minutes.count == Self.seasons.count ? minutes : nil
  }

  /// A colleague who is free then, and is not afterwards; nil when the first few asked are not. In disorder anyone.
  private mutating func freeTeacher(of school: Int, weekday: Int, _ minutes: [Range<Int>]) -> Identifier? {
    for _ in 0..<4 where !schools[school].teachers.isEmpty {
      let teacher = pick(schools[school].teachers)
      guard slip(500) || !isBusy(teacher, weekday: weekday, minutes) else { continue }
      book(teacher, weekday: weekday, minutes)
      return teacher
    }
    return nil
  }

  /// Adds courses that each need one person, room or class at the time of an earlier course, and else nobody's.
  ///
  /// Rooms, classes and teachers besides the shared one are new ones of the same schools. Fewer than `count` are
  /// planted when courses run out.
  mutating func plant(_ count: Int, in county: inout SyntheticCounty) {
    var candidates: [(term: Int, index: Int)] = []
    for term in county.courses.indices {
      for (index, course) in county.courses[term].enumerated() {
        guard course.mode == .sync, !course.weeklyTimes.isEmpty, course.lead.teacher != nil,
          course.lead.schoolClass != nil, course.receivers.first?.schoolClass != nil
        else { continue }
        candidates.append((term, index))
      }
    }
    let codes: [ConflictCode] = [.leadTeacher, .leadRoom, .leadClass, .siteRoom, .siteClass]
    for (place, candidate) in candidates.shuffled(using: &random).prefix(max(0, count)).enumerated() {
      let code = codes[place % codes.count]
      let first = county.courses[candidate.term][candidate.index]
      let second = rival(of: first, code: code, number: "K\(candidate.term + 1)-P\(place + 1)", in: &county)
      county.courses[candidate.term].append(second)
      county.doubleBookings.append(.init(code: code, term: candidate.term, first: first.id, second: second.id))
    }
  }

  private mutating func rival(
    of first: Course, code: ConflictCode, number: String, in county: inout SyntheticCounty
  ) -> Course {
    var lead = newParty(at: first.lead.room, number: number + "-1", in: &county)
    var site = newParty(at: first.receivers[0].room, number: number + "-2", in: &county)
    site.teacher = nil
    switch code {
    case .leadTeacher: lead.teacher = first.lead.teacher
    case .leadRoom: lead.room = first.lead.room
    case .leadClass: lead.schoolClass = first.lead.schoolClass
    case .siteRoom: site.room = first.receivers[0].room
    default: site.schoolClass = first.receivers[0].schoolClass
    }
    var time = first.weeklyTimes[0]
    time.adoptedBy = time.adoptedBy.contains(first.receivers[0].room) ? [site.room] : []
    var second = first
    second.id = identifier()
    second.number = number
    second.subject = first.subject == "music" ? "english" : "music"
    second.audio = .speech
    (second.lead, second.receivers, second.weeklyTimes) = (lead, [site], [time])
    return second
  }

  private mutating func newParty(
    at room: Identifier, number: String, in county: inout SyntheticCounty
  ) -> Course.Party {
    guard let school = roomPlaces[room] else { return Course.Party(room: room) }
    let institution = schools[school].institution
    county.rooms.append(
      Room(
        id: identifier(), institution: institution, number: number, name: "备用教室", acceptedAt: 1_779_000_000_000,
        downlink: 50_000, uplink: 10_000))
    county.classes.append(
      SchoolClass(
        id: identifier(), number: number + "-B", institution: institution, name: "三年级",
        cohorts: [.init(entryYear: 2024, headCount: 20)]))
    county.persons.append(Person(id: identifier(), institution: institution, name: "周明", staffNumber: number))
    return Course.Party(
      schoolClass: county.classes.last?.id, room: county.rooms.last?.id ?? room, teacher: county.persons.last?.id)
  }
}
