import CLinuxIO

/// Reads a segment forged of untrusted bytes, with every checksum right, and returns the packets found in it.
///
/// ```
/// | row: kind (1) | length (2) | feed and track (1) | bytes … |
/// ```
/// A row becomes a record of that kind whose bytes from the time on are the row's; with the top bit of the kind set,
/// its bytes go in as they are. An entry for fuzzing: bytes that a checksum would turn away never come this far
/// otherwise.
package func countPackets(ofForgedSegment rows: UnsafeRawBufferPointer) -> Int {
  let salt: UInt32 = 7
  var segment = [UInt8](repeating: 0, count: LogFormat.headerBytes)
  segment.withUnsafeMutableBytes {
    SegmentHeader(number: 1, salt: salt, instance: 1, made: 0).write(to: $0.baseAddress!)
  }
  var offset = 0
  while offset + 4 <= rows.count {
    let length = min(
      Int(rows[offset + 1]) << 8 | Int(rows[offset + 2]), rows.count - offset - 4, LogFormat.recordLimit - 16)
    let bytes = rows[offset + 4..<offset + 4 + length]
    if rows[offset] & 0x80 != 0 {
      segment += bytes
    } else {
      segment += forgedRecord(
        kind: rows[offset], feed: rows[offset + 3] >> 4, track: rows[offset + 3] & 15, bytes, salt)
    }
    segment += [UInt8](repeating: 0, count: LogFormat.padded(segment.count) - segment.count)
    offset += 4 + length
  }
  guard var reader = SegmentReader(descriptor: tk_memory_file(segment, segment.count)) else { return 0 }
  var scan = SegmentScan(released: [])
  scan.read(&reader, segment: 1)
  return scan.feeds.reduce(0) { $0 + Int($1.packets) + $1.runs.reduce(0) { $0 + $1.tracks.count } }
}

private func forgedRecord(
  kind: UInt8, feed: UInt8, track: UInt8, _ bytes: Slice<UnsafeRawBufferPointer>, _ salt: UInt32
) -> [UInt8] {
  var record = [UInt8](repeating: 0, count: 16) + bytes
  let count = record.count
  record.withUnsafeMutableBytes {
    let start = $0.baseAddress!
    start.put(UInt16(count), at: 4)
    start.put(kind, at: 6)
    start.put(LogFormat.mark, at: 7)
    start.put(UInt32(feed), at: 8)
    start.put(UInt32(track), at: 12)
    start.put(tk_crc32c(salt, start + 4, count - 4), at: 0)
  }
  return record
}
