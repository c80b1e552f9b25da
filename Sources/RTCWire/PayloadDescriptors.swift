/// Whether an RTP payload begins a key frame of an H.264 stream (RFC 6184): an SPS or IDR slice as a single NAL unit,
/// in a STAP-A, or as the start of an FU-A.
public func startsH264KeyFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
  guard let first = payload.first else { return false }
  switch first & 0x1F {
  case 5, 7: return true
  case 24:
    var offset = 1
    while offset + 3 <= payload.count {
      let type = payload[offset + 2] & 0x1F
      if type == 5 || type == 7 { return true }
      offset += 2 + Int(payload.uint16(offset))
    }
    return false
  case 28: return payload.count >= 2 && payload[1] & 0x80 != 0 && (payload[1] & 0x1F == 5 || payload[1] & 0x1F == 7)
  default: return false
  }
}

/// Whether an H.264 payload carries the start of a sequence parameter set: nothing of its picture comes before it.
public func carriesH264ParameterSet(_ payload: UnsafeRawBufferPointer) -> Bool {
  guard let first = payload.first else { return false }
  switch first & 0x1F {
  case 7: return true
  case 24:
    var offset = 1
    while offset + 3 <= payload.count {
      if payload[offset + 2] & 0x1F == 7 { return true }
      offset += 2 + Int(payload.uint16(offset))
    }
    return false
  case 28: return payload.count >= 2 && payload[1] & 0x9F == 0x87
  default: return false
  }
}

/// Whether an RTP payload begins a key frame of an H.265 stream (RFC 7798): VPS, SPS or an IRAP slice.
public func startsH265KeyFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
  guard payload.count >= 3 else { return false }
  func isKey(_ type: UInt8) -> Bool { (16...21).contains(type) || type == 32 || type == 33 }
  let type = payload[0] >> 1 & 0x3F
  switch type {
  case 48: return payload.count >= 5 && isKey(payload[4] >> 1 & 0x3F)
  case 49: return payload[2] & 0x80 != 0 && isKey(payload[2] & 0x3F)
  default: return isKey(type)
  }
}

/// Whether an RTP payload begins a key frame of a VP9 stream: not inter-predicted, base spatial layer (RFC 9628 §4.2).
public func startsVP9KeyFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
  guard let first = payload.first, first & 0x40 == 0, first & 0x08 != 0 else { return false }
  guard first & 0x20 != 0 else { return true }
  var offset = 1
  if first & 0x80 != 0 {
    guard offset < payload.count else { return false }
    offset += payload[offset] & 0x80 != 0 ? 2 : 1
  }
  guard offset < payload.count else { return false }
  return payload[offset] >> 1 & 7 == 0
}

/// Whether an RTP payload begins a coded video sequence of AV1: the N bit of the aggregation header.
public func startsAV1KeyFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
  guard let first = payload.first else { return false }
  return first & 0x08 != 0
}

/// The VP8 payload descriptor (RFC 7741 §4.2).
///
/// ```
/// |X|R|N|S|R| PID | , then by X: |I|L|T|K| RSV |, |M| PictureID (7 or 15)|, |TL0PICIDX|, |TID|Y|KEYIDX|
/// ```
public struct VP8Descriptor: Sendable {
  /// Bytes of the descriptor, 1…6.
  public let byteCount: Int
  public let startOfPartition: Bool
  public let partitionID: UInt8
  public let pictureID: UInt16?
  public let tl0PicIdx: UInt8?
  private let pictureIDOffset: Int
  private let pictureIDIsLong: Bool
  private let tl0Offset: Int

  /// Nil when the payload is too short for what its flags announce.
  public init?(_ payload: UnsafeRawBufferPointer) {
    guard let first = payload.first else { return nil }
    startOfPartition = first & 0x10 != 0
    partitionID = first & 0x07
    var offset = 1
    var picture: UInt16?
    var pictureOffset = 0
    var isLong = false
    var tl0: UInt8?
    var tl0At = 0
    if first & 0x80 != 0 {
      guard offset < payload.count else { return nil }
      let flags = payload[offset]
      offset += 1
      if flags & 0x80 != 0 {
        guard offset < payload.count else { return nil }
        pictureOffset = offset
        if payload[offset] & 0x80 != 0 {
          guard offset + 2 <= payload.count else { return nil }
          picture = payload.uint16(offset) & 0x7FFF
          isLong = true
          offset += 2
        } else {
          picture = UInt16(payload[offset])
          offset += 1
        }
      }
      if flags & 0x40 != 0 {
        guard offset < payload.count else { return nil }
        tl0 = payload[offset]
        tl0At = offset
        offset += 1
      }
      if flags & 0x30 != 0 { offset += 1 }
      guard offset <= payload.count else { return nil }
    }
    byteCount = offset
    pictureID = picture
    pictureIDOffset = pictureOffset
    pictureIDIsLong = isLong
    tl0PicIdx = tl0
    tl0Offset = tl0At
  }

  /// First packet of a key frame: S, partition 0 and the frame header's P bit clear.
  public func startsKeyFrame(_ payload: UnsafeRawBufferPointer) -> Bool {
    startOfPartition && partitionID == 0 && byteCount < payload.count && payload[byteCount] & 1 == 0
  }

  /// Copies the descriptor with other numbers, a short picture id made long. Returns bytes written, at most 7.
  public func write(
    to place: UnsafeMutableRawBufferPointer, original: UnsafeRawBufferPointer, pictureID: UInt16, tl0PicIdx: UInt8?
  ) -> Int {
    guard self.pictureID != nil, place.count >= byteCount + 1 else { return 0 }
    var written = 0
    for offset in 0..<byteCount {
      if offset == pictureIDOffset {
        place[written] = 0x80 | UInt8(pictureID >> 8 & 0x7F)
        place[written + 1] = UInt8(pictureID & 0xFF)
        written += 2
      } else if pictureIDIsLong, offset == pictureIDOffset + 1 {
        continue
      } else if let tl0PicIdx, offset == tl0Offset, tl0Offset > 0 {
        place[written] = tl0PicIdx
        written += 1
      } else {
        place[written] = original[offset]
        written += 1
      }
    }
    return written
  }
}

/// Pixel rows of a VP8 key frame's first packet (RFC 6386 §9.1); nil for anything else.
public func vp8KeyFrameHeight(_ payload: UnsafeRawBufferPointer) -> UInt16? {
  guard let descriptor = VP8Descriptor(payload), descriptor.startsKeyFrame(payload) else { return nil }
  let frame = descriptor.byteCount
  guard frame + 10 <= payload.count, payload[frame + 3] == 0x9D, payload[frame + 4] == 1, payload[frame + 5] == 0x2A
  else { return nil }
  return (UInt16(payload[frame + 8]) | UInt16(payload[frame + 9]) << 8) & 0x3FFF
}
