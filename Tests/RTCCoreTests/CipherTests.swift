// Goal: every library of AES-GCM writes and accepts the same bytes. Method: the RFC's vectors; each library against
// OpenSSL and libsrtp2, packet by packet, over random sizes, prefixes and paddings; every changed bit.
import COpenSSL
import RTCCore
import RTCWire
import Testing

@Suite struct CipherTests {
  static let libraries = CipherLibrary.available
  static let hasMultiBuffer = libraries.contains(.multiBuffer)
  static let profiles: [SRTPProfile] = [.aeadAES128GCM, .aeadAES256GCM]

  @Test func theBestComesFirst() {
    #expect(Self.libraries.last == .openSSL)
    #expect(Self.libraries.first == CipherLibrary.best)
    #expect(CoreConfiguration().cipher == CipherLibrary.best)
    #expect(Set(Self.libraries).count == Self.libraries.count)
  }

  static let vectors: [(keyCount: Int, cipherText: String)] = [
    (
      16,
      "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"
    ),
    (
      32,
      "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13"
    ),
  ]

  /// RFC 7714 §16.1, both key sizes: in one piece, and in two.
  @Test(arguments: libraries, [0, 1]) func vector(library: CipherLibrary, place: Int) {
    let (keyCount, cipherText) = Self.vectors[place]
    let key = (0..<UInt8(keyCount)).map { $0 }
    let salt = bytes(hex: "517569642070726f2071756f")
    let header = bytes(hex: "8040f17b8041f8d35501a0b2")
    let text = Array("Gallia est omnis divisa in partes tres".utf8)
    let sealing = GCMCipher(sessionKey: key, sessionSalt: salt, isSealing: true, library: library)
    for cut in [0, 5] {
      var out = [UInt8](repeating: 0, count: header.count + text.count + 16)
      let count = header.withUnsafeBytes { header in
        text.withUnsafeBytes { text in
          sealing.seal(
            ssrc: 0x5501_A0B2, index: 0xF17B, header: header, prefix: UnsafeRawBufferPointer(rebasing: text[..<cut]),
            payload: UnsafeRawBufferPointer(rebasing: text[cut...]), padding: 0, into: &out)
        }
      }
      #expect(count == out.count)
      #expect(Array(out[12...]) == bytes(hex: cipherText), "prefix of \(cut)")
    }
    let opening = GCMCipher(sessionKey: key, sessionSalt: salt, isSealing: false, library: library)
    var sealed = bytes(hex: cipherText)
    let isAuthentic = header.withUnsafeBytes {
      opening.open(ssrc: 0x5501_A0B2, index: 0xF17B, associated: $0, text: &sealed, byteCount: text.count)
    }
    #expect(isAuthentic)
    #expect(Array(sealed.prefix(text.count)) == text)
  }

  /// One packet of random size, cut and padding.
  struct Sample {
    var plain: [UInt8]
    var prefix: Int
    var padding: Int
    /// With the padding as the standard writes it.
    var padded: [UInt8] {
      padding == 0 ? plain : plain + [UInt8](repeating: 0, count: padding - 1) + [UInt8(padding)]
    }

    init(index: Int64, _ random: inout SplitMix64) {
      let sizes = [0...3, 10...40, 200...1_250]
      let payload = (0..<Int.random(in: sizes[Int.random(in: 0..<3, using: &random)], using: &random)).map { _ in
        UInt8.random(in: 0 ... .max, using: &random)
      }
      plain = packet(sequence: UInt16(truncatingIfNeeded: index), payload: payload)
      prefix = Bool.random(using: &random) ? 0 : Int.random(in: 1...16, using: &random)
      padding =
        [0, 0, Int.random(in: 1...16, using: &random), Int.random(in: 17...255, using: &random), 255][
          Int.random(in: 0..<5, using: &random)]
      if padding > 0 { plain[0] |= 0x20 }
    }
  }

  /// libsrtp2 reads every profile's padding, whoever seals.
  @Test(arguments: libraries, [SRTPProfile.aes128CMSHA180, .aeadAES128GCM, .aeadAES256GCM])
  func libsrtpReadsPaddedPackets(library: CipherLibrary, profile: SRTPProfile) {
    var random = SplitMix64(seed: 31)
    let keys = testKeys(profile, &random)
    var sender = SRTPSender(keys: keys, library: library)
    let oracle = Oracle(profile, key: keys.localKey, salt: keys.localSalt, outbound: false)
    var stream = SealIndex()
    for index in Int64(65_100)..<66_000 {
      let sample = Sample(index: index, &random)
      let sealed = seal(
        &sender, sample.plain, prefix: sample.prefix, padding: sample.padding, index: index, stream: &stream)
      #expect(oracle.unprotect(sealed) == sample.padded, "index \(index)")
    }
  }

  @Test(.enabled(if: hasMultiBuffer), arguments: profiles) func librariesSealTheSameBytes(profile: SRTPProfile) {
    var random = SplitMix64(seed: 32)
    let keys = testKeys(profile, &random)
    var one = SRTPSender(keys: keys, library: .openSSL)
    var other = SRTPSender(keys: keys, library: .multiBuffer)
    var oneStream = SealIndex()
    var otherStream = SealIndex()
    for index in Int64(65_000)..<67_000 {
      let sample = Sample(index: index, &random)
      let expected = seal(
        &one, sample.plain, prefix: sample.prefix, padding: sample.padding, index: index, stream: &oneStream)
      let sealed = seal(
        &other, sample.plain, prefix: sample.prefix, padding: sample.padding, index: index, stream: &otherStream)
      #expect(sealed == expected, "index \(index)")
    }
  }

  /// What one seals the other opens, in both directions, and libsrtp2's packets too.
  @Test(arguments: libraries, profiles) func everyLibraryOpensTheOthers(library: CipherLibrary, profile: SRTPProfile) {
    var random = SplitMix64(seed: 33)
    let keys = testKeys(profile, &random)
    let mirrored = SRTPKeys(
      profile: profile, localKey: keys.remoteKey, localSalt: keys.remoteSalt, remoteKey: keys.localKey,
      remoteSalt: keys.localSalt)
    for sealing in Self.libraries {
      var sender = SRTPSender(keys: keys, library: sealing)
      var receiver = SRTPReceiver(keys: mirrored, library: library)
      var stream = SealIndex()
      for index in Int64(65_400)..<65_800 {
        let sample = Sample(index: index, &random)
        let sealed = seal(
          &sender, sample.plain, prefix: sample.prefix, padding: sample.padding, index: index, stream: &stream)
        // A padded packet is plain before and after: opening strips the tag alone.
        #expect(open(&receiver, sealed) == .success(sample.padded), "index \(index)")
      }
    }
    let oracle = Oracle(profile, key: keys.localKey, salt: keys.localSalt, outbound: true)
    var receiver = SRTPReceiver(keys: mirrored, library: library)
    for index in Int64(500)..<900 {
      var sample = Sample(index: index, &random)
      sample.plain[0] &= ~0x20
      #expect(open(&receiver, oracle.protect(sample.plain)!) == .success(sample.plain), "index \(index)")
    }
  }

  @Test(arguments: libraries, profiles + [.aes128CMSHA180]) func everyChangedBitIsRefused(
    library: CipherLibrary, profile: SRTPProfile
  ) {
    var random = SplitMix64(seed: 34)
    let keys = testKeys(profile, &random)
    let oracle = Oracle(profile, key: keys.remoteKey, salt: keys.remoteSalt, outbound: true)
    var receiver = SRTPReceiver(keys: keys, library: library)
    let plain = packet(sequence: 9, payload: Array(0..<33))
    let sealed = oracle.protect(plain)!
    for bit in 0..<sealed.count * 8 {
      var changed = sealed
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      if case .success = open(&receiver, changed) { Issue.record("bit \(bit)") }
    }
    // None of the refused ones has used up the index.
    #expect(open(&receiver, sealed) == .success(plain))
  }
}
