// Goal: SRTCP and the counter mode are the standards'. Method: the RFCs' vectors against our primitives, and our
// sender against the primitives put together as the RFC says.
import COpenSSL
import CSRTP
import RTCCore
import Testing

@Suite struct SRTCPVectorTests {
  /// RFC 3711 B.2: three blocks of AES-CM keystream for SSRC 0 and index 0.
  @Test func counterModeKeystream() {
    let key = bytes(hex: "2B7E151628AED2A6ABF7158809CF4F3C")
    let block = bytes(hex: "F0F1F2F3F4F5F6F7F8F9FAFBFCFD") + [0, 0]
    var stream = [UInt8](repeating: 0, count: 48)
    #expect(tk_aes_keystream(key, key.count, block, &stream, stream.count) == 1)
    #expect(
      stream
        == bytes(
          hex: """
            E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
            41E95B3BB0A2E8DD477901E4FCA894C0
            """))
  }

  /// SRTCP by AES-GCM (RFC 7714 §9.2): `[header 8 | ciphertext | tag 16 | E and index 4]`.
  static func protect(_ plain: [UInt8], key: [UInt8], salt: [UInt8], index: UInt32) -> [UInt8] {
    let trailer = (0..<4).map { UInt8(truncatingIfNeeded: (index | 0x8000_0000) >> UInt32(24 - 8 * $0)) }
    var iv = salt
    for offset in 0..<4 { iv[2 + offset] ^= plain[4 + offset] }
    for offset in 0..<4 { iv[8 + offset] ^= UInt8(truncatingIfNeeded: index >> UInt32(24 - 8 * offset)) }
    guard let cipher = tk_gcm_create(key, key.count, 1) else { return [] }
    defer { tk_gcm_free(cipher) }
    // The index is authenticated with the header and lies behind the tag on the wire.
    let associated = Array(plain[0..<8]) + trailer
    let text = Array(plain[8...])
    var out = [UInt8](repeating: 0, count: associated.count + text.count + 16)
    let count = tk_gcm_seal(cipher, iv, associated, associated.count, nil, 0, text, text.count, 0, &out)
    #expect(count == out.count)
    return Array(out[0..<8]) + out[12...] + trailer
  }

  /// RFC 7714 §17.
  @Test func gcmVector() {
    let plain = bytes(
      hex: """
        81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61
        deadbeefdeadbeefdeadbeefdeadbeefdeadbeef
        """)
    let sealed = Self.protect(
      plain, key: (0..<16).map { $0 }, salt: bytes(hex: "517569642070726f2071756f"), index: 0x5d4)
    #expect(
      sealed
        == bytes(
          hex: """
            81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded
            0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4
            """))
  }

  @Test(arguments: [SRTPProfile.aeadAES128GCM, .aeadAES256GCM]) func libsrtpAgreesPacketByPacket(profile: SRTPProfile)
  {
    var random = SplitMix64(seed: 21)
    let keys = testKeys(profile, &random)
    let key = SRTPKeyDerivation.derive(
      key: keys.localKey, salt: keys.localSalt, label: 3, byteCount: keys.localKey.count)
    let salt = SRTPKeyDerivation.derive(key: keys.localKey, salt: keys.localSalt, label: 5, byteCount: 12)
    var sender = SRTPSender(keys: keys)
    for index in UInt32(1)...200 {
      let count = 8 + 4 * Int.random(in: 1...40, using: &random)
      var plain = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
      plain.replaceSubrange(0..<8, with: [0x80, 201, 0, UInt8(count / 4 - 1), 1, 2, 3, 4])
      var buffer = plain + [UInt8](repeating: 0, count: 24)
      let sealed = buffer.withUnsafeMutableBytes { raw -> [UInt8] in
        guard let size = try? sender.sealRTCP(raw, byteCount: count) else { return [] }
        return Array(raw[0..<size])
      }
      #expect(sealed == Self.protect(plain, key: key, salt: salt, index: index), "packet \(index)")
    }
  }

  /// libsrtp's reference packet: its first SRTCP packet of a stream has index 1.
  @Test func sha1ReferencePacket() throws {
    let master = bytes(hex: "E1F97A0D3E018BE0D64FA32C06DE4139")
    let salt = bytes(hex: "0EC675AD498AFEEBB6960B3AABE6")
    var sender = SRTPSender(
      keys: SRTPKeys(
        profile: .aes128CMSHA180, localKey: master, localSalt: salt, remoteKey: master, remoteSalt: salt))
    var buffer =
      bytes(hex: "81c8000bcafebabe") + [UInt8](repeating: 0xAB, count: 16) + [UInt8](repeating: 0, count: 24)
    let count = try buffer.withUnsafeMutableBytes { try sender.sealRTCP($0, byteCount: 24) }
    #expect(
      Array(buffer[0..<count])
        == bytes(hex: "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"))
  }

  @Test func everyCutAndFlipOfSRTCPIsRefused() throws {
    var random = SplitMix64(seed: 22)
    let keys = testKeys(.aeadAES128GCM, &random)
    let mirrored = SRTPKeys(
      profile: keys.profile, localKey: keys.remoteKey, localSalt: keys.remoteSalt, remoteKey: keys.localKey,
      remoteSalt: keys.localSalt)
    var sender = SRTPSender(keys: keys)
    var receiver = SRTPReceiver(keys: mirrored)
    var buffer: [UInt8] = [0x81, 206, 0, 2, 0, 0, 0, 9, 0, 0, 0, 10] + [UInt8](repeating: 0, count: 24)
    let count = try buffer.withUnsafeMutableBytes { try sender.sealRTCP($0, byteCount: 12) }
    let sealed = Array(buffer[0..<count])
    for cut in 0..<count {
      var packet = Array(sealed[0..<cut])
      #expect(packet.withUnsafeMutableBytes { try? receiver.openRTCP($0) } == nil)
    }
    for place in 0..<count {
      var packet = sealed
      packet[place] ^= 0x20
      #expect(packet.withUnsafeMutableBytes { try? receiver.openRTCP($0) } == nil, "byte \(place)")
    }
    var packet = sealed
    #expect(packet.withUnsafeMutableBytes { try? receiver.openRTCP($0) } == 12)
  }
}
