// Goal: our SRTCP of the GCM profiles is the standard's, and uses no index twice. Method: libsrtp2 as the other side,
// in both directions, under loss, reordering and replay; the RFC's packet; every cut and changed bit; the last index.
import CSRTP
import RTCCore
import Testing

extension Oracle {
  func protectRTCP(_ packet: [UInt8]) -> [UInt8]? {
    var buffer = packet + [UInt8](repeating: 0, count: 32)
    var count = Int32(packet.count)
    return tk_srtp_protect_rtcp(session, &buffer, &count) == TK_SRTP_OK ? Array(buffer.prefix(Int(count))) : nil
  }
  func unprotectRTCP(_ packet: [UInt8]) -> [UInt8]? {
    var buffer = packet
    var count = Int32(packet.count)
    return tk_srtp_unprotect_rtcp(session, &buffer, &count) == TK_SRTP_OK ? Array(buffer.prefix(Int(count))) : nil
  }
}

func sealRTCP(_ sender: inout SRTPSender, _ packet: [UInt8]) -> Result<[UInt8], SRTPError> {
  var buffer = packet + [UInt8](repeating: 0, count: 24)
  return buffer.withUnsafeMutableBytes { raw -> Result<[UInt8], SRTPError> in
    do throws(SRTPError) {
      let count = try sender.sealRTCP(raw, byteCount: packet.count)
      return .success(Array(raw[0..<count]))
    } catch { return .failure(error) }
  }
}

func openRTCP(_ receiver: inout SRTPReceiver, _ packet: [UInt8]) -> Result<[UInt8], SRTPError> {
  var buffer = packet
  return buffer.withUnsafeMutableBytes { raw -> Result<[UInt8], SRTPError> in
    do throws(SRTPError) {
      let count = try receiver.openRTCP(raw)
      return .success(Array(raw[0..<count]))
    } catch { return .failure(error) }
  }
}

@Suite struct SRTCPTests {
  static let libraries = CipherLibrary.available
  static let profiles: [SRTPProfile] = [.aeadAES128GCM, .aeadAES256GCM]

  static func report(ssrc: UInt32, words: Int, _ random: inout SplitMix64) -> [UInt8] {
    let head: [UInt8] =
      [0x80, 201, 0, UInt8(words + 1)] + (0..<4).map { UInt8(truncatingIfNeeded: ssrc >> (24 - 8 * $0)) }
    return head + (0..<words * 4).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
  }

  static func mirrored(_ keys: SRTPKeys) -> SRTPKeys {
    SRTPKeys(
      profile: keys.profile, localKey: keys.remoteKey, localSalt: keys.remoteSalt, remoteKey: keys.localKey,
      remoteSalt: keys.localSalt)
  }

  /// Several SSRCs, each with its own index.
  @Test(arguments: libraries, profiles) func libsrtpReadsWhatWeSeal(library: CipherLibrary, profile: SRTPProfile) {
    var random = SplitMix64(seed: 41)
    let keys = testKeys(profile, &random)
    var sender = SRTPSender(keys: keys, library: library)
    let reader = Oracle(profile, key: keys.localKey, salt: keys.localSalt, outbound: false)
    let writer = Oracle(profile, key: keys.localKey, salt: keys.localSalt, outbound: true)
    for number in 0..<600 {
      let ssrc = UInt32.random(in: 1...4, using: &random) << 30
      let plain = Self.report(ssrc: ssrc, words: Int.random(in: 0...60, using: &random), &random)
      let sealed = sealRTCP(&sender, plain)
      #expect(sealed == .success(writer.protectRTCP(plain)!), "packet \(number)")
      if case .success(let bytes) = sealed { #expect(reader.unprotectRTCP(bytes) == plain, "packet \(number)") }
    }
  }

  @Test(arguments: libraries, profiles) func weReadWhatLibsrtpProtects(library: CipherLibrary, profile: SRTPProfile) {
    var random = SplitMix64(seed: 42)
    let keys = testKeys(profile, &random)
    let writer = Oracle(profile, key: keys.remoteKey, salt: keys.remoteSalt, outbound: true)
    var receiver = SRTPReceiver(keys: keys, library: library)
    var sent: [(plain: [UInt8], sealed: [UInt8])] = []
    for _ in 0..<800 {
      let plain = Self.report(
        ssrc: .random(in: 1...3, using: &random), words: .random(in: 0...40, using: &random), &random)
      sent.append((plain, writer.protectRTCP(plain)!))
    }
    for place in stride(from: 0, to: sent.count - 8, by: 8) where Bool.random(using: &random) {
      sent[place..<place + 8].shuffle(using: &random)
    }
    for (plain, sealed) in sent where Int.random(in: 0..<20, using: &random) > 0 {
      var flipped = sealed
      flipped[Int.random(in: 8..<flipped.count - 4, using: &random)] ^= 1
      #expect(openRTCP(&receiver, flipped) == .failure(.authentication))
      #expect(openRTCP(&receiver, sealed) == .success(plain))
      #expect(openRTCP(&receiver, sealed) == .failure(.replayed))
    }
  }

  /// RFC 7714 §17: the index is authenticated behind the header, and lies behind the tag.
  @Test(arguments: libraries) func vector(library: CipherLibrary) {
    let cipher = GCMCipher(
      sessionKey: (0..<16).map { $0 }, sessionSalt: bytes(hex: "517569642070726f2071756f"), isSealing: true,
      library: library)
    let head = bytes(hex: "81c8000d4d617273")
    let plain = bytes(
      hex: "4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef")
    var text = plain + [UInt8](repeating: 0, count: 16)
    let isSealed = (head + bytes(hex: "800005d4")).withUnsafeBytes {
      cipher.seal(ssrc: 0x4d61_7273, index: 0x5d4, associated: $0, text: &text, byteCount: plain.count)
    }
    #expect(isSealed)
    #expect(
      head + text
        == bytes(
          hex: """
            81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded
            0bb9275bc84aa45896cf4d2fc5abf87245d9eade
            """))
  }

  /// A packet 127 behind is new, one 128 behind is too old; a forged index moves nothing.
  @Test func replayWindow() {
    var random = SplitMix64(seed: 43)
    let keys = testKeys(.aeadAES128GCM, &random)
    var sender = SRTPSender(keys: keys)
    var receiver = SRTPReceiver(keys: Self.mirrored(keys))
    let packets = (0..<200).compactMap { _ in
      try? sealRTCP(&sender, Self.report(ssrc: 7, words: 3, &random)).get()
    }
    #expect(packets.count == 200)
    var forged = packets[199]
    forged[forged.count - 4] = 0xFF
    #expect(openRTCP(&receiver, forged) == .failure(.authentication))
    #expect((try? openRTCP(&receiver, packets[150]).get()) != nil)
    #expect((try? openRTCP(&receiver, packets[23]).get()) != nil)
    #expect(openRTCP(&receiver, packets[22]) == .failure(.replayed))
    #expect(openRTCP(&receiver, packets[23]) == .failure(.replayed))
  }

  @Test(arguments: libraries) func everyCutAndChangedBitIsRefused(library: CipherLibrary) {
    var random = SplitMix64(seed: 44)
    let keys = testKeys(.aeadAES256GCM, &random)
    let plain = Self.report(ssrc: 9, words: 2, &random)
    let sealed = Oracle(keys.profile, key: keys.remoteKey, salt: keys.remoteSalt, outbound: true).protectRTCP(plain)!
    var receiver = SRTPReceiver(keys: keys, library: library)
    for count in 0..<sealed.count {
      if case .success = openRTCP(&receiver, Array(sealed[0..<count])) { Issue.record("\(count) bytes") }
    }
    for bit in 0..<sealed.count * 8 {
      var changed = sealed
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      if case .success = openRTCP(&receiver, changed) { Issue.record("bit \(bit)") }
    }
    var clear = sealed
    clear[clear.count - 4] &= 0x7F
    #expect(openRTCP(&receiver, clear) == .failure(.malformed))
    #expect(openRTCP(&receiver, sealed) == .success(plain))
  }

  /// The shortest packet is a header and nothing else.
  @Test(arguments: libraries) func emptyReport(library: CipherLibrary) {
    var random = SplitMix64(seed: 45)
    let keys = testKeys(.aeadAES128GCM, &random)
    var sender = SRTPSender(keys: keys, library: library)
    let plain = Self.report(ssrc: 1, words: 0, &random)
    let sealed = try? sealRTCP(&sender, plain).get()
    #expect(sealed?.count == 28)
    let reader = Oracle(keys.profile, key: keys.localKey, salt: keys.localSalt, outbound: false)
    #expect(sealed.flatMap { reader.unprotectRTCP($0) } == plain)
    #expect(sealRTCP(&sender, Array(plain[0..<7])) == .failure(.tooShort))
  }

  @Test func theLastIndexIsSealedAndNoneAfterIt() {
    var random = SplitMix64(seed: 46)
    let keys = testKeys(.aeadAES128GCM, &random)
    var sender = SRTPSender(
      keys: keys, library: .best, reportIndices: ReportIndices(after: ReportIndices.maximum - 1))
    var receiver = SRTPReceiver(keys: Self.mirrored(keys))
    let plain = Self.report(ssrc: 5, words: 4, &random)
    let last = sealRTCP(&sender, plain)
    if case .success(let bytes) = last {
      #expect(Array(bytes.suffix(4)) == [0xFF, 0xFF, 0xFF, 0xFF])
      #expect(openRTCP(&receiver, bytes) == .success(plain))
    } else {
      Issue.record("the last index is good")
    }
    for _ in 0..<3 { #expect(sealRTCP(&sender, plain) == .failure(.exhausted)) }
    // Another SSRC has indices of its own.
    #expect((try? sealRTCP(&sender, Self.report(ssrc: 6, words: 4, &random)).get()) != nil)
  }

  @Test func sourcesAreLimited() {
    var random = SplitMix64(seed: 47)
    let keys = testKeys(.aeadAES128GCM, &random)
    let writer = Oracle(keys.profile, key: keys.remoteKey, salt: keys.remoteSalt, outbound: true)
    var receiver = SRTPReceiver(keys: keys)
    for ssrc in UInt32(1)...64 {
      let plain = Self.report(ssrc: ssrc, words: 1, &random)
      #expect(openRTCP(&receiver, writer.protectRTCP(plain)!) == .success(plain))
    }
    let further = writer.protectRTCP(Self.report(ssrc: 65, words: 1, &random))!
    #expect(openRTCP(&receiver, further) == .failure(.malformed))
    let known = Self.report(ssrc: 64, words: 1, &random)
    #expect(openRTCP(&receiver, writer.protectRTCP(known)!) == .success(known))
  }
}
