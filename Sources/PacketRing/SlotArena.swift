#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Names one fixed-size packet buffer of a `SlotArena`.
@frozen public struct SlotIndex: Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt32

  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// No slot; never given out by a ledger.
  @inlinable public static var none: SlotIndex { SlotIndex(rawValue: .max) }
}

/// The bytes of all packets of a worker, or of all workers of a process: `slotCount` buffers of `stride` bytes in one
/// anonymous mapping.
///
/// A trivially copyable handle that any thread may hold; who may read or write a slot is decided by `SlotLedger`'s
/// references and by leases. The default stride of 1,600 holds an MTU of 1,500 with room, and is no power of two, so
/// that the headers of successive slots fall into different cache sets. Memory: `slotCount × stride` bytes, made
/// resident by the kernel only when a slot is first written.
@frozen public struct SlotArena: @unchecked Sendable {
  public let slotCount: Int
  /// Bytes from one slot's start to the next one's, all of them usable.
  public let stride: Int
  @usableFromInline let base: UnsafeMutableRawPointer

  /// Maps the memory. Traps when the sizes make no sense or the kernel refuses: a worker cannot start without it.
  ///
  /// - Parameter hugePages: asks for pages of 2 MiB, where the kernel gives them on request (`madvise`). Fewer misses
  ///   of the translation cache, but memory becomes resident 1,310 slots at a time.
  public init(slotCount: Int, stride: Int = 1_600, hugePages: Bool = false) {
    precondition(slotCount > 0 && slotCount < Int(UInt32.max), "slot count must fit a SlotIndex")
    precondition(stride >= 64 && stride <= 65_536 && stride % 16 == 0, "stride must be 64…65,536, a multiple of 16")
    let flags = MAP_PRIVATE | Int32(MAP_ANONYMOUS) | Int32(MAP_NORESERVE)
    let mapping = mmap(nil, slotCount * stride, PROT_READ | PROT_WRITE, flags, -1, 0)
    guard let mapping, mapping != MAP_FAILED else {
      preconditionFailure("cannot map \(slotCount * stride) bytes of packet memory")
    }
    #if os(Linux)
      // Refused by kernels built without them: the memory is then as without the request.
      if hugePages { _ = madvise(mapping, slotCount * stride, Int32(MADV_HUGEPAGE)) }
    #endif
    self.slotCount = slotCount
    self.stride = stride
    base = mapping
  }

  /// The first byte of a slot, aligned to 16.
  @inlinable public func pointer(_ slot: SlotIndex) -> UnsafeMutableRawPointer {
    precondition(Int(slot.rawValue) < slotCount, "slot outside the arena")
    return base + Int(slot.rawValue) &* stride
  }

  /// The first `count` bytes of a slot.
  @inlinable public func bytes(_ slot: SlotIndex, count: Int) -> UnsafeRawBufferPointer {
    precondition(count >= 0 && count <= stride, "more bytes than a slot has")
    return UnsafeRawBufferPointer(start: pointer(slot), count: count)
  }

  /// Returns the memory to the kernel. No copy of this handle may be used afterwards, on any thread.
  public func unmap() { munmap(base, slotCount * stride) }
}
