import Classroom
import RTCCore

extension CountyPlanner {
  /// 1+N: a school and teaching points, its own first. Every third is N+N: schools that all lead, and some points.
  mutating func makeClusters(in county: inout SyntheticCounty) {
    let leads = schools.indices.filter { schools[$0].isSchool }
    let points = schools.indices.filter { !schools[$0].isSchool }
    for index in 0..<scale.clusters {
      let isMutual = index % 3 == 2 || slip(500)
      var members: [Int] = [leads[index % leads.count]]
      for _ in 0..<(isMutual ? number(1...2) : 0) { members.append(pick(leads)) }
      let near = points.filter { county.institutions[$0].parent == schools[members[0]].institution }
      members += near.prefix(number(1...4))
      for _ in 0..<number(1...3) where !points.isEmpty { members.append(pick(points)) }
      var seen: Set<Int> = []
      members = members.filter { seen.insert($0).inserted }
      county.clusters.append(
        Cluster(
          id: identifier(), number: "Q\(index + 1)", name: "第\(index + 1)联校群",
          members: members.enumerated().map { place, member in
            .init(
              institution: schools[member].institution,
              leads: schools[member].isSchool && (place == 0 || isMutual))
          }))
    }
  }

  /// By cluster in turn; a tenth has three weekly times, most two.
  mutating func planCourses(ofTerm term: Int, in county: inout SyntheticCounty) {
    busy = [:]
    let places = Dictionary(schools.enumerated().map { ($1.institution, $0) }) { first, _ in first }
    let count = scale.courses / 2 + (term == 0 ? scale.courses % 2 : 0)
    for index in 0..<count where !county.clusters.isEmpty {
      let cluster = county.clusters[index % county.clusters.count]
      let members = cluster.members.compactMap { member in places[member.institution].map { ($0, member.leads) } }
      var course = drawCourse(of: cluster.id, members: members, in: county)
      course.number = "K\(term + 1)-\(index + 1001)"
      course.term = county.terms[term].code
      for _ in 0..<(chance(100) ? 3 : chance(800) ? 2 : 1) { addTime(to: &course) }
      county.courses[term].append(course)
    }
  }

  /// A course without times.
  private mutating func drawCourse(
    of cluster: Identifier, members: [(school: Int, leads: Bool)], in county: SyntheticCounty
  ) -> Course {
    let leads = members.filter { $0.leads || slip(100) }.map(\.school)
    let lead = leads.isEmpty ? members[0].school : pick(leads)
    let mode: Course.Mode = chance(900 - scale.disorder / 5) ? .sync : chance(600) ? .asyncDual : .research
    var sites = members.map(\.school).filter { $0 != lead }.shuffled(using: &random)
    sites = Array(sites.prefix(number(1...5)))
    if slip(150) { sites.append(number(0...schools.count - 1)) }
    func party(_ school: Int, isLead: Bool) -> Course.Party {
      let classes = schools[school].classes
      let hasClass = mode != .research && !slip(60)
      let hasTeacher = isLead || mode != .sync || chance(300)
      return Course.Party(
        schoolClass: hasClass && !classes.isEmpty ? county.classes[pick(classes)].id : nil,
        room: slip(30) ? identifier() : pick(schools[school].rooms),
        teacher: hasTeacher && !slip(60) ? pick(schools[school].teachers) : nil)
    }
    let first = party(lead, isLead: true)
    var rooms: Set<Identifier> = [first.room]
    let receivers = sites.map { party($0, isLead: false) }.filter { rooms.insert($0.room).inserted }
    let year = county.terms[0].firstDay.schoolYear
    let cohorts = schools[lead].classes.map { county.classes[$0] }.first { $0.id == first.schoolClass }?.cohorts ?? []
    let subject = pick([
      "music", "fineArts", "english", "science", "informationTechnology", "mentalHealth", "calligraphy",
    ])
    return Course(
      id: identifier(), cluster: cluster, term: "", subject: subject,
      grades: Set(cohorts.compactMap { $0.grade(inSchoolYearStarting: year) }).sorted(), textbook: "人教版上册",
      lead: first,
      receivers: receivers, mode: mode, label: pick(Course.Label.allCases),
      audio: subject == "music" ? .music : .speech)
  }

  /// Adds a weekly time at which nobody is needed elsewhere, if one is found; in disorder any.
  private mutating func addTime(to course: inout Course) {
    guard let lead = roomPlaces[course.lead.room] else { return }
    let sites = course.receivers.compactMap { party in roomPlaces[party.room].map { (school: $0, room: party.room) } }
    let isCareless = slip(800)
    for _ in 0..<60 {
      let weekday = slip(60) ? number(6...7) : number(1...5)
      var period = schools[lead].periods[weekday].randomElement(using: &random)?.number
      if isCareless, period == nil || slip(60) { period = number(1...9) }
      guard let period, !course.weeklyTimes.contains(where: { $0.weekday == weekday }) else { continue }
      let uses = uses(of: course, weekday: weekday, period: period, lead: lead, sites: sites)
      let isFree = uses?.allSatisfy { !isBusy($0.who, weekday: weekday, $0.minutes) } ?? false
      guard isFree || isCareless else { continue }
      for use in uses ?? [] { book(use.who, weekday: weekday, use.minutes) }
      var time = Course.WeeklyTime(
        weekday: weekday, period: period, weeks: chance(850) ? .all : chance(500) ? .odd : .even)
      if slip(200) { time.minutes = number(4...9) * 5 }
      for site in sites {
        let keeps = isCareless ? slip(400) : departs(site.school, from: lead, weekday: weekday, period: period)
        if keeps { time.adoptedBy.append(site.room) }
      }
      course.weeklyTimes.append(time)
      return
    }
  }

  /// Whom and what a weekly time needs, in which minutes of each season; nil where bells of some season do not have it.
  private func uses(
    of course: Course, weekday: Int, period: Int, lead: Int, sites: [(school: Int, room: Identifier)]
  ) -> [(who: Identifier, minutes: [Range<Int>])]? {
    let spans = Self.seasons.indices.compactMap { span(of: lead, season: $0, weekday: weekday, period: period) }
    guard spans.count == Self.seasons.count else { return nil }
    var uses = [course.lead.teacher, course.lead.room, course.lead.schoolClass].compactMap { $0 }
      .map { (who: $0, minutes: spans) }
    for site in sites {
      let occupied = spans.enumerated().map { touched(by: $1, at: site.school, season: $0, weekday: weekday) }
      guard occupied.allSatisfy({ $0 != nil }) else { return nil }
      let party = course.receivers.first { $0.room == site.room }
      for who in [site.room, party?.teacher, party?.schoolClass].compactMap({ $0 }) {
        uses.append((who, occupied.compactMap { $0 }))
      }
    }
    return uses
  }

  private func span(of school: Int, season: Int, weekday: Int, period: Int) -> Range<Int>? {
    schools[school].periods[season * 8 + weekday].first { $0.number == period }
      .map { $0.start.minute..<$0.end.minute }
  }

  /// A lesson and every period it touches; nil when it touches none.
  private func touched(by span: Range<Int>, at school: Int, season: Int, weekday: Int) -> Range<Int>? {
    let periods = schools[school].periods[season * 8 + weekday].map { $0.start.minute..<$0.end.minute }
      .filter { $0.overlaps(span) }
    guard let first = periods.first, let last = periods.last else { return nil }
    return min(span.lowerBound, first.lowerBound)..<max(span.upperBound, last.upperBound)
  }

  /// Whether the site would have to keep the lead's bell.
  private func departs(_ site: Int, from lead: Int, weekday: Int, period: Int) -> Bool {
    Self.seasons.indices.contains { season in
      guard let span = span(of: lead, season: season, weekday: weekday, period: period) else { return false }
      return !schools[site].periods[season * 8 + weekday].contains {
        abs($0.start.minute - span.lowerBound) <= 5 && span.upperBound - $0.end.minute <= 5
      }
    }
  }
}
