import Dispatch
import Foundation
import Media
import MediaClient
import MediaWorker
import RTCCore
import Synchronization

/// What a teaching point's pictures showed when they were decoded.
package struct DemoPictures: Sendable {
  /// Milliseconds from painted to decoded, one a picture: until it was whole, and then its own decoding.
  package var latencies: [Double] = []
  package var decoded = 0
  /// Pictures whose strip told when they were painted.
  package var read = 0
  package var errors = 0

  package init() {}
}

/// When each picture left the lead, for sources whose strip does not tell: found again by how its bytes end.
final class DemoSentPictures: Sendable {
  /// Pictures remembered: over a minute.
  private static let limit = 2_048
  private static let tail = 48

  private struct State {
    var times: [Int: Int64] = [:]
    var order: [Int] = []
    var next = 0
  }
  private let state = Mutex(State())

  func note(_ unit: EncodedUnit) {
    guard unit.encoding != .opus else { return }
    let mark = Self.mark(of: unit)
    let now = monotonicNow().monotonic.microseconds
    state.withLock { state in
      if state.order.count < Self.limit {
        state.order.append(mark)
      } else {
        state.times[state.order[state.next]] = nil
        state.order[state.next] = mark
        state.next = (state.next + 1) % Self.limit
      }
      state.times[mark] = now
    }
  }

  /// Microseconds of the monotonic clock.
  func time(of unit: EncodedUnit) -> Int64? { state.withLock { $0.times[Self.mark(of: unit)] } }

  /// What packets keep of a unit: start codes, delimiters and zeros after the last slice are not among it.
  private static func mark(of unit: EncodedUnit) -> Int {
    var end = unit.bytes.count
    while end > 0, unit.bytes[end - 1] == 0 { end -= 1 }
    var start = max(0, end - tail)
    if unit.encoding == .h264, end - start > 3 {
      for place in stride(from: end - 3, to: start, by: -1)
      where unit.bytes[place] == 1 && unit.bytes[place - 1] == 0 && place > 1 && unit.bytes[place - 2] == 0 {
        start = place + 1
        break
      }
    }
    var hasher = Hasher()
    for byte in unit.bytes[start..<end] { hasher.combine(byte) }
    return hasher.finalize()
  }
}

/// Decodes pictures of one or several teaching points on a thread of its own, so that no receiver waits for a decoder.
final class DemoDecoder: Sendable {
  /// Units waiting at most, some seconds of one point; beyond that the machine is too slow and units are left out.
  private static let waitingLimit = 256
  /// A strip further from now than this is no wall clock: a file's counts its pictures.
  private static let wallClockLimit: Int64 = 120_000
  /// Values of a strip.
  private static let strips: Int64 = 1 << 36

  private struct Item: Sendable {
    var point: Int
    var unit: EncodedUnit
    /// When it was whole: the wall clock as a strip, and microseconds of the monotonic clock.
    var wall: Int64
    var arrival: Int64
  }

  private struct State {
    var waiting: [Item] = []
    var results: [Int: DemoPictures] = [:]
    /// Pictures painted before this are what a late joiner is given to catch up on: no latency. Monotonic microseconds.
    var from: [Int: Int64] = [:]
    var leftOut = 0
    var isStopping = false
  }

  private let sent: DemoSentPictures
  private let state = Mutex(State())
  private let wake = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  init(sent: DemoSentPictures) {
    self.sent = sent
    let thread = Thread { [self] in run() }
    thread.name = "decoder"
    thread.start()
  }

  /// Begins a connection of a point: what was painted earlier is decoded, but not timed.
  func begin(_ point: Int) {
    let now = monotonicNow().monotonic.microseconds
    state.withLock { $0.from[point] = now }
  }

  /// Never waits.
  func take(_ unit: EncodedUnit, of point: Int) {
    let item = Item(
      point: point, unit: unit, wall: Int64(wallClockStrip()), arrival: monotonicNow().monotonic.microseconds)
    state.withLock { state in
      if state.waiting.count < Self.waitingLimit {
        state.waiting.append(item)
      } else {
        state.leftOut += 1
      }
    }
    wake.signal()
  }

  /// Decodes what is left and ends the thread.
  func finish() -> [Int: DemoPictures] {
    state.withLock { $0.isStopping = true }
    wake.signal()
    ended.wait()
    return state.withLock { $0.results }
  }

  private func run() {
    var decoders: [Int: PictureDecoder] = [:]
    while true {
      let (items, isStopping) = state.withLock { state in
        defer { state.waiting.removeAll(keepingCapacity: true) }
        return (state.waiting, state.isStopping)
      }
      for item in items {
        if decoders[item.point] == nil { decoders[item.point] = try? PictureDecoder(encoding: item.unit.encoding) }
        guard let decoder = decoders[item.point] else { continue }
        decode(item, decoder)
      }
      if items.isEmpty {
        if isStopping { break }
        wake.wait()
      }
    }
    ended.signal()
  }

  private func decode(_ item: Item, _ decoder: PictureDecoder) {
    let start = monotonicNow().monotonic.microseconds
    let pictures = decoder.decode(item.unit)
    // The wait for another point's decoder is the machine's, which plays all points, and is left out.
    let decoding = Double(monotonicNow().monotonic.microseconds - start) / 1_000
    let errors = decoder.decodeErrors
    let left = sent.time(of: item.unit)
    state.withLock { state in
      var result = state.results[item.point] ?? DemoPictures()
      result.errors = errors
      let from = state.from[item.point] ?? 0
      for picture in pictures {
        result.decoded += 1
        // By the strip; where it is no clock, by when the picture left the lead.
        var age = left.map { Double(item.arrival - $0) / 1_000 }
        if let strip = picture.strip {
          result.read += 1
          let difference = (item.wall - Int64(strip) + Self.strips) % Self.strips
          if difference < Self.wallClockLimit { age = Double(difference) }
        }
        guard let age, item.arrival - Int64(age * 1_000) >= from else { continue }
        result.latencies.append(age + decoding)
      }
      state.results[item.point] = result
    }
  }
}
