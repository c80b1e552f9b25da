import RTCCore
import RTCWire

/// A browser that sends three encodings of one picture: its own ICE agent, SRTP and RTP, no core of ours behind it.
///
/// 25 pictures a second; layer n has 2, 5 or 12 packets a picture and 180, 360 or 720 rows. Answers PLI, repairs
/// nothing.
struct SimulcastCamera: ~Copyable {
  struct Layer {
    let rid: String
    let ssrc: UInt32
    let packetsPerFrame: Int
    let height: UInt16
    var sequence: Int64
    var seal = SealIndex()
    var wantsKeyFrame = true
    var isOn = true
    var packets: UInt32 = 0
    var octets: UInt32 = 0
  }

  struct Datagram {
    var path: NetworkPath
    var bytes: [UInt8]
  }

  static let interval = Interval.milliseconds(40)

  let number: UInt8
  let isVP8: Bool
  let extensions: ExtensionIDs
  let mid: String
  let payloadType: UInt8
  var agent: ICEAgent
  var sender: SRTPSender?
  var receiver: SRTPReceiver?
  var layers: [Layer]
  private(set) var frames: UInt32 = 0
  private(set) var nextFrame: Instant
  private var nextReport: Instant
  private let timestampBase: UInt32
  private(set) var pictureRequests = 0

  init(
    number: UInt8, isVP8: Bool, line: MediaLine, agent: ICEAgent, start: Instant, random: inout SplitMix64
  ) {
    self.number = number
    self.isVP8 = isVP8
    self.agent = agent
    extensions = line.extensions
    mid = line.mid
    payloadType = isVP8 ? 96 : 102
    let shapes: [(rid: String, packets: Int, height: UInt16)] = [("q", 2, 180), ("h", 5, 360), ("f", 12, 720)]
    layers = shapes.map { shape in
      Layer(
        rid: shape.rid, ssrc: UInt32.random(in: 1...UInt32.max, using: &random), packetsPerFrame: shape.packets,
        height: shape.height, sequence: Int64.random(in: 1...30_000, using: &random))
    }
    timestampBase = UInt32.random(in: 0 ... .max, using: &random)
    nextFrame = start
    nextReport = start + .milliseconds(300)
  }

  var nextDeadline: Instant { min(agent.nextDeadline, sender == nil ? .distantFuture : nextFrame) }

  mutating func connect(_ keys: SRTPKeys, now: Instant) {
    sender = SRTPSender(keys: keys)
    receiver = SRTPReceiver(keys: keys)
    nextFrame = now
  }

  /// Whether ICE has just found its path.
  mutating func receive(_ bytes: [UInt8], path: NetworkPath, now: Now, random: inout SplitMix64) -> Bool {
    var bytes = bytes
    switch bytes.withUnsafeBytes({ classify($0) }) {
    case .stun:
      let outcome = bytes.withUnsafeBytes { agent.receive($0, path: path, now: now.monotonic, random: &random) }
      if case .connected = outcome { return true }
    case .rtcp:
      guard receiver != nil else { return false }
      let count = bytes.withUnsafeMutableBytes { try? receiver!.openRTCP($0) }  // just checked
      guard let count else { return false }
      bytes.withUnsafeBytes { raw in
        guard let packets = try? RTCPPackets(validating: UnsafeRawBufferPointer(rebasing: raw[0..<count])) else {
          return
        }
        for packet in packets {
          guard case .pictureLoss(_, let media) = packet else { continue }
          pictureRequests += 1
          for index in layers.indices where layers[index].ssrc == media { layers[index].wantsKeyFrame = true }
        }
      }
    default: break
    }
    return false
  }

  /// What is due now.
  mutating func advance(now: Now, random: inout SplitMix64) -> [Datagram] {
    var out: [Datagram] = []
    agent.advance(now: now.monotonic, random: &random)
    while let (path, bytes) = agent.nextTransmit() { out.append(Datagram(path: path, bytes: bytes)) }
    guard sender != nil, let path = agent.selectedPath else { return out }
    while nextFrame <= now.monotonic {
      for index in layers.indices where layers[index].isOn { writePicture(index, path: path, into: &out) }
      frames += 1
      nextFrame = nextFrame + Self.interval
    }
    if nextReport <= now.monotonic {
      nextReport = nextReport + .seconds(1)
      for index in layers.indices where layers[index].isOn { writeReport(index, path: path, now: now, into: &out) }
    }
    return out
  }

  private mutating func writePicture(_ index: Int, path: NetworkPath, into out: inout [Datagram]) {
    let isKey = layers[index].wantsKeyFrame
    layers[index].wantsKeyFrame = false
    let count = layers[index].packetsPerFrame * (isKey ? 2 : 1)
    for place in 0..<count {
      let tag = MediaTag(source: number, number: frames, index: UInt16(place), count: UInt16(count))
      var payload = [UInt8](repeating: 0, count: 1_000)
      let size = payload.withUnsafeMutableBytes { raw in
        isVP8
          ? tag.writeVP8(raw, isKey: isKey, pictureID: UInt16(frames & 0x7FFF), height: layers[index].height)
          : tag.writeH264(raw, isKey: isKey, height: layers[index].height)
      }
      out.append(
        Datagram(path: path, bytes: seal(index, payload: Array(payload[0..<size]), isLast: place == count - 1)))
    }
  }

  private mutating func seal(_ index: Int, payload: [UInt8], isLast: Bool) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 12)
    let timestamp = timestampBase &+ frames &* 3_600
    header.withUnsafeMutableBytes {
      RTPWriter.writeHeader(
        to: $0.baseAddress!, marker: isLast, payloadType: payloadType,  // twelve bytes
        sequence: UInt16(truncatingIfNeeded: layers[index].sequence), timestamp: timestamp, ssrc: layers[index].ssrc,
        hasExtension: true, hasPadding: false)
    }
    var block: [UInt8] = [extensions.mid << 4 | UInt8(mid.utf8.count - 1)] + Array(mid.utf8)
    block += [extensions.rid << 4] + Array(layers[index].rid.utf8)
    while block.count % 4 != 0 { block.append(0) }
    header += [0xBE, 0xDE, 0, UInt8(block.count / 4)] + block
    var out = [UInt8](repeating: 0, count: header.count + payload.count + 16)
    let count = header.withUnsafeBytes { head in
      payload.withUnsafeBytes { body in
        out.withUnsafeMutableBytes {
          sender!.seal(  // the caller has checked
            header: head, prefix: UnsafeRawBufferPointer(start: nil, count: 0), payload: body,
            index: layers[index].sequence, stream: &layers[index].seal, into: $0)
        }
      }
    }
    layers[index].sequence += 1
    layers[index].packets &+= 1
    layers[index].octets &+= UInt32(payload.count)
    return Array(out[0..<count])
  }

  private mutating func writeReport(_ index: Int, path: NetworkPath, now: Now, into out: inout [Datagram]) {
    var buffer = [UInt8](repeating: 0, count: 200)
    let ticks = (now.monotonic - (nextFrame - Self.interval)).microseconds * 90 / 1_000
    let timestamp = timestampBase &+ (frames &- 1) &* 3_600 &+ UInt32(truncatingIfNeeded: ticks)
    let layer = layers[index]
    let count = buffer.withUnsafeMutableBytes { raw -> Int in
      var writer = RTCPWriter(UnsafeMutableRawBufferPointer(rebasing: raw[0..<160]))
      try? writer.senderReport(
        ssrc: layer.ssrc, ntp: now.ntp, rtp: timestamp, packetCount: layer.packets, octetCount: layer.octets,
        blocks: [])
      try? writer.sdesCNAME(ssrc: layer.ssrc, cname: "camera")
      return (try? sender!.sealRTCP(raw, byteCount: writer.count)) ?? 0  // the caller has checked
    }
    if count > 0 { out.append(Datagram(path: path, bytes: Array(buffer[0..<count]))) }
  }
}
