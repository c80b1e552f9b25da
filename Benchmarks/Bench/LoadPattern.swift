import ArgumentParser
import CMeasure
import RTCCore

/// How a publisher lets go of a frame.
enum Pacing: String, CaseIterable, ExpressibleByArgument, Sendable, Codable {
  /// The whole frame at once, as OBS does.
  case burst
  /// Every 5 ms what two and a half times the rate allows, as libwebrtc does.
  case chrome
  /// One packet after another over the whole interval.
  case even
}

/// One packet that is due: sizes alone, its payload is written when it leaves.
struct DuePacket {
  enum Kind: UInt8 { case sound, delta, key }
  var kind: Kind
  /// Bytes of payload.
  var byteCount: Int
  /// The first of a key frame, which carries the parameter sets.
  var isParameterSet = false
  var isFirst = false
  var isLast = false
  /// The publisher's to set.
  var timestamp: UInt32 = 0
}

/// Sizes of a 720p25 lesson as libwebrtc packs them: a key frame every four seconds, four times as large; frames
/// between vary by a fifth; a frame's packets hold 1,150 bytes at most, and the last of them are a byte larger.
struct LessonPattern: Sendable {
  static let framesPerSecond: Int64 = 25
  static let framesPerGroup = 100
  static let packetBytes = 1_150
  static let keyFrameParts = 4
  static let frameInterval: Int64 = 40_000_000
  static let soundInterval: Int64 = 20_000_000
  static let parameterSetBytes = 40

  let bitsPerSecond: Int
  private var random: SplitMix64
  private(set) var frame = 0

  init(bitsPerSecond: Int, seed: UInt64) {
    self.bitsPerSecond = bitsPerSecond
    random = SplitMix64(seed: seed)
  }

  /// Payload sizes of the next frame, and whether it is a key frame.
  mutating func nextFrame(isKeyFrame wanted: Bool = false) -> (packets: [DuePacket], isKeyFrame: Bool) {
    let isKeyFrame = wanted || frame % Self.framesPerGroup == 0
    let perFrame = bitsPerSecond / 8 / Int(Self.framesPerSecond)
    let part = perFrame * Self.framesPerGroup / (Self.framesPerGroup - 1 + Self.keyFrameParts)
    let bytes =
      isKeyFrame ? part * Self.keyFrameParts : part * Int.random(in: 80...120, using: &random) / 100
    let count = max(1, (bytes + Self.packetBytes - 1) / Self.packetBytes)
    let larger = bytes % count
    var packets: [DuePacket] = []
    if isKeyFrame {
      packets.append(DuePacket(kind: .key, byteCount: Self.parameterSetBytes, isParameterSet: true))
    }
    for place in 0..<count {
      let size = max(bytes / count + (place >= count - larger ? 1 : 0), 24)
      packets.append(
        DuePacket(
          kind: isKeyFrame ? .key : .delta, byteCount: size, isFirst: place == 0, isLast: place == count - 1))
    }
    frame += 1
    return (packets, isKeyFrame)
  }

  mutating func nextSound() -> DuePacket {
    DuePacket(kind: .sound, byteCount: 60 + Int.random(in: 0...60, using: &random))
  }

  /// The same sizes as the baseline sends them, frame by frame: all packets of one as large as its largest.
  /// - Parameters:
  ///   - start: nanoseconds from the beginning of all lessons to this one's.
  ///   - receivers: places of this lesson's among all.
  ///   - ssrc: even, of the pictures; the sound's is the next.
  static func baseline(
    bitsPerSecond: Int, seconds: Int, start: Int64, receivers: Range<Int>, ssrc: UInt32, seed: UInt64
  ) -> [tk_baseline_frame] {
    var pattern = LessonPattern(bitsPerSecond: bitsPerSecond, seed: seed)
    func frame(_ at: Int64, _ packets: Int, _ plain: Int, _ ssrc: UInt32) -> tk_baseline_frame {
      tk_baseline_frame(
        at: at, packets: UInt32(packets), plain: UInt32(plain), ssrc: ssrc, first: UInt32(receivers.lowerBound),
        count: UInt32(receivers.count))
    }
    var frames: [tk_baseline_frame] = []
    for number in 0..<seconds * Int(framesPerSecond) {
      let at = start + Int64(number) * frameInterval
      var packets = pattern.nextFrame().packets[...]
      if let first = packets.first, first.isParameterSet {
        packets = packets.dropFirst()
        frames.append(frame(at, 1, first.byteCount, ssrc))
      }
      while !packets.isEmpty {
        let train = packets.prefix(50)
        packets = packets.dropFirst(train.count)
        frames.append(frame(at, train.count, train.map(\.byteCount).max() ?? 0, ssrc))
      }
      for place in 0..<frameInterval / soundInterval {
        frames.append(frame(at + place * soundInterval, 1, pattern.nextSound().byteCount, ssrc | 1))
      }
    }
    return frames.sorted { $0.at < $1.at }
  }
}
