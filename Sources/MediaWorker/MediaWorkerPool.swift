import CLinuxIO
import Glibc
public import PacketRing
public import RTCCore

/// What a worker has of its process: its part of the packet memory and the ways to the other workers.
struct WorkerShare {
  let arena: SlotArena
  let slots: Range<Int>
  /// Signalled when there is something to read.
  let wake: Int32
  var neighbours: [NeighbourEnds] = []

  /// A worker that has a process, or a client, to itself.
  init(_ configuration: WorkerConfiguration) {
    arena = SlotArena(slotCount: configuration.slotCount, hugePages: configuration.hugePages)
    slots = 0..<configuration.slotCount
    wake = tk_eventfd()
  }

  init(arena: SlotArena, slots: Range<Int>) {
    self.arena = arena
    self.slots = slots
    wake = tk_eventfd()
  }
}

/// The ends of the lanes to another worker on their way to a core, and what wakes that worker.
final class NeighbourEnds: @unchecked Sendable {
  let worker: Int
  let slots: Range<Int>
  let wake: Int32
  var lanes: NeighbourLanes?

  init(worker: Int, _ share: WorkerShare, lanes: consuming NeighbourLanes) {
    self.worker = worker
    slots = share.slots
    wake = share.wake
    self.lanes = consume lanes
  }
}

/// The workers of one process over one packet memory, with lanes between all of them.
///
/// A lesson lives whole on one worker, its home, where all its publishers are. `link` lends it to another one, where it
/// is open too, for receivers over there. Memory of the lanes between two workers: 512 KiB of leases, 512 KiB of
/// returns and 200 KiB of notices and wishes at the default sizes, touched as used.
public final class MediaWorkerPool: Sendable {
  public let workers: [MediaWorker]
  public let arena: SlotArena

  /// Starts the workers, on the configuration's port and those that follow it; 0 takes any free port for each.
  ///
  /// Each gets `configuration.slotCount` slots, a seed of its own and, when `configuration.pins` says so, a processor.
  ///
  /// - Parameter workers: 1…64.
  /// - Throws: what the first worker that cannot start says; those before it are stopped.
  public init(
    configuration: WorkerConfiguration, workers count: Int, identity: DTLSIdentity
  ) throws(WorkerError) {
    precondition(count > 0 && count <= RelayCore.workerLimit, "a process has 1…64 workers")
    guard configuration.udpPort == 0 || Int(configuration.udpPort) + count - 1 <= Int(UInt16.max) else {
      throw .socket(SocketError(code: EADDRNOTAVAIL))
    }
    arena = SlotArena(slotCount: configuration.slotCount * count, hugePages: configuration.hugePages)
    let shares = Self.shares(count, slotCount: configuration.slotCount, arena: arena)
    let processors = configuration.pins ? MachineProbe.processors : []
    var started: [MediaWorker] = []
    for index in 0..<count {
      var own = configuration
      if own.udpPort != 0 { own.udpPort += UInt16(index) }
      own.seed = configuration.seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15
      if !processors.isEmpty { own.pinnedProcessor = processors[index % processors.count] }
      do throws(WorkerError) {
        started.append(try MediaWorker(configuration: own, identity: identity, share: shares[index]))
      } catch {
        for worker in started { worker.stop() }
        throw error
      }
    }
    workers = started
  }

  private static func shares(_ count: Int, slotCount: Int, arena: SlotArena) -> [WorkerShare] {
    var shares = (0..<count).map { WorkerShare(arena: arena, slots: $0 * slotCount..<($0 + 1) * slotCount) }
    for first in 0..<count {
      for second in first + 1..<max(count, first + 1) {
        let pair = NeighbourLanePair(slotCount: slotCount)
        shares[first].neighbours.append(NeighbourEnds(worker: second, shares[second], lanes: pair.first))
        shares[second].neighbours.append(NeighbourEnds(worker: first, shares[first], lanes: pair.second))
      }
    }
    return shares
  }

  /// Lends a lesson from its home to another worker; open again, everything is lent anew. False when the home's ring of
  /// commands is full.
  ///
  /// Either may be told of the lesson first. The link ends with `unlink`, or when either closes the lesson.
  public func link(_ lesson: LessonID, from home: Int, to far: Int) -> Bool {
    precondition(home != far && workers.indices.contains(far), "a link is between two workers of the pool")
    return workers[home].send(.openLink(lesson, to: far))
  }

  @discardableResult
  public func unlink(_ lesson: LessonID, from home: Int, to far: Int) -> Bool {
    workers[home].send(.closeLink(lesson, to: far))
  }

  /// Ends the workers one after another, in any state of their links: each gives back what it borrowed with its last
  /// turn. The packet memory stays mapped, since leases may still be out.
  public func stop() { for worker in workers { worker.stop() } }
}
