import PacketRing
import RTCCore
import RTCWire

/// One step of a packet's way, again and again, without sockets or clocks.
public enum MicroWork: String, CaseIterable, Sendable {
  /// An RTP header with two extensions, and the search for one of them.
  case parse
  /// One packet in, and out to ten receivers, sealed by OpenSSL.
  case route
  /// A packet of 1,100 bytes, AES-128-GCM by OpenSSL, as the library that every machine has.
  case seal
  /// A slot claimed and its packet entered into a full history.
  case insert
  /// A record through a lane, in and out.
  case hop

  /// Makes ready; what it returns does the step so many times.
  public func prepared() -> (Int) -> Void {
    switch self {
    case .parse: Self.parsing()
    case .route: RoutedLesson(receivers: 10).forward
    case .seal: Self.sealing()
    case .insert: Self.inserting()
    case .hop: Self.hopping()
    }
  }

  /// 12 bytes of header, `a=extmap` ids 3 (two bytes) and 4 (one byte), 1,100 bytes of payload.
  static func packet() -> [UInt8] {
    var bytes: [UInt8] = [0x90, 102, 3, 232, 0, 0, 0, 0, 0, 0, 0, 10, 0xBE, 0xDE, 0, 2]
    bytes += [0x31, 0, 1, 0x40, 0x31, 0, 0, 0]
    return bytes + [UInt8](repeating: 0x5A, count: 1_100)
  }

  private static func parsing() -> (Int) -> Void {
    let packet = packet()
    return { count in
      var sum = 0
      packet.withUnsafeBytes { bytes in
        for _ in 0..<count {
          guard let header = try? RTPHeader(bytes) else { continue }
          sum &+= Int(header.sequence) &+ (findExtension(id: 4, in: bytes, header: header)?.lowerBound ?? 0)
        }
      }
      keep(sum)
    }
  }

  private final class Sealer {
    var sender = SRTPSender(
      keys: SRTPKeys(
        profile: .aeadAES128GCM, localKey: Array(repeating: 1, count: 16), localSalt: Array(repeating: 2, count: 12),
        remoteKey: Array(repeating: 3, count: 16), remoteSalt: Array(repeating: 4, count: 12)), library: .openSSL)
    var seal = SealIndex()
    var index: Int64 = 0
    var out = [UInt8](repeating: 0, count: 2_048)
  }

  private static func sealing() -> (Int) -> Void {
    let packet = packet()
    let sealer = Sealer()
    return { count in
      packet.withUnsafeBytes { bytes in
        sealer.out.withUnsafeMutableBytes { out in
          for _ in 0..<count {
            sealer.index += 1
            keep(
              sealer.sender.seal(
                header: UnsafeRawBufferPointer(rebasing: bytes[0..<24]),
                prefix: UnsafeRawBufferPointer(start: nil, count: 0),
                payload: UnsafeRawBufferPointer(rebasing: bytes[24...]), index: sealer.index, stream: &sealer.seal,
                into: out))
          }
        }
      }
    }
  }

  private final class Ring {
    var history = History(capacity: 1_024)
    var ledger = SlotLedger(slotCount: 2_048)
    var sequence: Int64 = 65_536
  }

  private static func inserting() -> (Int) -> Void {
    let ring = Ring()
    let insert: (Int) -> Void = { count in
      for _ in 0..<count {
        guard let slot = ring.ledger.claim() else { fatalError("a full history gives its slots back") }
        ring.sequence += 1
        let record = PacketRecord(
          extendedSequence: ring.sequence, lessonTime: ring.sequence, slot: slot, timestamp: 0, stream: 1,
          payloadOffset: 24, flags: [], payloadByteCount: 1_100, payloadType: 102)
        guard case .inserted = ring.history.insert(record, ledger: &ring.ledger) else {
          fatalError("numbers rise by one")
        }
      }
    }
    insert(2_000)
    return insert
  }

  private final class Ends {
    var producer: LaneProducer<PacketRecord>
    var consumer: LaneConsumer<PacketRecord>
    init() {
      let ends = makeLane(of: PacketRecord.self, capacity: 1_024)
      producer = ends.producer
      consumer = ends.consumer
    }
  }

  private static func hopping() -> (Int) -> Void {
    let ends = Ends()
    let record = PacketRecord(
      extendedSequence: 1, lessonTime: 1, slot: SlotIndex(rawValue: 1), timestamp: 0, stream: 1, payloadOffset: 24,
      flags: [], payloadByteCount: 1_100, payloadType: 102)
    return { count in
      var sum = 0
      for _ in 0..<count {
        guard ends.producer.push(record) else { fatalError("there is room for one") }
        sum &+= ends.consumer.pop().map { Int($0.payloadByteCount) } ?? 0
      }
      keep(sum)
    }
  }
}

/// No compiler knows that this does nothing.
@inline(never) @_optimize(none) func keep(_ value: Int) { _ = value }
