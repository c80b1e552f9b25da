import Classroom
import Foundation
import Simulation

/// A county that can be published, as values and as the sheets that a coordinator would import.
struct TimetableCounty {
  let county: SyntheticCounty
  let timetables: [Timetable]
  /// Files by name: everything but local lessons.
  let sheets: [(name: String, data: Data)]
  /// Local lessons of the first term, in files of whole classes that are short enough to be imported.
  let locals: [(name: String, data: Data)]
  let localLessons: Int

  /// A seeded county without its mistakes: bandwidths that suffice, and no school with days of its own.
  init(seed: UInt64, scale: SyntheticCounty.Scale) {
    county = SyntheticCounty(seed: seed, scale: scale)
    let rooms = county.rooms.map { room in
      var room = room
      room.downlink = room.downlink.map { max($0, 2_500) }
      room.uplink = room.uplink.map { max($0, 500) }
      return room
    }
    // Names of schedules are what a sheet finds them by.
    var names: [Identifier: [String: Int]] = [:]
    let bells = county.bells.map { bell in
      var bell = bell
      let count = names[bell.institution, default: [:]][bell.name, default: 0] + 1
      names[bell.institution, default: [:]][bell.name] = count
      if count > 1 { bell.name += "\(count)" }
      return bell
    }
    // Teachers among themselves have no class, and so no grades.
    let courses = county.courses.map { courses in
      courses.map { course in
        var course = course
        if course.grades.isEmpty { course.grades = [3] }
        return course
      }
    }
    let terms = county.terms.map { term in
      var term = term
      term.deviations = []
      return term
    }
    let county = county
    timetables = terms.indices.map { index in
      Timetable(
        term: terms[index], subjects: SubjectTable.standard.subjects, institutions: county.institutions, rooms: rooms,
        classes: county.classes, persons: county.persons, clusters: county.clusters, courses: courses[index],
        bells: bells, localLessons: county.localLessons[index])
    }
    var base = ImportBase(
      institutions: county.institutions, rooms: rooms, persons: county.persons, classes: county.classes,
      clusters: county.clusters, bells: bells, terms: terms, courses: Array(courses.joined()))
    let kinds: [SheetKind] = [.institutions, .rooms, .persons, .classes, .clusters, .bells, .terms, .courses]
    sheets = kinds.map { ("\($0.rawValue).csv", Self.csv(base.table(of: $0))) }
    var parts: [[LocalLesson]] = [[]]
    for (_, lessons) in county.localLessons[0].sorted(by: { $0.key < $1.key }) {
      if parts[parts.count - 1].count + lessons.count > Self.partLimit { parts.append([]) }
      parts[parts.count - 1] += lessons
    }
    localLessons = parts.reduce(0) { $0 + $1.count }
    locals = parts.enumerated().map { place, part in
      base.localLessons = part
      return ("localLessons-\(place + 1).csv", Self.csv(base.table(of: .localLessons)))
    }
  }

  /// Rows of one file of local lessons; an import takes 200,000.
  private static let partLimit = 100_000

  private static func csv(_ table: [[String]]) -> Data {
    var writer = CSVWriter(header: table[0])
    for row in table.dropFirst() { writer.add(row.map(CSVCell.text)) }
    return Data(writer.text.utf8)
  }

  /// Writes all files into a folder and returns the paths of the sheets.
  func write(to folder: URL) throws -> [String] {
    for file in sheets + locals { try file.data.write(to: folder.appending(path: file.name)) }
    return sheets.map { folder.appending(path: $0.name).path }
  }

  /// A draft's occurrences of both terms.
  var lessons: Int {
    timetables.reduce(0) { sum, timetable in
      sum + timetable.courses.reduce(0) { $0 + timetable.occurrences(of: $1).dated.count }
    }
  }
}
