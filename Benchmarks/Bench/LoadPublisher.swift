import CMeasure
import MediaWorker
import RTCCore
import RTCWire

/// A publisher without pictures: packets of a lesson's sizes and times, each with the moment it left in its payload.
///
/// Payload: two bytes of lead (RFC 6184 §5.6, §5.8, or an Opus TOC), the moment as eight bytes of nanoseconds, and one
/// byte of `DuePacket.Kind`.
final class LoadPublisher {
  static let departureOffset = 2
  static let kindOffset = 10

  let peer: LoadPeer
  private let pacing: Pacing
  private var pattern: LessonPattern
  private var start: Int64?
  /// Frames and sounds made since the start, for their moments.
  private var frames: Int64 = 0
  private var sounds: Int64 = 0
  private var waiting: [DuePacket] = []
  private var waitingHead = 0
  private var waitingBytes = 0
  private var nextRelease: Int64 = 0
  private var nextReport: Int64 = 0
  private var lastKeyFrame: Int64 = 0
  private var random: SplitMix64
  private var streams: [Stream] = []
  private var transportSequence: UInt16 = 0
  /// RTP packets that have left.
  private(set) var sent: UInt64 = 0
  /// Of them, pictures; and frames begun.
  private(set) var picturesSent: UInt64 = 0
  private(set) var framesBegun: UInt64 = 0
  private(set) var keyFramesBegun: UInt64 = 0

  private struct Stream {
    let ssrc: UInt32
    let payloadType: UInt8
    let extensions: ExtensionIDs
    let mid: [UInt8]
    var index: Int64
    var seal = SealIndex()
    var packets: UInt32 = 0
    var octets: UInt32 = 0
    var timestamp: UInt32 = 0
  }

  init(peer: LoadPeer, bitsPerSecond: Int, pacing: Pacing, seed: UInt64) {
    self.peer = peer
    self.pacing = pacing
    pattern = LessonPattern(bitsPerSecond: bitsPerSecond, seed: seed)
    random = SplitMix64(seed: seed &+ 1)
    for kind in [MediaKind.audio, .video] {
      guard let line = peer.description.lines.first(where: { $0.kind == kind }), let source = line.sources.first,
        let codec = line.codecs.first
      else { continue }
      streams.append(
        Stream(
          ssrc: source.ssrc, payloadType: codec.payloadType, extensions: line.extensions, mid: Array(line.mid.utf8),
          index: 1_000))
    }
  }

  /// Begins to teach, with a key frame; another rate may be taken meanwhile.
  func begin(at moment: Int64, bitsPerSecond: Int) {
    guard streams.count == 2 else { return }
    pattern = LessonPattern(bitsPerSecond: bitsPerSecond, seed: random.next())
    start = moment
    frames = 0
    sounds = 0
    nextRelease = moment
    nextReport = moment
  }

  func pause() {
    start = nil
    waiting.removeAll(keepingCapacity: true)
    waitingHead = 0
    waitingBytes = 0
  }

  /// When it has something to do next, nanoseconds of the monotonic clock.
  var nextDeadline: Int64 {
    guard let start else { return .max }
    let next = min(
      start + frames * LessonPattern.frameInterval, start + sounds * LessonPattern.soundInterval)
    return waitingHead < waiting.count ? min(next, nextRelease) : next
  }

  /// Sends what is due.
  func advance(now: Int64, wall: NTPTime) {
    guard let start, peer.state == .connected else { return }
    let isWanted = peer.takePictureRequest() && now - lastKeyFrame > 1_000_000_000
    while start + sounds * LessonPattern.soundInterval <= now {
      var packet = pattern.nextSound()
      // Clocks go on over pauses.
      let moment = start + sounds * LessonPattern.soundInterval
      packet.timestamp = UInt32(truncatingIfNeeded: moment / 1_000 * 48 / 1_000)
      send(packet)
      sounds += 1
    }
    while start + frames * LessonPattern.frameInterval <= now {
      var (packets, isKeyFrame) = pattern.nextFrame(isKeyFrame: isWanted || frames == 0)
      if isKeyFrame {
        lastKeyFrame = now
        keyFramesBegun += 1
      }
      let moment = start + frames * LessonPattern.frameInterval
      for place in packets.indices {
        packets[place].timestamp = UInt32(truncatingIfNeeded: moment / 1_000 * 90 / 1_000)
      }
      waiting.append(contentsOf: packets)
      waitingBytes += packets.reduce(0) { $0 + $1.byteCount }
      frames += 1
    }
    release(now: now)
    if now >= nextReport {
      nextReport = now + 1_000_000_000
      sendReports(wall: wall)
    }
  }

  private func release(now: Int64) {
    switch pacing {
    case .burst: while sendNext() {}
    case .chrome:
      guard now >= nextRelease, waitingHead < waiting.count else { break }
      // Two and a half times the rate for 5 ms; twice what waits within 200 ms when a key frame has made it long.
      let rate = max(pattern.bitsPerSecond * 5 / 2, waitingBytes * 8 * 5)
      var budget = rate / 8 / 200
      while budget > 0, waitingHead < waiting.count {
        budget -= waiting[waitingHead].byteCount
        _ = sendNext()
      }
      nextRelease = now + 5_000_000
    case .even:
      while now >= nextRelease, waitingHead < waiting.count {
        // What waits is spread over one interval of frames.
        let pause = LessonPattern.frameInterval / Int64(max(waiting.count - waitingHead, 8))
        _ = sendNext()
        nextRelease = max(nextRelease, now - pause) + pause
      }
    }
    if waitingHead == waiting.count {
      waiting.removeAll(keepingCapacity: true)
      waitingHead = 0
      waitingBytes = 0
    }
  }

  private func sendNext() -> Bool {
    guard waitingHead < waiting.count else { return false }
    let packet = waiting[waitingHead]
    waitingHead += 1
    waitingBytes -= packet.byteCount
    send(packet)
    return true
  }

  private func send(_ packet: DuePacket) {
    let place = packet.kind == .sound ? 0 : 1
    guard peer.sender != nil, let path = peer.path else { return }
    let room = peer.outbox.room
    // Header and payload are written behind the place where the sealed packet goes.
    var scratch = (UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    let count: Int = withUnsafeMutableBytes(of: &scratch) { header in
      let headerCount = writeHeader(packet, stream: place, to: header)
      return withUnsafeTemporaryAllocation(byteCount: packet.byteCount, alignment: 8) { payload in
        writePayload(packet, to: payload)
        let index = streams[place].index
        return peer.sender?.seal(
          header: UnsafeRawBufferPointer(rebasing: header[0..<headerCount]),
          prefix: UnsafeRawBufferPointer(start: nil, count: 0), payload: UnsafeRawBufferPointer(payload), index: index,
          stream: &streams[place].seal, into: room) ?? 0
      }
    }
    peer.outbox.commit(count, path: path)
    streams[place].index += 1
    streams[place].packets &+= 1
    streams[place].octets &+= UInt32(packet.byteCount)
    streams[place].timestamp = packet.timestamp
    sent += 1
    if place == 1 {
      picturesSent += 1
      if packet.isFirst { framesBegun += 1 }
    }
  }

  private func writeHeader(_ packet: DuePacket, stream: Int, to header: UnsafeMutableRawBufferPointer) -> Int {
    let own = streams[stream]
    RTPWriter.writeHeader(
      to: header.baseAddress!, marker: packet.isLast, payloadType: own.payloadType,  // 64 bytes
      sequence: UInt16(truncatingIfNeeded: own.index), timestamp: packet.timestamp, ssrc: own.ssrc, hasExtension: true,
      hasPadding: false)
    header[12] = 0xBE
    header[13] = 0xDE
    header[14] = 0
    var end = 16
    func add(_ id: UInt8, _ bytes: [UInt8]) {
      guard id != 0, !bytes.isEmpty, bytes.count <= 16 else { return }
      header[end] = id << 4 | UInt8(bytes.count - 1)
      for (place, byte) in bytes.enumerated() { header[end + 1 + place] = byte }
      end += 1 + bytes.count
    }
    add(own.extensions.mid, own.mid)
    add(
      own.extensions.transportSequence, [UInt8(transportSequence >> 8), UInt8(truncatingIfNeeded: transportSequence)])
    transportSequence &+= 1
    while end % 4 != 0 {
      header[end] = 0
      end += 1
    }
    header[15] = UInt8((end - 16) / 4)
    return end
  }

  private func writePayload(_ packet: DuePacket, to payload: UnsafeMutableRawBufferPointer) {
    payload.initializeMemory(as: UInt8.self, repeating: 0x5A)
    switch packet.kind {
    case .sound: payload[0] = 0xFC
    case .key where packet.isParameterSet:
      payload[0] = 0x67
      payload[1] = 0x42
    case .key, .delta:
      let isKey = packet.kind == .key
      payload[0] = isKey ? 0x7C : 0x5C
      payload[1] = (packet.isFirst ? 0x80 : 0) | (packet.isLast ? 0x40 : 0) | (isKey ? 5 : 1)
    }
    payload[Self.kindOffset] = packet.kind.rawValue
    payload.storeBytes(of: tk_monotonic_nanoseconds(), toByteOffset: Self.departureOffset, as: Int64.self)
  }

  private func sendReports(wall: NTPTime) {
    for stream in streams where stream.packets > 0 {
      peer.sendRTCP { writer throws(WireError) in
        try writer.senderReport(
          ssrc: stream.ssrc, ntp: wall, rtp: stream.timestamp, packetCount: stream.packets,
          octetCount: stream.octets, blocks: [])
        try writer.sdesCNAME(ssrc: stream.ssrc, cname: "load")
      }
    }
  }
}
