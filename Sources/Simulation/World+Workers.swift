import PacketRing
public import RTCCore
import RTCWire

/// A relay of several workers: one arena, a core each, and lanes between all of them.
extension World {
  func addWorkers(slots: Int, leaseCapacity: Int) {
    precondition(workers > 0)
    for worker in 0..<workers {
      let address = SocketAddress(ipv4: 0x0A00_0001, port: 4_000 + UInt16(worker))
      let part = worker * slots..<(worker + 1) * slots
      nodes.append(
        Node(
          name: worker == 0 ? "relay" : "worker \(worker)", address: address, slots: slots * workers,
          seed: random.next(), clockOffset: 0, partsPerMillion: 0, up: LineOptions(), down: LineOptions(),
          sharing: workers == 1 ? nil : worker == 0 ? (nil, part) : (nodes[0].arena, part)))
    }
    for first in 0..<workers {
      for second in first + 1..<max(workers, first + 1) {
        let pair = NeighbourLanePair(leaseCapacity: leaseCapacity, slotCount: slots)
        nodes[first].core.attachNeighbour(
          second, slots: second * slots..<(second + 1) * slots, lanes: pair.first)
        nodes[second].core.attachNeighbour(first, slots: first * slots..<(first + 1) * slots, lanes: pair.second)
      }
    }
  }

  /// Tells the workers what concerns them: a lesson, its stage and who is called all of them, its feeds the home.
  public func tellRelay(_ command: Command) {
    switch command {
    case .openLesson, .closeLesson, .setStage, .setCalled: for worker in 0..<workers { tell(worker, command) }
    default: tell(0, command)
    }
  }

  public func tell(_ worker: Int, _ command: Command) {
    nodes[worker].core.apply(command, now: nodes[worker].now(now))
    drain(worker)
  }

  /// Lends the lesson to another worker.
  public func openLink(to worker: Int) { tell(0, .openLink(Self.lesson, to: worker)) }
  public func closeLink(to worker: Int) { tell(0, .closeLink(Self.lesson, to: worker)) }

  /// A worker's thread gets no processor, or gets it again: it sends nothing and datagrams to it are lost.
  public func setStalled(worker: Int, _ isStalled: Bool) { nodes[worker].isStalled = isStalled }

  /// A worker has its last turn.
  public func stop(worker: Int) {
    nodes[worker].core.severLinks(now: nodes[worker].now(now))
    drain(worker)
    nodes[worker].isStalled = true
  }

  /// The worker that a client is a peer of.
  public func worker(of node: Int) -> Int { nodes[node].worker }
  public func workerCounters(_ worker: Int) -> CoreCounters { nodes[worker].core.counters }
  /// Leases of its slots that others hold, and of others' slots that it holds.
  public func leasesOut(of worker: Int) -> (lent: Int, borrowed: Int) { nodes[worker].core.leasesOut }

  func wakeNeighbours(of index: Int) {
    let wakes = nodes[index].core.takeWakes()
    for place in 0..<64 where wakes & (1 << UInt64(place)) != 0 {
      let worker = nodes[index].core.worker(at: place)
      guard !nodes[worker].isStalled else { continue }
      nodes[worker].core.service(now: nodes[worker].now(now))
      drain(worker)
    }
  }

  // MARK: Checks

  func audit() {
    for worker in 0..<workers {
      let lost = nodes[worker].core.unaccountedReferences()
      guard lost != 0 else { continue }
      broken.append("\(lost) references nobody accounts for at \(now.microseconds) µs on worker \(worker)")
    }
  }

  /// What a worker still has when its lesson is over.
  public func leftovers(of worker: Int) -> [String] {
    var found: [String] = []
    let core = nodes[worker].core.counters
    if core.slotsFree != core.slotsTotal {
      found.append("\(core.slotsTotal - core.slotsFree) slots of worker \(worker) are still taken at the end")
    }
    let out = leasesOut(of: worker)
    if out.lent != 0 || out.borrowed != 0 {
      found.append("worker \(worker) has \(out.lent) leases out and \(out.borrowed) in at the end")
    }
    let isRunning = !nodes[worker].isStalled
    if isRunning, core.peers != 0 || core.lessons != 0 || core.streams != 0 {
      found.append("peers, lessons or streams of worker \(worker) left at the end")
    }
    let lost = nodes[worker].core.unaccountedReferences()
    if lost != 0 { found.append("\(lost) references of worker \(worker) nobody accounts for at the end") }
    return found
  }
}
