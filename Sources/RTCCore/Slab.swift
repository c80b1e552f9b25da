/// A fixed table of values that may not be copied, addressed by small indices that stay valid until freed.
///
/// Capacity is reserved once and touched as it is used; pointers into it never move. Lookup, `insert` and `remove` are
/// O(1).
struct Slab<Element: ~Copyable>: ~Copyable {
  private let elements: UnsafeMutablePointer<Element>
  private var occupied: [Bool]
  /// Freed indices, oldest first. An index is used again only when every other has been: what still names a freed
  /// element (a queued entry, a sent packet) is long gone by then.
  private var free: [Int32]
  private var freeHead = 0
  private var freeCount = 0
  private var used: Int32 = 0
  private(set) var count = 0
  let capacity: Int

  init(capacity: Int) {
    precondition(capacity > 0 && capacity < Int(Int32.max))
    self.capacity = capacity
    elements = .allocate(capacity: capacity)
    occupied = Array(repeating: false, count: capacity)
    free = Array(repeating: 0, count: capacity)
  }

  deinit {
    for index in 0..<Int(used) where occupied[index] { (elements + index).deinitialize(count: 1) }
    elements.deallocate()
  }

  /// One past the largest index ever used: the range to scan.
  var end: Int32 { used }
  var isFull: Bool { count == capacity }

  func contains(_ index: Int32) -> Bool { index >= 0 && index < used && occupied[Int(index)] }

  /// The element's place. Valid until `remove(index)`.
  subscript(index: Int32) -> UnsafeMutablePointer<Element> {
    precondition(contains(index), "slab index is not in use")
    return elements + Int(index)
  }

  /// Stores a value and returns its index; the caller has checked `isFull`.
  mutating func insert(_ element: consuming Element) -> Int32 {
    precondition(!isFull)
    let index: Int32
    if Int(used) < capacity {
      index = used
      used += 1
    } else {
      index = free[freeHead]
      freeHead = (freeHead + 1) % capacity
      freeCount -= 1
    }
    (elements + Int(index)).initialize(to: element)
    occupied[Int(index)] = true
    count += 1
    return index
  }

  mutating func remove(_ index: Int32) {
    precondition(contains(index))
    (elements + Int(index)).deinitialize(count: 1)
    occupied[Int(index)] = false
    free[(freeHead + freeCount) % capacity] = index
    freeCount += 1
    count -= 1
  }
}

/// A bounded first-in first-out queue of plain values in one allocation.
struct BoundedQueue<Element: BitwiseCopyable>: ~Copyable {
  private let storage: UnsafeMutablePointer<Element>
  private let mask: Int
  private var head = 0
  private var tail = 0

  /// - Parameter capacity: a power of two.
  init(capacity: Int) {
    precondition(capacity > 0 && capacity & (capacity - 1) == 0)
    storage = .allocate(capacity: capacity)
    mask = capacity - 1
  }

  deinit { storage.deallocate() }

  var count: Int { tail - head }
  var isEmpty: Bool { head == tail }
  var isFull: Bool { count == mask + 1 }
  var first: Element { storage[head & mask] }

  subscript(offset: Int) -> Element { storage[(head + offset) & mask] }

  /// False when full; the element is then the caller's to count as dropped.
  mutating func push(_ element: Element) -> Bool {
    guard !isFull else { return false }
    storage[tail & mask] = element
    tail += 1
    return true
  }

  mutating func pop() -> Element? {
    guard head != tail else { return nil }
    defer { head += 1 }
    return storage[head & mask]
  }

  mutating func removeAll() { head = tail }

  /// Keeps the elements that satisfy `isKept`, in order. O(count).
  mutating func filter(_ isKept: (Element) -> Bool) {
    var write = head
    for read in head..<tail {
      let element = storage[read & mask]
      if isKept(element) {
        storage[write & mask] = element
        write += 1
      }
    }
    tail = write
  }
}
