import CLinuxIO
import CMeasure
import COpenSSL
import MediaWorker
import RTCCore
import RTCWire

/// One end of a session: ICE, DTLS and keys of its own, and an address of its own in a shared socket.
final class LoadPeer {
  enum State { case connecting, connected, failed }

  let number: UInt32
  let description: PeerDescription
  let counts: UnsafeMutablePointer<tk_load_peer>
  private(set) var state = State.connecting
  private(set) var profile: SRTPProfile?
  var misbehaviour: Misbehaviour?
  var sender: SRTPSender?
  var receiver: SRTPReceiver?
  let outbox: LoadOutbox
  private var ice: ICEAgent
  private var dtls: OpaquePointer?
  private let identity: OpaquePointer
  private let offered: String?
  private let local: tk_address
  private(set) var path: (local: tk_address, remote: tk_address)?
  private var dtlsDeadline: Int64 = .max
  private var feedbackCount: UInt8 = 0
  private var statuses: [TransportStatus] = []
  /// Of its own reports.
  let reportSSRC = UInt32.random(in: 1..<UInt32.max)
  private var lastSenderReport: [UInt32: (middle: UInt32, at: Int64)] = [:]
  private var pictureWanted = false

  /// - Parameter offered: SRTP profiles in OpenSSL's names, nil for all.
  init(
    number: UInt32, description: PeerDescription, address: SocketAddress, outbox: LoadOutbox, identity: OpaquePointer,
    offered: String?, counts: UnsafeMutablePointer<tk_load_peer>, now: Instant
  ) {
    self.number = number
    self.description = description
    self.outbox = outbox
    self.identity = identity
    self.offered = offered
    self.counts = counts
    local = Self.raw(address)
    ice = ICEAgent(
      role: .controlling, local: description.local, remote: description.remote,
      remoteCandidates: description.remoteCandidates, localAddresses: [address],
      tieBreaker: UInt64.random(in: .min ... .max), now: now)
    self.address = address
  }

  private let address: SocketAddress

  deinit { if let dtls { tk_dtls_free(dtls) } }

  static func raw(_ address: SocketAddress) -> tk_address {
    var raw = tk_address()
    raw.family = 4
    raw.port = address.port
    withUnsafeMutableBytes(of: &raw.bytes) {
      $0.storeBytes(of: address.high.bigEndian, toByteOffset: 0, as: UInt64.self)
    }
    return raw
  }

  static func address(_ raw: tk_address) -> SocketAddress {
    let bytes = raw.bytes
    let value = UInt32(bytes.0) << 24 | UInt32(bytes.1) << 16 | UInt32(bytes.2) << 8 | UInt32(bytes.3)
    return SocketAddress(ipv4: value, port: raw.port)
  }

  // MARK: Connecting

  /// What is neither counted media nor a sample of it.
  func receive(_ item: tk_load_item, now: Instant, random: inout SplitMix64) {
    let bytes = UnsafeMutableRawBufferPointer(start: item.bytes, count: Int(item.count))
    switch classify(UnsafeRawBufferPointer(bytes)) {
    case .stun:
      let path = NetworkPath(local: address, remote: Self.address(item.remote))
      let outcome = ice.receive(UnsafeRawBufferPointer(bytes), path: path, now: now, random: &random)
      switch outcome {
      case .connected(let chosen), .pathChanged(let chosen):
        self.path = (local, Self.raw(chosen.remote))
        beginHandshake(now: now)
      case .ignored, .handled: break
      }
      sendICE()
    case .dtls: proceed(bytes, now: now)
    case .rtcp: receiveRTCP(bytes, now: now)
    default: break
    }
  }

  /// Checks and repeated flights that are due.
  func advance(now: Instant, random: inout SplitMix64) {
    if ice.nextDeadline <= now {
      ice.advance(now: now, random: &random)
      sendICE()
    }
    if let dtls, dtlsDeadline <= now.microseconds {
      settle(tk_dtls_timeout(dtls), now: now)
    }
  }

  private func sendICE() {
    while let message = ice.nextTransmit() {
      outbox.send(message.bytes, path: (local, Self.raw(message.path.remote)))
    }
  }

  private func beginHandshake(now: Instant) {
    guard dtls == nil, state == .connecting, description.dtlsRole == .client,
      let made = tk_dtls_create(identity, 1, 1_200)
    else { return }
    if let offered { precondition(tk_dtls_offer(made, offered) == 1, "OpenSSL knows the profile") }
    dtls = made
    settle(tk_dtls_receive(made, nil, 0), now: now)
  }

  private func proceed(_ bytes: UnsafeMutableRawBufferPointer, now: Instant) {
    guard let dtls else { return }
    settle(
      tk_dtls_receive(dtls, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count), now: now)
  }

  private func settle(_ outcome: tk_dtls_state, now: Instant) {
    guard let dtls, let path else { return }
    while true {
      let room = outbox.room
      let count = tk_dtls_next_datagram(dtls, room.assumingMemoryBound(to: UInt8.self).baseAddress, room.count)
      guard count > 0 else { break }
      outbox.commit(count, path: path)
    }
    guard state == .connecting else { return }
    switch outcome {
    case TK_DTLS_DONE: takeKeys(dtls)
    case TK_DTLS_FAILED, TK_DTLS_CLOSED: state = .failed
    default:
      let left = tk_dtls_milliseconds_to_timeout(dtls)
      dtlsDeadline = left < 0 ? .max : now.microseconds + left * 1_000
    }
  }

  private func takeKeys(_ dtls: OpaquePointer) {
    dtlsDeadline = .max
    let isExpected = description.remoteFingerprints.contains { expected in
      var digest = [UInt8](repeating: 0, count: 64)
      let count = tk_dtls_peer_digest(dtls, expected.algorithm, &digest)
      return count > 0 && Array(digest.prefix(count)) == expected.digest
    }
    guard isExpected, let profile = SRTPProfile(rawValue: UInt16(tk_dtls_profile(dtls))) else {
      state = .failed
      return
    }
    let (keys, salts) = (profile.masterKeyByteCount, profile.masterSaltByteCount)
    var material = [UInt8](repeating: 0, count: 2 * (keys + salts))
    guard tk_dtls_export(dtls, &material, material.count) == 1 else {
      state = .failed
      return
    }
    let made = SRTPKeys(
      profile: profile, localKey: Array(material[0..<keys]), localSalt: Array(material[2 * keys..<2 * keys + salts]),
      remoteKey: Array(material[keys..<2 * keys]), remoteSalt: Array(material[(2 * keys + salts)...]))
    sender = SRTPSender(keys: made)
    receiver = SRTPReceiver(keys: made)
    self.profile = profile
    state = .connected
  }

  // MARK: RTCP

  private func receiveRTCP(_ bytes: UnsafeMutableRawBufferPointer, now: Instant) {
    guard receiver != nil, let count = try? receiver?.openRTCP(bytes) else { return }
    let plain = UnsafeRawBufferPointer(rebasing: bytes[0..<count])
    guard let packets = try? RTCPPackets(validating: plain) else { return }
    for packet in packets {
      switch packet {
      case .senderReport(let report):
        lastSenderReport[report.ssrc] = (report.ntp.middle32, now.microseconds)
      case .pictureLoss, .fullIntraRequest: pictureWanted = true
      default: break
      }
    }
  }

  /// Whether a key frame has been asked for since this was last read.
  func takePictureRequest() -> Bool {
    defer { pictureWanted = false }
    return pictureWanted
  }

  /// Seals and queues what `write` wrote.
  func sendRTCP(_ write: (inout RTCPWriter) throws(WireError) -> Void) {
    guard sender != nil, let path else { return }
    let room = outbox.room
    var writer = RTCPWriter(UnsafeMutableRawBufferPointer(rebasing: room[0..<1_400]))
    guard (try? write(&writer)) != nil, writer.count > 0 else { return }
    guard let count = try? sender?.sealRTCP(room, byteCount: writer.count) else { return }
    outbox.commit(count, path: path)
  }

  /// A receiver report of all streams and a description (RFC 3550 §6.4.2).
  func sendReport(now: Instant) {
    var blocks: [ReportBlock] = []
    for line in description.lines {
      guard let ssrc = line.sources.first?.ssrc else { continue }
      let streams = (0..<UInt32(TK_LOAD_STREAMS)).lazy.map { tk_load_stream_at(self.counts, $0).pointee }
      guard let stream = streams.first(where: { $0.ssrc == ssrc }), stream.first >= 0 else { continue }
      let expected = stream.highest - stream.first + 1
      let last = lastSenderReport[ssrc]
      blocks.append(
        ReportBlock(
          ssrc: ssrc, fractionLost: 0, cumulativeLost: Int32(clamping: expected - Int64(stream.received)),
          highestSequence: UInt32(truncatingIfNeeded: stream.highest), jitter: 0, lastSR: last?.middle ?? 0,
          delaySinceLastSR: last.map { UInt32(clamping: (now.microseconds - $0.at) * 65_536 / 1_000_000) } ?? 0))
    }
    sendRTCP { writer throws(WireError) in
      try writer.receiverReport(ssrc: reportSSRC, blocks: blocks)
      try writer.sdesCNAME(ssrc: reportSSRC, cname: "load")
    }
  }

  /// Transport-wide feedback of what has come since the last (draft-holmer-rmcat-transport-wide-cc-extensions-01).
  func sendFeedback() {
    guard counts.pointee.has_transport != 0 else { return }
    func arrival(_ number: Int64) -> Int64 { Int64(tk_load_arrival(counts, number)) }
    let highest = counts.pointee.transport_highest
    var number = counts.pointee.transport_reported
    // A feedback begins with a packet that was received.
    while number <= highest, arrival(number) == 0 { number += 1 }
    while number <= highest {
      let base = number
      let reference = arrival(base) / 64_000
      var clock = reference * 64_000
      statuses.removeAll(keepingCapacity: true)
      while number <= highest, statuses.count < 256 {
        let time = arrival(number)
        if time == 0 {
          statuses.append(.lost)
        } else {
          let delta = (time - clock) / 250
          statuses.append(.received(delta250us: Int16(clamping: delta)))
          clock += delta * 250
        }
        number += 1
      }
      let media = description.lines.last?.sources.first?.ssrc ?? 0
      sendRTCP { writer throws(WireError) in
        try writer.transportFeedback(
          sender: reportSSRC, media: media, baseSequence: UInt16(truncatingIfNeeded: base),
          referenceTime64ms: Int32(truncatingIfNeeded: reference & 0xFF_FFFF), feedbackCount: feedbackCount,
          statuses: statuses)
      }
      feedbackCount &+= 1
      while number <= highest, arrival(number) == 0 { number += 1 }
    }
    counts.pointee.transport_reported = number
  }
}
