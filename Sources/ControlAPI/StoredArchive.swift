public import Foundation

/// Writes a ZIP archive of files as they are, without compression: what is in it is compressed already.
///
/// Entries have one fixed time, so that the same files in the same order are the same bytes (APPNOTE 6.3, with ZIP64
/// where sizes need it).
public struct StoredArchive {
  private struct Entry {
    var name: [UInt8]
    var checksum: UInt32
    var size: UInt64
    var offset: UInt64

    /// What both headers have in common: version to the length of the name. Names are UTF-8 (bit 11).
    func fields(version: UInt16) -> Data {
      var data = Data()
      data.add(version)
      data.add(UInt16(1 << 11))
      data.add(UInt16(0))
      data.add(UInt16(0))
      data.add(StoredArchive.date)
      data.add(checksum)
      let told = size >= StoredArchive.large ? UInt32.max : UInt32(size)
      data.add(told)
      data.add(told)
      data.add(UInt16(name.count))
      return data
    }
  }

  private let write: (Data) throws -> Void
  private var entries: [Entry] = []
  private var offset: UInt64 = 0

  /// - Parameter write: takes what comes next in the archive.
  public init(write: @escaping (Data) throws -> Void) { self.write = write }

  /// 1980-01-01 00:00:00 of MS-DOS.
  private static let date: UInt16 = 0x0021
  /// Bytes of a size and a place that need ZIP64.
  private static let large: UInt64 = 0xFFFF_FFFF

  /// Adds a file whose size and CRC-32 are known beforehand; `blocks` hands its bytes on, all of them.
  /// - Throws: what `blocks` and `write` throw; `Failure.changed` when the bytes are others than was said.
  public mutating func add(
    name: String, size: UInt64, checksum: UInt32, blocks: ((Data) throws -> Void) throws -> Void
  ) throws {
    let entry = Entry(name: Array(name.utf8), checksum: checksum, size: size, offset: offset)
    let isLarge = size >= Self.large
    var header = Data()
    header.add(UInt32(0x0403_4b50))
    header.append(entry.fields(version: isLarge ? 45 : 20))
    header.add(UInt16(isLarge ? 20 : 0))
    header.append(contentsOf: entry.name)
    if isLarge {
      header.add(UInt16(1))
      header.add(UInt16(16))
      header.add(size)
      header.add(size)
    }
    try put(header)
    var sum = CRC32()
    var written: UInt64 = 0
    let begin = offset
    try blocks { block in
      sum.add(block)
      written += UInt64(block.count)
      try write(block)
    }
    guard written == size, sum.value == checksum else { throw Failure.changed }
    offset = begin + written
    entries.append(entry)
  }

  public enum Failure: Error, Hashable, Sendable {
    /// A file is not what its size and sum said.
    case changed
  }

  /// Writes the directory at the end. Nothing is added afterwards.
  public mutating func finish() throws {
    let start = offset
    for entry in entries { try put(Self.directory(entry)) }
    let size = offset - start
    var end = Data()
    let count = UInt64(entries.count)
    if start >= Self.large || size >= Self.large || count >= 0xFFFF {
      end.add(UInt32(0x0606_4b50))
      end.add(UInt64(44))
      end.add(UInt16(45))
      end.add(UInt16(45))
      end.add(UInt32(0))
      end.add(UInt32(0))
      for value in [count, count, size, start] { end.add(value) }
      end.add(UInt32(0x0706_4b50))
      end.add(UInt32(0))
      end.add(start + size)
      end.add(UInt32(1))
    }
    end.add(UInt32(0x0605_4b50))
    end.add(UInt32(0))
    for _ in 0..<2 { end.add(UInt16(min(count, 0xFFFF))) }
    end.add(UInt32(min(size, Self.large)))
    end.add(UInt32(min(start, Self.large)))
    end.add(UInt16(0))
    try put(end)
  }

  private static func directory(_ entry: Entry) -> Data {
    let (isLarge, isFar) = (entry.size >= large, entry.offset >= large)
    var extra = Data()
    if isLarge {
      extra.add(entry.size)
      extra.add(entry.size)
    }
    if isFar { extra.add(entry.offset) }
    var record = Data()
    record.add(UInt32(0x0201_4b50))
    // Made on Unix, so that names are taken as they are.
    record.add(UInt16(0x0300 | 45))
    record.append(entry.fields(version: isLarge || isFar ? 45 : 20))
    record.add(UInt16(extra.isEmpty ? 0 : extra.count + 4))
    record.add(UInt16(0))
    record.add(UInt16(0))
    record.add(UInt16(0))
    record.add(UInt32(0o100644 << 16))
    record.add(isFar ? UInt32.max : UInt32(entry.offset))
    record.append(contentsOf: entry.name)
    if !extra.isEmpty {
      record.add(UInt16(1))
      record.add(UInt16(extra.count))
      record.append(extra)
    }
    return record
  }

  private mutating func put(_ data: Data) throws {
    try write(data)
    offset += UInt64(data.count)
  }
}

extension Data {
  /// Little-endian.
  fileprivate mutating func add<Value: FixedWidthInteger>(_ value: Value) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}

/// CRC-32 of ISO 3309, as ZIP asks for.
public struct CRC32: Sendable {
  /// Eight tables of 256 behind one another: what a byte does to the sum when so many bytes follow it.
  private static let table: [UInt32] = {
    var table: [UInt32] = []
    for byte in UInt32(0)..<256 {
      var sum: UInt32 = byte
      for _ in 0..<8 {
        let half: UInt32 = sum >> 1
        if sum & 1 == 1 { sum = half ^ 0xEDB8_8320 } else { sum = half }
      }
      table.append(sum)
    }
    for place in 256..<2_048 {
      let before: UInt32 = table[place - 256]
      table.append(table[Int(before & 0xFF)] ^ (before >> 8))
    }
    return table
  }()

  private var state: UInt32 = 0xFFFF_FFFF

  public init() {}

  public var value: UInt32 { ~state }

  /// Eight bytes a step.
  public mutating func add(_ data: Data) {
    let before = state
    state = data.withUnsafeBytes { bytes in
      Self.table.withUnsafeBufferPointer { table in Self.sum(before, bytes, table) }
    }
  }

  private static func sum(
    _ before: UInt32, _ bytes: UnsafeRawBufferPointer, _ table: UnsafeBufferPointer<UInt32>
  ) -> UInt32 {
    var sum = before
    var place = 0
    while place + 8 <= bytes.count {
      let loaded: UInt64 = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      var word: UInt64 = UInt64(littleEndian: loaded) ^ UInt64(sum)
      var next: UInt32 = 0
      for step in 0..<8 {
        let byte = Int(word & 0xFF)
        next ^= table[(7 - step) * 256 + byte]
        word >>= 8
      }
      sum = next
      place += 8
    }
    while place < bytes.count {
      let byte = Int((sum & 0xFF) ^ UInt32(bytes[place]))
      sum = table[byte] ^ (sum >> 8)
      place += 1
    }
    return sum
  }
}
