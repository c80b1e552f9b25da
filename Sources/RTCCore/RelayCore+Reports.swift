import PacketRing
import RTCWire

extension RelayCore {
  // MARK: RTCP in

  mutating func receiveRTCP(_ slot: SlotIndex, byteCount: Int, path: NetworkPath, now: Now) {
    guard let index = paths.peer(for: path) else { return tally.drop(.unknownPath) }
    let peer = peers[index]
    guard peer.pointee.phase == .connected else { return tally.drop(.noKeys) }
    guard peer.pointee.limits.mayReport(now: now.monotonic) else { return tally.drop(.reportLimit) }
    let raw = UnsafeMutableRawBufferPointer(start: arena.pointer(slot), count: byteCount)
    let count: Int
    do {
      count = try peer.pointee.receiver!.openRTCP(raw)  // connected: keys are there
    } catch {
      return tally.drop(Self.reason(error))
    }
    peer.pointee.limits.reported()
    heard(index, now: now)
    guard let packets = try? RTCPPackets(validating: arena.bytes(slot, count: count)) else {
      return tally.drop(.malformed)
    }
    var statuses = Self.statusLimit
    for packet in packets {
      if case .transportFeedback(let feedback) = packet {
        statuses -= feedback.statusCount
        guard statuses >= 0 else { return tally.drop(.malformed) }
      }
      receive(packet, peer: index, now: now)
    }
  }

  /// Transport-wide statuses read of one datagram: a few bytes can announce 65,535 of them, the log remembers 4,096.
  private static let statusLimit = 8_192

  private mutating func receive(_ packet: RTCPPacket, peer index: Int32, now: Now) {
    switch packet {
    case .senderReport(let report):
      receiveSenderReport(report, peer: index, now: now)
      receiveBlocks(report.reports, peer: index, now: now)
    case .receiverReport(_, let blocks): receiveBlocks(blocks, peer: index, now: now)
    case .bye(let sources):
      // A peer that says goodbye to every stream it publishes has gone; the seat stays.
      let peer = peers[index]
      var ended = 0
      for ssrc in sources where peer.pointee.bindings.contains(where: { $0.ssrc == ssrc }) { ended += 1 }
      let streams = peer.pointee.bindings.count { !$0.isRetransmission }
      // A relay that publishes nothing to this client says it by the source of its reports. Of a receiver the same may
      // mean that one of its lines has stopped.
      let isRelayLeaving = streams == 0 && peer.pointee.description.iceRole == .controlling
      if isRelayLeaving || (ended > 0 && ended >= streams) { endPeer(index, .closedByPeer, now: now) }
    case .nack(_, let media, let items):
      peers[index].pointee.statistics.nacksReceived &+= 1
      guard let send = send(media, peer: index) else { return }
      for sequence in items {
        guard peers[index].pointee.limits.mayName(1, now: now.monotonic) else { return tally.drop(.reportLimit) }
        answerNack(sequence, send: send, peer: index, now: now)
      }
    case .pictureLoss(_, let media): wantPicture(media, peer: index, now: now)
    case .fullIntraRequest(_, let entries):
      for entry in entries {
        guard let send = send(entry.ssrc, peer: index), sends[send].pointee.firRequest != entry.sequenceNumber else {
          continue
        }
        sends[send].pointee.firRequest = entry.sequenceNumber
        wantPicture(entry.ssrc, peer: index, now: now)
      }
    case .remb(let bitsPerSecond, _):
      peers[index].pointee.estimator.receivedCap(bitsPerSecond: Int64(clamping: bitsPerSecond), now: now.monotonic)
    case .transportFeedback(let feedback): receiveFeedback(feedback, peer: index, now: now)
    case .sourceDescription, .unknown: break
    }
  }

  private func send(_ ssrc: UInt32, peer index: Int32) -> Int32? {
    for send in peers[index].pointee.sendStreams where sends[send].pointee.ssrc == ssrc { return send }
    return nil
  }

  private mutating func receiveSenderReport(_ report: SenderReport, peer index: Int32, now: Now) {
    let peer = peers[index]
    guard let binding = peer.pointee.bindings.first(where: { $0.ssrc == report.ssrc && !$0.isRetransmission }) else {
      return
    }
    let stream = streams[binding.stream]
    stream.pointee.lastReportMiddle = report.ntp.middle32
    stream.pointee.lastReportArrival = now.monotonic
    // The report itself is a packet with a known sender time: the first one gives the offset at once.
    peer.pointee.clock.observe(senderMicroseconds: report.ntp.unixMicroseconds, arrival: now.monotonic)
    stream.pointee.clock.receivedReport(
      ntp: report.ntp, timestamp: report.rtp, session: &peer.pointee.clock, now: now.monotonic)
  }

  private mutating func receiveBlocks(_ blocks: ReportBlocks, peer index: Int32, now: Now) {
    let peer = peers[index]
    for block in blocks {
      guard let sendIndex = send(block.ssrc, peer: index) else { continue }
      let send = sends[sendIndex]
      if block.highestSequence != send.pointee.acknowledged {
        send.pointee.acknowledged = block.highestSequence
        peer.pointee.acknowledgedSinceStatistics = true
        mediaFlows(index, now: now)
      }
      send.pointee.reportedLoss = block.fractionLost
      send.pointee.cumulativeLost = block.cumulativeLost
      if block.lastSR != 0 {
        // RFC 3550 §6.4.1: A − LSR − DLSR in 16.16 seconds.
        let elapsed = now.ntp.middle32 &- block.lastSR &- block.delaySinceLastSR
        let microseconds = (Int64(elapsed) * 1_000_000) >> 16
        if microseconds < 10_000_000 { peer.pointee.roundTrip = .microseconds(max(microseconds, 100)) }
      }
      // Without transport-wide feedback, whatever was negotiated, the report is all the estimate has.
      let hasFeedback = peer.pointee.lastFeedback.map { now.monotonic - $0 < .seconds(2) } ?? false
      // Over TCP nothing is lost; what its line carries shows in the room.
      if send.pointee.kind == .video, !hasFeedback, peer.pointee.room == nil {
        peer.pointee.estimator.receivedLoss(
          Double(block.fractionLost) / 256, isExact: false, now: now.monotonic)
      }
    }
  }

  private mutating func receiveFeedback(_ feedback: TransportFeedback, peer index: Int32, now: Now) {
    let peer = peers[index]
    guard peer.pointee.limits.mayName(feedback.statusCount, now: now.monotonic) else {
      return tally.drop(.reportLimit)
    }
    var lost = 0
    var received = 0
    for status in feedback {
      guard let byteCount = peer.pointee.log.settle(status.sequence) else { continue }
      if status.isReceived {
        received += 1
        peer.pointee.estimator.acknowledged(bytes: byteCount, now: now.monotonic)
      } else {
        lost += 1
      }
    }
    guard received + lost > 0 else { return }
    peer.pointee.lastFeedback = now.monotonic
    peer.pointee.acknowledgedSinceStatistics = peer.pointee.acknowledgedSinceStatistics || received > 0
    // Over TCP nothing is lost; what its line carries shows in the room.
    peer.pointee.lossWindow.add(lost: peer.pointee.room == nil ? lost : 0, received: received)
    let isTrial = peer.pointee.resumedAt.map { now.monotonic - $0 < .seconds(3) } ?? false
    if let loss = peer.pointee.lossWindow.take(isTrial: isTrial, now: now.monotonic) {
      peer.pointee.estimator.receivedLoss(loss, now: now.monotonic)
      // The picture came back too early: away with it before the sound suffers.
      if isTrial, loss > LossWindow.trialLimit {
        for send in peer.pointee.sendStreams { pauseVideo(of: send, now: now) }
      }
    }
  }

  private mutating func answerNack(_ sequence: UInt16, send sendIndex: Int32, peer index: Int32, now: Now) {
    let send = sends[sendIndex]
    let last = send.pointee.nextSequence - 1
    let out = last - Int64(UInt16(truncatingIfNeeded: last) &- sequence)
    guard send.pointee.retransmissionSSRC != nil else { return tally.drop(.noRetransmission) }
    guard out > 0, let packet = send.pointee.sent.find(out), streams.contains(Int32(packet.sourceStream)) else {
      return tally.drop(.staleEntry)
    }
    // Repairs of a picture that is not shown would only keep the line full.
    guard !send.pointee.isPaused else { return tally.drop(.overBudget) }
    let milliseconds = UInt32(truncatingIfNeeded: now.monotonic.microseconds / 1_000)
    let pause = UInt32(clamping: min(peers[index].pointee.roundTrip.microseconds / 1_500, 200))
    let rate = peers[index].pointee.estimator.sentBitsPerSecond(now: now.monotonic)
    guard !peers[index].pointee.repairQueue.isFull else { return tally.drop(.queueFull) }
    guard peers[index].pointee.limits.mayRepair(sentBitsPerSecond: rate, now: now.monotonic) else {
      return tally.drop(.repairLimit)
    }
    guard send.pointee.sent.mayRepeat(out, pause: pause, now: milliseconds) else { return tally.drop(.repeatLimit) }
    peers[index].pointee.limits.repaired()
    queueRepair(packet, out: out, send: sendIndex, peer: index, now: now)
  }

  private mutating func wantPicture(_ ssrc: UInt32, peer index: Int32, now: Now) {
    peers[index].pointee.statistics.pictureLossReceived &+= 1
    guard let sendIndex = send(ssrc, peer: index), sends[sendIndex].pointee.track >= 0 else { return }
    let track = tracks[sends[sendIndex].pointee.track]
    let subscription = track.pointee.subscriptions[sends[sendIndex].pointee.subscription]
    let layer = subscription.current >= 0 ? subscription.current : subscription.target
    let stream = track.pointee.layer(layer)
    guard stream >= 0 else { return }
    let keyFrame = streams[stream].pointee.groupStart == .min ? nil : streams[stream].pointee.groupArrival
    guard sends[sendIndex].pointee.pictureWishes.isHeard(keyFrame: keyFrame, now: now.monotonic) else {
      return tally.drop(.pictureLimit)
    }
    if requestPicture(stream, now: now) { sends[sendIndex].pointee.pictureWishes.heard(now: now.monotonic) }
  }

  // MARK: RTCP out

  /// Writes what this peer is owed: reports, NACK, key-frame requests, transport feedback, BYE. False when full.
  mutating func drainReports(
    _ index: Int32, path: NetworkPath, into egress: inout EgressArena, now: Now
  ) -> Bool {
    repeat {
      guard drainReport(index, path: path, into: &egress, now: now) else { return false }
    } while peers[index].pointee.reportCursor > 0
    return true
  }

  /// One compound of it.
  private mutating func drainReport(
    _ index: Int32, path: NetworkPath, into egress: inout EgressArena, now: Now
  ) -> Bool {
    let peer = peers[index]
    let wantsPicture = peer.pointee.bindings.contains {
      !$0.isRetransmission && streams[$0.stream].pointee.wantsPictureRequest
    }
    guard
      peer.pointee.owesReport || peer.pointee.owesFeedback || peer.pointee.owesNack || peer.pointee.owesBye
        || wantsPicture || peer.pointee.reportCursor > 0
    else { return true }
    guard egress.hasRoom else { return false }
    // 1,200 bytes leave room for the SRTCP trailer within any path's MTU.
    var writer = RTCPWriter(UnsafeMutableRawBufferPointer(rebasing: egress.writePointer[0..<1_200]))
    do {
      if peer.pointee.owesReport || peer.pointee.owesBye || peer.pointee.reportCursor > 0
        || !peer.pointee.description.reducedSizeRTCP
      {
        try writeReports(index, to: &writer, now: now)
      }
      if peer.pointee.owesNack { try writeNacks(index, to: &writer, now: now) }
      if wantsPicture { try writePictureRequests(index, to: &writer, now: now) }
      if peer.pointee.owesFeedback { try writeFeedback(index, to: &writer, now: now) }
      if peer.pointee.owesBye, peer.pointee.reportCursor == 0 {
        peer.pointee.owesBye = false
        let sources = peer.pointee.sendStreams.map { sends[$0].pointee.ssrc }
        try writer.bye(ssrcs: sources.isEmpty ? [peer.pointee.reportSSRC] : Array(sources.prefix(31)), reason: "")
      }
    } catch {
      // Full: what was written stands, the rest is owed again at its next time.
      tally.drop(.egressFull)
      peer.pointee.owesBye = false
      peer.pointee.reportCursor = 0
      if peer.pointee.owesNack { peer.pointee.nextNack = now.monotonic + .milliseconds(10) }
    }
    peer.pointee.owesReport = false
    peer.pointee.owesFeedback = false
    peer.pointee.owesNack = false
    guard writer.count > 0 else { return true }
    guard let count = try? peer.pointee.sender!.sealRTCP(egress.writePointer, byteCount: writer.count) else {
      tally.drop(.malformed)
      return true
    }
    egress.commit(byteCount: count, path: path, peer: index, isUrgent: true)
    peer.pointee.spendRoom(count)
    return true
  }

  /// Reports take this much of a compound at most, eight blocks of 24 bytes among them.
  private static let reportByteLimit = 500

  private mutating func writeReports(_ index: Int32, to writer: inout RTCPWriter, now: Now) throws(WireError) {
    let peer = peers[index]
    let first = peer.pointee.reportCursor
    var blocks: [ReportBlock] = []
    for binding in peer.pointee.bindings where first == 0 && !binding.isRetransmission && blocks.count < 8 {
      let stream = streams[binding.stream]
      let delay = stream.pointee.lastReportArrival.map { (now.monotonic - $0).microseconds * 65_536 / 1_000_000 } ?? 0
      blocks.append(
        stream.pointee.statistics.block(
          ssrc: binding.ssrc, lastReport: stream.pointee.lastReportMiddle, delay: UInt32(clamping: delay)))
    }
    var wroteSender = false
    peer.pointee.reportCursor = 0
    for (place, sendIndex) in peer.pointee.sendStreams.enumerated().dropFirst(first) {
      // Room for this one, and for feedback behind it: the rest goes into a datagram of its own.
      if writer.count > Self.reportByteLimit {
        peer.pointee.reportCursor = place
        break
      }
      let send = sends[sendIndex]
      guard send.pointee.hasSent, let codec = send.pointee.codec else { continue }
      let elapsed = now.monotonic.microseconds - send.pointee.lastLessonTime
      let ticks = elapsed * Int64(codec.clockRate) / 1_000_000
      try writer.senderReport(
        ssrc: send.pointee.ssrc, ntp: now.ntp,
        rtp: send.pointee.lastTimestamp &+ UInt32(truncatingIfNeeded: ticks), packetCount: send.pointee.packets,
        octetCount: send.pointee.octets, blocks: wroteSender ? [] : blocks)
      try writer.sdesCNAME(ssrc: send.pointee.ssrc, cname: Peer.cname)
      wroteSender = true
    }
    if !wroteSender {
      try writer.receiverReport(ssrc: peer.pointee.reportSSRC, blocks: blocks)
      try writer.sdesCNAME(ssrc: peer.pointee.reportSSRC, cname: Peer.cname)
    }
    if first == 0 { try writeBandwidth(index, to: &writer, now: now) }
  }

  /// A publisher without transport-wide feedback is told what it may send (draft-alvestrand-rmcat-remb-03).
  private mutating func writeBandwidth(_ index: Int32, to writer: inout RTCPWriter, now: Now) throws(WireError) {
    let peer = peers[index]
    var sources: [UInt32] = []
    var rate: Int64 = 0
    for binding in peer.pointee.bindings where !binding.isRetransmission {
      let stream = streams[binding.stream]
      let line = peer.pointee.description.lines[stream.pointee.lineIndex]
      guard stream.pointee.isVideo, line.feedback.contains(.remb), !line.feedback.contains(.transportWide) else {
        continue
      }
      sources.append(binding.ssrc)
      rate += stream.pointee.rate.bitsPerSecond(now: now.monotonic)
    }
    guard !sources.isEmpty else { return }
    try writer.remb(
      sender: peer.pointee.reportSSRC, bitsPerSecond: UInt64(max(2_500_000, rate * 3 / 2)),
      ssrcs: Array(sources.prefix(4)))
  }

  private mutating func writeNacks(_ index: Int32, to writer: inout RTCPWriter, now: Now) throws(WireError) {
    let peer = peers[index]
    var isMissing = false
    for binding in peer.pointee.bindings where !binding.isRetransmission {
      let stream = streams[binding.stream]
      guard !stream.pointee.missing.isEmpty else { continue }
      var sequences: [UInt16] = []
      stream.pointee.missing.due(now: now.monotonic, roundTrip: peer.pointee.roundTrip, into: &sequences)
      isMissing = isMissing || !stream.pointee.missing.isEmpty
      guard !sequences.isEmpty else { continue }
      try writer.nack(sender: peer.pointee.reportSSRC, media: binding.ssrc, sequences: sequences)
    }
    if isMissing { peer.pointee.nextNack = min(peer.pointee.nextNack, now.monotonic + .milliseconds(10)) }
  }

  private mutating func writePictureRequests(
    _ index: Int32, to writer: inout RTCPWriter, now: Now
  ) throws(WireError) {
    let peer = peers[index]
    for binding in peer.pointee.bindings where !binding.isRetransmission {
      let stream = streams[binding.stream]
      guard stream.pointee.wantsPictureRequest else { continue }
      stream.pointee.wantsPictureRequest = false
      let feedback = peer.pointee.description.lines[stream.pointee.lineIndex].feedback
      if feedback.contains(.fir), !feedback.contains(.pli) {
        stream.pointee.firSequence &+= 1
        try writer.fullIntraRequest(
          sender: peer.pointee.reportSSRC, media: binding.ssrc, sequenceNumber: stream.pointee.firSequence)
      } else {
        // Sent even where it was not negotiated: some publishers honour it all the same, the others ignore it.
        try writer.pictureLoss(sender: peer.pointee.reportSSRC, media: binding.ssrc)
      }
      stream.pointee.lastPictureRequest = now.monotonic
      tally.pictureRequestsSent &+= 1
    }
  }

  private mutating func writeFeedback(_ index: Int32, to writer: inout RTCPWriter, now: Now) throws(WireError) {
    let peer = peers[index]
    guard let media = peer.pointee.bindings.first?.ssrc else { return }
    try peer.pointee.feedback.write(to: &writer, sender: peer.pointee.reportSSRC, media: media)
    if peer.pointee.feedback.hasNews { peer.pointee.nextFeedback = now.monotonic }
  }
}
