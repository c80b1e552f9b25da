/// Which receiving rooms keep the lead's bell, as a cell of a sheet of courses.
extension Course {
  /// Rooms for all weekly times, such as `P07-2、P08-1`; behind a time and a colon those that do so at this time alone,
  /// such as `周一第3节:P07-2、P08-1、周三第2节:P07-2`. Only rooms that receive.
  static func readAdoption(_ row: SheetRow, _ value: inout Course, _ run: ImportRun) {
    guard row.has(.adoptedBy) else { return }
    let count = row.issues.count
    var adopted = value.weeklyTimes.map { _ in [Identifier]() }
    var places = Array(value.weeklyTimes.indices)
    let receivers = Set(value.receivers.map(\.room))
    for item in CellText.list(row.text(.adoptedBy)) where !item.isEmpty {
      var name = item
      if run.tables.rooms.keys[CellText.plain(item)] == nil, let colon = item.firstIndex(of: ":") {
        guard
          let named = row.read(
            .adoptedBy, String(item[..<colon]),
            { text throws(CellProblem) in
              try value.places(of: text)
            })
        else { return }
        places = named
        name = String(item[item.index(after: colon)...])
      }
      guard let room = row.read(.adoptedBy, name, run.tables.room) else { return }
      guard receivers.contains(room) else { return row.issue(.unknownReference, .adoptedBy, value: name) }
      for place in places where !adopted[place].contains(room) { adopted[place].append(room) }
    }
    guard row.issues.count == count else { return }
    for (place, rooms) in adopted.enumerated() {
      // The order of rooms means nothing; that of a time already there stays.
      if Set(rooms) != Set(value.weeklyTimes[place].adoptedBy) { value.weeklyTimes[place].adoptedBy = rooms }
    }
  }

  /// Those of its weekly times that a text names; weeks that it does not name are any.
  private func places(of text: String) throws(CellProblem) -> [Int] {
    let named = try CellText.weeklyTimes(text)
    let namesWeeks = CellText.plain(text).contains("(")
    let places = weeklyTimes.indices.filter { place in
      named.contains { time in
        time.weekday == weeklyTimes[place].weekday && time.period == weeklyTimes[place].period
          && (!namesWeeks || time.weeks == weeklyTimes[place].weeks)
      }
    }
    guard !places.isEmpty else { throw CellProblem(.unknownReference) }
    return places
  }

  func adoptionText(_ tables: ImportTables) -> String {
    func list(_ rooms: [Identifier]) -> String { rooms.map { tables.text(room: $0) }.joined(separator: "、") }
    guard let first = weeklyTimes.first?.adoptedBy else { return "" }
    if weeklyTimes.allSatisfy({ Set($0.adoptedBy) == Set(first) }) { return list(first) }
    return weeklyTimes.filter { !$0.adoptedBy.isEmpty }.map { time in
      var named = time
      named.minutes = nil
      return CellText.text(of: named) + ":" + list(time.adoptedBy)
    }.joined(separator: "、")
  }
}
