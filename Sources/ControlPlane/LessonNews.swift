import Classroom
import ControlAPI
import Foundation

/// What a page or program that follows a lesson is told, as server-sent events.
enum LessonNews: Sendable {
  case state(String)
  case feeds([String])
  case peers(Int)
  case recording(Bool)
  case pane(peer: UInt64, mid: String, feed: String?, reason: String?)
  case degraded(peer: UInt64)
  case restored(peer: UInt64)
  /// Who may be seen and heard, as far as its reader may know.
  case floor(FloorReply)
  /// A site has been thrown out, and may come back or not; `why` as it is told.
  case removed(isBanned: Bool, why: String)
  /// The relay's own time, when the bell rings, and by when it has to end; UTC milliseconds.
  case clock(now: Int64, plannedStart: Int64, end: LessonEnd)
  /// What an asynchronous lesson plays, and where it stands.
  case playback(PlaybackReply)
  case bye(String)

  var name: String {
    switch self {
    case .state: "state"
    case .feeds: "feeds"
    case .peers: "peers"
    case .recording: "recording"
    case .pane: "pane"
    case .degraded: "degraded"
    case .restored: "restored"
    case .floor: "floor"
    case .removed(let isBanned, _): isBanned ? "banned" : "ejected"
    case .clock: "clock"
    case .playback: "playback"
    case .bye: "bye"
    }
  }

  /// One event of the stream (WHATWG HTML §9.2.6).
  var text: String {
    struct Body: Encodable {
      var state: String?
      var live: [String]?
      var connected: Int?
      var on: Bool?
      var peer: String?
      var mid: String?
      var feed: String?
      var reason: String?
      var now: Int64?
      var plannedStart: Int64?
      var plannedEnd: Int64?
      var endsBy: Int64?
    }
    if case .floor(let floor) = self { return text(floor) }
    if case .playback(let playback) = self { return text(playback) }
    var body = Body()
    switch self {
    case .state(let state): body.state = state
    case .feeds(let live): body.live = live
    case .peers(let count): body.connected = count
    case .recording(let isOn): body.on = isOn
    case .pane(let peer, let mid, let feed, let reason):
      body.peer = String(peer)
      body.mid = mid
      body.feed = feed
      body.reason = reason
    case .degraded(let peer), .restored(let peer): body.peer = String(peer)
    case .removed(_, let why): body.reason = why
    case .clock(let now, let start, let end):
      (body.now, body.plannedStart, body.plannedEnd) = (now, start, end.plannedEnd)
      (body.endsBy, body.reason) = (end.endsBy, end.reason.rawValue)
    case .bye(let reason): body.reason = reason
    case .floor, .playback: break
    }
    return text(body)
  }

  private func text(_ body: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = (try? encoder.encode(body)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    return "event: \(name)\ndata: \(data)\n\n"
  }
}

/// Those who follow lessons; a follower that falls behind loses the oldest news, never holds anyone up.
///
/// News are written out once for all. What is about one seat's transport goes to that seat and to those who look after
/// the lesson: if every classroom heard of every other, a bell would cost the square of their number.
struct Followers {
  static let limitOfLesson = 1_024
  private struct Follower {
    let continuation: AsyncStream<String>.Continuation
    /// Nil hears of every seat.
    let seat: Identifier?
  }
  private var streams: [UInt64: Follower] = [:]
  private var next: UInt64 = 0

  var isFull: Bool { streams.count >= Self.limitOfLesson }
  var isEmpty: Bool { streams.isEmpty }

  /// - Parameter seat: the only one whose transports it hears of; nil hears of all.
  mutating func add(seat: Identifier?) -> (id: UInt64, stream: AsyncStream<String>) {
    let (stream, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(64))
    next += 1
    streams[next] = Follower(continuation: continuation, seat: seat)
    return (next, stream)
  }

  mutating func remove(_ id: UInt64) { streams.removeValue(forKey: id)?.continuation.finish() }

  /// - Parameter seat: the one it is about; nil is news for everyone.
  func tell(_ news: LessonNews, about seat: Identifier? = nil) {
    guard !streams.isEmpty else { return }
    let text = news.text
    for follower in streams.values where seat == nil || follower.seat == nil || follower.seat == seat {
      follower.continuation.yield(text)
    }
  }

  /// Tells each what it may know, written once for each seat.
  /// - Parameters:
  ///   - seat: of those that hear of one seat only, this one's are told; nil tells all.
  ///   - news: for a seat; for nil, for those who look after the lesson.
  func tell(seat: Identifier?, _ news: (Identifier?) -> LessonNews) {
    var written: [Identifier?: String] = [:]
    for follower in streams.values where seat == nil || follower.seat == nil || follower.seat == seat {
      let text = written[follower.seat] ?? news(follower.seat).text
      written[follower.seat] = text
      follower.continuation.yield(text)
    }
  }

  /// Tells one alone, as when it has just come.
  func tell(_ news: LessonNews, follower: UInt64) { streams[follower]?.continuation.yield(news.text) }

  mutating func end(_ reason: String) {
    tell(.bye(reason))
    for follower in streams.values { follower.continuation.finish() }
    streams.removeAll()
  }
}
