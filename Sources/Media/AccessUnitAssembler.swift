internal import CLibAV
internal import RTCWire

/// Puts RTP payloads of one stream together again into whole units: the reverse of `Packetizer`.
///
/// H.264 by RFC 6184 (single NAL units, STAP-A, FU-A), VP8 by RFC 7741, Opus by RFC 7587. Payloads in order are read
/// where they lie; one that comes early is copied and waits for those before it, at most `reorderLimit` packets or
/// `patienceMicroseconds` of lesson time, after which what is missing is given up. A video unit with a hole is dropped
/// and counted, and the next one goes on: what refers to it is the decoder's to conceal. Nothing a payload holds can
/// trap.
public struct AccessUnitAssembler: Sendable {
  /// Larger units are no media: 4 MiB, over 30 times a 720p key frame.
  private static let byteLimit = 4 * 1024 * 1024

  public let encoding: MediaEncoding
  /// Packets that wait for earlier ones at most; with payloads of 1,500 bytes, 375 KiB.
  public let reorderLimit: Int
  public let patienceMicroseconds: Int64

  /// Video units dropped for a hole or a fault in them, and holes in which whole units vanished; packets of sound
  /// lost.
  public private(set) var incompleteUnits = 0
  /// Payloads that no sender makes by the rules.
  public private(set) var malformedPayloads = 0
  /// Payloads that came twice, or after they had been given up.
  public private(set) var latePayloads = 0

  private var waiting: [WaitingPayload] = []
  private var next: Int64?
  private var unit = UnitUnderWay()

  public init(encoding: MediaEncoding, reorderLimit: Int = 256, patienceMicroseconds: Int64 = 500_000) {
    precondition(reorderLimit >= 0)
    self.encoding = encoding
    self.reorderLimit = reorderLimit
    self.patienceMicroseconds = patienceMicroseconds
  }

  /// Takes one RTP payload and returns the units it completes, in order; mostly none or one.
  ///
  /// - Parameters:
  ///   - payload: without header, extensions and padding; empty for a packet of padding alone.
  ///   - sequence: extended, so that it does not wrap.
  ///   - lessonTime: microseconds; a unit has that of its first packet.
  /// Cost: one copy of the bytes; no allocation but the unit's own while packets come in order.
  public mutating func add(
    payload: UnsafeRawBufferPointer, sequence: Int64, timestamp: UInt32, marker: Bool, lessonTime: Int64
  ) -> [EncodedUnit] {
    var units: [EncodedUnit] = []
    let packet = Packet(sequence: sequence, timestamp: timestamp, marker: marker, lessonTime: lessonTime)
    guard let next, sequence != next else {
      take(payload, packet, afterHole: false, isFirst: next == nil, into: &units)
      takeWaiting(into: &units)
      return units
    }
    guard sequence > next else {
      latePayloads += 1
      return []
    }
    hold(payload, packet)
    while let first = waiting.first, let last = waiting.last,
      waiting.count > reorderLimit || last.packet.lessonTime &- first.packet.lessonTime > patienceMicroseconds
    {
      giveUpHole(into: &units)
    }
    return units
  }

  /// Gives up what is missing and returns the units that are whole all the same; one under way is dropped and counted.
  public mutating func flush() -> [EncodedUnit] {
    var units: [EncodedUnit] = []
    while !waiting.isEmpty { giveUpHole(into: &units) }
    if unit.hasContent { incompleteUnits += 1 }
    unit.reset()
    return units
  }

  private mutating func hold(_ payload: UnsafeRawBufferPointer, _ packet: Packet) {
    var place = waiting.count
    while place > 0, waiting[place - 1].packet.sequence > packet.sequence { place -= 1 }
    if place > 0, waiting[place - 1].packet.sequence == packet.sequence {
      latePayloads += 1
    } else {
      waiting.insert(WaitingPayload(packet: packet, bytes: Array(payload)), at: place)
    }
  }

  private mutating func giveUpHole(into units: inout [EncodedUnit]) {
    guard let first = waiting.first else { return }
    waiting.removeFirst()
    first.bytes.withUnsafeBytes { take($0, first.packet, afterHole: true, isFirst: false, into: &units) }
    takeWaiting(into: &units)
  }

  private mutating func takeWaiting(into units: inout [EncodedUnit]) {
    var count = 0
    while count < waiting.count, waiting[count].packet.sequence == next {
      let item = waiting[count]
      count += 1
      item.bytes.withUnsafeBytes { take($0, item.packet, afterHole: false, isFirst: false, into: &units) }
    }
    if count > 0 { waiting.removeFirst(count) }
  }

  private mutating func take(
    _ payload: UnsafeRawBufferPointer, _ packet: Packet, afterHole: Bool, isFirst: Bool,
    into units: inout [EncodedUnit]
  ) {
    let (following, isOver) = packet.sequence.addingReportingOverflow(1)
    if isOver { return }
    let lost = next.map { packet.sequence.subtractingReportingOverflow($0).partialValue } ?? 0
    next = following
    if encoding == .opus {
      if afterHole { incompleteUnits &+= Int(clamping: max(lost, 1)) }
      takeSound(payload, packet, into: &units)
      return
    }
    if afterHole {
      // The hole took the end of the unit under way, or whole units.
      incompleteUnits += 1
      unit.reset()
    }
    if unit.hasContent, unit.timestamp != packet.timestamp { finish(into: &units) }
    if payload.isEmpty { return }
    if !unit.hasContent {
      unit.begin(packet)
      if !startsUnit(payload) {
        unit.isBroken = true
        // The missing head is in the count already, or nobody lost it: the stream was joined in the middle.
        unit.isCounted = afterHole || isFirst
      }
    }
    switch encoding {
    case .h264: takeH264(payload)
    case .vp8: takeVP8(payload)
    case .opus: break
    }
    if unit.bytes.count > Self.byteLimit { breakUnit() }
    if packet.marker { finish(into: &units) }
  }

  private mutating func finish(into units: inout [EncodedUnit]) {
    if unit.isBroken || unit.isFragmentOpen || unit.bytes.isEmpty {
      if !unit.isCounted { incompleteUnits += 1 }
    } else {
      units.append(
        EncodedUnit(
          bytes: unit.bytes, encoding: encoding, presentationMicroseconds: unit.lessonTime, durationMicroseconds: 0,
          isKeyFrame: unit.isKeyFrame))
    }
    unit.reset()
  }

  private mutating func takeSound(
    _ payload: UnsafeRawBufferPointer, _ packet: Packet, into units: inout [EncodedUnit]
  ) {
    guard let start = payload.bindMemory(to: UInt8.self).baseAddress, !payload.isEmpty else { return }
    let duration = tk_opus_duration_us(start, payload.count)
    guard duration > 0 else {
      malformedPayloads += 1
      return
    }
    units.append(
      EncodedUnit(
        bytes: Array(payload), encoding: .opus, presentationMicroseconds: packet.lessonTime,
        durationMicroseconds: duration, isKeyFrame: true))
  }

  /// Whether a payload can be the first of a unit.
  private func startsUnit(_ payload: UnsafeRawBufferPointer) -> Bool {
    if encoding == .vp8 {
      guard let descriptor = VP8Descriptor(payload) else { return false }
      return descriptor.startOfPartition && descriptor.partitionID == 0
    }
    // A slice that begins with macroblock 0 has a 1 as its first bit (ITU-T H.264 §7.3.3, first_mb_in_slice).
    switch payload[0] & 0x1F {
    case 1, 2, 5: return payload.count > 1 && payload[1] & 0x80 != 0
    case 28:
      guard payload.count > 2, payload[1] & 0x80 != 0 else { return false }
      let type = payload[1] & 0x1F
      return type == 1 || type == 5 ? payload[2] & 0x80 != 0 : true
    default: return true
    }
  }

  private mutating func breakUnit() {
    unit.isBroken = true
    unit.bytes = []
  }

  private mutating func refuse() {
    malformedPayloads += 1
    breakUnit()
  }

  private mutating func takeVP8(_ payload: UnsafeRawBufferPointer) {
    guard let descriptor = VP8Descriptor(payload), descriptor.byteCount < payload.count else { return refuse() }
    if unit.isBroken { return }
    if unit.bytes.isEmpty { unit.isKeyFrame = descriptor.startsKeyFrame(payload) }
    unit.bytes.append(contentsOf: payload[descriptor.byteCount...])
  }

  private mutating func takeH264(_ payload: UnsafeRawBufferPointer) {
    let type = payload[0] & 0x1F
    if type != 28, unit.isFragmentOpen { return refuse() }
    switch type {
    case 1...23: appendNAL(header: payload[0], payload.dropFirst())
    case 24: takeAggregate(payload)
    case 28: takeFragment(payload)
    default: refuse()
    }
  }

  private mutating func appendNAL(header: UInt8, _ rest: Slice<UnsafeRawBufferPointer>) {
    if unit.isBroken { return }
    unit.bytes.append(contentsOf: repeatElement(0, count: 3))
    unit.bytes.append(1)
    unit.bytes.append(header)
    unit.bytes.append(contentsOf: rest)
    if header & 0x1F == 5 { unit.isKeyFrame = true }
  }

  /// STAP-A (RFC 6184 §5.7.1): a 16-bit length before each NAL unit.
  private mutating func takeAggregate(_ payload: UnsafeRawBufferPointer) {
    var offset = 1
    guard payload.count > 3 else { return refuse() }
    while offset < payload.count {
      guard offset + 3 <= payload.count else { return refuse() }
      let count = Int(payload[offset]) << 8 | Int(payload[offset + 1])
      offset += 2
      guard count > 0, offset + count <= payload.count else { return refuse() }
      appendNAL(header: payload[offset], payload[offset + 1..<offset + count])
      offset += count
    }
  }

  /// FU-A (RFC 6184 §5.8).
  private mutating func takeFragment(_ payload: UnsafeRawBufferPointer) {
    guard payload.count > 2 else { return refuse() }
    let flags = payload[1]
    if unit.isBroken { return }
    let isStart = flags & 0x80 != 0
    guard isStart != unit.isFragmentOpen else { return refuse() }
    if isStart {
      appendNAL(header: payload[0] & 0xE0 | flags & 0x1F, payload[2...])
    } else {
      unit.bytes.append(contentsOf: payload[2...])
    }
    unit.isFragmentOpen = flags & 0x40 == 0
  }
}

private struct Packet: Sendable {
  let sequence: Int64
  let timestamp: UInt32
  let marker: Bool
  let lessonTime: Int64
}

private struct WaitingPayload: Sendable {
  let packet: Packet
  let bytes: [UInt8]
}

private struct UnitUnderWay: Sendable {
  var bytes: [UInt8] = []
  var timestamp: UInt32 = 0
  var lessonTime: Int64 = 0
  var isKeyFrame = false
  var isBroken = false
  /// Already in the count of incomplete units.
  var isCounted = false
  var isFragmentOpen = false
  var hasContent = false

  mutating func begin(_ packet: Packet) {
    hasContent = true
    timestamp = packet.timestamp
    lessonTime = packet.lessonTime
    bytes.reserveCapacity(4_096)
  }

  mutating func reset() {
    bytes = []
    (isKeyFrame, isBroken, isCounted, isFragmentOpen, hasContent) = (false, false, false, false, false)
  }
}

/// Runs an assembler over untrusted bytes cut into packets, and returns the number of units it made.
///
/// ```
/// | encoding (1) | then packets: sequence (2) | timestamp (1) | marker, length (2) | payload … |
/// ```
/// An entry for fuzzing.
public func countUnits(ofPackets bytes: UnsafeRawBufferPointer) -> Int {
  guard let first = bytes.first else { return 0 }
  let encodings: [3 of MediaEncoding] = [.h264, .vp8, .opus]
  var assembler = AccessUnitAssembler(encoding: encodings[Int(first) % 3], reorderLimit: 16)
  var count = 0
  var offset = 1
  while offset + 5 <= bytes.count {
    let sequence = Int64(bytes[offset]) << 8 | Int64(bytes[offset + 1])
    let timestamp = UInt32(bytes[offset + 2])
    let length = min(Int(bytes[offset + 3] & 0x7F) << 8 | Int(bytes[offset + 4]), bytes.count - offset - 5)
    let payload = UnsafeRawBufferPointer(rebasing: bytes[offset + 5..<offset + 5 + length])
    count +=
      assembler.add(
        payload: payload, sequence: sequence, timestamp: timestamp, marker: bytes[offset + 3] & 0x80 != 0,
        lessonTime: Int64(timestamp) * 10_000
      ).count
    offset += 5 + length
  }
  return count + assembler.flush().count
}
