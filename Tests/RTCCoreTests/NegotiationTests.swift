// Goal: the offers of the field are answered as RFC 9725, WHEP and the relay's own rules want it, and bad ones are
// refused with the line that is to blame. Method: offers of our own in the shape of each client's.
import RTCCore
import RTCWire
import Testing

@Suite struct NegotiationTests {
  static let local = LocalTransport(
    credentials: ICECredentials(userFragment: "rly0", password: "relayrelayrelayrelayrela"),
    fingerprint: CertificateFingerprint(algorithm: "sha-256", digest: Array(repeating: 0xAB, count: 32)),
    candidates: [
      ICECandidateLine(
        foundation: "1", transport: "udp", priority: 2_130_706_431, address: "192.0.2.1", port: 4_000, type: "host")
    ], sessionID: 42)

  static func answer(
    _ text: String, _ role: NegotiationRole
  ) throws -> (answer: SessionDescription, peer: PeerDescription) {
    var random = SplitMix64(seed: 1)
    let result = try Negotiation.answer(
      offer: SessionDescription(parsing: text), role: role, local: local, peer: PeerID(rawValue: 1),
      lesson: LessonID(rawValue: 1), feed: FeedID(rawValue: 1), random: &random)
    // What is sent is the text: look at what a client reads of it.
    return (try SessionDescription(parsing: result.answer.text), result.peer)
  }

  static func refusal(_ text: String, _ role: NegotiationRole) -> NegotiationError? {
    do {
      _ = try answer(text, role)
      return nil
    } catch { return error as? NegotiationError }
  }

  @Test(arguments: OfferFixtures.all.map(\.name)) func everyClientIsAnswered(name: String) throws {
    let fixture = try #require(OfferFixtures.all.first { $0.name == name })
    let role: NegotiationRole = fixture.isPublisher ? .whip : .whep
    let offer = try SessionDescription(parsing: fixture.text)
    let (answer, peer) = try Self.answer(fixture.text, role)
    #expect(answer.media.map(\.kind) == offer.media.map(\.kind))
    #expect(answer.bundle == offer.bundle)
    #expect(answer.attributes.contains { $0.name == "ice-lite" })
    #expect(peer.iceRole == .lite && peer.lines.count == 2)
    #expect(peer.feed == (fixture.isPublisher ? FeedID(rawValue: 1) : nil))
    for (place, section) in answer.media.enumerated() {
      let offered = offer.media[place]
      #expect(section.port == 9 && section.mid == offered.mid)
      #expect(section.direction == (fixture.isPublisher ? "recvonly" : "sendonly"))
      #expect(section.has("rtcp-mux"))
      #expect(section.has("rtcp-mux-only") == offered.has("rtcp-mux-only"))
      #expect(section.has("rtcp-rsize") == offered.has("rtcp-rsize"))
      #expect(section.first("setup") == (name == "ffmpeg-whip" ? "active" : "passive"))
      #expect(section.first("ice-ufrag") == "rly0")
      // Candidates lie in the first section, where clients that read one line look for them.
      #expect(section.candidates.count == (place == 0 ? 1 : 0))
      let known = Set(
        offered.rtpMaps.filter { ["opus", "h264", "vp8", "vp9", "av1"].contains($0.encoding) }.map(\.payloadType))
      let kept = Set(section.rtpMaps.filter { $0.encoding != "rtx" }.map(\.payloadType))
      #expect(kept == known, "all shared codecs and no other")
      // Every codec with the retransmission that was offered for it.
      for map in offered.rtpMaps where map.encoding == "rtx" {
        guard let original = offered.formatParameters(map.payloadType)["apt"].flatMap({ UInt8($0) }),
          known.contains(original)
        else { continue }
        #expect(section.formatParameters(map.payloadType)["apt"] == String(original))
        #expect(section.formats.contains(String(map.payloadType)))
      }
    }
    #expect(peer.dtlsRole == (name == "ffmpeg-whip" ? .client : .server))
  }

  @Test func aPublisherIsAnsweredBaselineModeOneFirst() throws {
    let (answer, peer) = try Self.answer(OfferFixtures.chromiumPublisher(simulcast: false), .whip)
    #expect(answer.media[1].formats.first == "108")
    let codec = try #require(peer.lines[1].codecs.first)
    #expect(codec.encoding == .h264 && codec.packetizationMode == 1 && codec.profileLevelID == 0x42E01F)
    #expect(codec.retransmissionPayloadType == 109)
    #expect(peer.lines[1].sources == [AnnouncedSource(ssrc: 3_000_000_001, retransmission: 3_000_000_002)])
    // A receiver's own order stands.
    let (watched, _) = try Self.answer(OfferFixtures.chromiumReceiver, .whep)
    #expect(watched.media[1].formats.first == "96")
  }

  @Test func simulcastIsReceivedInTheOffersOrder() throws {
    let (answer, peer) = try Self.answer(OfferFixtures.chromiumPublisher(simulcast: true), .whip)
    #expect(answer.media[1].all("rid") == ["q recv", "h recv", "f recv"])
    #expect(answer.media[1].first("simulcast") == "recv q;h;f")
    #expect(peer.lines[1].rids == ["q", "h", "f"])
    let ids = peer.lines[1].extensions
    #expect(ids.mid == 4 && ids.rid == 10 && ids.repairedRID == 11 && ids.transportSequence == 3)
    #expect(answer.media[1].extensionMap.map(\.id).sorted() == [2, 3, 4, 10, 11])
  }

  @Test func clientsWithoutFeedbackOrExtensionsGetNone() throws {
    let (answer, peer) = try Self.answer(OfferFixtures.ffmpegPublisher, .whip)
    #expect(answer.media.allSatisfy { $0.extensionMap.isEmpty && $0.all("rtcp-fb").isEmpty })
    #expect(peer.lines.allSatisfy { $0.feedback.isEmpty && $0.extensions == ExtensionIDs() })
    #expect(!peer.reducedSizeRTCP)
    // ffmpeg takes 8,192 bytes at most, beginning with v=.
    #expect(answer.text.utf8.count < 8_192 && answer.text.hasPrefix("v=0"))
  }

  @Test func aPaneHasItsOwnSourceAndSharesItsStreamWithItsSound() throws {
    let (answer, peer) = try Self.answer(OfferFixtures.chromiumReceiver, .whep)
    for (section, line) in zip(answer.media, peer.lines) {
      let source = try #require(line.sources.first)
      #expect(section.ssrcs.first == source.ssrc)
      #expect(section.retransmissionPairs.first?.retransmission == source.retransmission)
    }
    func stream(_ section: MediaDescription) -> Substring? { section.first("msid")?.split(separator: " ").first }
    #expect(stream(answer.media[0]) == stream(answer.media[1]))
    #expect(peer.lines[1].sources[0].retransmission != nil)
  }

  @Test func clientsReadOurAnswersAndWeReadTheirs() throws {
    var random = SplitMix64(seed: 3)
    let tracks = [OfferedTrack(kind: .audio, encoding: .opus), OfferedTrack(kind: .video, encoding: .vp8)]
    for role in [NegotiationRole.whip, .whep] {
      let offer = Negotiation.offer(role: role, tracks: tracks, local: Self.local, random: &random)
      let (answer, peer) = try Self.answer(offer.description.text, role)
      let client = try Negotiation.apply(
        answer: answer, to: offer, peer: PeerID(rawValue: 1), lesson: LessonID(rawValue: 1), feed: nil)
      #expect(client.iceRole == .controlling && client.dtlsRole == .client && peer.dtlsRole == .server)
      #expect(client.remoteCandidates == [SocketAddress(ipv4: 0xC000_0201, port: 4_000)])
      #expect(client.lines.map(\.mid) == peer.lines.map(\.mid))
      for (mine, theirs) in zip(client.lines, peer.lines) {
        #expect(mine.extensions == theirs.extensions)
        #expect(Set(mine.codecs.map(\.payloadType)) == Set(theirs.codecs.map(\.payloadType)))
      }
    }
  }

  // MARK: What is refused, and where

  struct Case: Sendable, CustomTestStringConvertible {
    var find: String
    var replacement: String
    var reason: NegotiationError.Reason
    var isUnusable: Bool
    /// The line of the offer that must be named: the one that begins like this, in the changed text.
    var blamed: String?
    var testDescription: String { reason.rawValue }
  }

  static let cases: [Case] = [
    Case(
      find: "a=setup:actpass", replacement: "a=setup:holdconn", reason: .badSetup, isUnusable: false, blamed: "a=setup"
    ),
    Case(
      find: "a=ice-ufrag:Kq3+", replacement: "a=ice-ufrag:K", reason: .badCredentials, isUnusable: false,
      blamed: "a=ice-ufrag"),
    Case(
      find: "a=ice-pwd:p0o9i8u7y6t5r4e3w2q1AbCd", replacement: "a=x:y", reason: .noCredentials, isUnusable: false,
      blamed: "m=audio"),
    Case(
      find: "a=fingerprint:sha-256 00:", replacement: "a=fingerprint:sha-256 ", reason: .badFingerprint,
      isUnusable: false, blamed: "a=fingerprint"),
    Case(
      find: OfferFixtures.fingerprint,
      replacement: "sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33",
      reason: .unsupportedFingerprint,
      isUnusable: true, blamed: "a=fingerprint"),
    Case(find: "a=mid:1", replacement: "a=mid:0", reason: .duplicateMID, isUnusable: false, blamed: "m=video"),
    Case(
      find: "a=sendonly", replacement: "a=recvonly", reason: .wrongDirection, isUnusable: true, blamed: "m=audio"),
    Case(
      find: "opus/48000/2", replacement: "speex/16000", reason: .noCommonCodec, isUnusable: true, blamed: "m=audio"),
    Case(
      find: "a=group:BUNDLE 0 1", replacement: "a=group:BUNDLE 0", reason: .notBundled, isUnusable: true,
      blamed: "m=video"),
    Case(find: "a=rtcp-mux\r\n", replacement: "", reason: .noMultiplexing, isUnusable: true, blamed: "m=audio"),
    Case(
      find: "UDP/TLS/RTP/SAVPF", replacement: "RTP/AVP", reason: .unsupportedTransport, isUnusable: true,
      blamed: "m=audio"),
  ]

  @Test(arguments: cases) func badOffersAreRefusedWithTheirLine(wrong: Case) throws {
    let text = OfferFixtures.chromiumPublisher(simulcast: false).replacing(wrong.find, with: wrong.replacement)
    let error = try #require(Self.refusal(text, .whip))
    #expect(error.reason == wrong.reason)
    #expect(error.isUnusable == wrong.isUnusable)
    let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
    let blamed = lines.firstIndex { $0.hasPrefix(wrong.blamed ?? "") }.map { $0 + 1 }
    #expect(error.line == blamed)
  }

  @Test func aSecondTrackOfAKindIsRefusedToPublishersOnly() throws {
    let sections = OfferFixtures.chromiumReceiver.replacing("a=group:BUNDLE 0 1", with: "a=group:BUNDLE 0 1 2")
    let video = try #require(sections.firstRange(of: "m=video"))
    let third = sections[video.lowerBound...].replacing("a=mid:1", with: "a=mid:2")
    let (answer, peer) = try Self.answer(sections + third, .whep)
    #expect(peer.lines.count == 3 && answer.media.count == 3)
    #expect(Set(peer.lines.map { $0.sources[0].ssrc }).count == 3)
    let published = (sections + third).replacing("a=recvonly", with: "a=sendonly")
    let error = try #require(Self.refusal(published, .whip))
    #expect(error.reason == .tooManyTracks && error.isUnusable)
    let line = published.split(separator: "\r\n").lastIndex { $0.hasPrefix("m=video") }.map { $0 + 1 }
    #expect(error.line == line)
  }

  @Test func aPaneWithoutACommonCodecIsRefusedAloneToReceivers() throws {
    let text = OfferFixtures.chromiumReceiver.replacing("opus/48000/2", with: "speex/16000")
    let (answer, peer) = try Self.answer(text, .whep)
    #expect(answer.media[0].port == 0 && peer.lines.map(\.kind) == [.video])
    #expect(answer.bundle == ["1"])
    // The first section that stands carries the candidates.
    #expect(answer.media[1].candidates.count == 1)
  }

  /// A parameter without a name, numbers with signs, a mode nobody uses: read or left out, never a trap.
  @Test func oddParametersAreLeftOut() throws {
    let text = OfferFixtures.chromiumPublisher(simulcast: false)
      .replacing("a=fmtp:111 minptime=10;useinbandfec=1", with: "a=fmtp:111 =;==;;a=;=b; ;")
      .replacing("packetization-mode=1;profile-level-id=4d001f", with: "packetization-mode=2;profile-level-id=zz")
    let (_, peer) = try Self.answer(text, .whip)
    #expect(!peer.lines[1].codecs.contains { $0.payloadType == 116 })
    #expect(peer.lines[0].codecs.map(\.payloadType) == [111])
  }
}
