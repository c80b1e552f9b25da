public import Synchronization

/// The shared part of a bounded one-way queue between exactly one producing and one consuming thread.
///
/// No locks: each side owns one counter and reads the other's only when its cached copy says full or empty. The
/// counters lie 128 bytes apart so that neither side's writes evict the other's line. Elements may be of any
/// `Sendable` type; they are moved in and out, and those left are destroyed with the lane.
public final class Lane<Element: Sendable>: @unchecked Sendable {
  /// The most elements the lane holds.
  public let capacity: Int
  @usableFromInline let mask: Int
  @usableFromInline let elements: UnsafeMutablePointer<Element>
  /// Elements ever popped; written by the consumer.
  @usableFromInline let head: UnsafeMutablePointer<Atomic<Int>>
  /// Elements ever pushed; written by the producer.
  @usableFromInline let tail: UnsafeMutablePointer<Atomic<Int>>
  private let counters: UnsafeMutableRawPointer
  private let producerTaken = Atomic<Bool>(false)
  private let consumerTaken = Atomic<Bool>(false)

  /// - Parameter capacity: 1…2^24; the memory is that of the next power of two.
  public init(capacity: Int) {
    precondition(capacity > 0 && capacity <= 1 << 24, "capacity: 1…2^24")
    var size = 1
    while size < capacity { size <<= 1 }
    self.capacity = capacity
    mask = size - 1
    elements = .allocate(capacity: size)
    counters = .allocate(byteCount: 384, alignment: 128)
    head = (counters + 128).bindMemory(to: Atomic<Int>.self, capacity: 1)
    tail = (counters + 256).bindMemory(to: Atomic<Int>.self, capacity: 1)
    head.initialize(to: Atomic(0))
    tail.initialize(to: Atomic(0))
  }

  deinit {
    var index = head.pointee.load(ordering: .acquiring)
    let end = tail.pointee.load(ordering: .acquiring)
    while index < end {
      (elements + index & mask).deinitialize(count: 1)
      index += 1
    }
    head.deinitialize(count: 1)
    tail.deinitialize(count: 1)
    counters.deallocate()
    elements.deallocate()
  }

  /// The only producing end. Traps when taken twice.
  public func takeProducer() -> LaneProducer<Element> {
    let taken = producerTaken.exchange(true, ordering: .acquiringAndReleasing)
    precondition(!taken, "a lane has one producer")
    return LaneProducer(self)
  }

  /// The only consuming end. Traps when taken twice.
  public func takeConsumer() -> LaneConsumer<Element> {
    let taken = consumerTaken.exchange(true, ordering: .acquiringAndReleasing)
    precondition(!taken, "a lane has one consumer")
    return LaneConsumer(self)
  }
}

/// The end of a lane that puts elements in. Used by one thread at a time.
@frozen public struct LaneProducer<Element: Sendable>: ~Copyable, @unchecked Sendable {
  @usableFromInline let lane: Lane<Element>
  @usableFromInline var tail = 0
  @usableFromInline var knownHead = 0

  @usableFromInline init(_ lane: Lane<Element>) { self.lane = lane }

  @inlinable public var capacity: Int { lane.capacity }

  /// Elements in the lane now, at most: the consumer may just be taking some.
  @inlinable public var count: Int { tail &- lane.head.pointee.load(ordering: .acquiring) }

  /// Moves an element in; false, and the element is dropped, when the lane is full. O(1), never waits.
  @inlinable public mutating func push(_ element: consuming Element) -> Bool {
    if tail &- knownHead >= lane.capacity {
      knownHead = lane.head.pointee.load(ordering: .acquiring)
      if tail &- knownHead >= lane.capacity { return false }
    }
    (lane.elements + tail & lane.mask).initialize(to: element)
    tail &+= 1
    lane.tail.pointee.store(tail, ordering: .releasing)
    return true
  }
}

/// The end of a lane that takes elements out, in the order they went in. Used by one thread at a time.
@frozen public struct LaneConsumer<Element: Sendable>: ~Copyable, @unchecked Sendable {
  @usableFromInline let lane: Lane<Element>
  @usableFromInline var head = 0
  @usableFromInline var knownTail = 0

  @usableFromInline init(_ lane: Lane<Element>) { self.lane = lane }

  @inlinable public var capacity: Int { lane.capacity }

  @inlinable public var isEmpty: Bool { lane.tail.pointee.load(ordering: .acquiring) == head }

  /// Elements in the lane now, at least: the producer may just be adding some.
  @inlinable public var count: Int { lane.tail.pointee.load(ordering: .acquiring) &- head }

  /// The oldest element, nil when the lane is empty. O(1), never waits.
  @inlinable public mutating func pop() -> Element? {
    if head == knownTail {
      knownTail = lane.tail.pointee.load(ordering: .acquiring)
      if head == knownTail { return nil }
    }
    let element = (lane.elements + head & lane.mask).move()
    head &+= 1
    lane.head.pointee.store(head, ordering: .releasing)
    return element
  }

  /// Hands up to `limit` elements to `body` and gives their places back all at once. Returns how many.
  @inlinable @discardableResult
  public mutating func drain(limit: Int = .max, _ body: (consuming Element) -> Void) -> Int {
    knownTail = lane.tail.pointee.load(ordering: .acquiring)
    let taken = min(knownTail &- head, limit)
    guard taken > 0 else { return 0 }
    for _ in 0..<taken {
      body((lane.elements + head & lane.mask).move())
      head &+= 1
    }
    lane.head.pointee.store(head, ordering: .releasing)
    return taken
  }
}

/// Both ends of a fresh lane, to be taken apart: `let ends = makeLane(...)`, then `ends.producer`, `ends.consumer`.
@frozen public struct LaneEnds<Element: Sendable>: ~Copyable, @unchecked Sendable {
  public var producer: LaneProducer<Element>
  public var consumer: LaneConsumer<Element>

  @usableFromInline init(producer: consuming LaneProducer<Element>, consumer: consuming LaneConsumer<Element>) {
    self.producer = producer
    self.consumer = consumer
  }
}

/// Makes a bounded lane. A structure of two ends, because a tuple cannot hold values that are not copyable.
public func makeLane<Element: Sendable>(of type: Element.Type = Element.self, capacity: Int) -> LaneEnds<Element> {
  let lane = Lane<Element>(capacity: capacity)
  return LaneEnds(producer: lane.takeProducer(), consumer: lane.takeConsumer())
}
