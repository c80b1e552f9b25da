import Foundation

/// What a page or program that follows a lesson is told, as server-sent events.
package enum LessonNews: Sendable {
  case state(String)
  case feeds([String])
  case peers(Int)
  case recording(Bool)
  case pane(peer: UInt64, mid: String, feed: String?, reason: String?)
  case degraded(peer: UInt64)
  case restored(peer: UInt64)
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
    }
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
    case .bye(let reason): body.reason = reason
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = (try? encoder.encode(body)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    return "event: \(name)\ndata: \(data)\n\n"
  }
}

/// Those who follow lessons; a follower that falls behind loses the oldest news, never holds anyone up.
struct Followers {
  static let limitOfLesson = 1_024
  private var streams: [UInt64: AsyncStream<LessonNews>.Continuation] = [:]
  private var next: UInt64 = 0

  var isFull: Bool { streams.count >= Self.limitOfLesson }

  mutating func add() -> (id: UInt64, stream: AsyncStream<LessonNews>) {
    let (stream, continuation) = AsyncStream.makeStream(of: LessonNews.self, bufferingPolicy: .bufferingNewest(64))
    next += 1
    streams[next] = continuation
    return (next, stream)
  }

  mutating func remove(_ id: UInt64) { streams.removeValue(forKey: id)?.finish() }

  func tell(_ news: LessonNews) {
    for continuation in streams.values { continuation.yield(news) }
  }

  mutating func end(_ reason: String) {
    for continuation in streams.values {
      continuation.yield(.bye(reason))
      continuation.finish()
    }
    streams.removeAll()
  }
}
