import Foundation
import RTCCore

/// What the doctor measures on this machine, each within about a second.
package enum Measurement {
  /// Monotonic seconds.
  static func seconds() -> Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

  /// Wall-clock time less monotonic time, seconds: stays as it is unless somebody sets the clock.
  static func clockOffset() -> Double { Date().timeIntervalSince1970 - seconds() }

  /// Microseconds to seal one packet of 1,200 bytes with AES-128-GCM; the best of five rounds of 4,000.
  static func cipherMicroseconds(library: CipherLibrary) -> Double {
    let key = [UInt8](repeating: 0x5A, count: 16)
    let salt = [UInt8](repeating: 0xA5, count: 12)
    var sender = SRTPSender(
      keys: SRTPKeys(profile: .aeadAES128GCM, localKey: key, localSalt: salt, remoteKey: key, remoteSalt: salt),
      library: library)
    var stream = SealIndex()
    let header: [UInt8] = [0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    let payload = [UInt8](repeating: 7, count: 1_188)
    var sealed = [UInt8](repeating: 0, count: 1_216)
    var index: Int64 = 0
    var best = Double.infinity
    for _ in 0..<5 {
      let start = seconds()
      for _ in 0..<4_000 {
        header.withUnsafeBytes { header in
          payload.withUnsafeBytes { payload in
            sealed.withUnsafeMutableBytes { sealed in
              _ = sender.seal(
                header: header, prefix: UnsafeRawBufferPointer(start: nil, count: 0), payload: payload, index: index,
                stream: &stream, into: sealed)
            }
          }
        }
        index += 1
      }
      best = min(best, (seconds() - start) / 4_000 * 1e6)
    }
    return best
  }

  package struct DiskSpeed: Equatable {
    package var megabytesPerSecond: Double
    /// Median of eight syncs after a small write each.
    package var syncMilliseconds: Double

    package init(megabytesPerSecond: Double, syncMilliseconds: Double) {
      self.megabytesPerSecond = megabytesPerSecond
      self.syncMilliseconds = syncMilliseconds
    }
  }

  /// Writes up to 32 MiB into the folder, for a second at most, and removes it; nil when that fails.
  static func diskSpeed(folder: String) -> DiskSpeed? {
    let path = "\(folder)/.doctor-\(getpid())"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    defer {
      close(descriptor)
      unlink(path)
    }
    let block = [UInt8](repeating: 0xA7, count: 1 << 20)
    let start = seconds()
    var written = 0
    while written < 32 << 20, seconds() - start < 1 {
      let count = write(descriptor, block, block.count)
      guard count > 0 else { return nil }
      written += count
    }
    guard fdatasync(descriptor) == 0 else { return nil }
    let rate = Double(written) / 1e6 / max(seconds() - start, 1e-6)
    var syncs: [Double] = []
    for _ in 0..<8 where syncs.reduce(0, +) < 1_000 {
      let start = seconds()
      guard write(descriptor, block, 4_096) == 4_096, fdatasync(descriptor) == 0 else { return nil }
      syncs.append((seconds() - start) * 1e3)
    }
    return DiskSpeed(megabytesPerSecond: rate, syncMilliseconds: syncs.sorted()[syncs.count / 2])
  }

  /// Bytes a process without root's reserve may still write; nil when the folder cannot be asked.
  static func freeBytes(folder: String) -> UInt64? {
    var state = statvfs()
    guard statvfs(folder, &state) == 0 else { return nil }
    return UInt64(state.f_bavail) * UInt64(state.f_frsize)
  }

  static func openFileLimit() -> UInt64 {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    return UInt64(limit.rlim_cur)
  }

  /// A number of `/proc/sys`; nil where the kernel does not have it.
  static func kernelSetting(_ name: String) -> Int? { kernelText(name).flatMap { Int($0) } }

  /// A text of `/proc/sys`; nil where the kernel does not have it.
  static func kernelText(_ name: String) -> String? {
    let path = "/proc/sys/" + name.replacingOccurrences(of: ".", with: "/")
    let text = try? String(contentsOfFile: path, encoding: .utf8)
    return text?.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
