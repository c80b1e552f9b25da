import CLinuxIO
import Glibc
package import Synchronization

/// A disk that fails as told: the recorder's writes and syncs ask here first.
package final class DiskFaults: Sendable {
  /// Writes and syncs wait while set.
  package let isStalled = Atomic<Bool>(false)
  /// Every write fails with this number while it is not 0.
  package let writeError = Atomic<Int32>(0)
  /// Every sync fails with this number while it is not 0.
  package let syncError = Atomic<Int32>(0)
  /// Bytes that may still be written before the disk is full, negative for no limit. A write is cut short at the
  /// limit.
  package let room = Atomic<Int64>(-1)

  package init() {}

  fileprivate func wait() {
    while isStalled.load(ordering: .acquiring) { usleep(2_000) }
  }
}

/// The system calls on one volume's folder.
struct VolumeDisk: Sendable {
  let folder: String
  let faults: DiskFaults?

  func path(_ name: String) -> String { folder + "/" + name }

  /// Makes a segment's file. The descriptor, or -errno.
  func create(_ segment: UInt32) -> Int32 {
    if let error = faults?.writeError.load(ordering: .acquiring), error != 0 { return -error }
    let descriptor = open(path(LogFormat.fileName(segment)), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    return descriptor < 0 ? -errno : descriptor
  }

  func remove(_ segment: UInt32) { unlink(path(LogFormat.fileName(segment))) }

  /// Sets up to `wanted` bytes aside behind `offset`; returns how many. Not getting them is no failure.
  func preallocate(_ descriptor: Int32, at offset: Int64, wanted: Int64) -> Int64 {
    let count = min(wanted, max(freeBytes(), 0) / 16) & ~0xF_FFFF
    guard count > 0, faults?.room.load(ordering: .acquiring) ?? -1 < 0 else { return 0 }
    return tk_disk_allocate(descriptor, offset, count) == 0 ? count : 0
  }

  /// Writes a batch. How many bytes are in the file, and the error that kept the rest out, 0 for none.
  func write(_ batch: LogBatch, to descriptor: Int32, at position: Int64) -> (written: Int, error: Int32) {
    faults?.wait()
    let injected = faults?.writeError.load(ordering: .acquiring) ?? 0
    if injected != 0 { return (0, injected) }
    return batch.withPieces { pieces in
      if let faults, faults.room.load(ordering: .acquiring) >= 0 {
        return writeWithin(faults, pieces, to: descriptor, at: position)
      }
      return writeAll(pieces, to: descriptor, at: position)
    }
  }

  private func writeAll(
    _ pieces: UnsafeMutableBufferPointer<iovec>, to descriptor: Int32, at position: Int64
  ) -> (written: Int, error: Int32) {
    var total = 0
    var index = 0
    while index < pieces.count {
      let got = tk_disk_write(
        descriptor, pieces.baseAddress! + index, Int32(pieces.count - index), position + Int64(total))
      guard got > 0 else { return (total, got < 0 ? Int32(-got) : EIO) }
      total += Int(got)
      var left = Int(got)
      while index < pieces.count, left >= pieces[index].iov_len {
        left -= pieces[index].iov_len
        index += 1
      }
      if left > 0 {
        pieces[index].iov_base += left
        pieces[index].iov_len -= left
      }
    }
    return (total, 0)
  }

  private func writeWithin(
    _ faults: DiskFaults, _ pieces: UnsafeMutableBufferPointer<iovec>, to descriptor: Int32, at position: Int64
  ) -> (written: Int, error: Int32) {
    var room = Int(faults.room.load(ordering: .acquiring))
    var count = 0
    var isCut = false
    while count < pieces.count, !isCut {
      if pieces[count].iov_len > room {
        pieces[count].iov_len = room
        isCut = true
      }
      room -= pieces[count].iov_len
      count += 1
    }
    let result = writeAll(.init(rebasing: pieces[..<count]), to: descriptor, at: position)
    faults.room.store(Int64(room), ordering: .releasing)
    return isCut ? (result.written, ENOSPC) : result
  }

  /// 0 or the error.
  func sync(_ descriptor: Int32) -> Int32 {
    faults?.wait()
    let injected = faults?.syncError.load(ordering: .acquiring) ?? 0
    return injected != 0 ? injected : -tk_disk_sync(descriptor)
  }

  /// Negative when the system does not tell.
  func freeBytes() -> Int64 { tk_disk_free(folder) }

  /// The numbers of the segments in the folder, ascending.
  static func segments(in folder: String) throws(RecorderError) -> [UInt32] {
    guard let stream = opendir(folder) else { throw .cannotRead(errno: errno) }
    defer { closedir(stream) }
    var numbers: [UInt32] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let number = LogFormat.segmentNumber(name) { numbers.append(number) }
    }
    return numbers.sorted()
  }
}
