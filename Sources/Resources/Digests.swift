import Classroom
import Crypto
import Foundation
import Recorder

enum Digests {
  /// SHA-256 of a file as 64 lower-case hexadecimal digits, and its length. Memory: 1 MiB.
  static func file(_ path: String) throws(ResourceError) -> (sha256: String, byteCount: Int64) {
    guard let file = FileHandle(forReadingAtPath: path) else { throw .folder("cannot read \(path)") }
    defer { try? file.close() }
    var hash = SHA256()
    var count: Int64 = 0
    while true {
      let block: Data?
      do { block = try file.read(upToCount: 1 << 20) } catch { throw .folder("cannot read \(path): \(error)") }
      guard let block, !block.isEmpty else { break }
      hash.update(data: block)
      count += Int64(block.count)
    }
    return (hash.finalize().map(hexadecimal).joined(), count)
  }

  /// The identifier of what is made of certain runs of a feed: the same whenever it is made of them.
  ///
  /// A version 8 UUID (RFC 9562 §5.8) of the first 128 bits of a SHA-256.
  static func identifier(_ feed: RecordedFeed, runs: ArraySlice<FoundFeed.Run>, part: Int, kind: String) -> Identifier
  {
    var hash = SHA256()
    func add(_ value: UInt64) { withUnsafeBytes(of: value.bigEndian) { hash.update(bufferPointer: $0) } }
    func add(_ text: String) {
      add(UInt64(text.utf8.count))
      hash.update(data: Data(text.utf8))
    }
    add(kind)
    add(feed.lesson.high)
    add(feed.lesson.low)
    add(feed.name)
    add(UInt64(feed.number))
    add(UInt64(part))
    for run in runs {
      add(UInt64(bitPattern: run.start.monotonic))
      add(UInt64(bitPattern: run.start.wall))
      add(run.start.boot.high)
      add(run.start.boot.low)
    }
    let bytes = Array(hash.finalize())
    func word(_ offset: Int) -> UInt64 { bytes[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) } }
    return Identifier(
      high: word(0) & 0xFFFF_FFFF_FFFF_0FFF | 0x8000, low: word(8) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return byte < 16 ? "0" + digits : digits
  }
}
