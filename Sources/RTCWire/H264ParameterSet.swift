/// Pixel rows of an H.264 stream by the sequence parameter set in a payload (ITU-T H.264 §7.3.2.1.1): a single NAL
/// unit or the first such in a STAP-A; nil without a readable one.
public func h264PictureHeight(_ payload: UnsafeRawBufferPointer) -> UInt16? {
  guard let first = payload.first else { return nil }
  switch first & 0x1F {
  case 7: return height(ofParameterSet: UnsafeRawBufferPointer(rebasing: payload[1...]))
  case 24:
    var offset = 1
    while offset + 3 <= payload.count {
      let count = Int(payload.uint16(offset))
      guard let unit = payload.part(offset + 2, count), let type = unit.first else { return nil }
      if type & 0x1F == 7 { return height(ofParameterSet: UnsafeRawBufferPointer(rebasing: unit[1...])) }
      offset += 2 + count
    }
    return nil
  default: return nil
  }
}

private func height(ofParameterSet bytes: UnsafeRawBufferPointer) -> UInt16? {
  var bits = BitReader(bytes)
  let profile = bits.read(8)
  // Constraint flags and level.
  bits.skip(16)
  _ = bits.exponential()
  var chroma: UInt32 = 1
  // The profiles that carry a chroma format (§7.3.2.1.1).
  if [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].contains(profile) {
    chroma = bits.exponential()
    if chroma == 3 { bits.skip(1) }
    _ = bits.exponential()
    _ = bits.exponential()
    bits.skip(1)
    // Scaling matrices: no publisher of live video sends them.
    if bits.read(1) != 0 { return nil }
  }
  _ = bits.exponential()
  switch bits.exponential() {
  case 0: _ = bits.exponential()
  case 1:
    bits.skip(1)
    _ = bits.exponential()
    _ = bits.exponential()
    let cycle = bits.exponential()
    guard cycle <= 255 else { return nil }
    for _ in 0..<cycle { _ = bits.exponential() }
  case 2: break
  default: return nil
  }
  _ = bits.exponential()
  bits.skip(1)
  _ = bits.exponential()
  let mapUnits = bits.exponential()
  let isFrameOnly = bits.read(1)
  guard mapUnits < 1_024, !bits.isOver else { return nil }
  let fields: UInt32 = isFrameOnly != 0 ? 1 : 2
  let rows = (mapUnits + 1) * 16 * fields
  if isFrameOnly == 0 { bits.skip(1) }
  bits.skip(1)
  var cropped: UInt32 = 0
  if bits.read(1) != 0 {
    _ = bits.exponential()
    _ = bits.exponential()
    let top = bits.exponential()
    let bottom = bits.exponential()
    guard top < 16_384, bottom < 16_384 else { return nil }
    cropped = (top + bottom) * fields * (chroma == 1 ? 2 : 1)
  }
  guard !bits.isOver, cropped < rows else { return nil }
  return UInt16(rows - cropped)
}

/// Reads bits from a NAL unit, leaving out emulation prevention bytes (§7.4.1). Past the end it reads zeros and says
/// so.
private struct BitReader {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0
  private var bit = 0
  private var zeros = 0
  private(set) var isOver = false

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private mutating func next() -> UInt32 {
    guard offset < bytes.count else {
      isOver = true
      return 0
    }
    let value = UInt32(bytes[offset] >> UInt8(7 - bit) & 1)
    bit += 1
    guard bit == 8 else { return value }
    bit = 0
    zeros = bytes[offset] == 0 ? zeros + 1 : 0
    offset += 1
    if zeros == 2, offset < bytes.count, bytes[offset] == 3 {
      offset += 1
      zeros = 0
    }
    return value
  }

  mutating func read(_ count: Int) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count { value = value << 1 | next() }
    return value
  }

  mutating func skip(_ count: Int) { for _ in 0..<count { _ = next() } }

  /// An unsigned Exp-Golomb number (§9.1), the largest for one of more than 31 bits.
  mutating func exponential() -> UInt32 {
    var leading = 0
    while next() == 0 {
      leading += 1
      guard leading < 32, !isOver else { return .max }
    }
    return (1 << leading) - 1 + read(leading)
  }
}
