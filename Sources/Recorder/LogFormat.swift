import CLinuxIO

/// The bytes of a segment file.
///
/// A segment is a header of two equal copies, then records, each beginning at a multiple of 8 bytes; numbers are
/// little-endian. Every segment stands for itself: a feed and its tracks are announced again in each.
///
///     header copy, 64 bytes: magic 8, version u32, salt u32, number u32, 0 u32, instance u64, made (UTC µs) i64,
///                            0 × 20, CRC u32 of the 60 bytes before
///     record, 24 bytes:      CRC u32 of what follows, length u16 with these 24 bytes, kind u8, 0xA7,
///                            feed u32, track u32, time i64
///       start, continued:    wall i64, lesson 2 × u64, boot 2 × u64, number u32, name length u8, name
///       track:               isVideo u8, encoding u8, 0 u16, clock rate u32
///       packet:              extended sequence i64, timestamp u32, payload type u8, flags u8, audio level u8, 0,
///                            payload
///       gap (time: from):    to i64, count u64, reason u8
///       end:                 packets u64, payload bytes u64, gaps u64
///
/// The CRC is CRC-32C that starts from the segment's random salt, so that bytes of a payload never pass for a record.
enum LogFormat {
  static let magic: UInt64 = 0x0A0D_474F_4C4B_54FF
  static let version: UInt32 = 1
  static let headerCopyBytes = 64
  static let headerBytes = 128
  static let recordHeaderBytes = 24
  static let packetHeaderBytes = 40
  static let startHeaderBytes = 69
  static let trackBytes = 32
  static let gapBytes = 41
  static let endBytes = 48
  static let mark: UInt8 = 0xA7
  /// A payload of more is counted and not written: no slot is longer.
  static let payloadLimit = 4_096
  static let recordLimit = packetHeaderBytes + payloadLimit

  enum Kind: UInt8 {
    case start = 1
    /// Announces in a further segment what `start` began.
    case continued = 2
    case track = 3
    case packet = 4
    case gap = 5
    case end = 6

    /// Bytes a record of the kind has at least.
    var byteMinimum: Int {
      switch self {
      case .start, .continued: startHeaderBytes
      case .track: trackBytes
      case .packet: packetHeaderBytes
      case .gap: gapBytes
      case .end: endBytes
      }
    }
  }

  static func padded(_ count: Int) -> Int { (count + 7) & ~7 }

  static func fileName(_ segment: UInt32) -> String {
    let digits = String(segment, radix: 16)
    return "segment-" + String(repeating: "0", count: 8 - digits.count) + digits + ".log"
  }

  /// The number in a segment's file name, nil for another file.
  static func segmentNumber(_ name: String) -> UInt32? {
    guard name.utf8.count == 20, name.hasPrefix("segment-"), name.hasSuffix(".log"),
      let number = UInt32(name.dropFirst(8).prefix(8), radix: 16), fileName(number) == name
    else { return nil }
    return number
  }
}

/// What a segment says of itself.
struct SegmentHeader: Equatable {
  var number: UInt32
  var salt: UInt32
  /// Random number of the recorder that wrote it; feeds' handles are unique within one.
  var instance: UInt64
  /// UTC microseconds.
  var made: Int64

  /// Writes both copies.
  func write(to bytes: UnsafeMutableRawPointer) {
    bytes.initializeMemory(as: UInt8.self, repeating: 0, count: LogFormat.headerBytes)
    bytes.put(LogFormat.magic, at: 0)
    bytes.put(LogFormat.version, at: 8)
    bytes.put(salt, at: 12)
    bytes.put(number, at: 16)
    bytes.put(instance, at: 24)
    bytes.put(made, at: 32)
    bytes.put(tk_crc32c(0, bytes, 60), at: 60)
    (bytes + LogFormat.headerCopyBytes).copyMemory(from: bytes, byteCount: LogFormat.headerCopyBytes)
  }

  /// Reads whichever copy is whole.
  init?(_ bytes: UnsafeRawBufferPointer) {
    for offset in [0, LogFormat.headerCopyBytes] where bytes.count >= offset + LogFormat.headerCopyBytes {
      let copy = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + LogFormat.headerCopyBytes])
      guard copy.get(UInt64.self, at: 0) == LogFormat.magic, copy.get(UInt32.self, at: 8) == LogFormat.version,
        copy.get(UInt32.self, at: 60) == tk_crc32c(0, copy.baseAddress, 60)
      else { continue }
      salt = copy.get(UInt32.self, at: 12)
      number = copy.get(UInt32.self, at: 16)
      instance = copy.get(UInt64.self, at: 24)
      made = copy.get(Int64.self, at: 32)
      return
    }
    return nil
  }

  init(number: UInt32, salt: UInt32, instance: UInt64, made: Int64) {
    self.number = number
    self.salt = salt
    self.instance = instance
    self.made = made
  }
}

extension UnsafeMutableRawPointer {
  func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
  }
}

extension UnsafeRawBufferPointer {
  func get<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value {
    Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
  }
}
