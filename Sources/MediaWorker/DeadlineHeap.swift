package import RTCCore

/// Deadlines of many peers, the earliest first: a binary heap. O(log n) in and out.
///
/// Nothing is taken back: an entry that no longer holds is the owner's to ignore when it comes up.
package struct DeadlineHeap {
  package struct Entry {
    package var deadline: Int64
    package var peer: PeerID
  }

  private var entries: [Entry] = []

  package init() {}

  package var earliest: Int64? { entries.first?.deadline }
  package var count: Int { entries.count }

  package mutating func push(_ deadline: Int64, _ peer: PeerID) {
    entries.append(Entry(deadline: deadline, peer: peer))
    var child = entries.count - 1
    while child > 0, entries[child].deadline < entries[(child - 1) / 2].deadline {
      entries.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// The earliest entry that is due, nil when none is.
  package mutating func pop(until now: Int64) -> Entry? {
    guard let first = entries.first, first.deadline <= now else { return nil }
    let last = entries.removeLast()
    guard !entries.isEmpty else { return first }
    entries[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < entries.count && entries[child].deadline < entries[least].deadline {
        least = child
      }
      if least == parent { return first }
      entries.swapAt(parent, least)
      parent = least
    }
  }
}
