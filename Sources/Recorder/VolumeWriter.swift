import CLinuxIO
import Glibc
import PacketRing
import Synchronization

/// The ends of a feed's lanes, on their way from the control plane to the writer and then the writer's own.
final class FeedIntake: @unchecked Sendable {
  let feed: RecordedFeed
  let arena: SlotArena
  var leases: LaneConsumer<PacketRecord>
  var returns: LaneProducer<SlotIndex>
  /// The feed's place in the core; −1 once it is finished.
  var place = -1
  /// Monotonic microseconds until when leases that come late are given back.
  var lingersUntil: Int64 = 0
  var isInGap = false
  /// Slots that the lane back had no place for: more leases were out than it was made for.
  private var unreturned: [SlotIndex] = []

  init(
    feed: RecordedFeed, arena: SlotArena, leases: consuming LaneConsumer<PacketRecord>,
    returns: consuming LaneProducer<SlotIndex>
  ) {
    self.feed = feed
    self.arena = arena
    self.leases = leases
    self.returns = returns
  }

  func giveBack(_ slot: SlotIndex) {
    if !returns.push(slot) { unreturned.append(slot) }
  }

  /// Gives back what had no place before. False while some is left.
  @discardableResult
  func giveBackRest() -> Bool {
    while let slot = unreturned.last, returns.push(slot) { unreturned.removeLast() }
    return unreturned.isEmpty
  }
}

enum WriterCommand: Sendable {
  case start(FeedIntake)
  case declare(RecordedFeed, LoggedTrack)
  case finish(RecordedFeed, @Sendable (FeedSummary) -> Void)
  /// Closes a segment that holds nothing wanted, if it is still the current one.
  case closeSegment(UInt32)
}

/// The thread that writes a volume's segments: lanes → one `pwritev` a batch → leases back at once.
///
/// All decisions on bytes are `LogWriterCore`'s; this is the clock, the files and the waiting.
final class VolumeWriter: @unchecked Sendable {
  /// Batches between two looks at the commands.
  private static let batchesPerTurn = 64
  /// How long a finished feed's lane is still emptied, in microseconds: the worker may not know yet.
  private static let linger: Int64 = 5_000_000

  let wake = tk_eventfd()
  private let disk: VolumeDisk
  private let configuration: RecorderConfiguration
  private let book: SegmentBook
  private let syncer: VolumeSyncer
  private let counters: SharedRecorderCounters
  private let events: EventOutlet
  private let commands = Mutex<[WriterCommand]>([])
  private let stopping = Atomic<Bool>(false)
  private let boot: LogIdentity

  private var core: LogWriterCore
  private let batch = LogBatch()
  private var intakes: [FeedIntake] = []
  private var lingering: [FeedIntake] = []
  /// What the present batch holds leases of.
  private var held: [(intake: FeedIntake, slot: SlotIndex)] = []
  private var segment: UInt32
  private var descriptor: Int32 = -1
  private var allocated: Int64 = 0
  /// Not nil while writing fails.
  private var failure: GapReason?
  private var retryAt: Int64 = 0
  private var firstIntake = 0

  init(
    disk: VolumeDisk, configuration: RecorderConfiguration, lastSegment: UInt32, book: SegmentBook,
    syncer: VolumeSyncer, counters: SharedRecorderCounters, events: EventOutlet
  ) {
    self.disk = disk
    self.configuration = configuration
    self.book = book
    self.syncer = syncer
    self.counters = counters
    self.events = events
    segment = lastSegment
    var generator = SystemRandomNumberGenerator()
    core = LogWriterCore(instance: generator.next())
    var bytes = [UInt8](repeating: 0, count: 16)
    tk_boot_identity(&bytes)
    boot = bytes.withUnsafeBytes {
      LogIdentity(
        high: UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
        low: UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
  }

  deinit { tk_close(wake) }

  func send(_ command: WriterCommand) {
    commands.withLock { $0.append(command) }
    tk_eventfd_signal(wake)
  }

  func stop() {
    stopping.store(true, ordering: .releasing)
    tk_eventfd_signal(wake)
  }

  // MARK: The thread

  func run() {
    while true {
      let isStopping = stopping.load(ordering: .acquiring)
      let waiting = commands.withLock { commands in
        defer { commands = [] }
        return commands
      }
      for command in waiting { take(command) }
      write()
      emptyLate()
      publish()
      if isStopping { break }
      let isIdle = intakes.isEmpty && lingering.isEmpty
      tk_eventfd_wait(wake, isIdle ? -1 : configuration.pollMicroseconds * 1_000)
    }
    closeSegment(prune: false)
  }

  private func take(_ command: WriterCommand) {
    switch command {
    case .start(let intake):
      let start = RunStart(
        monotonic: tk_monotonic_microseconds(), wall: tk_realtime_microseconds(), boot: boot)
      guard let place = core.open(intake.feed, start: start) else { return }
      intake.place = place
      intakes.append(intake)
      if counters.drainedAt.load(ordering: .relaxed) == 0 {
        counters.drainedAt.store(tk_monotonic_microseconds(), ordering: .relaxed)
      }
    case .declare(let feed, let track):
      guard let intake = intakes.first(where: { $0.feed == feed }) else { return }
      core.declare(track, feed: intake.place)
    case .finish(let feed, let completion): finish(feed, completion)
    case .closeSegment(let number):
      if number == segment { closeSegment(prune: true) }
    }
  }

  private func publish() {
    counters.activeFeeds.store(intakes.count, ordering: .relaxed)
    counters.bytes.store(core.bytes, ordering: .relaxed)
    counters.records.store(core.records, ordering: .relaxed)
    counters.oversized.store(core.oversized, ordering: .relaxed)
    counters.packets.store(core.packets, ordering: .relaxed)
    counters.gaps.store(core.gapRecords, ordering: .relaxed)
    counters.unrecorded.store(core.unrecordedPackets, ordering: .relaxed)
  }

  // MARK: Writing

  private func write() {
    let now = tk_monotonic_microseconds()
    if let failure, now < retryAt { return discard(failure, now: now) }
    for _ in 0..<Self.batchesPerTurn {
      let now = tk_monotonic_microseconds()
      guard prepareSegment(now: now) else { return discard(failure ?? .diskError, now: now) }
      guard descriptor >= 0 else { break }
      batch.reset()
      for (feed, gap) in core.addGaps(to: batch, now: now) { events.tell(.gapEnded(feed, gap)) }
      fill(now: now)
      if batch.isEmpty {
        giveBack()
        break
      }
      let wasFull = !batch.hasRoomForPacket
      guard put(now: now) else { return }
      if !wasFull { break }
    }
    // Whatever is in the lanes now came after this turn began.
    counters.drainedAt.store(intakes.isEmpty ? 0 : now, ordering: .relaxed)
  }

  /// Takes leases from all feeds in turn until the batch is full or the lanes are empty.
  private func fill(now: Int64) {
    guard !intakes.isEmpty else { return }
    firstIntake = (firstIntake + 1) % intakes.count
    for index in intakes.indices where batch.hasRoomForPacket {
      drain(intakes[(firstIntake + index) % intakes.count], now: now)
    }
  }

  private func drain(_ intake: FeedIntake, now: Int64) {
    intake.giveBackRest()
    let waiting = intake.leases.count
    if waiting >= intake.leases.capacity { core.laneWasFull(feed: intake.place, waiting: waiting) }
    while batch.hasRoomForPacket, let record = intake.leases.pop() {
      held.append((intake, record.slot))
      let slot = intake.arena.bytes(record.slot, count: min(record.byteCount, intake.arena.stride))
      core.add(record, slot: slot, feed: intake.place, to: batch, now: now)
    }
  }

  /// Writes the batch and gives its leases back. False when the disk did not take all of it.
  private func put(now: Int64) -> Bool {
    allocate(Int64(batch.byteCount))
    let (written, error) = disk.write(batch, to: descriptor, at: core.position)
    let reason: GapReason = error == ENOSPC || error == EDQUOT ? .diskFull : .diskError
    let kept = core.settle(batch, written: written, failure: reason)
    giveBack()
    for run in core.takeAnnounced() { book.note(run) }
    if kept > 0 { syncer.wrote() }
    if error != 0 {
      fail(reason, errno: error, now: now)
      // What a failed disk holds of this segment is not known; the next attempt begins another.
      if reason == .diskError { closeSegment(prune: false) }
      return false
    }
    recover()
    for (feed, gap) in core.takeWrittenGaps() { events.tell(.gapEnded(feed, gap)) }
    return true
  }

  private func giveBack() {
    for (intake, slot) in held { intake.giveBack(slot) }
    held.removeAll(keepingCapacity: true)
  }

  private func fail(_ reason: GapReason, errno: Int32, now: Int64) {
    counters.writeErrors.add(1, ordering: .relaxed)
    retryAt = tk_monotonic_microseconds() + configuration.retryMicroseconds
    guard failure != reason else { return }
    failure = reason
    events.tell(reason == .diskFull ? .diskFull(freeBytes: disk.freeBytes()) : .diskFailed(errno: errno))
    for intake in intakes where !intake.isInGap {
      intake.isInGap = true
      events.tell(.gapBegan(intake.feed, reason, at: now))
    }
  }

  private func recover() {
    guard failure != nil else { return }
    failure = nil
    events.tell(.diskRecovered)
    for intake in intakes { intake.isInGap = false }
  }

  /// While the disk fails: leases go back unwritten, so that the worker keeps its slots.
  private func discard(_ reason: GapReason, now: Int64) {
    for intake in intakes {
      while let record = intake.leases.pop() {
        core.lose(record, feed: intake.place, reason: reason, now: now)
        intake.giveBack(record.slot)
      }
    }
    counters.drainedAt.store(intakes.isEmpty ? 0 : now, ordering: .relaxed)
  }

  // MARK: Segments

  private func prepareSegment(now: Int64) -> Bool {
    if descriptor >= 0, core.position >= configuration.segmentBytes { closeSegment(prune: false) }
    guard descriptor < 0 else { return true }
    // Without anything to write there is no need of a file.
    guard core.hasNews || intakes.contains(where: { !$0.leases.isEmpty }) else { return true }
    guard segment < .max else { return false }
    let number = segment + 1
    book.begin(number)
    let made = disk.create(number)
    guard made >= 0 else {
      book.close()
      book.closed(number)
      // The name may be taken by something that is no segment of ours.
      if made == -EEXIST { segment = number }
      fail(made == -ENOSPC || made == -EDQUOT ? .diskFull : .diskError, errno: -made, now: now)
      return false
    }
    segment = number
    descriptor = made
    allocated = 0
    core.beginSegment(
      number, salt: UInt32.random(in: 1 ... .max), wall: tk_realtime_microseconds())
    syncer.begin(made)
    return true
  }

  private func allocate(_ count: Int64) {
    guard configuration.preallocationBytes > 0, core.position + count > allocated, allocated >= 0 else { return }
    let got = disk.preallocate(descriptor, at: max(allocated, core.position), wanted: configuration.preallocationBytes)
    // A volume that cannot, or is nearly full, is not asked again for this segment.
    allocated = got > 0 ? max(allocated, core.position) + got : -1
  }

  private func closeSegment(prune: Bool) {
    guard descriptor >= 0 else { return }
    // Nothing came into it: a file less to look at.
    if core.position == 0 { disk.remove(segment) }
    book.close()
    syncer.close(segment, descriptor, length: core.position, prune: prune)
    descriptor = -1
  }

  // MARK: The end of a feed

  private func finish(_ feed: RecordedFeed, _ completion: @escaping @Sendable (FeedSummary) -> Void) {
    guard let index = intakes.firstIndex(where: { $0.feed == feed }) else {
      return completion(FeedSummary(feed: feed))
    }
    let intake = intakes[index]
    // The end is worth an attempt even while the disk fails.
    retryAt = 0
    write()
    // A lane emptied by many writes; bounded, since the worker may still be filling it.
    for _ in 0..<16 where failure == nil && !intake.leases.isEmpty { write() }
    let now = tk_monotonic_microseconds()
    if prepareSegment(now: now), descriptor >= 0 {
      batch.reset()
      core.addEnd(feed: intake.place, to: batch, now: now)
      _ = put(now: now)
    }
    intakes.remove(at: index)
    lingering.append(intake)
    intake.lingersUntil = now + Self.linger
    let isEnded = core.isEnded(intake.place)
    guard var summary = core.close(intake.place) else { return }
    intake.place = -1
    summary.isDurable = isEnded
    syncer.finish(VolumeSyncer.Finished(summary: summary, completion: completion))
  }

  private func emptyLate() {
    guard !lingering.isEmpty else { return }
    let now = tk_monotonic_microseconds()
    for intake in lingering {
      while let record = intake.leases.pop() {
        counters.late.add(1, ordering: .relaxed)
        intake.giveBack(record.slot)
      }
    }
    lingering.removeAll { $0.giveBackRest() && $0.lingersUntil <= now }
  }
}
