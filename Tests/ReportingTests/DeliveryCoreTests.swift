// Goal: whatever a receiver and the machine do, each statement arrives exactly once or is parked with its reason, and
// nothing waits for ever. Method: the core against a scripted receiver in virtual time, with faults drawn from seeds
// and a crash at any step, where only what the outbox and the receiver keep survives.
import Ledger
import Reporting
import Testing

/// A receiver that keeps what it took, as the specification says, and fails as its script says.
private struct ScriptedReceiver {
  enum Fault: CaseIterable { case none, error, down, slow, garbage, tooMany, unavailable, lostAnswer }
  var kept: [Int64: Int] = [:]
  /// Statements it finds wrong, and one it has with other content.
  var wrong: Set<Int64> = []
  var other: Set<Int64> = []
  var byteLimit = Int.max
  var answersOf409 = false
  var requests = 0

  mutating func post(_ numbers: [Int64], _ fault: Fault) -> DeliveryCore.Answer {
    requests += 1
    switch fault {
    case .error: return .status(500)
    case .down: return .unreachable
    case .slow: return .timedOut
    case .garbage: return .status(200, isWhole: false)
    case .tooMany: return .status(429, retryAfter: 7_000)
    case .unavailable: return .status(503, retryAfter: nil)
    case .none, .lostAnswer: break
    }
    if numbers.count * 800 > byteLimit { return .status(413) }
    if numbers.contains(where: wrong.contains) { return .status(numbers.count % 2 == 0 ? 400 : 422) }
    if numbers.contains(where: other.contains) { return .status(409) }
    let known = numbers.filter { kept[$0] != nil }
    // Some refuse what they have, equal or not.
    if answersOf409, !known.isEmpty { return .status(409) }
    for number in numbers where kept[number] == nil { kept[number] = 1 }
    if fault == .lostAnswer { return .unreachable }
    return .status(known.count == numbers.count ? 204 : 200)
  }

  func compare(_ number: Int64) -> DeliveryCore.Comparison {
    other.contains(number) ? .other : kept[number] == nil ? .missing : .same
  }
}

/// What the ledger keeps.
private struct Outbox {
  var waiting: [Int64]
  var sent: [Int64: Int] = [:]
  var parked: [Int64: String] = [:]

  mutating func settle(_ settlements: [StatementSettlement]) {
    for settlement in settlements where waiting.contains(settlement.number) {
      waiting.removeAll { $0 == settlement.number }
      switch settlement.outcome {
      case .sent: sent[settlement.number, default: 0] += 1
      case .parked(let reason): parked[settlement.number] = reason
      }
    }
  }
}

@Suite struct DeliveryCoreTests {
  private struct Run {
    var core = DeliveryCore()
    var outbox: Outbox
    var receiver = ScriptedReceiver()
    var now: Int64 = 1_000
    var steps = 0
    var crashes = 0

    /// One step; nil when all is settled. `crash` loses the core before, or after, what it asked for was done.
    mutating func step(
      _ fault: ScriptedReceiver.Fault, _ generator: inout SplitMix, crashes mayCrash: Bool
    ) -> Bool {
      steps += 1
      let draw = generator.next()
      if mayCrash, draw % 13 == 0 {
        core = DeliveryCore(limits: core.limits)
        crashes += 1
      }
      switch core.next(now: now) {
      case .wait(let until):
        #expect(until > now && until - now <= 3_600_000)
        now = until
      case .fetch(let limit):
        #expect((1...50).contains(limit))
        core.fetched(Array(outbox.waiting.prefix(limit)), now: now)
        return !outbox.waiting.isEmpty
      case .post(let numbers):
        #expect(!numbers.isEmpty && Set(numbers).count == numbers.count)
        let answer = receiver.post(numbers, fault)
        now += 20
        // The answer may come to nobody.
        if mayCrash, draw % 17 == 0 {
          core = DeliveryCore(limits: core.limits)
          crashes += 1
        } else {
          core.answered(answer, now: now, random: draw)
        }
      case .compare(let number): core.compared(receiver.compare(number), now: now, random: draw)
      case .settle(let settlements):
        outbox.settle(settlements)
        if mayCrash, draw % 11 == 0 {
          core = DeliveryCore(limits: core.limits)
          crashes += 1
        } else {
          core.settled()
        }
      }
      return true
    }
  }

  /// Splits a seed into draws.
  struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
      return z ^ z >> 31
    }
  }

  @Test(arguments: 1...60) func eachArrivesOnceThroughEverything(seed: UInt64) {
    var generator = SplitMix(state: seed)
    var run = Run(outbox: Outbox(waiting: Array(1...300)))
    run.receiver.wrong = [7, 150, 151]
    run.receiver.other = [99]
    run.receiver.byteLimit = seed % 3 == 0 ? 8_000 : .max
    run.receiver.answersOf409 = seed % 2 == 0
    var faults = 0
    while run.steps < 60_000 {
      let isFaulty = generator.next() % 3 == 0
      let fault = isFaulty ? ScriptedReceiver.Fault.allCases.randomElement(using: &generator) ?? .none : .none
      if fault != .none { faults += 1 }
      if !run.step(fault, &generator, crashes: true) { break }
    }
    #expect(run.outbox.waiting.isEmpty, "seed \(seed) after \(run.steps) steps")
    #expect(Set(run.outbox.parked.keys) == [7, 99, 150, 151])
    #expect(run.outbox.parked[99] == "409")
    let good = Set(Int64(1)...300).subtracting([7, 99, 150, 151])
    #expect(Set(run.receiver.kept.keys) == good && run.receiver.kept.values.allSatisfy { $0 == 1 })
    #expect(Set(run.outbox.sent.keys) == good && run.outbox.sent.values.allSatisfy { $0 == 1 })
    #expect(faults > 5 && run.crashes > 3, "the faults were there")
  }

  @Test func aDayDownCostsFewRequestsAndEndsWithAll() {
    var generator = SplitMix(state: 4)
    var run = Run(outbox: Outbox(waiting: Array(1...10_000)))
    let end = run.now + 86_400_000
    while run.now < end { _ = run.step(.down, &generator, crashes: false) }
    #expect(run.receiver.requests < 86_400 / 150 + 20, "\(run.receiver.requests) requests in a day")
    #expect(run.outbox.sent.isEmpty && run.core.trouble == "unreachable" && run.core.failures > 100)
    let before = run.now
    while run.step(.none, &generator, crashes: false) {}
    #expect(run.outbox.sent.count == 10_000 && run.receiver.kept.count == 10_000)
    #expect(run.now - before < 330_000 + 10_000 / 50 * 20, "at most one wait, then batches of 50")
    #expect(run.core.failures == 0 && run.core.trouble.isEmpty)
  }

  @Test func waitsGrowTwofoldWithJitterAndAreBounded() {
    for random in [UInt64(0), 1, .max / 2, .max] {
      var core = DeliveryCore()
      core.fetched([1], now: 0)
      var now: Int64 = 0
      for attempt in 0..<40 {
        core.answered(.status(500), now: now, random: random)
        guard case .wait(let until) = core.next(now: now) else {
          Issue.record("it does not wait")
          return
        }
        let whole = min(Int64(300_000), 1_000 << Int64(min(attempt, 20)))
        #expect((whole / 2...whole + 1).contains(until - now), "attempt \(attempt)")
        now = until
      }
      #expect(core.next(now: now) == .post([1]))
    }
  }

  @Test func aPlatformsWishIsKeptWithinReason() {
    var core = DeliveryCore()
    core.fetched([1, 2], now: 0)
    core.answered(.status(429, retryAfter: 42_000), now: 0, random: 0)
    #expect(core.next(now: 41_999) == .wait(until: 42_000))
    #expect(core.next(now: 42_000) == .post([1, 2]))
    core.answered(.status(503, retryAfter: .max), now: 42_000, random: 0)
    #expect(core.next(now: 42_000) == .wait(until: 42_000 + 3_600_000))
    core.answered(.status(503, retryAfter: -5), now: 4_000_000, random: 0)
    guard case .wait(let until) = core.next(now: 4_000_000) else {
      Issue.record("it does not wait")
      return
    }
    #expect(until > 4_000_000)
    // A clock that is put back by a year does not stop it.
    #expect(core.next(now: 4_000_000 - 31_536_000_000) == .post([1, 2]))
  }

  @Test func oneThatRefusesEverythingParksLittle() {
    var generator = SplitMix(state: 9)
    var run = Run(outbox: Outbox(waiting: Array(1...5_000)))
    run.receiver.wrong = Set(1...5_000)
    let end = run.now + 3_600_000
    while run.now < end { _ = run.step(.none, &generator, crashes: false) }
    #expect((10...60).contains(run.outbox.parked.count), "\(run.outbox.parked.count) parked in an hour")
    #expect(run.outbox.parked.values.allSatisfy { $0 == "400" || $0 == "422" })
  }

  @Test func wrongCredentialsParkNothing() {
    var generator = SplitMix(state: 3)
    var core = DeliveryCore()
    core.fetched(Array(1...20), now: 0)
    var now: Int64 = 0
    for status in [401, 403, 404, 301, 418, 502] {
      core.answered(.status(status), now: now, random: generator.next())
      #expect(core.trouble == "\(status)")
      guard case .wait(let until) = core.next(now: now) else {
        Issue.record("it does not wait after \(status)")
        return
      }
      now = until
      #expect(core.next(now: now) == .post(Array(1...20)))
    }
  }

  @Test func aSlowOneIsGivenLess() {
    var core = DeliveryCore()
    core.fetched(Array(1...50), now: 0)
    var now: Int64 = 0
    var sizes: [Int] = []
    for _ in 0..<8 {
      guard case .post(let numbers) = core.next(now: now) else {
        Issue.record("nothing is sent")
        return
      }
      sizes.append(numbers.count)
      core.answered(.timedOut, now: now, random: 0)
      if case .wait(let until) = core.next(now: now) { now = until }
    }
    #expect(sizes.prefix(4).elementsEqual([50, 25, 12, 6]) && sizes.last == 1, "\(sizes)")
  }
}
