import Classroom
public import ControlAPI
import Foundation

/// How a lesson stands, as a page of text for people: its time and its lead on top, then a row for each seat.
public struct LessonWatchText: Sendable {
  let list: SeatList
  let language: Language

  public init(_ list: SeatList, in language: Language) {
    self.list = list
    self.language = language
  }

  private func text(_ key: String, _ arguments: [String: String] = [:]) -> String {
    Text.of("watch.\(key)", in: language, arguments)
  }

  /// A word for a code of an answer; one that has none is shown as it came.
  private func word(_ kind: String, _ code: String) -> String {
    let key = "watch.\(kind).\(code)"
    return Text.has(key, in: language) ? Text.of(key, in: language) : TerminalText.line(code)
  }

  /// The lines above the table.
  public var head: [String] {
    let state = "control.lessonState.\(list.state)"
    let stateWord = Text.has(state, in: language) ? Text.of(state, in: language) : TerminalText.line(list.state)
    return ["\(TerminalText.line(list.title))  \(stateWord)  \(time)"] + leads
  }

  /// The head, and the table of seats.
  public var whole: String { head.joined(separator: "\n") + "\n\n" + seats.text }

  public var isOver: Bool { ["ended", "cancelled", "notHeld"].contains(list.state) }

  /// Time to the bell, or what became of the lesson.
  private var time: String {
    if isOver {
      guard let reason = list.endReason else { return "" }
      return text("ended", ["reason": word("reason", reason)])
    }
    if list.now < list.plannedStart { return text("begins", ["time": Self.clock(list.plannedStart - list.now)]) }
    if list.now < list.plannedEnd { return text("ends", ["time": Self.clock(list.plannedEnd - list.now)]) }
    guard let endsBy = list.endsBy, let reason = list.endsReason else { return text("rung") }
    return text("overtime", ["time": Self.clock(endsBy - list.now), "reason": word("reason", reason)])
  }

  private var leads: [String] {
    guard !isOver else { return [] }
    var recording = text(list.isRecording ? "recording" : "notRecording")
    if list.isPaused { recording += "  " + text("paused") }
    guard !list.feeds.isEmpty else { return ["\(text("noLead"))  \(recording)"] }
    let feeds = list.feeds.map { feed in
      var parts = [
        Self.rate(feed.bitsPerSecond), Self.milliseconds(feed.roundTripMilliseconds), Self.share(feed.loss),
      ]
      if feed.isSilent { parts = [text("state.silent")] }
      let what = [
        feed.hasPicture ? text("hasPicture") : text("noPicture"), text(feed.hasSound ? "hasSound" : "noSound"),
      ]
      return ([word("feed", feed.feed)] + what + parts.filter { !$0.isEmpty }).joined(separator: "  ")
    }
    return feeds + [recording]
  }

  /// One row a seat.
  public var seats: TextTable {
    let columns = Self.columns
    var table = TextTable(
      columns.map { name in
        TextTable.Column(
          text("column.\(name)"), isNumber: ["loss", "roundTrip", "rate", "since", "attended"].contains(name))
      })
    for seat in list.seats {
      let state = word("state", seat.state.rawValue)
      table.add([
        TerminalText.line(seat.room ?? ""), TerminalText.line(seat.institution ?? ""), word("role", seat.role),
        seat.connections > 1 ? "\(state) ×\(seat.connections)" : state,
        floor(of: seat), seat.picture.map { word("picture", $0.rawValue) } ?? "", Self.share(seat.loss),
        Self.milliseconds(seat.roundTripMilliseconds), Self.rate(seat.bitsPerSecond),
        seat.connectedMilliseconds.map(Self.clock) ?? "",
        seat.role == "receiver" ? Self.clock(seat.attendedMilliseconds) : "",
      ])
    }
    return table
  }

  private static let columns = [
    "room", "school", "role", "state", "floor", "picture", "loss", "roundTrip", "rate", "since", "attended",
  ]

  private func floor(of seat: SeatReply) -> String {
    let words = [
      (seat.isCalled, "called"), (seat.hasRaisedHand, "hand"), (seat.isMuted, "muted"), (seat.isBanned, "banned"),
    ]
    return words.filter(\.0).map { text("floor.\($0.1)") }.joined(separator: " ")
  }

  /// What makes one moment another than the one before for whoever reads a log: states, not figures.
  public var changes: [String] {
    let feeds = list.feeds.map { "\($0.feed) \($0.isSilent) \($0.hasPicture) \($0.hasSound)" }
    let seats = list.seats.map {
      "\($0.seat) \($0.state.rawValue) \($0.connections) \($0.picture?.rawValue ?? "") " + floor(of: $0)
    }
    let isOvertime = list.now >= list.plannedEnd
    return [list.state, "\(list.plannedStart) \(list.plannedEnd)", "\(isOvertime) \(list.endsBy ?? 0)"]
      + ["\(list.isRecording) \(list.isPaused)"] + feeds + seats
  }

  // MARK: Figures

  /// `5:07`, or `1:02:03`.
  private static func clock(_ milliseconds: Int64) -> String {
    let seconds = max(0, milliseconds) / 1_000
    let rest = String(format: "%02d", seconds % 60)
    guard seconds >= 3_600 else { return "\(seconds / 60):\(rest)" }
    return "\(seconds / 3_600):\(String(format: "%02d", seconds / 60 % 60)):\(rest)"
  }

  private static func share(_ share: Double?) -> String {
    guard let share, share.isFinite else { return "" }
    return String(format: "%.1f %%", min(max(share, 0), 1) * 100)
  }

  private static func milliseconds(_ milliseconds: Double?) -> String {
    guard let milliseconds, (0...1e7).contains(milliseconds) else { return "" }
    return "\(Int(milliseconds.rounded())) ms"
  }

  private static func rate(_ bits: Int64?) -> String {
    guard let bits, bits >= 0 else { return "" }
    return bits < 1_000_000 ? "\(bits / 1_000) kbit/s" : String(format: "%.1f Mbit/s", Double(bits) / 1e6)
  }

  /// Keys that are put together, for whoever has words for them.
  package static let keys: [String] =
    SeatReply.State.allCases.map { "watch.state.\($0.rawValue)" }
    + SeatReply.Picture.allCases.map { "watch.picture.\($0.rawValue)" }
    + columns.map { "watch.column.\($0)" } + ["called", "hand", "muted", "banned"].map { "watch.floor.\($0)" }
    + ["lead", "receiver"].map { "watch.role.\($0)" } + ["camera", "screen"].map { "watch.feed.\($0)" }
    + reasons.map { "watch.reason.\($0)" }
    + [
      "begins", "ends", "ended", "rung", "overtime", "recording", "notRecording", "noLead", "hasPicture", "noPicture",
      "hasSound", "noSound", "paused",
    ].map { "watch.\($0)" }

  /// Why lessons end, besides what `LessonEnd` says.
  package static let reasons =
    LessonEnd.Reason.allCases.map(\.rawValue) + [
      "unheld", "lead", "operator", "observer", "receiver", "stopAll", "relayStopped", "moved",
      LessonDirector.playbackOver,
    ]
}

extension SeatLinks {
  /// A row for each seat, with the link that opens its page.
  public func table(in language: Language) -> TextTable {
    var table = TextTable(
      ["watch.column.role", "watch.column.room", "watch.column.school", "watch.link"].map {
        TextTable.Column(Text.of($0, in: language))
      })
    for link in links {
      let role = "watch.role.\(link.role)"
      table.add([
        Text.has(role, in: language) ? Text.of(role, in: language) : link.role, link.room, link.institution, link.page,
      ])
    }
    return table
  }
}
