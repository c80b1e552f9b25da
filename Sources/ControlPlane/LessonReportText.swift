import Classroom
import Foundation
public import Ledger

/// A lesson's report in the forms people and programs read.
public struct LessonReportText: Sendable {
  public let report: LessonReport

  public init(_ report: LessonReport) { self.report = report }

  /// The lesson's lines, a table of its seats, and the definitions the figures were made with.
  public func table(in language: Language) -> String {
    func text(_ key: String, _ arguments: [String: String] = [:]) -> String {
      Text.of("report.\(key)", in: language, arguments)
    }
    let isAttended = report.seats.count { $0.attended }
    let receivers = report.seats.count { $0.role == .receiver }
    var seats = seatTable(in: language)
    seats.columns[0].title = text("room")
    let playback = report.playback.map { playback in
      text(
        "playback",
        [
          "played": Self.duration(playback.playedSeconds), "length": Self.duration(playback.lengthSeconds),
          "pauses": String(playback.pauses), "seeks": String(playback.seeks),
        ])
    }
    let lines = [
      report.title, "\(text("lesson")): \(report.lesson)",
      "\(text("state")): \(text("state.\(report.state.rawValue)"))",
      text("planned", ["start": Self.civil(report.plannedStart), "end": Self.civil(report.plannedEnd)]),
      text("live", ["live": Self.duration(report.liveSeconds), "planned": Self.duration(report.plannedSeconds)]),
      text(report.taught ? "taught" : "notTaught"),
      text("attendedSites", ["attended": String(isAttended), "receivers": String(receivers)]),
      playback,
    ].compactMap(\.self)
    let definitions = text(
      "definitions", ["version": String(report.thresholdsVersion), "events": String(report.events)])
    return lines.joined(separator: "\n") + "\n\n" + seats.text + "\n" + definitions + "\n"
  }

  private func seatTable(in language: Language) -> TextTable {
    func title(_ key: String) -> String { Text.of("report.\(key)", in: language) }
    var table = TextTable([
      .init(title("room")), .init(title("role")), .init(title("joins"), isNumber: true),
      .init(title("reconnects"), isNumber: true), .init(title("leaves"), isNumber: true),
      .init(title("attendance"), isNumber: true), .init(title("attended")),
    ])
    for seat in report.seats {
      table.add([
        seat.roomName.isEmpty ? String("\(seat.seat)".prefix(8)) : seat.roomName, title("role.\(seat.role.rawValue)"),
        String(seat.joins), String(seat.reconnects), String(seat.leaves), Self.duration(seat.attendanceSeconds),
        seat.role == .receiver ? title(seat.attended ? "yes" : "no") : "",
      ])
    }
    return table
  }

  /// One row a seat, with names of columns that never change.
  public var csv: String {
    var table = TextTable(
      [
        "lesson", "title", "state", "plannedStart", "plannedEnd", "plannedSeconds", "liveSeconds", "taught", "seat",
        "role", "room", "joins", "reconnects", "leaves", "attendanceSeconds", "attended", "thresholdsVersion",
      ].map { .init($0) })
    for seat in report.seats {
      table.add([
        "\(report.lesson)", report.title, report.state.rawValue, Self.utc(report.plannedStart),
        Self.utc(report.plannedEnd), String(report.plannedSeconds), String(report.liveSeconds), String(report.taught),
        "\(seat.seat)", seat.role.rawValue, seat.roomName, String(seat.joins), String(seat.reconnects),
        String(seat.leaves), String(seat.attendanceSeconds), String(seat.attended), String(report.thresholdsVersion),
      ])
    }
    return table.csv
  }

  /// Times are UTC by RFC 3339.
  public var json: String {
    let seats = report.seats.map { seat in
      JSONText.object([
        ("seat", JSONText.string("\(seat.seat)")), ("role", JSONText.string(seat.role.rawValue)),
        ("room", JSONText.string(seat.roomName)), ("joins", String(seat.joins)),
        ("reconnects", String(seat.reconnects)), ("leaves", String(seat.leaves)),
        ("attendanceSeconds", String(seat.attendanceSeconds)), ("attended", String(seat.attended)),
      ])
    }
    return JSONText.object([
      ("lesson", JSONText.string("\(report.lesson)")), ("title", JSONText.string(report.title)),
      ("state", JSONText.string(report.state.rawValue)),
      ("plannedStart", JSONText.string(Self.utc(report.plannedStart))),
      ("plannedEnd", JSONText.string(Self.utc(report.plannedEnd))), ("plannedSeconds", String(report.plannedSeconds)),
      ("liveSeconds", String(report.liveSeconds)), ("taught", String(report.taught)),
      ("thresholdsVersion", String(report.thresholdsVersion)), ("events", String(report.events)),
      ("playback", report.playback.map(Self.json)), ("seats", JSONText.array(seats)),
    ])
  }

  private static func json(_ playback: PlaybackReport) -> String {
    JSONText.object([
      ("source", playback.source.map { JSONText.string("\($0)") }), ("sessions", String(playback.sessions)),
      ("playedSeconds", String(playback.playedSeconds)), ("lengthSeconds", String(playback.lengthSeconds)),
      ("pauses", String(playback.pauses)), ("seeks", String(playback.seeks)),
    ])
  }

  private static func utc(_ milliseconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(milliseconds / 1_000)).formatted(.iso8601)
  }

  /// Civil time of the schools, whatever the machine's zone: UTC+8 all year.
  private static func civil(_ milliseconds: Int64) -> String {
    let text = utc(milliseconds + 8 * 3_600_000)
    return String(text.prefix(16)).replacingOccurrences(of: "T", with: " ")
  }

  /// Hours, minutes and seconds, `45:00` or `1:05:09`.
  static func duration(_ seconds: Int) -> String {
    let hours = seconds / 3_600
    let rest = String(format: hours > 0 ? "%02d:%02d" : "%d:%02d", seconds / 60 % 60, seconds % 60)
    return hours > 0 ? "\(hours):\(rest)" : rest
  }
}
