import CLinuxIO
import Glibc

/// Names one run of the recorder over a feed, over all segments.
struct RunKey: Hashable, Sendable {
  var feed: RecordedFeed
  var start: RunStart
}

/// The runs whose log is no longer wanted, in the file `released` of the volume's folder.
///
/// A line a run: seven hexadecimal numbers and the name as hexadecimal bytes. Replaced as a whole, so that it is
/// either the old or the new list; a line that does not read is ignored, which only means that files are made once
/// more.
enum ReleaseList {
  static let fileName = "released"
  private static let byteLimit = 4 << 20

  static func read(folder: String) -> Set<RunKey> {
    let descriptor = open(folder + "/" + fileName, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: byteLimit)
    let count = tk_disk_read(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return [] }
    var keys: Set<RunKey> = []
    for line in bytes.prefix(Int(count)).split(separator: UInt8(ascii: "\n")) {
      if let key = parse(line) { keys.insert(key) }
    }
    return keys
  }

  /// Durable when it returns.
  static func write(_ keys: Set<RunKey>, folder: String) throws(RecorderError) {
    let text = keys.map(line).sorted().joined()
    let temporary = folder + "/" + fileName + ".new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .cannotWrite(errno: errno) }
    let bytes = Array(text.utf8)
    var error: Int32 = 0
    bytes.withUnsafeBytes { all in
      var done = 0
      while done < all.count, error == 0 {
        let got = Glibc.write(descriptor, all.baseAddress! + done, all.count - done)
        if got > 0 { done += got } else if errno != EINTR { error = errno }
      }
    }
    if error == 0, fsync(descriptor) != 0 { error = errno }
    close(descriptor)
    if error == 0, rename(temporary, folder + "/" + fileName) != 0 { error = errno }
    guard error == 0 else {
      unlink(temporary)
      throw .cannotWrite(errno: error)
    }
    tk_folder_sync(folder)
  }

  private static func line(_ key: RunKey) -> String {
    let numbers: [UInt64] = [
      key.feed.lesson.high, key.feed.lesson.low, UInt64(key.feed.number), UInt64(bitPattern: key.start.monotonic),
      UInt64(bitPattern: key.start.wall), key.start.boot.high, key.start.boot.low,
    ]
    let name = key.feed.name.utf8.map { String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
    return numbers.map { String($0, radix: 16) }.joined(separator: " ") + " =" + name + "\n"
  }

  private static func parse(_ line: ArraySlice<UInt8>) -> RunKey? {
    let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
    guard fields.count == 8, fields[7].hasPrefix("=") else { return nil }
    let numbers = fields.prefix(7).compactMap { UInt64($0, radix: 16) }
    guard numbers.count == 7, let number = UInt32(exactly: numbers[2]) else { return nil }
    let digits = Array(fields[7].dropFirst().utf8)
    guard digits.count % 2 == 0 else { return nil }
    var name: [UInt8] = []
    for place in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16) else { return nil }
      name.append(byte)
    }
    return RunKey(
      feed: RecordedFeed(
        lesson: LogIdentity(high: numbers[0], low: numbers[1]), name: String(decoding: name, as: UTF8.self),
        number: number),
      start: RunStart(
        monotonic: Int64(bitPattern: numbers[3]), wall: Int64(bitPattern: numbers[4]),
        boot: LogIdentity(high: numbers[5], low: numbers[6])))
  }
}
