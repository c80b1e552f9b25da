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

  private let state = Mutex(State())
  private let wake = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  init() {
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
    state.withLock { state in
      var result = state.results[item.point] ?? DemoPictures()
      result.errors = errors
      let from = state.from[item.point] ?? 0
      for picture in pictures {
        result.decoded += 1
        // By the strip; without one by when it was captured, as the lead's sender reports tell.
        var age = Double(item.arrival - item.unit.presentationMicroseconds) / 1_000
        if let strip = picture.strip {
          result.read += 1
          let difference = (item.wall - Int64(strip) + Self.strips) % Self.strips
          if difference < Self.wallClockLimit { age = Double(difference) }
        }
        if item.arrival - Int64(age * 1_000) >= from { result.latencies.append(age + decoding) }
      }
      state.results[item.point] = result
    }
  }
}
