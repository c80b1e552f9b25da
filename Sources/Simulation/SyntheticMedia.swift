import RTCWire

/// What a synthetic packet says of itself: which publisher's picture or sound it is, and its place in it.
///
/// Layout: `[source 1 | number 4 | index 2 | count 2]`, big-endian, behind what the codec needs. H.264 key frames are
/// a STAP-A of a parameter set and the tag in an SEI unit, then an IDR slice in FU-A packets, as encoders send them.
struct MediaTag: Equatable {
  static let byteCount = 9
  static let filler = 300

  var source: UInt8
  var number: UInt32
  var index: UInt16
  var count: UInt16

  /// Numbers of all publishers in one: the first one's are the plain ones.
  var key: UInt32 { UInt32(source &- 1) << 24 | number }

  private static let parameterSetByteCount = 16

  /// A baseline sequence parameter set (ITU-T H.264 §7.3.2.1.1) of a picture 16:9, padded to sixteen bytes.
  private static func parameterSet(height: UInt16) -> [UInt8] {
    var bits: [UInt8] = []
    func put(_ value: Int, _ count: Int) { for bit in (0..<count).reversed() { bits.append(UInt8(value >> bit & 1)) } }
    func exponential(_ value: Int) {
      let size = (value + 1).bitWidth - (value + 1).leadingZeroBitCount
      put(value + 1, 2 * size - 1)
    }
    let rows = (Int(height) + 15) / 16
    // Ids and lengths 0, order type 2, one reference, no gaps, the size, whole frames.
    for value in [0, 0, 2, 1] { exponential(value) }
    put(0, 1)
    exponential(Int(height) * 16 / 9 / 16 - 1)
    exponential(rows - 1)
    put(3, 2)
    let cropped = (rows * 16 - Int(height)) / 2
    put(cropped > 0 ? 1 : 0, 1)
    if cropped > 0 { for value in [0, 0, 0, cropped] { exponential(value) } }
    put(1, 2)
    while bits.count % 8 != 0 { bits.append(0) }
    let bytes = stride(from: 0, to: bits.count, by: 8).map { bits[$0..<$0 + 8].reduce(0) { $0 << 1 | $1 } }
    let set = [0x67, 0x42, 0xC0, 0x1F] + bytes
    return set + [UInt8](repeating: 0, count: parameterSetByteCount - set.count)
  }

  /// Where the tag lies, by the first bytes of a video payload.
  private static func offset(_ payload: UnsafeRawBufferPointer, isVP8: Bool) -> Int {
    if isVP8 { return 16 }
    switch payload[0] & 0x1F {
    case 24: return 1 + 2 + parameterSetByteCount + 2 + 1
    case 28: return 2
    default: return 1
    }
  }

  init(source: UInt8, number: UInt32, index: UInt16 = 0, count: UInt16 = 1) {
    self.source = source
    self.number = number
    self.index = index
    self.count = count
  }

  /// Reads the tag of a video payload; nil when it is too short.
  init?(video payload: UnsafeRawBufferPointer, isVP8: Bool) {
    guard payload.count >= Self.filler else { return nil }
    self.init(bytes: payload, at: Self.offset(payload, isVP8: isVP8))
  }

  init?(audio payload: UnsafeRawBufferPointer) {
    guard payload.count >= Self.byteCount else { return nil }
    self.init(bytes: payload, at: 0)
  }

  private init(bytes: UnsafeRawBufferPointer, at offset: Int) {
    source = bytes[offset]
    number = bytes.loadUnaligned(fromByteOffset: offset + 1, as: UInt32.self).bigEndian
    index = bytes.loadUnaligned(fromByteOffset: offset + 5, as: UInt16.self).bigEndian
    count = bytes.loadUnaligned(fromByteOffset: offset + 7, as: UInt16.self).bigEndian
  }

  private func store(_ bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
    bytes[offset] = source
    bytes.storeBytes(of: number.bigEndian, toByteOffset: offset + 1, as: UInt32.self)
    bytes.storeBytes(of: index.bigEndian, toByteOffset: offset + 5, as: UInt16.self)
    bytes.storeBytes(of: count.bigEndian, toByteOffset: offset + 7, as: UInt16.self)
  }

  func writeAudio(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
    store(bytes, at: 0)
    return 80
  }

  /// Writes an H.264 payload and returns its byte count; the last packet of a picture is the shortest.
  func writeH264(_ bytes: UnsafeMutableRawBufferPointer, isKey: Bool, height: UInt16 = 720) -> Int {
    let isLast = index == count - 1
    if isKey, index == 0 {
      let set = Self.parameterSet(height: height)
      let head = [0x78, 0, UInt8(set.count)] + set + [0, UInt8(Self.byteCount + 1), 0x06]
      for (place, byte) in head.enumerated() { bytes[place] = byte }
      store(bytes, at: head.count)
      for place in head.count + Self.byteCount..<Self.filler { bytes[place] = 0 }
      return Self.filler
    }
    if isKey || count > 1 {
      bytes[0] = 0x7C
      bytes[1] = (index == (isKey ? 1 : 0) ? 0x80 : 0) | (isLast ? 0x40 : 0) | (isKey ? 5 : 1)
      store(bytes, at: 2)
    } else {
      bytes[0] = 0x41
      store(bytes, at: 1)
    }
    return isLast ? Self.filler : 1_000
  }

  /// Writes a VP8 payload: descriptor with a picture id of 15 bits and TL0PICIDX, and a frame header.
  func writeVP8(_ bytes: UnsafeMutableRawBufferPointer, isKey: Bool, pictureID: UInt16, height: UInt16) -> Int {
    let head: [UInt8] = [
      index == 0 ? 0x90 : 0x80, 0xE0, 0x80 | UInt8(pictureID >> 8 & 0x7F), UInt8(pictureID & 255), UInt8(number & 255),
      0,
    ]
    for (place, byte) in head.enumerated() { bytes[place] = byte }
    // RFC 6386 §9.1: P bit, start code, width, height.
    let frame: [UInt8] = [isKey ? 0 : 1, 0, 0, 0x9D, 0x01, 0x2A, 0, 0, UInt8(height & 255), UInt8(height >> 8)]
    for (place, byte) in frame.enumerated() { bytes[head.count + place] = byte }
    store(bytes, at: 16)
    return index == count - 1 ? Self.filler : 1_000
  }
}
