// Goal: single steps of the core do what they should, those among them that once did not. Method: packets made by hand.
import PacketRing
import RTCCore
import RTCWire
import Testing

@Suite struct RelayCoreTests {
  static let sps: [UInt8] = [0x67, 0x42, 0xC0, 0x1F, 0xDA, 0x01, 0x40, 0x16, 0xE8, 0x06, 0xD0, 0xA1, 0x35]

  static func publisher(_ bench: CoreBench, codecs: [Codec] = [CoreBench.h264(102)]) -> CoreBench.FarEnd {
    bench.connect([CoreBench.line(.video, .receive, codecs, mid: "1")], feed: CoreBench.feed)
  }

  static func receiver(_ bench: CoreBench, codecs: [Codec] = [CoreBench.h264(102)]) -> CoreBench.FarEnd {
    bench.connect([CoreBench.line(.video, .send, codecs, mid: "1", ssrc: 900)])
  }

  /// One of several equal pictures: two packets, the second last.
  static func picture(
    _ bench: CoreBench, _ end: CoreBench.FarEnd, first sequence: Int64, timestamp: UInt32, ssrc: UInt32 = 10
  ) {
    bench.send(
      end, type: 102, sequence: sequence, timestamp: timestamp, ssrc: ssrc, mid: "1", payload: [0x41, 1, 1])
    bench.send(
      end, type: 102, sequence: sequence + 1, timestamp: timestamp, ssrc: ssrc, mid: "1", payload: [0x41, 2, 2],
      isLast: true)
    bench.pass(milliseconds: 5)
  }

  /// The largest payload goes through with everything that is put around it; a larger one is a counted drop.
  @Test func payloadsOfEverySizeGoThroughOrAreDropped() {
    let bench = CoreBench()
    let lead = Self.publisher(bench)
    let site = Self.receiver(bench)
    var sequence: Int64 = 100
    for size in [1, 2, 1_200, 1_499, 1_500, 1_501, 1_550] {
      let payload = [0x67] + [UInt8](repeating: 7, count: size - 1)
      bench.send(
        lead, type: 102, sequence: sequence, timestamp: UInt32(sequence) * 90, ssrc: 10, mid: "1", payload: payload)
      bench.pass(milliseconds: 10)
      sequence += 1
    }
    #expect(Set(site.rtp.map(\.payload.count)) == [1, 2, 1_200, 1_499, 1_500])
    #expect(bench.core.counters.drops[DropReason.malformed.rawValue] == 2)
    #expect(bench.finish())
  }

  /// A publisher of one track comes back as another peer while the old one still sends.
  @Test func aPublisherOfOneTrackIsReplaced() {
    let bench = CoreBench()
    let first = Self.publisher(bench)
    bench.send(first, type: 102, sequence: 1, timestamp: 0, ssrc: 10, mid: "1", payload: Self.sps)
    let second = Self.publisher(bench)
    bench.send(second, type: 102, sequence: 1, timestamp: 0, ssrc: 20, mid: "1", payload: Self.sps)
    bench.send(first, type: 102, sequence: 2, timestamp: 90, ssrc: 10, mid: "1", payload: [0x41, 1])
    bench.send(second, type: 102, sequence: 2, timestamp: 90, ssrc: 20, mid: "1", payload: [0x41, 1])
    #expect(bench.events.contains { if case .ended(first.id, .replaced, _) = $0 { true } else { false } })
    #expect(bench.finish())
  }

  /// Who comes back from the same port keeps the path when the old peer is freed.
  @Test func aReturnFromTheSamePortKeepsItsPath() {
    let bench = CoreBench()
    let first = bench.connect([CoreBench.line(.video, .receive, [CoreBench.h264(102)], mid: "1")], port: 7_777)
    bench.pass(milliseconds: 600)
    let second = bench.connect(
      [CoreBench.line(.video, .receive, [CoreBench.h264(102)], mid: "1")], feed: CoreBench.feed, port: 7_777)
    bench.core.apply(.removePeer(first.id), now: bench.now)
    bench.drain()
    bench.send(second, type: 102, sequence: 1, timestamp: 0, ssrc: 10, mid: "1", payload: Self.sps)
    #expect(bench.core.counters.drops[DropReason.unknownPath.rawValue] == 0)
    #expect(bench.core.counters.keyFramesReceived == 1)
    #expect(bench.finish())
  }

  /// A forged check cannot take a live peer's path away.
  @Test func aLivePathIsNotTaken() {
    let bench = CoreBench()
    let lead = bench.connect(
      [CoreBench.line(.video, .receive, [CoreBench.h264(102)], mid: "1")], feed: CoreBench.feed, port: 7_777)
    let thief = bench.connect([CoreBench.line(.video, .send, [CoreBench.h264(102)], mid: "1", ssrc: 900)])
    let forged = CoreBench.FarEnd(id: thief.id, path: lead.path, description: thief.description)
    bench.check(forged)
    bench.send(lead, type: 102, sequence: 1, timestamp: 0, ssrc: 10, mid: "1", payload: Self.sps)
    #expect(bench.core.counters.keyFramesReceived == 1)
    #expect(bench.core.counters.drops[DropReason.stunIgnored.rawValue] == 1)
    #expect(bench.finish())
  }

  /// The parameter sets of a key frame are lost and repaired after the slices have come: the pane starts with them.
  @Test func aKeyFrameRepairedAtItsStartIsShownWhole() {
    let bench = CoreBench()
    let lead = Self.publisher(bench)
    let site = Self.receiver(bench)
    Self.picture(bench, lead, first: 100, timestamp: 0)
    // 102 holds the parameter sets and is missing.
    bench.send(lead, type: 102, sequence: 103, timestamp: 9_000, ssrc: 10, mid: "1", payload: [0x7C, 0x85, 1])
    bench.send(
      lead, type: 102, sequence: 104, timestamp: 9_000, ssrc: 10, mid: "1", payload: [0x7C, 0x45, 2], isLast: true)
    bench.pass(milliseconds: 20)
    #expect(site.rtp.isEmpty, "slices without their parameter sets are not shown")
    bench.send(lead, type: 103, sequence: 1, timestamp: 9_000, ssrc: 11, mid: "1", payload: [0, 102] + Self.sps)
    bench.pass(milliseconds: 30)
    Self.picture(bench, lead, first: 105, timestamp: 18_000)
    #expect(site.rtp.map(\.payload) == [Self.sps, [0x7C, 0x85, 1], [0x7C, 0x45, 2], [0x41, 1, 1], [0x41, 2, 2]])
    let numbers = site.rtp.map(\.header.sequence)
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
    #expect(bench.finish())
  }

  /// H.264 goes out on the receiver's payload type of the same mode, whatever its profile; without one an event says
  /// so.
  @Test func payloadTypesAreMappedAtTheSwitch() {
    let bench = CoreBench()
    let lead = Self.publisher(bench, codecs: [CoreBench.h264(108, profile: 0x4D001F)])
    let site = Self.receiver(bench, codecs: [CoreBench.h264(120, mode: 0), CoreBench.h264(102), CoreBench.vp8])
    let other = Self.receiver(bench, codecs: [CoreBench.vp8])
    bench.send(lead, type: 108, sequence: 1, timestamp: 0, ssrc: 10, mid: "1", payload: Self.sps, isLast: true)
    bench.pass(milliseconds: 10)
    #expect(site.rtp.map(\.header.payloadType) == [102])
    #expect(other.rtp.isEmpty)
    #expect(
      bench.events.contains {
        if case .paneWithoutCommonCodec(other.id, "1", CoreBench.feed, .h264) = $0 { true } else { false }
      })
    #expect(bench.finish())
  }

  /// Thirty panes: every one is reported within the second, in as many datagrams as that takes.
  @Test func everyPaneIsReported() throws {
    let bench = CoreBench()
    let lead = bench.connect(
      [
        CoreBench.line(.audio, .receive, [CoreBench.opus], mid: "0"),
        CoreBench.line(.video, .receive, [CoreBench.h264(102)], mid: "1"),
      ], feed: CoreBench.feed)
    let lines = (0..<30).map { number in
      CoreBench.line(.audio, .send, [CoreBench.opus], mid: "a\(number)", ssrc: UInt32(1_000 + number * 2))
    }
    let site = bench.connect(lines)
    for number in 0..<60 {
      bench.send(
        lead, type: 111, sequence: Int64(number + 1), timestamp: UInt32(number) * 960, ssrc: 12, mid: "0",
        payload: [1, 2, 3])
      bench.pass(milliseconds: 20)
    }
    var reported: Set<UInt32> = []
    for bytes in site.rtcp {
      #expect(bytes.count <= 1_200)
      try bytes.withUnsafeBytes { raw in
        for packet in try RTCPPackets(validating: raw) {
          if case .senderReport(let report) = packet { reported.insert(report.ssrc) }
        }
      }
    }
    #expect(reported == Set(lines.map { $0.sources[0].ssrc }))
    #expect(bench.finish())
  }

  /// A few bytes that announce tens of thousands of statuses are not read at length.
  @Test func feedbackThatAnnouncesTooMuchIsDropped() throws {
    let bench = CoreBench()
    let site = Self.receiver(bench)
    let runs: [UInt8] =
      [0x8F, 205, 0, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0xFF, 0xF8, 0, 0, 1, 0]
      + (0..<8).flatMap { _ in
        [UInt8(0x1F), 0xFF]
      } + [0x1F, 0xFF, 0, 0, 0, 0, 0, 0]
    var buffer = runs + [UInt8](repeating: 0, count: 64)
    let count = try buffer.withUnsafeMutableBytes { try site.sender!.sealRTCP($0, byteCount: runs.count) }
    bench.receive(Array(buffer[0..<count]), path: site.path)
    #expect(bench.core.counters.drops[DropReason.malformed.rawValue] == 1)
    #expect(bench.finish())
  }

  /// Lost on the way to the receiver, asked for, and sent again under its own number with the same payload; too often
  /// is too often.
  @Test func retransmissionsCarryTheOriginal() throws {
    let bench = CoreBench()
    let lead = Self.publisher(bench)
    let site = Self.receiver(bench)
    bench.send(lead, type: 102, sequence: 1, timestamp: 0, ssrc: 10, mid: "1", payload: Self.sps, isLast: true)
    Self.picture(bench, lead, first: 2, timestamp: 3_600)
    let wanted = site.rtp[1]
    try bench.report(site) { try $0.nack(sender: 1, media: 900, sequences: [wanted.header.sequence]) }
    bench.pass(milliseconds: 10)
    let repair = try #require(site.rtp.first { $0.header.ssrc == 901 })
    #expect(repair.header.payloadType == 103 && repair.header.timestamp == wanted.header.timestamp)
    #expect(
      repair.payload
        == [UInt8(wanted.header.sequence >> 8), UInt8(wanted.header.sequence & 255)] + wanted.payload)
    for _ in 0..<30 {
      bench.pass(milliseconds: 60)
      try bench.report(site) { try $0.nack(sender: 1, media: 900, sequences: [wanted.header.sequence]) }
    }
    #expect(site.rtp.count { $0.header.ssrc == 901 } == 10)
    #expect(bench.finish())
  }

  /// VP8's picture numbers go on across a switch of source.
  @Test func pictureNumbersContinue() throws {
    let bench = CoreBench()
    let codecs = [CoreBench.vp8]
    let first = bench.connect([CoreBench.line(.video, .receive, codecs, mid: "1")], feed: CoreBench.feed)
    let second = bench.connect([CoreBench.line(.video, .receive, codecs, mid: "1")], feed: FeedID(rawValue: 2))
    let site = Self.receiver(bench, codecs: codecs)
    func frame(_ number: UInt16, layer: UInt8) -> [UInt8] {
      [
        0x90, 0xC0, 0x80 | UInt8(number >> 8), UInt8(number & 255), layer, 0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0, 5,
        0xD0, 2,
      ]
    }
    for number in 0..<UInt16(3) {
      bench.send(
        first, type: 96, sequence: Int64(number) + 1, timestamp: UInt32(number) * 3_600, ssrc: 10, mid: "1",
        payload: frame(100 + number, layer: 7 + UInt8(number)), isLast: true)
      bench.send(
        second, type: 96, sequence: Int64(number) + 500, timestamp: UInt32(number) * 3_600, ssrc: 20, mid: "1",
        payload: frame(0x7FFE + number & 0x7FFF, layer: 200), isLast: true)
      bench.pass(milliseconds: 40)
    }
    bench.core.apply(
      .setPane(site.id, mid: "1", source: .feed(FeedID(rawValue: 2)), maxHeight: 0), now: bench.now)
    bench.pass(milliseconds: 40)
    let descriptors = site.rtp.compactMap { out in out.payload.withUnsafeBytes { VP8Descriptor($0) } }
    let numbers = descriptors.compactMap(\.pictureID)
    #expect(numbers.count >= 4 && numbers.prefix(3) == [100, 101, 102])
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 })
    #expect(descriptors.compactMap(\.tl0PicIdx).dropFirst(3).first == 10)
    #expect(bench.finish())
  }

  /// A peer keeps its last 32 paths; what comes by an older one, or after its end, comes from a stranger.
  @Test func stalePathsAreDropped() {
    let bench = CoreBench()
    let lead = Self.publisher(bench)
    let path = lead.path
    for port in UInt16(8_001)...8_032 {
      var moved = path
      moved.remote.port = port
      bench.check(CoreBench.FarEnd(id: lead.id, path: moved, description: lead.description))
    }
    func unknown() -> UInt64 { bench.core.counters.drops[DropReason.unknownPath.rawValue] }
    bench.send(lead, type: 102, sequence: 1, timestamp: 0, ssrc: 10, mid: "1", payload: Self.sps)
    #expect(unknown() == 1)
    var last = path
    last.remote.port = 8_032
    let moved = CoreBench.FarEnd(id: lead.id, path: last, description: lead.description)
    moved.sender = lead.sender.take()
    bench.send(moved, type: 102, sequence: 2, timestamp: 0, ssrc: 10, mid: "1", payload: Self.sps)
    #expect(unknown() == 1 && bench.core.counters.keyFramesReceived == 1)
    bench.core.apply(.removePeer(lead.id), now: bench.now)
    bench.drain()
    bench.send(moved, type: 102, sequence: 3, timestamp: 90, ssrc: 10, mid: "1", payload: [0x41, 1])
    #expect(unknown() == 2)
    #expect(bench.finish())
  }

  /// A restart whose new checks never come leaves the session as it is.
  @Test func aRestartThatFailsKeepsTheSession() {
    let bench = CoreBench()
    let lead = Self.publisher(bench)
    bench.send(lead, type: 102, sequence: 1, timestamp: 0, ssrc: 10, mid: "1", payload: Self.sps)
    bench.core.apply(
      .restartICE(
        lead.id, local: ICECredentials(userFragment: "new0", password: "newnewnewnewnewnewnewnew"),
        remote: ICECredentials(userFragment: "new1", password: "newnewnewnewnewnewnewnew")), now: bench.now)
    bench.pass(milliseconds: 1_000)
    // The old credentials still count, and so does the media.
    bench.check(lead)
    bench.send(lead, type: 102, sequence: 2, timestamp: 90_000, ssrc: 10, mid: "1", payload: Self.sps)
    #expect(bench.core.counters.keyFramesReceived == 2)
    #expect(bench.core.counters.drops[DropReason.stunIgnored.rawValue] == 0)
    #expect(bench.finish())
  }

  /// Simulcast is bound by MID and RID, its repairs by the repaired RID; a publisher without extensions by payload
  /// type.
  @Test func streamsAreBoundByWhatTheySay() {
    let bench = CoreBench()
    var line = CoreBench.line(.video, .receive, [CoreBench.h264(102)], mid: "1")
    line.rids = ["q", "h"]
    line.extensions.rid = 10
    let lead = bench.connect([line], feed: CoreBench.feed)
    // Neither rid nor an announced source: nothing to bind it by.
    bench.send(lead, type: 102, sequence: 1, timestamp: 0, ssrc: 10, mid: "1", payload: Self.sps)
    #expect(bench.core.counters.drops[DropReason.unboundSource.rawValue] == 1)
    #expect(bench.core.counters.streams == 0)
    let plain = CoreBench()
    var bare = CoreBench.line(.video, .receive, [CoreBench.h264(102)], mid: "1")
    bare.extensions = ExtensionIDs()
    let ffmpeg = plain.connect(
      [bare, CoreBench.line(.audio, .receive, [CoreBench.opus], mid: "0")], feed: CoreBench.feed)
    plain.send(ffmpeg, type: 102, sequence: 1, timestamp: 0, ssrc: 10, mid: "?", payload: Self.sps)
    #expect(plain.core.counters.streams == 0, "the other line has extensions: its MID counts")
    #expect(bench.finish() && plain.finish())
  }
}
