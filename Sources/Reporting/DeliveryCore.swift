public import Ledger

/// How statements reach one platform, decided without a clock, a socket or a disk.
///
/// Ask `next`, do what it says, tell it what came of it. It keeps nothing that a crash may not take: what was sent and
/// not settled is sent again, with the same identifiers and bytes, which a receiver knows again.
public struct DeliveryCore: Sendable {
  /// Sizes and times, milliseconds.
  public struct Limits: Hashable, Sendable {
    /// Statements of one request.
    public var batch = 50
    public var firstDelay: Int64 = 1_000
    public var longestDelay: Int64 = 300_000
    /// What a platform may ask for at most.
    public var longestRetryAfter: Int64 = 3_600_000
    /// How long an empty outbox is left alone.
    public var idle: Int64 = 1_000
    /// Refusals one after another after which the platform, not the statement, is thought to be wrong.
    public var parksInARow = 10

    public init() {}
  }

  public enum Step: Hashable, Sendable {
    /// Read what waits, at most so many.
    case fetch(limit: Int)
    /// Send these by number, in one request.
    case post([Int64])
    /// Ask for this one, and compare.
    case compare(Int64)
    case settle([StatementSettlement])
    /// Do nothing before then.
    case wait(until: Int64)
  }

  public enum Answer: Hashable, Sendable {
    /// `isWhole`: the body is what such an answer has, an array of identifiers or nothing. `retryAfter`: milliseconds.
    case status(Int, retryAfter: Int64? = nil, isWhole: Bool = true)
    /// No connection, no certificate that holds, no whole answer.
    case unreachable
    /// No answer in time.
    case timedOut
  }

  public enum Comparison: Hashable, Sendable {
    case same, other, missing
    case unknown
  }

  public let limits: Limits
  /// What is to be sent, the next last.
  private var segments: [[Int64]] = []
  private var settlements: [StatementSettlement] = []
  private var asked: Int64?
  private var notBefore: Int64 = 0
  private var batch: Int
  private var parks = 0
  /// Attempts that came to nothing, one after another; 0 while it goes well.
  public private(set) var failures = 0
  /// Why the last attempt came to nothing: a status, `unreachable`, `timedOut`, `garbage`; empty while it goes well.
  public private(set) var trouble = ""

  public init(limits: Limits = Limits()) {
    self.limits = limits
    batch = max(1, limits.batch)
  }

  public func next(now: Int64) -> Step {
    if !settlements.isEmpty { return .settle(settlements) }
    // A clock that was put back does not hold it up for longer than the longest wait.
    let longest = max(limits.longestDelay, limits.longestRetryAfter)
    if now < notBefore, notBefore &- now <= longest { return .wait(until: notBefore) }
    if let asked { return .compare(asked) }
    if let segment = segments.last { return .post(segment) }
    return .fetch(limit: batch)
  }

  /// What waits, by number.
  public mutating func fetched(_ numbers: [Int64], now: Int64) {
    if numbers.isEmpty { notBefore = now &+ limits.idle } else { segments = [numbers] }
  }

  /// Something new waits: an empty outbox is looked at again.
  public mutating func wake() {
    if failures == 0, parks < limits.parksInARow { notBefore = 0 }
  }

  /// Lets what was put off be tried at once.
  public mutating func hurry() {
    notBefore = 0
    parks = 0
  }

  public mutating func settled() { settlements = [] }

  /// The answer to the last `post`. `random`: any 64 bits.
  public mutating func answered(_ answer: Answer, now: Int64, random: UInt64) {
    guard let segment = segments.last else { return }
    switch answer {
    case .status(200, _, true), .status(204, _, true): sent(segment)
    case .status(200, _, false), .status(204, _, false): fail("garbage", now, random)
    case .status(413, _, _), .status(400, _, _), .status(422, _, _): divide(segment, answer, now, random)
    case .status(409, _, _):
      if segment.count == 1 { asked = segment[0] } else { split(segment) }
    case .status(let status, let retryAfter, _): fail("\(status)", now, random, retryAfter: retryAfter)
    case .unreachable: fail("unreachable", now, random)
    case .timedOut:
      // A slow one is given less at a time.
      batch = max(1, batch / 2)
      if segment.count > 1 { split(segment) }
      fail("timedOut", now, random)
    }
  }

  /// What came of the last `compare`.
  public mutating func compared(_ comparison: Comparison, now: Int64, random: UInt64) {
    guard let number = asked else { return }
    switch comparison {
    case .same:
      asked = nil
      sent([number])
    case .other, .missing:
      asked = nil
      park(number, "409", now, random)
    case .unknown: fail("unreachable", now, random)
    }
  }

  private mutating func sent(_ segment: [Int64]) {
    settlements += segment.map { StatementSettlement(number: $0, outcome: .sent) }
    segments.removeLast()
    failures = 0
    parks = 0
    trouble = ""
    batch = min(max(1, limits.batch), batch * 2)
  }

  private mutating func divide(_ segment: [Int64], _ answer: Answer, _ now: Int64, _ random: UInt64) {
    guard segment.count == 1 else { return split(segment) }
    guard case .status(let status, _, _) = answer else { return }
    park(segment[0], "\(status)", now, random)
  }

  private mutating func split(_ segment: [Int64]) {
    let middle = segment.count / 2
    segments[segments.count - 1] = Array(segment[middle...])
    segments.append(Array(segment[..<middle]))
  }

  private mutating func park(_ number: Int64, _ reason: String, _ now: Int64, _ random: UInt64) {
    settlements.append(StatementSettlement(number: number, outcome: .parked(reason: reason)))
    segments.removeLast()
    parks += 1
    // One that refuses everything would have the whole outbox parked in a minute.
    if parks >= limits.parksInARow { notBefore = now &+ delay(parks - limits.parksInARow, random) }
  }

  private mutating func fail(_ why: String, _ now: Int64, _ random: UInt64, retryAfter: Int64? = nil) {
    let asked = min(max(0, retryAfter ?? 0), limits.longestRetryAfter)
    notBefore = now &+ max(asked, delay(failures, random))
    failures += 1
    trouble = why
  }

  /// Twice as long each time up to the longest, and of that between half and all.
  private func delay(_ attempt: Int, _ random: UInt64) -> Int64 {
    let whole = min(limits.longestDelay, limits.firstDelay << Int64(min(max(attempt, 0), 20)))
    let half = max(1, whole / 2)
    return half + Int64(random % UInt64(half + 1))
  }
}
