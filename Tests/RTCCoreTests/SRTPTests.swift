// Goal: our SRTP is the standard's, packet by packet.
// Method: the RFCs' vectors; libsrtp2 as the other side, in both directions, under loss, reordering, replay and
// rollover.
import COpenSSL
import CSRTP
import RTCCore
import RTCWire
import Testing

func bytes(hex: String) -> [UInt8] {
  let digits = Array(hex.utf8.filter { $0 != 32 && $0 != 10 })
  return stride(from: 0, to: digits.count, by: 2).map {
    UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)!
  }
}

/// libsrtp2 as the far end.
final class Oracle {
  let session: OpaquePointer
  init(_ profile: SRTPProfile, key: [UInt8], salt: [UInt8], outbound: Bool) {
    session = tk_srtp_create(
      Int32(profile.rawValue), key, Int32(key.count), salt, Int32(salt.count), outbound ? 1 : 0)!
  }
  deinit { tk_srtp_free(session) }

  func protect(_ packet: [UInt8]) -> [UInt8]? {
    var buffer = packet + [UInt8](repeating: 0, count: 32)
    var count = Int32(packet.count)
    return tk_srtp_protect(session, &buffer, &count) == TK_SRTP_OK ? Array(buffer.prefix(Int(count))) : nil
  }
  func unprotect(_ packet: [UInt8]) -> [UInt8]? {
    var buffer = packet
    var count = Int32(packet.count)
    return tk_srtp_unprotect(session, &buffer, &count) == TK_SRTP_OK ? Array(buffer.prefix(Int(count))) : nil
  }
}

func testKeys(_ profile: SRTPProfile, _ random: inout SplitMix64) -> SRTPKeys {
  func fill(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &random) } }
  return SRTPKeys(
    profile: profile, localKey: fill(profile.masterKeyByteCount), localSalt: fill(profile.masterSaltByteCount),
    remoteKey: fill(profile.masterKeyByteCount), remoteSalt: fill(profile.masterSaltByteCount))
}

func packet(sequence: UInt16, ssrc: UInt32 = 0x1234_5678, payload: [UInt8]) -> [UInt8] {
  var header = [UInt8](repeating: 0, count: 12)
  header.withUnsafeMutableBytes {
    RTPWriter.writeHeader(
      to: $0.baseAddress!, marker: false, payloadType: 96, sequence: sequence, timestamp: UInt32(sequence) &* 90,
      ssrc: ssrc, hasExtension: false, hasPadding: false)
  }
  return header + payload
}

func seal(
  _ sender: inout SRTPSender, _ packet: [UInt8], prefix: Int = 3, padding: Int = 0, index: Int64,
  stream: inout SealIndex
) -> [UInt8] {
  var out = [UInt8](repeating: 0, count: packet.count + padding + 32)
  let count = packet.withUnsafeBytes { raw in
    out.withUnsafeMutableBytes {
      // The payload is given in two parts, as a rewritten prefix and the rest of a slot are.
      let cut = min(12 + prefix, raw.count)
      return sender.seal(
        header: UnsafeRawBufferPointer(rebasing: raw[0..<12]), prefix: UnsafeRawBufferPointer(rebasing: raw[12..<cut]),
        payload: UnsafeRawBufferPointer(rebasing: raw[cut...]), padding: padding, index: index, stream: &stream,
        into: $0)
    }
  }
  return Array(out.prefix(count))
}

func open(_ receiver: inout SRTPReceiver, _ packet: [UInt8]) -> Result<[UInt8], SRTPError> {
  var buffer = packet
  return buffer.withUnsafeMutableBytes { raw -> Result<[UInt8], SRTPError> in
    guard let header = try? RTPHeader(UnsafeRawBufferPointer(raw)) else { return .failure(.malformed) }
    do throws(SRTPError) {
      let count = try receiver.openRTP(raw, header: header)
      return .success(Array(raw[0..<count]))
    } catch { return .failure(error) }
  }
}

@Suite struct SRTPTests {
  static let profiles: [SRTPProfile] = [.aes128CMSHA180, .aeadAES128GCM, .aeadAES256GCM]

  /// RFC 3711 B.3.
  @Test func keyDerivation() {
    let key = bytes(hex: "E1F97A0D3E018BE0D64FA32C06DE4139")
    let salt = bytes(hex: "0EC675AD498AFEEBB6960B3AABE6")
    func derive(_ label: UInt8, _ count: Int) -> [UInt8] {
      SRTPKeyDerivation.derive(key: key, salt: salt, label: label, byteCount: count)
    }
    #expect(derive(0, 16) == bytes(hex: "C61E7A93744F39EE10734AFE3FF7A087"))
    #expect(derive(2, 14) == bytes(hex: "30CBBC08863D8C85D49DB34A9AE1"))
    #expect(derive(1, 20) == bytes(hex: "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"))
  }

  /// libsrtp's reference packet.
  @Test func sha1ReferencePacket() {
    let keys = SRTPKeys(
      profile: .aes128CMSHA180, localKey: bytes(hex: "E1F97A0D3E018BE0D64FA32C06DE4139"),
      localSalt: bytes(hex: "0EC675AD498AFEEBB6960B3AABE6"), remoteKey: bytes(hex: "E1F97A0D3E018BE0D64FA32C06DE4139"),
      remoteSalt: bytes(hex: "0EC675AD498AFEEBB6960B3AABE6"))
    var sender = SRTPSender(keys: keys)
    var stream = SealIndex()
    let plain = bytes(hex: "800f1234decafbadcafebabe") + [UInt8](repeating: 0xAB, count: 16)
    let sealed = seal(&sender, plain, index: 0x1234, stream: &stream)
    #expect(sealed == bytes(hex: "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"))
  }

  @Test(arguments: profiles) func libsrtpReadsWhatWeSeal(profile: SRTPProfile) {
    var random = SplitMix64(seed: 5)
    let keys = testKeys(profile, &random)
    var sender = SRTPSender(keys: keys)
    let oracle = Oracle(profile, key: keys.localKey, salt: keys.localSalt, outbound: false)
    var stream = SealIndex()
    var index: Int64 = 65_000
    // Through two rollovers, with gaps.
    while index < 65_536 * 2 + 500 {
      let payload = (0..<Int.random(in: 0...1_200, using: &random)).map { UInt8(truncatingIfNeeded: $0) }
      let plain = packet(sequence: UInt16(truncatingIfNeeded: index), payload: payload)
      let sealed = seal(&sender, plain, index: index, stream: &stream)
      #expect(oracle.unprotect(sealed) == plain, "index \(index)")
      index += Int64.random(in: 1...400, using: &random)
    }
  }

  @Test(arguments: profiles) func weReadWhatLibsrtpProtects(profile: SRTPProfile) {
    var random = SplitMix64(seed: 6)
    let keys = testKeys(profile, &random)
    let oracle = Oracle(profile, key: keys.remoteKey, salt: keys.remoteSalt, outbound: true)
    var receiver = SRTPReceiver(keys: keys)
    var sent: [(plain: [UInt8], sealed: [UInt8])] = []
    for number in 64_000..<68_000 {
      let payload = (0..<Int.random(in: 1...300, using: &random)).map { UInt8(truncatingIfNeeded: $0) }
      let plain = packet(sequence: UInt16(truncatingIfNeeded: number), payload: payload)
      sent.append((plain, oracle.protect(plain)!))
    }
    // Neighbours change places, some come twice, some never.
    for place in stride(from: 0, to: sent.count - 8, by: 8) where Bool.random(using: &random) {
      sent[place..<place + 8].shuffle(using: &random)
    }
    for (plain, sealed) in sent {
      if Int.random(in: 0..<20, using: &random) == 0 { continue }
      var flipped = sealed
      flipped[Int.random(in: 12..<flipped.count, using: &random)] ^= 1
      #expect(open(&receiver, flipped) == .failure(.authentication))
      #expect(open(&receiver, sealed) == .success(plain))
      #expect(open(&receiver, sealed) == .failure(.replayed))
    }
  }

  @Test(arguments: profiles) func rtcpGoesBothWays(profile: SRTPProfile) throws {
    var random = SplitMix64(seed: 7)
    let keys = testKeys(profile, &random)
    let mirrored = SRTPKeys(
      profile: profile, localKey: keys.remoteKey, localSalt: keys.remoteSalt, remoteKey: keys.localKey,
      remoteSalt: keys.localSalt)
    var sender = SRTPSender(keys: keys)
    var receiver = SRTPReceiver(keys: mirrored)
    var buffer = [UInt8](repeating: 0, count: 200)
    let (plain, sealed): ([UInt8], [UInt8]) = try buffer.withUnsafeMutableBytes { raw in
      var writer = RTCPWriter(raw)
      try writer.receiverReport(ssrc: 9, blocks: [])
      try writer.pictureLoss(sender: 9, media: 10)
      let plain = Array(raw[0..<writer.count])
      let count = try sender.sealRTCP(raw, byteCount: writer.count)
      return (plain, Array(raw[0..<count]))
    }
    var copy = sealed
    let count = try copy.withUnsafeMutableBytes { try receiver.openRTCP($0) }
    #expect(Array(copy.prefix(count)) == plain)
    var again = sealed
    let error = again.withUnsafeMutableBytes { raw -> SRTPError? in
      do throws(SRTPError) {
        _ = try receiver.openRTCP(raw)
        return nil
      } catch { return error }
    }
    #expect(error == .replayed)
  }

  @Test func everyTruncationIsRefused() {
    var random = SplitMix64(seed: 8)
    let keys = testKeys(.aeadAES128GCM, &random)
    let oracle = Oracle(.aeadAES128GCM, key: keys.remoteKey, salt: keys.remoteSalt, outbound: true)
    var receiver = SRTPReceiver(keys: keys)
    let sealed = oracle.protect(packet(sequence: 1, payload: Array(repeating: 7, count: 40)))!
    for count in 0..<sealed.count {
      if case .success = open(&receiver, Array(sealed.prefix(count))) { Issue.record("accepted \(count) bytes") }
    }
    #expect(open(&receiver, sealed) != .failure(.replayed))
  }

  @Test func sealingAnIndexTwiceTraps() async {
    await #expect(processExitsWith: .failure) {
      var random = SplitMix64(seed: 9)
      var sender = SRTPSender(keys: testKeys(.aeadAES128GCM, &random))
      var stream = SealIndex()
      _ = seal(&sender, packet(sequence: 5, payload: [1]), index: 5, stream: &stream)
      _ = seal(&sender, packet(sequence: 5, payload: [2]), index: 5, stream: &stream)
    }
  }
}
