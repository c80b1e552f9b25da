import AsyncHTTPClient
import CMeasure
import Foundation
import MediaWorker
import NIOCore
import NIOHTTP1
import RTCCore
import RTCWire

/// N receivers and L publishers of a relay, joined by real WHIP and WHEP.
final class LoadClient: Sendable {
  static let sessionsPerSeat = 16
  /// POSTs under way at once.
  private static let width = 16

  let loop: LoadLoop
  private let identity: DTLSIdentity

  init(limit: Int, profile: BenchProfile, pacing: Pacing, sampleInterval: UInt32 = 100) throws {
    identity = try DTLSIdentity.generate()
    loop = try LoadLoop(
      limit: limit, identity: identity, offered: profile.offered, pacing: pacing, sampleInterval: sampleInterval)
    loop.start()
  }

  func stop() { loop.stop() }

  /// Publishers first: numbers from 0, one for each lesson.
  func publish(_ lessons: [RelayCommand.LessonLinks]) async throws {
    for (place, lesson) in lessons.enumerated() {
      let number = UInt32(place)
      let description = try await join(lesson.whip, role: .whip, number: number)
      loop.send(.addPublisher(number, description, seed: UInt64(place) * 2 + 1))
    }
  }

  /// Receivers `range`, each at its lesson and seat, and waits until all are connected.
  /// - Parameter links: where each of them goes, beginning at the range's start.
  func receive(_ links: [RelayCommand.Links.End], numbers: Range<Int>) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      var next = 0
      while next < links.count {
        if next >= Self.width { _ = try await group.next() }
        let (link, number) = (links[next], UInt32(numbers.lowerBound + next))
        next += 1
        group.addTask {
          let description = try await self.join(link, role: .whep, number: number)
          self.loop.send(.addReceiver(number, description))
        }
      }
      try await group.waitForAll()
    }
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(60)
    while clock.now < deadline {
      let figures = try await loop.figures()
      guard figures.failed == 0 else { throw BenchError("\(figures.failed) receivers could not connect") }
      if figures.connected == figures.receivers { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    let figures = try await loop.figures()
    throw BenchError("\(figures.connected) of \(figures.receivers) receivers are connected after a minute")
  }

  private func join(
    _ link: RelayCommand.Links.End, role: NegotiationRole, number: UInt32
  ) async throws -> PeerDescription {
    let entered = try await enter(link, role: role, number: number, http: .shared)
    guard let description = entered.description else {
      throw BenchError("the relay answered \(entered.status): \(entered.text.prefix(200))")
    }
    return description
  }

  /// What a POST was answered; no description when it was refused, status 0 when not answered.
  struct Entered: Sendable {
    var description: PeerDescription?
    var status = 0
    var text = ""
    /// Of the session, as the relay wrote it.
    var location = ""
  }

  func enter(
    _ link: RelayCommand.Links.End, role: NegotiationRole, number: UInt32, http: HTTPClient
  ) async throws -> Entered {
    var random = SystemRandomNumberGenerator()
    func text(_ count: Int) -> String {
      String((0..<count).map { _ in Character(UnicodeScalar(UInt8.random(in: 97...122, using: &random))) })
    }
    let address = loop.address(number)
    let local = LocalTransport(
      credentials: ICECredentials(userFragment: text(8), password: text(24)), fingerprint: identity.fingerprint,
      candidates: [
        ICECandidateLine(
          foundation: "1", transport: "udp", priority: 2_130_706_431, address: address.addressText,
          port: address.port, type: "host")
      ], sessionID: UInt64(number) + 1)
    let tracks = [OfferedTrack(kind: .audio, encoding: .opus), OfferedTrack(kind: .video, encoding: .h264)]
    let offer = Negotiation.offer(role: role, tracks: tracks, local: local, random: &random)
    var request = HTTPClientRequest(url: link.url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/sdp")
    request.headers.add(name: "Authorization", value: "Bearer " + link.token)
    request.body = .bytes(ByteBuffer(string: offer.description.text))
    guard let response = try? await http.execute(request, timeout: .seconds(20)) else { return Entered() }
    let body = String(buffer: try await response.body.collect(upTo: 1 << 17))
    var entered = Entered(status: Int(response.status.code), text: body)
    guard response.status == .created else { return entered }
    entered.location = response.headers.first(name: "Location") ?? ""
    entered.description = try Negotiation.apply(
      answer: SessionDescription(parsing: body), to: offer, peer: PeerID(rawValue: UInt64(number) + 1),
      lesson: LessonID(rawValue: number), feed: FeedID(rawValue: 1))
    return entered
  }
}
