import Foundation
import NIOCore

/// What a line to a relay carries.
public struct LineReading: Hashable, Sendable {
  /// Bit/s that came, and that went.
  public var downlink: Int64
  public var uplink: Int64
  /// Microseconds there and back, the median of several.
  public var roundTrip: Int64

  public init(downlink: Int64, uplink: Int64, roundTrip: Int64) {
    self.downlink = downlink
    self.uplink = uplink
    self.roundTrip = roundTrip
  }
}

/// How transfers grow until one takes long enough to be measured by.
package struct TransferPlan: Sendable {
  /// Bytes of one transfer at most, which the relay allows.
  package static let byteLimit = 16 << 20
  /// Seconds that a transfer should take.
  package static let wanted = 2.0
  /// Seconds that one has to take to be the last.
  private static let enough = 1.0

  package private(set) var bytes = 256 << 10
  /// Bit/s of the last transfer; 0 before.
  package private(set) var rate: Int64 = 0

  package init() {}

  /// Takes down what the last transfer took; false when it was the one to measure by.
  ///
  /// Of a short transfer the wait for its first byte is a good part; `roundTrip` seconds are taken off, up to half.
  package mutating func goesOn(seconds: Double, roundTrip: Double) -> Bool {
    let time = max(max(seconds - roundTrip, seconds / 2), 1e-6)
    let bits = Double(bytes) * 8 / time
    rate = Int64(min(bits, 1e12))
    guard seconds < Self.enough, bytes < Self.byteLimit else { return false }
    let fitting = bits / 8 * Self.wanted
    bytes = Int(min(Double(Self.byteLimit), max(Double(bytes) * 2, fitting)))
    return true
  }
}

extension ControlClient {
  /// Small requests whose median is the round trip; the one before them makes the connection.
  private static let trips = 9

  /// Measures the line between this machine and the relay by transfers of random bytes, each 16 MiB and two minutes at
  /// most: half a minute on a thin line, 70 MiB on a fast one.
  ///
  /// - Throws: `.refused` where the room is not the caller's to test, or for 429 when measured again too soon.
  public func measureLine(room: String) async throws(ControlError) -> LineReading {
    let path = ["rooms", room, "throughput"]
    var times: [Double] = []
    for trip in 0...Self.trips {
      let seconds = try await transport.download(path, bytes: 1)
      if trip > 0 { times.append(seconds) }
    }
    let roundTrip = times.sorted()[Self.trips / 2]
    var down = TransferPlan()
    var goesOn = true
    while goesOn {
      let seconds = try await transport.download(path, bytes: down.bytes)
      goesOn = down.goesOn(seconds: seconds, roundTrip: roundTrip)
    }
    var up = TransferPlan()
    goesOn = true
    while goesOn {
      let seconds = try await transport.upload(path, bytes: up.bytes)
      goesOn = up.goesOn(seconds: seconds, roundTrip: roundTrip)
    }
    return LineReading(downlink: down.rate, uplink: up.rate, roundTrip: Int64(min(roundTrip, 60) * 1e6))
  }
}

extension ControlTransport {
  /// Seconds until so many bytes have come.
  fileprivate func download(_ path: [String], bytes: Int) async throws(ControlError) -> Double {
    var request = ControlRequest(.get, path)
    request.query = [("bytes", String(bytes))]
    request.accept = "*/*"
    let clock = ContinuousClock()
    let start = clock.now
    let data = try await send(request)
    guard data.count == bytes else { throw .badAnswer(reason: "\(data.count) bytes in place of \(bytes)") }
    return Self.seconds(clock.now - start)
  }

  /// Seconds until the relay has said that it took so many bytes.
  fileprivate func upload(_ path: [String], bytes: Int) async throws(ControlError) -> Double {
    var request = ControlRequest(.post, path)
    request.bytes = Self.randomBytes(bytes)
    let clock = ContinuousClock()
    let start = clock.now
    let reply: ThroughputReply = try Self.decode(try await send(request))
    guard reply.bytes == bytes else { throw .badAnswer(reason: "\(reply.bytes) bytes in place of \(bytes)") }
    return Self.seconds(clock.now - start)
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  /// Whatever packs data on the way gains nothing.
  private static func randomBytes(_ count: Int) -> ByteBuffer {
    var generator = SystemRandomNumberGenerator()
    var buffer = ByteBuffer()
    buffer.reserveCapacity(count + 8)
    for _ in 0..<((count + 7) / 8) { buffer.writeInteger(generator.next() as UInt64) }
    return buffer.getSlice(at: 0, length: count) ?? ByteBuffer()
  }
}
