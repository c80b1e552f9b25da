import Classroom
import RTCCore

extension CountyPlanner {
  /// Two terms with the holidays of their months; a tenth of the counties and schools have days of their own.
  mutating func makeTerms(in county: inout SyntheticCounty) {
    let isShort = scale.weeks < 10
    func rule(_ from: String, _ through: String, _ name: String, _ kind: CalendarRule.Kind = .holiday) -> CalendarRule
    {
      CalendarRule(from: Self.date(from), through: Self.date(through), kind: kind, name: name)
    }
    let autumn = [
      rule("2026-09-25", "2026-09-25", "中秋节"), rule("2026-10-01", "2026-10-07", "国庆节"),
      rule("2026-09-20", "2026-09-20", "调休", .follows(weekday: 2, week: nil)),
      rule("2026-10-10", "2026-10-10", "调休", .follows(weekday: 3, week: 4)), rule("2027-01-01", "2027-01-01", "元旦"),
    ]
    let spring = [
      rule("2027-04-05", "2027-04-05", "清明节"), rule("2027-05-01", "2027-05-05", "劳动节"),
      rule("2027-05-08", "2027-05-08", "调休", .follows(weekday: 1, week: nil)),
      rule("2027-06-09", "2027-06-09", "端午节"),
    ]
    let firstDays = isShort ? ["2026-09-14", "2027-04-19"] : ["2026-09-01", "2027-02-22"]
    county.terms = zip(firstDays, [autumn, spring]).enumerated().map { index, term in
      Term(
        id: identifier(), code: "2026-2027-\(index + 1)", name: index == 0 ? "2026 年秋季学期" : "2027 年春季学期",
        firstDay: Self.date(term.0), weeks: scale.weeks, rules: term.1)
    }
  }

  /// Every fifth institution is a school; the teaching points behind it belong to it.
  mutating func makeInstitutions(in county: inout SyntheticCounty) {
    let regions = ["东江县", "西江县"]
    var parent: Identifier?
    for index in 0..<scale.institutions {
      let isSchool = index % 5 == 0 || (index == 1 && scale.institutions < 10)
      let id = identifier()
      if isSchool { parent = id }
      let region = regions[scale.institutions < 20 || index * 10 < scale.institutions * 9 ? 0 : 1]
      county.institutions.append(
        Institution(
          id: id, number: (isSchool ? "C" : "P") + padded(index, 4), kind: isSchool ? .school : .teachingPoint,
          name: Self.places[index % Self.places.count] + Self.ordinals[index / Self.places.count % Self.ordinals.count]
            + (isSchool ? "中心小学" : "教学点"),
          code: isSchool ? "2143" + padded(index, 6) : nil, parent: isSchool ? nil : parent,
          setting: isSchool ? pick([.urban, .town, .rural]) : .rural, region: region))
      schools.append(School(institution: id, isSchool: isSchool))
      makeClasses(of: index, in: &county)
      makeTeachers(of: index, in: &county)
      makeBells(of: index, in: &county)
      makeDeviations(of: index, in: &county)
    }
    makeRooms(in: &county)
  }

  private func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// A school has a class each grade, some have junior grades; a teaching point has one or two classes, often 复式.
  private mutating func makeClasses(of index: Int, in county: inout SyntheticCounty) {
    let grades: [[Int]]
    if schools[index].isSchool {
      grades = (scale.institutions < 20 ? [3, 4] : Array(1...(chance(100) ? 9 : 6))).map { [$0] }
    } else {
      let several: [[[Int]]] = [[[1, 2]], [[1], [2]], [[1, 2, 3]], [[1, 3], [2, 4]], [[3, 4], [5, 6]]]
      grades = pick(several)
    }
    for (place, grades) in grades.enumerated() {
      schools[index].classes.append(county.classes.count)
      county.classes.append(
        SchoolClass(
          id: identifier(), number: county.institutions[index].number + "-B\(place + 1)",
          institution: schools[index].institution, name: grades.map { "\($0)" }.joined(separator: "、") + "年级",
          typeCode: schools[index].isSchool ? "10" : grades.count > 1 ? "12" : "13",
          cohorts: grades.map {
            .init(entryYear: 2027 - $0, headCount: number(schools[index].isSchool ? 25...50 : 2...15))
          }))
    }
  }

  /// Two teachers of one name in one school are two people.
  private mutating func makeTeachers(of index: Int, in county: inout SyntheticCounty) {
    for place in 0..<(schools[index].classes.count + (scale.institutions < 20 ? 0 : 2)) {
      let id = identifier()
      county.persons.append(
        Person(
          id: id, institution: schools[index].institution,
          name: pick(Self.surnames) + pick(Self.givenNames), staffNumber: padded(place + 1, 4)))
      schools[index].teachers.append(id)
    }
  }

  /// One room each, the others in turn; most are accepted, a few lines are thin.
  private mutating func makeRooms(in county: inout SyntheticCounty) {
    for place in 0..<scale.rooms {
      let index = place < schools.count ? place : number(0...schools.count - 1)
      let id = identifier()
      let isAccepted = chance(950)
      let count = schools[index].rooms.count
      county.rooms.append(
        Room(
          id: id, institution: schools[index].institution, number: county.institutions[index].number + "-\(count + 1)",
          name: schools[index].isSchool ? "主讲教室" : "听讲教室", equipment: "交互式大屏、摄像机、拾音器",
          acceptedAt: isAccepted ? 1_779_000_000_000 : nil, downlink: isAccepted ? number(15...500) * 200 : nil,
          uplink: isAccepted ? number(3...100) * 100 : nil))
      schools[index].rooms.append(id)
      roomPlaces[id] = index
      if schools[index].classes.indices.contains(count) {
        county.classes[schools[index].classes[count]].homeRoom = id
      }
    }
  }

  /// Bells of the whole year, or of summer and winter; some schools end earlier on Friday, some ring nothing known.
  private mutating func makeBells(of index: Int, in county: inout SyntheticCounty) {
    defer {
      schools[index].periods = (0..<Self.seasons.count * 8).map { place in
        schools[index].bells.periods(on: Self.date(Self.seasons[place / 8]), weekday: place % 8)
      }
    }
    if slip(80) { return }
    let start = 470 + 5 * number(0...6) + (slip(500) ? number(1...4) : 0)
    let length = chance(200) ? 45 : 40
    let pause = number(1...3) * 5 + 15
    let noon = 840 + 5 * number(0...4) + (slip(500) ? number(1...4) : 0)
    func day(_ shift: Int, _ afternoon: Int) -> [BellSchedule.Period] {
      let starts =
        (0..<4).map { start + shift + $0 * (length + 10) + ($0 >= 2 ? pause - 10 : 0) }
        + (0..<afternoon).map { noon - shift + $0 * (length + 10) }
      return starts.enumerated().map {
        .init(number: $0 + 1, start: Self.time($1), end: Self.time($1 + length))
      }
    }
    let winter = 5 * number(1...4)
    let seasons: [(String, String?, String?, Int)] =
      chance(500)
      ? [("作息时间", nil, nil, 0)]
      : [("夏季作息", nil, "2026-09-30", 0), ("冬季作息", "2026-10-01", "2027-04-30", winter), ("夏季作息", "2027-05-01", nil, 0)]
    let isShortFriday = chance(150)
    var own: [BellSchedule] = []
    for (name, from, through, shift) in seasons {
      let schedule = BellSchedule(
        id: identifier(), institution: schools[index].institution, name: name, from: from.map(Self.date),
        through: through.map(Self.date), periods: day(shift, 3))
      own.append(schedule)
      guard isShortFriday else { continue }
      own.append(
        BellSchedule(
          id: identifier(), institution: schools[index].institution, name: "周五" + name, from: schedule.from,
          through: schedule.through, weekdays: [5], periods: day(shift, 1)))
    }
    schools[index].bells = SchoolBells(own)
    county.bells += own
  }

  /// A school's own holiday, and first weeks that are not the county's; in disorder half days that follow others.
  private mutating func makeDeviations(of index: Int, in county: inout SyntheticCounty) {
    guard chance(100) else { return }
    let isShifted = chance(300)
    let week = number(0...max(0, min(scale.weeks, 12) - 1))
    let day = number(0...4)
    let part = pick(DayPart.allCases)
    let kind: CalendarRule.Kind =
      slip(600) ? .follows(weekday: number(1...7), week: chance(300) ? number(1...5) : nil) : .holiday
    for term in county.terms.indices {
      let date = county.terms[term].firstDay.monday + (week * 7 + day)
      county.terms[term].deviations.append(
        Term.Deviation(
          institution: schools[index].institution,
          firstDay: isShifted ? county.terms[term].firstDay + 7 : nil,
          rules: [CalendarRule(from: date, through: date, part: part, kind: kind, name: "校历")]))
    }
  }

  private static let places = [
    "东山", "西河", "南坪", "北塘", "石桥", "青岭", "白沙", "双江", "龙泉", "枫林", "大坪", "小溪", "新田", "古城", "长冲", "竹溪",
    "梅花", "柳塘", "高峰", "清水",
  ]
  private static let ordinals = [
    "", "上", "下", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "前", "后", "中", "左", "右", "内", "外",
  ]
  private static let surnames = ["王", "李", "张", "刘", "陈", "杨", "黄", "赵", "周", "吴", "欧阳", "唐", "蒋", "何"]
  private static let givenNames = ["芳", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀英"]
}
