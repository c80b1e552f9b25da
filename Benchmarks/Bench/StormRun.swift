import AsyncHTTPClient
import CMeasure
import Foundation
import NIOCore
import NIOHTTP1
import RTCCore

/// One relay and its load, for what happens at once: joins, leaves, and receivers that do harm.
final class StormRun {
  let relay: RelayProcess
  let client: LoadClient
  private let http: HTTPClient
  /// The number of the next peer; none is used twice.
  private(set) var next = 0
  private static let width = 64

  /// A session that can be left again.
  struct Session: Sendable {
    var number: Int
    var location: String
    var token: String
  }

  /// What came of many joins.
  struct Joined: Sendable {
    var sessions: [Session] = []
    /// Answers other than 201, and POSTs that were not answered.
    var refused = 0
    var unanswered = 0
    /// Milliseconds of each POST.
    var posts: [Double] = []
    /// Milliseconds from the first POST until all of them were connected and had media; nil when it did not come to it.
    var complete: Double?
    var failed = 0
  }

  /// - Parameters:
  ///   - limit: peers of the whole run.
  ///   - processor: the only one that the relay runs on; nil leaves it all.
  init(
    lessons: Int, seats: Int, limit: Int, lines: [String], sampleInterval: UInt32 = 10, processor: Int? = nil
  ) throws {
    if Processors.count >= 2 { _ = tk_pin_process(Int32(Processors.count - 1)) }
    var settings = RelayProcess.Settings(lessons: lessons, lines: lines)
    settings.sessions = 4_000
    settings.processor = processor
    relay = try RelayProcess(receivers: seats, settings: settings)
    client = try LoadClient(limit: limit, profile: .gcm, pacing: .burst, sampleInterval: sampleInterval)
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.width
    http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  func stop() async {
    client.stop()
    try? await http.shutdown()
    relay.stop()
  }

  var lessons: [RelayCommand.LessonLinks] { relay.links.lessons }

  func publish(bitsPerSecond: Int) async throws {
    try await client.publish(lessons)
    next = lessons.count
    client.loop.send(.begin(bitsPerSecond: bitsPerSecond))
    try await Task.sleep(for: .seconds(2))
  }

  /// Joins within `spread`, and waits until all that were let in have media.
  /// - Parameter byTCP: whether the peer of a number comes by TCP.
  func join(
    _ links: [RelayCommand.Links.End], within spread: Duration,
    byTCP: @escaping @Sendable (Int) -> Bool = { _ in false }
  ) async throws -> Joined {
    let clock = ContinuousClock()
    let first = next
    next += links.count
    let start = clock.now
    var joined = Joined()
    try await withThrowingTaskGroup(of: (Session?, Int, Double).self) { group in
      for (place, link) in links.enumerated() {
        let moment = start + spread * place / max(links.count, 1)
        group.addTask { [client, http] in
          try await Task.sleep(until: moment, clock: clock)
          let begun = clock.now
          let entered = try await client.enter(link, role: .whep, number: UInt32(first + place), http: http)
          let milliseconds = Double((clock.now - begun) / .microseconds(1)) / 1_000
          guard let description = entered.description else { return (nil, entered.status, milliseconds) }
          client.loop.send(.addReceiver(UInt32(first + place), description, byTCP: byTCP(first + place)))
          let session = Session(number: first + place, location: entered.location, token: link.token)
          return (session, entered.status, milliseconds)
        }
      }
      for try await (session, status, milliseconds) in group {
        joined.posts.append(milliseconds)
        if let session {
          joined.sessions.append(session)
        } else if status == 0 {
          joined.unanswered += 1
        } else {
          joined.refused += 1
        }
      }
    }
    let wanted = Set(joined.sessions.map(\.number))
    let deadline = clock.now + .seconds(30)
    while clock.now < deadline {
      let peers = try await client.loop.figures().peers.filter { wanted.contains(Int($0.number)) }
      joined.failed = peers.count { $0.isFailed }
      if peers.count == wanted.count, peers.allSatisfy({ $0.isFailed || $0.packets > 0 }) {
        if joined.failed == 0 { joined.complete = Double((clock.now - start) / .microseconds(1)) / 1_000 }
        break
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    return joined
  }

  /// DELETEs sessions and forgets their peers.
  func leave(_ sessions: [Session]) async throws {
    client.loop.send(.remove(Set(sessions.map(\.number))))
    try await withThrowingTaskGroup(of: Void.self) { group in
      var begun = 0
      for session in sessions {
        if begun >= Self.width { _ = try await group.next() }
        begun += 1
        group.addTask { [http, base = relay.links.base] in
          let url = session.location.hasPrefix("http") ? session.location : base + session.location
          var request = HTTPClientRequest(url: url)
          request.method = .DELETE
          request.headers.add(name: "Authorization", value: "Bearer " + session.token)
          let response = try await http.execute(request, timeout: .seconds(20))
          _ = try await response.body.collect(upTo: 1 << 16)
          guard response.status == .ok else { throw BenchError("leaving was answered \(response.status.code)") }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Sum of a metric over its labels.
  static func total(_ name: String, _ metrics: [String: Double]) -> Double {
    metrics.reduce(0) { $0 + ($1.key == name || $1.key.hasPrefix(name + "{") ? $1.value : 0) }
  }

  /// Processor time of the longest turn so far.
  static func longestTurn(_ metrics: [String: Double]) -> Double {
    let turns = metrics.filter { $0.key.hasPrefix("tongke_") && $0.key.contains("longest_turn_seconds") }
    return (turns.map(\.value).max() ?? 0) * 1_000
  }

  /// Latencies in milliseconds of some receivers over a span, key frames left out; and what they had.
  func look(at numbers: Range<Int>, during body: () async throws -> Void) async throws -> Span {
    client.loop.send(.sampleOnly(numbers))
    client.loop.send(.sampleLatencies(true))
    _ = try await client.loop.takeLatencies()
    let clock = ContinuousClock()
    let before = try await client.loop.figures()
    let start = clock.now
    try await body()
    let after = try await client.loop.figures()
    var span = Span(seconds: Double((clock.now - start) / .microseconds(1)) / 1e6)
    span.latencies = try await client.loop.takeLatencies().others.map { $0 / 1e6 }
    client.loop.send(.sampleLatencies(false))
    for (peers, sign) in [(after.peers, Int64(1)), (before.peers, -1)] {
      for peer in peers where numbers.contains(Int(peer.number)) {
        span.packets += sign * Int64(peer.packets)
        span.missing += sign * peer.missing
      }
    }
    span.keyFrames = Int(after.keyFramesPublished - before.keyFramesPublished)
    return span
  }

  struct Span {
    var seconds: Double
    var latencies: [Double] = []
    var packets: Int64 = 0
    var missing: Int64 = 0
    var keyFrames = 0
  }
}
