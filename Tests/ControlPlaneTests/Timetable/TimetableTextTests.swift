// Goal: a printed and an exported week say in words what a week is. Method: the labels in a real grid and a real CSES
// file.
import Classroom
import ControlPlane
import Testing

@Suite struct TimetableTextTests {
  typealias Sample = TimetableSample

  @Test func labelsOfAWeek() {
    let lesson = WeekLesson(
      weekday: 2, start: Sample.time("08:00"), end: Sample.time("08:40"), weeks: .odd, subject: "音乐")
    let some = WeekLesson(
      weekday: 3, start: Sample.time("08:00"), end: Sample.time("08:40"), weeks: WeekSet([2, 3]), subject: "美术")
    let grid = WeekGrid(
      periods: Sample.bells(Sample.school, ["08:00-08:40"]).periods, lessons: [lesson, some], termWeeks: 20,
      labels: TimetableText.gridLabels(title: "P07-2", in: .chinese))
    for text in ["节次", "第1节", "周二", "单周", "第2-3周"] { #expect(grid.text().contains(text), "\(text)") }
    #expect(!grid.text().contains("{"))
    #expect(grid.htmlPage.contains("lang=\"zh-CN\""))
    let file = CSESWriter.text(of: [lesson], termWeeks: 20, labels: TimetableText.csesLabels(in: .english)).text
    #expect(file.contains("Tuesday (odd weeks)"))
  }
}
