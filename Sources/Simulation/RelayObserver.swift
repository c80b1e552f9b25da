import RTCCore
import RTCWire

/// Watches what leaves the relay for one client, with keys of its own, and notes every broken promise.
///
/// Independent of the core: it opens each packet as the client would, at the moment it is transmitted.
final class RelayObserver {
  struct Stream {
    /// Highest sequence number sent, extended by the observer itself.
    var extender = SequenceExtender()
    var first: Int64 = 0
    var highest: Int64 = 0
    var lastTimestamp: UInt32 = 0
    /// Digest of the payload sent under each number, to see that none is ever sent with another.
    var contents: [Int64: UInt64] = [:]
    /// Numbers passed over, until a retransmission fills them.
    var gaps: Set<Int64> = []
    var lastPictureID: UInt16?
    var packets = 0
  }

  let name: String
  let lines: [MediaLine]
  private var opener: SRTPReceiver?
  private(set) var streams: [UInt32: Stream] = [:]
  /// Media SSRC by retransmission SSRC.
  private let repairs: [UInt32: UInt32]
  private var allowed: Set<UInt32> = []
  private(set) var violations: [String] = []
  private(set) var rtpPackets: UInt64 = 0
  private(set) var rtpBytes: UInt64 = 0
  private(set) var retransmissions = 0
  private(set) var firstVideo: Instant?
  private(set) var pictureRequests: [UInt32: [Instant]] = [:]
  /// The relay has ended this client: no more media may leave.
  var hasEnded = false
  /// Video bytes in this second and the highest in any, bytes.
  private var window: (start: Instant, bytes: Int) = (Instant(microseconds: 0), 0)
  private(set) var worstSecond: (bytes: Int, limit: Int) = (0, 1)
  /// Video packets of the present turn and the most of any.
  private var turn: (at: Instant, packets: Int) = (Instant(microseconds: 0), 0)
  private(set) var mostInATurn = 0

  /// - Parameter lines: the relay's own, whose `send` sources are all it may use.
  init(name: String, lines: [MediaLine]) {
    self.name = name
    self.lines = lines
    var repairs: [UInt32: UInt32] = [:]
    for line in lines where line.direction == .send {
      for source in line.sources {
        allowed.insert(source.ssrc)
        if let repair = source.retransmission {
          allowed.insert(repair)
          repairs[repair] = source.ssrc
        }
      }
    }
    self.repairs = repairs
  }

  func connect(_ keys: SRTPKeys) { opener = SRTPReceiver(keys: keys) }

  private func violate(_ text: String, at now: Instant) {
    if violations.count < 20 { violations.append("\(name) at \(now.microseconds / 1_000) ms: \(text)") }
  }

  /// - Parameter allowance: bytes a second may bring: the pacer's share of the estimate, and bursts.
  func sent(_ bytes: [UInt8], now: Instant, allowance: Int) {
    var bytes = bytes
    switch bytes.withUnsafeBytes({ classify($0) }) {
    case .rtp: sentRTP(&bytes, now: now, allowance: allowance)
    case .rtcp: sentRTCP(&bytes, now: now)
    default: break
    }
  }

  private func sentRTP(_ bytes: inout [UInt8], now: Instant, allowance: Int) {
    rtpPackets += 1
    rtpBytes += UInt64(bytes.count)
    if hasEnded { return violate("media after its end", at: now) }
    guard opener != nil else { return violate("media before its keys", at: now) }
    guard let header = bytes.withUnsafeBytes({ try? RTPHeader($0) }) else { return violate("no RTP", at: now) }
    let size = bytes.count
    let count: Int
    do throws(SRTPError) {
      count = try Self.open(&opener!, &bytes, header)  // just checked
    } catch {
      // Replayed is an index sealed twice; anything else is a wrong key or index.
      return violate("a packet that does not open: \(error), \(header.ssrc) \(header.sequence)", at: now)
    }
    guard allowed.contains(header.ssrc) else { return violate("a foreign source \(header.ssrc)", at: now) }
    let payload = Array(bytes[header.payloadOffset..<count])
    if let media = repairs[header.ssrc] {
      retransmissions += 1
      noteRepair(of: media, payload: payload, header: header, now: now)
      noteRate(size, now: now, allowance: allowance)
      return
    }
    note(header, payload: payload, now: now)
    let isVideo = lines.contains { $0.kind == .video && $0.sources.contains { $0.ssrc == header.ssrc } }
    guard isVideo else { return }
    if firstVideo == nil { firstVideo = now }
    noteRate(size, now: now, allowance: allowance)
  }

  private static func open(
    _ opener: inout SRTPReceiver, _ bytes: inout [UInt8], _ header: RTPHeader
  ) throws(SRTPError) -> Int {
    var failure: SRTPError?
    let count = bytes.withUnsafeMutableBytes { raw -> Int in
      do throws(SRTPError) { return try opener.openRTP(raw, header: header) } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw failure }
    return count
  }

  private func noteRate(_ size: Int, now: Instant, allowance: Int) {
    if now - window.start >= .seconds(1) { window = (now, 0) }
    window.bytes += size
    if window.bytes * max(worstSecond.limit, 1) > worstSecond.bytes * allowance {
      worstSecond = (window.bytes, allowance)
    }
    if window.bytes > allowance { violate("\(window.bytes) bytes in a second of \(allowance)", at: now) }
    if turn.at != now { turn = (now, 0) }
    turn.packets += 1
    mostInATurn = max(mostInATurn, turn.packets)
  }

  private func note(_ header: RTPHeader, payload: [UInt8], now: Instant) {
    // Taken out, so that noting one packet does not copy what was noted of all before it.
    var stream = streams.removeValue(forKey: header.ssrc) ?? Stream()
    let sequence = stream.extender.extend(header.sequence)
    if stream.packets == 0 {
      stream.first = sequence
    } else {
      if sequence <= stream.highest { violate("sequence \(sequence) after \(stream.highest)", at: now) }
      if sequence - stream.highest > 1_100 { violate("a jump to \(sequence) from \(stream.highest)", at: now) }
      if sequence > stream.highest + 1, sequence - stream.highest <= 1_100 {
        for missing in stream.highest + 1..<sequence { stream.gaps.insert(missing) }
      }
      if Int32(bitPattern: header.timestamp &- stream.lastTimestamp) < 0 {
        violate("timestamp \(header.timestamp) after \(stream.lastTimestamp)", at: now)
      }
    }
    stream.packets += 1
    stream.highest = max(stream.highest, sequence)
    stream.lastTimestamp = header.timestamp
    remember(Self.digest(payload), under: sequence, of: &stream, ssrc: header.ssrc, now: now)
    streams[header.ssrc] = stream
  }

  private func remember(
    _ digest: UInt64, under sequence: Int64, of stream: inout Stream, ssrc: UInt32, now: Instant
  ) {
    if let before = stream.contents[sequence], before != digest {
      violate("\(ssrc) \(sequence) sent with two contents", at: now)
    }
    stream.contents[sequence] = digest
  }

  /// A retransmission names a number: it must be one that was sent with the same payload, or one that never went out.
  private func noteRepair(of media: UInt32, payload: [UInt8], header: RTPHeader, now: Instant) {
    guard payload.count >= 2 else { return }
    guard var stream = streams.removeValue(forKey: media) else {
      return violate("a repair before its stream", at: now)
    }
    let original = UInt16(payload[0]) << 8 | UInt16(payload[1])
    let behind = Int64(Int16(bitPattern: UInt16(truncatingIfNeeded: stream.highest) &- original))
    let sequence = stream.highest - behind
    stream.gaps.remove(sequence)
    remember(Self.digest(Array(payload[2...])), under: sequence, of: &stream, ssrc: media, now: now)
    streams[media] = stream
  }

  private func sentRTCP(_ bytes: inout [UInt8], now: Instant) {
    guard opener != nil else { return violate("RTCP before its keys", at: now) }
    let count = bytes.withUnsafeMutableBytes { try? opener!.openRTCP($0) }  // just checked
    guard let count else { return violate("RTCP that does not open", at: now) }
    bytes.withUnsafeBytes { raw in
      guard let packets = try? RTCPPackets(validating: UnsafeRawBufferPointer(rebasing: raw[0..<count])) else {
        return violate("malformed RTCP", at: now)
      }
      for packet in packets {
        if case .pictureLoss(_, let media) = packet { pictureRequests[media, default: []].append(now) }
        if case .unknown(let type) = packet { violate("RTCP of type \(type)", at: now) }
      }
    }
  }

  static func digest(_ bytes: [UInt8]) -> UInt64 {
    var value: UInt64 = 14_695_981_039_346_656_037
    for byte in bytes { value = (value ^ UInt64(byte)) &* 1_099_511_628_211 }
    return value
  }

  /// Numbers that were passed over and never filled.
  var unfilledGaps: Int { streams.values.reduce(0) { $0 + $1.gaps.count } }
}
