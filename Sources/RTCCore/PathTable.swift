import RTCWire

/// Finds the peer of a path: open addressing over flat arrays, no allocation after start-up.
///
/// Only authenticated paths are in it, a few for each peer, so it is never more than half full.
struct PathTable {
  private struct Entry {
    var path: NetworkPath
    var peer: Int32
  }

  private var entries: [Entry?]
  private let mask: Int
  private(set) var count = 0

  /// - Parameter limit: paths held at most; the table is the next power of two of twice that.
  init(limit: Int) {
    var size = 16
    while size < limit * 2 { size *= 2 }
    entries = Array(repeating: nil, count: size)
    mask = size - 1
  }

  private static func hash(_ path: NetworkPath) -> Int {
    var value = path.remote.high ^ (path.remote.low &* 0x9E37_79B9_7F4A_7C15)
    value ^= UInt64(path.remote.port) << 32 | UInt64(path.local.port) | UInt64(path.connection) << 16
    value ^= (path.local.high &* 0xC2B2_AE3D_27D4_EB4F) ^ path.local.low
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int(truncatingIfNeeded: value ^ (value >> 31)) & Int.max
  }

  func peer(for path: NetworkPath) -> Int32? {
    var index = Self.hash(path) & mask
    while let entry = entries[index] {
      if entry.path == path { return entry.peer }
      index = (index + 1) & mask
    }
    return nil
  }

  /// Adds or moves a path; false when the table has reached half its size.
  mutating func set(_ path: NetworkPath, peer: Int32) -> Bool {
    var index = Self.hash(path) & mask
    while let entry = entries[index] {
      if entry.path == path {
        entries[index]!.peer = peer  // present: just matched
        return true
      }
      index = (index + 1) & mask
    }
    guard count <= mask / 2 else { return false }
    entries[index] = Entry(path: path, peer: peer)
    count += 1
    return true
  }

  /// Removes a path and closes the gap it leaves in its probe sequence.
  mutating func remove(_ path: NetworkPath) {
    var index = Self.hash(path) & mask
    while let entry = entries[index], entry.path != path { index = (index + 1) & mask }
    guard entries[index] != nil else { return }
    entries[index] = nil
    count -= 1
    var next = (index + 1) & mask
    while let moved = entries[next] {
      entries[next] = nil
      count -= 1
      _ = set(moved.path, peer: moved.peer)
      next = (next + 1) & mask
    }
  }
}
