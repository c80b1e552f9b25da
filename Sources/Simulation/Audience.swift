import PacketRing
public import RTCCore
public import RTCWire

/// One relay core before an audience of hundreds: lessons with a publisher each, and receivers on perfect lines.
///
/// The far ends are as thin as can be, so that what is counted and measured is the relay: all of them share one set of
/// keys and source numbers, and what leaves is read by its clear headers only. Driven by hand in steps of a
/// millisecond; equal inputs give equal runs.
public final class Audience {
  /// What one receiver was sent of its video.
  public struct Watch {
    /// True time at which the marked last packet of each picture left, by timestamp, and the packets of it.
    public internal(set) var pictures: [UInt32: (at: Instant, packets: Int)] = [:]
    public internal(set) var retransmissions = 0
    public internal(set) var videoBytes = 0
  }

  /// One far end, publisher or receiver.
  public struct Member {
    public let id: PeerID
    public let lesson: Int
    let description: PeerDescription
    let path: NetworkPath
    /// Answers with feedback and reports as a browser does.
    public var isPolite = true
    public var watch: Watch?
    var arrivals: [UInt16] = []
    var highest: UInt32 = 0
    /// The last video number sent to it.
    public internal(set) var lastSequence: UInt16 = 0
  }

  private final class Opener {
    var receiver: SRTPReceiver
    init(keys: SRTPKeys) { receiver = SRTPReceiver(keys: keys) }
  }

  struct Publisher {
    var member: Int
    var video: Int64 = 1
    var audio: Int64 = 1
    var frame: UInt32 = 0
    var videoSeal = SealIndex()
    var audioSeal = SealIndex()
    var wantsKeyFrame = false
    var start: Instant
  }

  public static let videoSSRC: UInt32 = 900
  static let audioSSRC: UInt32 = 800
  private static let relay = SocketAddress(ipv4: 0x0A00_0001, port: 4_000)
  private static let sps: [UInt8] = [0x67, 0x42, 0xC0, 0x1F, 0xDA, 0x01, 0x40, 0x16, 0xE8, 0x06, 0xD0, 0xA1, 0x35]
  private static let video = Codec(
    encoding: .h264, payloadType: 102, retransmissionPayloadType: 103, clockRate: 90_000, packetizationMode: 1,
    profileLevelID: 0x42E01F)
  private static let opus = Codec(
    encoding: .opus, payloadType: 111, retransmissionPayloadType: nil, clockRate: 48_000)

  let arena: SlotArena
  public var core: RelayCore
  private var egress = EgressArena(byteCount: 1 << 20, trainLimit: 256)
  public private(set) var now = Now(
    monotonic: Instant(microseconds: 1_000_000), ntp: NTPTime(unixMicroseconds: 1_700_000_000_000_000))
  private let keys: SRTPKeys
  private var sealer: SRTPSender
  private var openers: [PeerID: Opener] = [:]
  public private(set) var members: [Member] = []
  private var places: [SocketAddress: Int] = [:]
  /// Of those who have left: the next to join take them.
  private var vacant: [Int] = []
  private var publishers: [Int: Publisher] = [:]
  private var number: UInt64 = 0
  /// Video packets of an ordinary picture; a key frame has three times as many.
  public var packetsPerPicture = 9
  public var packetByteCount = 1_100
  public private(set) var keyFrames = 0

  public init(configuration: CoreConfiguration = CoreConfiguration(), slots: Int = 16_384, seed: UInt64 = 1) {
    arena = SlotArena(slotCount: slots)
    core = RelayCore(configuration: configuration, arena: arena, seed: seed)
    func key(_ value: UInt8, _ count: Int) -> [UInt8] { Array(repeating: value, count: count) }
    keys = SRTPKeys(
      profile: .aeadAES128GCM, localKey: key(1, 16), localSalt: key(2, 12), remoteKey: key(3, 16),
      remoteSalt: key(4, 12))
    sealer = SRTPSender(keys: Self.mirror(keys))
  }

  deinit { arena.unmap() }

  private static func mirror(_ keys: SRTPKeys) -> SRTPKeys {
    SRTPKeys(
      profile: keys.profile, localKey: keys.remoteKey, localSalt: keys.remoteSalt, remoteKey: keys.localKey,
      remoteSalt: keys.localSalt)
  }

  // MARK: Who is there

  private static func lines(_ direction: MediaLine.Direction) -> [MediaLine] {
    var extensions = ExtensionIDs()
    extensions.mid = 4
    extensions.transportSequence = 3
    return [
      MediaLine(
        mid: "0", kind: .audio, direction: direction, codecs: [opus], extensions: extensions,
        feedback: [.transportWide], sources: [AnnouncedSource(ssrc: audioSSRC, retransmission: nil)]),
      MediaLine(
        mid: "1", kind: .video, direction: direction, codecs: [video], extensions: extensions,
        feedback: [.nack, .pli, .fir, .transportWide],
        sources: [AnnouncedSource(ssrc: videoSSRC, retransmission: videoSSRC + 1)]),
    ]
  }

  /// Opens a lesson and its publisher, who sends from the next step on.
  public func open(_ lesson: Int) {
    let id = LessonID(rawValue: UInt32(lesson))
    core.apply(.openLesson(id), now: now)
    core.apply(.setStage(id, FeedID(rawValue: 1)), now: now)
    let member = join(lesson, lines: Self.lines(.receive), feed: FeedID(rawValue: 1))
    publishers[lesson] = Publisher(member: member, start: now.monotonic)
  }

  /// A receiver joins: command, check and keys, without time passing.
  @discardableResult
  public func join(_ lesson: Int) -> Int { join(lesson, lines: Self.lines(.send), feed: nil) }

  /// The command alone, as the control plane sends it.
  public func ask(_ lesson: Int) -> Int { add(lesson, lines: Self.lines(.send), feed: nil) }

  private func add(_ lesson: Int, lines: [MediaLine], feed: FeedID?) -> Int {
    number += 1
    let text = "fragment\(number)"
    let description = PeerDescription(
      id: PeerID(rawValue: number), lesson: LessonID(rawValue: UInt32(lesson)), feed: feed, iceRole: .lite,
      local: ICECredentials(userFragment: text, password: "abcdefghijklmnopqrstuvwx"),
      remote: ICECredentials(userFragment: "far", password: "zyxwvutsrqponmlkjihgfedc"), remoteCandidates: [],
      dtlsRole: .server,
      remoteFingerprints: [CertificateFingerprint(algorithm: "sha-256", digest: Array(repeating: 1, count: 32))],
      reducedSizeRTCP: true, lines: lines)
    let remote = SocketAddress(
      ipv4: 0x0B00_0000 + UInt32(number >> 14), port: UInt16(1_024 + number & 0x3FFF))
    let path = NetworkPath(local: Self.relay, remote: remote)
    let member = Member(id: description.id, lesson: lesson, description: description, path: path, watch: nil)
    let place = vacant.popLast() ?? members.count
    if place == members.count { members.append(member) } else { members[place] = member }
    places[remote] = place
    core.apply(.addPeer(description), now: now)
    return place
  }

  private func join(_ lesson: Int, lines: [MediaLine], feed: FeedID?) -> Int {
    let place = add(lesson, lines: lines, feed: feed)
    check(place)
    core.handle(.keysReady(members[place].id, keys), now: now)
    drain()
    return place
  }

  /// A signed binding request.
  public func check(_ place: Int) {
    let member = members[place]
    var writer = STUNWriter(.request, transaction: STUNTransaction(high: 1, low: member.id.rawValue))
    writer.add(STUNAttribute.username, Array((member.description.local.userFragment + ":far").utf8))
    writer.add(STUNAttribute.useCandidate, [])
    writer.finish { bytes in bytes.withUnsafeBytes { hmacSHA1(key: member.description.local.password, $0) } }
    receive(writer.bytes, from: place)
  }

  public func leave(_ place: Int) {
    core.apply(.removePeer(members[place].id), now: now)
    places[members[place].path.remote] = nil
    vacant.append(place)
    drain()
  }

  public func close(_ lesson: Int) {
    core.apply(.closeLesson(LessonID(rawValue: UInt32(lesson))), now: now)
    publishers[lesson] = nil
    drain()
  }

  public func watch(_ place: Int) { members[place].watch = Watch() }
  public func setPolite(_ place: Int, _ isPolite: Bool) { members[place].isPolite = isPolite }
  public func isPresent(_ place: Int) -> Bool { places[members[place].path.remote] == place }

  // MARK: Datagrams

  public func receive(_ bytes: [UInt8], from place: Int) {
    guard let slot = core.claimSlot() else { return }
    bytes.withUnsafeBytes { arena.pointer(slot).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }  // not empty
    core.receive(slot, byteCount: bytes.count, path: members[place].path, now: now)
  }

  /// Sends an RTCP compound of a far end.
  public func report(_ place: Int, _ body: (inout RTCPWriter) throws -> Void) rethrows {
    var buffer = [UInt8](repeating: 0, count: 1_500)
    let size = try buffer.withUnsafeMutableBytes { raw in
      var writer = RTCPWriter(UnsafeMutableRawBufferPointer(rebasing: raw[0..<1_400]))
      try body(&writer)
      return writer.count
    }
    let count = buffer.withUnsafeMutableBytes { (try? sealer.sealRTCP($0, byteCount: size)) ?? 0 }
    receive(Array(buffer[0..<count]), from: place)
  }

  private func sendMedia(
    _ place: Int, type: UInt8, sequence: Int64, timestamp: UInt32, ssrc: UInt32, mid: UInt8, isLast: Bool,
    payload: [UInt8], seal: inout SealIndex
  ) {
    var packet = [UInt8](repeating: 0, count: 20)
    packet.withUnsafeMutableBytes {
      RTPWriter.writeHeader(
        to: $0.baseAddress!, marker: isLast, payloadType: type, sequence: UInt16(truncatingIfNeeded: sequence),
        timestamp: timestamp, ssrc: ssrc, hasExtension: true, hasPadding: false)
    }
    packet.replaceSubrange(12..<18, with: [0xBE, 0xDE, 0, 1, 0x40, mid])
    var out = [UInt8](repeating: 0, count: packet.count + payload.count + 16)
    let count = packet.withUnsafeBytes { header in
      payload.withUnsafeBytes { text in
        out.withUnsafeMutableBytes {
          sealer.seal(
            header: header, prefix: UnsafeRawBufferPointer(start: nil, count: 0), payload: text, index: sequence,
            stream: &seal, into: $0)
        }
      }
    }
    receive(Array(out[0..<count]), from: place)
  }

  // MARK: Time

  public func pass(milliseconds: Int64) {
    for _ in 0..<milliseconds {
      now.monotonic = now.monotonic + .milliseconds(1)
      now.ntp = NTPTime(unixMicroseconds: now.ntp.unixMicroseconds + 1_000)
      for lesson in publishers.keys.sorted() { publish(lesson) }
      answer()
      core.service(now: now)
      core.advance(now: now)
      drain()
    }
  }

  private func publish(_ lesson: Int) {
    var publisher = publishers[lesson]!  // its key was just read
    let elapsed = (now.monotonic - publisher.start).microseconds
    if elapsed >= (publisher.audio - 1) * 20_000 {
      sendMedia(
        publisher.member, type: 111, sequence: publisher.audio, timestamp: UInt32(publisher.audio) &* 960,
        ssrc: 12, mid: UInt8(ascii: "0"), isLast: false, payload: [UInt8](repeating: 1, count: 80),
        seal: &publisher.audioSeal)
      publisher.audio += 1
    }
    if elapsed >= Int64(publisher.frame) * 40_000 {
      let isKey = publisher.frame % 250 == 0 || publisher.wantsKeyFrame
      publisher.wantsKeyFrame = false
      if isKey { keyFrames += 1 }
      let count = isKey ? packetsPerPicture * 3 : packetsPerPicture
      for index in 0..<count {
        let head = isKey && index == 0 ? Self.sps : [0x41, UInt8(truncatingIfNeeded: index)]
        sendMedia(
          publisher.member, type: 102, sequence: publisher.video, timestamp: publisher.frame &* 3_600, ssrc: 10,
          mid: UInt8(ascii: "1"), isLast: index == count - 1,
          payload: head + [UInt8](repeating: 7, count: packetByteCount - head.count), seal: &publisher.videoSeal)
        publisher.video += 1
      }
      publisher.frame += 1
    }
    publishers[lesson] = publisher
  }

  /// What polite far ends send by themselves: checks, reports and feedback, each at its own phase.
  private func answer() {
    let moment = now.monotonic.microseconds / 1_000
    for place in members.indices where members[place].isPolite && isPresent(place) {
      let phase = moment + Int64(place) * 7
      if phase % 2_500 == 0 { check(place) }
      if phase % 1_000 == 0, members[place].highest > 0 {
        let block = ReportBlock(
          ssrc: Self.videoSSRC, fractionLost: 0, cumulativeLost: 0, highestSequence: members[place].highest,
          jitter: 0, lastSR: 0, delaySinceLastSR: 0)
        try? report(place) { try $0.receiverReport(ssrc: 1, blocks: [block]) }
      }
      if phase % 100 == 0, let first = members[place].arrivals.first {
        let statuses = Array(repeating: TransportStatus.received(delta250us: 0), count: members[place].arrivals.count)
        members[place].arrivals.removeAll(keepingCapacity: true)
        try? report(place) {
          try $0.transportFeedback(
            sender: 1, media: Self.videoSSRC, baseSequence: first, referenceTime64ms: 1, feedbackCount: 0,
            statuses: statuses)
        }
      }
    }
  }

  public func drain() {
    var isFull = true
    while isFull {
      isFull = core.drain(into: &egress, now: now)
      for train in egress.trains {
        guard let place = places[train.path.remote] else { continue }
        for offset in stride(from: 0, to: train.byteCount, by: train.segmentByteCount) {
          let count = min(train.segmentByteCount, train.byteCount - offset)
          take(UnsafeRawBufferPointer(start: egress.base + train.offset + offset, count: count), place)
        }
      }
      egress.reset()
    }
    while core.nextHandshakeInput() != nil {}
    while core.nextEvent() != nil {}
  }

  private func take(_ bytes: UnsafeRawBufferPointer, _ place: Int) {
    switch classify(bytes) {
    case .rtp: break
    case .rtcp: return hear(bytes, place)
    default: return
    }
    guard let header = try? RTPHeader(bytes) else { return }
    if members[place].isPolite, let range = findExtension(id: 3, in: bytes, header: header), range.count >= 2 {
      members[place].arrivals.append(UInt16(bytes[range.lowerBound]) << 8 | UInt16(bytes[range.lowerBound + 1]))
    }
    if header.ssrc == Self.videoSSRC {
      members[place].lastSequence = header.sequence
      members[place].highest = members[place].highest & 0xFFFF_0000 | UInt32(header.sequence)
    }
    guard members[place].watch != nil else { return }
    members[place].watch!.videoBytes += bytes.count  // just checked
    if header.ssrc == Self.videoSSRC + 1 { members[place].watch!.retransmissions += 1 }
    guard header.ssrc == Self.videoSSRC else { return }
    let before = members[place].watch!.pictures[header.timestamp]?.packets ?? 0
    members[place].watch!.pictures[header.timestamp] = (now.monotonic, before + 1)
  }

  /// A publisher makes a key frame when it is asked for one.
  private func hear(_ bytes: UnsafeRawBufferPointer, _ place: Int) {
    let member = members[place]
    guard publishers[member.lesson]?.member == place else { return }
    var copy = Array(bytes)
    let opener = openers[member.id] ?? Opener(keys: Self.mirror(keys))
    openers[member.id] = opener
    let count = copy.withUnsafeMutableBytes { try? opener.receiver.openRTCP($0) }
    guard let count else { return }
    copy.withUnsafeBytes { raw in
      guard let packets = try? RTCPPackets(validating: UnsafeRawBufferPointer(rebasing: raw[0..<count])) else {
        return
      }
      for packet in packets {
        if case .pictureLoss = packet { publishers[member.lesson]?.wantsKeyFrame = true }
      }
    }
  }
}
