/// A fixed table of values that may not be copied, addressed by small indices that stay valid until freed.
///
/// Capacity is reserved once and touched as it is used; pointers into it never move. Lookup, `insert` and `remove` are
/// O(1).
struct Slab<Element: ~Copyable>: ~Copyable {
  private let elements: UnsafeMutablePointer<Element>
  private var occupied: [Bool]
  /// Freed indices, oldest first. An index is used again only when as many others as `rest` have been freed since, or
  /// none is left: what still names a freed element (a queued entry, a sent packet) is long gone by then.
  private var free: [Int32]
  private var freeHead = 0
  private var freeCount = 0
  private var used: Int32 = 0
  private(set) var count = 0
  let capacity: Int
  private let rest: Int

  /// - Parameter rest: elements that may lie unused before the oldest of them is used again; it bounds the memory that
  ///   coming and going touches. Nil: all of them.
  init(capacity: Int, rest: Int? = nil) {
    precondition(capacity > 0 && capacity < Int(Int32.max))
    self.capacity = capacity
    self.rest = rest ?? capacity
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
    if Int(used) < capacity, freeCount <= rest {
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
