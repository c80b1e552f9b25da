/// A bounded first-in first-out queue of plain values.
///
/// It has no memory before the first value, doubles it up to the limit as values wait, and starts over at its first
/// place whenever it is empty, so that a queue that is mostly empty stays within few lines of the cache.
package struct BoundedQueue<Element: BitwiseCopyable>: ~Copyable {
  private static var first: Int { 16 }
  private var storage: UnsafeMutablePointer<Element>?
  package private(set) var capacity = 0
  private var head = 0
  private var tail = 0
  /// The most that waited since the last `trim`.
  private var peak = 0
  package let limit: Int

  /// - Parameter limit: a power of two.
  package init(limit: Int) {
    precondition(limit > 0 && limit & (limit - 1) == 0)
    self.limit = limit
  }

  deinit { storage?.deallocate() }

  package var count: Int { tail - head }
  package var isEmpty: Bool { head == tail }
  package var isFull: Bool { count == limit }
  /// The oldest; the caller has seen that there is one.
  package var first: Element { self[0] }

  package subscript(offset: Int) -> Element {
    precondition(offset < count)
    return storage![(head + offset) & (capacity - 1)]  // not empty: it has memory
  }

  /// False when full; the element is then the caller's to count as dropped.
  package mutating func push(_ element: Element) -> Bool {
    if count == capacity {
      guard capacity < limit else { return false }
      resize(to: capacity == 0 ? min(Self.first, limit) : capacity * 2)
    }
    storage![tail & (capacity - 1)] = element  // just made sure of
    tail += 1
    peak = max(peak, count)
    return true
  }

  package mutating func pop() -> Element? {
    guard head != tail, let storage else { return nil }
    let element = storage[head & (capacity - 1)]
    head += 1
    if head == tail { removeAll() }
    return element
  }

  package mutating func removeAll() {
    head = 0
    tail = 0
  }

  /// Keeps the elements that satisfy `isKept`, in order. O(count).
  package mutating func filter(_ isKept: (Element) -> Bool) {
    guard let storage else { return }
    var write = head
    for read in head..<tail {
      let element = storage[read & (capacity - 1)]
      if isKept(element) {
        storage[write & (capacity - 1)] = element
        write += 1
      }
    }
    tail = write
    if head == tail { removeAll() }
  }

  /// Gives memory back of which less than an eighth was needed since the last call.
  package mutating func trim() {
    if isEmpty, capacity > Self.first, peak * 8 <= capacity { resize(to: max(Self.first, capacity / 4)) }
    peak = count
  }

  private mutating func resize(to size: Int) {
    let grown = UnsafeMutablePointer<Element>.allocate(capacity: size)
    let present = count
    for offset in 0..<present { (grown + offset).initialize(to: self[offset]) }
    storage?.deallocate()
    storage = grown
    capacity = size
    head = 0
    tail = present
  }
}
