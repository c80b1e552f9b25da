package import Classroom

/// The words that a printed or exported week is made with.
package enum TimetableText {
  /// What a printed week is labelled with; `title` stands over it.
  package static func gridLabels(title: String, in language: Language) -> WeekGrid.Labels {
    func text(_ key: String) -> String { Text.of("timetable.\(key)", in: language) }
    return WeekGrid.Labels(
      language: language.rawValue, title: title, periods: text("column.period"), period: text("period"),
      days: days(in: language), odd: text("weeks.odd"), even: text("weeks.even"), weeks: text("weeks.some"),
      local: text("local"))
  }

  /// What the schedules of an exported week are called.
  package static func csesLabels(in language: Language) -> CSESWriter.Labels {
    func bracketed(_ key: String) -> String { language.inBrackets(Text.of("timetable.\(key)", in: language)) }
    return CSESWriter.Labels(days: days(in: language), odd: bracketed("weeks.odd"), even: bracketed("weeks.even"))
  }

  private static func days(in language: Language) -> [String] {
    (1...7).map { Text.of("timetable.weekday.\($0)", in: language) }
  }
}
