import Classroom
import Ledger
import Media
import Recorder

/// What chapters are called that have no name of their own, in the language of whoever runs the relay.
public struct ChapterWords: Sendable {
  /// The teacher's screen is shared.
  public var screen: String
  /// A marker without a label.
  public var marker: String
  /// A site without a room.
  public var site: String

  public init(screen: String, marker: String, site: String) {
    self.screen = screen
    self.marker = marker
    self.site = site
  }
}

/// Moments of a lesson that its recordings are divided at: a site is called, the screen is shared, a marker is set.
struct LessonMoments {
  private struct Moment {
    /// UTC milliseconds.
    var at: Int64
    var title: String
  }

  private let title: String
  private var moments: [Moment] = []

  /// Cost: the lesson's events, and its rooms.
  init(of lesson: Lesson, in store: LedgerStore, words: ChapterWords) throws {
    title = lesson.title
    for event in try store.events(lesson: lesson.id) {
      switch event.kind {
      case .markerSet:
        let label = event["label"] ?? ""
        moments.append(Moment(at: event.at, title: label.isEmpty ? words.marker : label))
      case .published where event["feed"] == "screen" && event["replaces"] == nil:
        moments.append(Moment(at: event.at, title: words.screen))
      case .seatCalled:
        let name = try event.seat.flatMap { try Self.name(of: $0, in: store) }
        moments.append(Moment(at: event.at, title: name ?? words.site))
      default: break
      }
    }
  }

  /// The school and the room.
  private static func name(of seat: Identifier, in store: LedgerStore) throws -> String? {
    guard let room = try store.seat(seat)?.room.flatMap({ try store.room($0) }) else { return nil }
    guard let school = try store.institution(room.institution), school.name != room.name else { return room.name }
    return school.name + " " + room.name
  }

  /// Chapters of a recording, the first from its beginning and named as the lesson; none where nothing divides it.
  /// - Parameters:
  ///   - startsAt: UTC milliseconds of its zero, by the clock of the feed's first run.
  ///   - offsets: of the feed's runs, as `UnitFlow` has them.
  func chapters(
    startsAt: Int64, milliseconds: Int64, of found: FoundFeed, offsets: [Int64]
  ) -> [FileChapter] {
    var starts: [(Int64, String)] = [(0, title)]
    for moment in moments {
      let at = Self.place(moment.at, found, offsets) &- startsAt
      // A moment of the very end divides nothing.
      guard at > 0, at < milliseconds - 500, starts.count < FileChapter.limit else { continue }
      starts.append((at, moment.title))
    }
    guard starts.count > 1 else { return [] }
    starts.sort { $0.0 < $1.0 }
    let ends = starts.dropFirst().map(\.0) + [milliseconds]
    return zip(starts, ends).filter { $1 > $0.0 }.map { FileChapter(start: $0.0, end: $1, title: $0.1) }
  }

  /// A moment by the clock of the feed's first run, which later ones may differ from.
  private static func place(_ at: Int64, _ found: FoundFeed, _ offsets: [Int64]) -> Int64 {
    guard let first = found.runs.first?.start, (0..<Limits.latestTime).contains(at) else { return at }
    let run = found.runs.lastIndex { $0.start.wall / 1_000 <= at } ?? 0
    guard offsets.indices.contains(run) else { return at }
    let start = found.runs[run].start
    let line = at &* 1_000 &- start.wall &+ start.monotonic &+ offsets[run]
    return (line &- first.monotonic &+ first.wall) / 1_000
  }
}

/// Chapters as text beside a recording (W3C WebVTT §3.1, cues of kind `chapters`).
enum WebVTT {
  static func text(_ chapters: [FileChapter]) -> String {
    var text = "WEBVTT\n"
    for (number, chapter) in chapters.enumerated() {
      text += "\n\(number + 1)\n\(time(chapter.start)) --> \(time(chapter.end))\n\(escaped(chapter.title))\n"
    }
    return text
  }

  /// `00:00:00.000`.
  private static func time(_ milliseconds: Int64) -> String {
    func padded(_ value: Int64, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let seconds = milliseconds / 1_000
    return "\(padded(seconds / 3_600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
      + ".\(padded(milliseconds % 1_000, 3))"
  }

  /// On one line, and no tag or reference.
  private static func escaped(_ title: String) -> String {
    var text = ""
    for character in title {
      switch character {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      default: text.append(character.isNewline ? " " : character)
      }
    }
    return text.allSatisfy(\.isWhitespace) ? "—" : text
  }
}
