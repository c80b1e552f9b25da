import RTCCore
import RTCWire

/// What will happen, by time and then by insertion: a binary heap.
struct EventQueue {
  enum Event {
    case datagram(node: Int, bytes: [UInt8], from: SocketAddress, to: SocketAddress)
    case keys(node: Int, PeerID, SRTPKeys)
  }

  private struct Scheduled {
    var at: Instant
    var number: UInt64
    var event: Event
  }

  private var heap: [Scheduled] = []
  private var scheduled: UInt64 = 0

  var nextMoment: Instant? { heap.first?.at }

  mutating func push(_ at: Instant, _ event: Event) {
    scheduled += 1
    heap.append(Scheduled(at: at, number: scheduled, event: event))
    var child = heap.count - 1
    while child > 0, isBefore(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// The earliest event that is due, nil when none is.
  mutating func pop(until now: Instant) -> Event? {
    guard let first = heap.first, first.at <= now else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBefore(child, least) {
        least = child
      }
      if least == parent { return first.event }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    (heap[left].at, heap[left].number) < (heap[right].at, heap[right].number)
  }
}
