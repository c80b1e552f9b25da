// Goal: key frames are found whatever way they are packed, VP8 descriptors go through a rewrite, and no cut upsets a
// reader.
import RTCWire
import Testing

func withBytes<Result>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
  bytes.withUnsafeBytes { body($0) }
}

@Suite struct PayloadTests {
  /// Baseline, level 3.1, 1280 × 720, and the same with 1080 of 1088 rows.
  static let sps720: [UInt8] = [0x67, 0x42, 0xC0, 0x1F, 0xDA, 0x01, 0x40, 0x16, 0xE8, 0x06, 0xD0, 0xA1, 0x35]
  static let sps1080: [UInt8] = [0x67, 0x42, 0xC0, 0x28, 0xDA, 0x01, 0xE0, 0x08, 0x9F, 0x97, 0x01, 0x10]
  /// High, 320 × 180.
  static let sps180: [UInt8] = [0x67, 0x64, 0x00, 0x0D, 0xAC, 0xD9, 0x41, 0x41, 0x9F, 0x9F, 0x01, 0x10]

  static func aggregate(_ units: [[UInt8]]) -> [UInt8] {
    units.reduce([0x78]) { $0 + [UInt8($1.count >> 8), UInt8($1.count & 255)] + $1 }
  }

  @Test func h264KeyFramesBeginInEveryPacking() {
    let starts: [[UInt8]] = [
      [0x65, 0x88, 0x80], Self.sps720, Self.aggregate([Self.sps720, [0x68, 0xCE]]),
      Self.aggregate([[0x09, 0xF0], [0x65, 0x88]]), [0x7C, 0x85, 0x88], [0x7C, 0x87, 0x42],
    ]
    for payload in starts { #expect(withBytes(payload, startsH264KeyFrame), "\(payload)") }
    let others: [[UInt8]] = [
      [], [0x41, 0x9A], [0x7C, 0x05, 0x88], [0x7C], [0x7C, 0x81, 0x88], [0x68, 0xCE], [0x09, 0xF0],
      Self.aggregate([[0x41, 0x9A], [0x06, 0x05]]), [0x78], [0x78, 0, 1],
    ]
    for payload in others { #expect(!withBytes(payload, startsH264KeyFrame), "\(payload)") }
    #expect(withBytes(Self.aggregate([[0x09, 0xF0], Self.sps720]), carriesH264ParameterSet))
    #expect(withBytes([0x7C, 0x87, 0x42], carriesH264ParameterSet))
    #expect(!withBytes([0x65, 0x88], carriesH264ParameterSet))
    #expect(!withBytes([0x7C, 0x85, 0x88], carriesH264ParameterSet))
  }

  @Test func h264HeightIsReadFromParameterSets() {
    #expect(withBytes(Self.sps720, h264PictureHeight) == 720)
    #expect(withBytes(Self.sps1080, h264PictureHeight) == 1_080)
    #expect(withBytes(Self.aggregate([Self.sps720, [0x68, 0xCE]]), h264PictureHeight) == 720)
    #expect(withBytes([0x65, 0x88], h264PictureHeight) == nil)
    #expect(withBytes(Self.sps180, h264PictureHeight) == 180)
  }

  /// One packet of a frame: long picture id, TL0PICIDX, TID and KEYIDX present.
  static let vp8Key: [UInt8] = [
    0x90, 0xF0, 0x92, 0x34, 0x56, 0x78, 0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0x00, 0x05, 0xD0, 0x02, 0x11,
  ]

  @Test func vp8DescriptorReadsAndRewrites() throws {
    let descriptor = try #require(withBytes(Self.vp8Key) { VP8Descriptor($0) })
    #expect(descriptor.byteCount == 6 && descriptor.pictureID == 0x1234 && descriptor.tl0PicIdx == 0x56)
    #expect(withBytes(Self.vp8Key) { descriptor.startsKeyFrame($0) })
    #expect(withBytes(Self.vp8Key, vp8KeyFrameHeight) == 720)
    var out = [UInt8](repeating: 0, count: 16)
    let count = withBytes(Self.vp8Key) { original in
      out.withUnsafeMutableBytes { descriptor.write(to: $0, original: original, pictureID: 0x7FFE, tl0PicIdx: 9) }
    }
    let again = try #require(withBytes(Array(out[0..<count])) { VP8Descriptor($0) })
    #expect(again.pictureID == 0x7FFE && again.tl0PicIdx == 9 && again.byteCount == 6)
    #expect(out[5] == Self.vp8Key[5])
  }

  @Test func aShortPictureIDBecomesLong() throws {
    let original: [UInt8] = [0x90, 0x80, 0x11, 0x01]
    let descriptor = try #require(withBytes(original) { VP8Descriptor($0) })
    #expect(descriptor.pictureID == 0x11 && descriptor.byteCount == 3)
    var out = [UInt8](repeating: 0, count: 8)
    let count = withBytes(original) { raw in
      out.withUnsafeMutableBytes { descriptor.write(to: $0, original: raw, pictureID: 0x0123, tl0PicIdx: nil) }
    }
    #expect(Array(out[0..<count]) == [0x90, 0x80, 0x81, 0x23])
  }

  @Test func otherCodecsTellTheirKeyFrames() {
    #expect(withBytes([0x08, 0], startsVP9KeyFrame) && !withBytes([0x48, 0], startsVP9KeyFrame))
    #expect(!withBytes([0x00, 0], startsVP9KeyFrame))
    #expect(withBytes([0x28, 0x00], startsVP9KeyFrame) && !withBytes([0x28, 0x02], startsVP9KeyFrame))
    #expect(withBytes([0x18], startsAV1KeyFrame) && !withBytes([0x10], startsAV1KeyFrame))
    #expect(withBytes([0x26, 1, 0xAF], startsH265KeyFrame) && !withBytes([0x02, 1, 0xD0], startsH265KeyFrame))
    #expect(withBytes([0x62, 1, 0x93, 0], startsH265KeyFrame) && !withBytes([0x62, 1, 0x13, 0], startsH265KeyFrame))
  }

  @Test(arguments: [sps720, sps1080, sps180, vp8Key, aggregate([sps720, [0x68, 0xCE]]), [0x7C, 0x85, 0x88]])
  func everyTruncationIsRead(payload: [UInt8]) {
    for count in 0...payload.count {
      withBytes(Array(payload[0..<count])) { raw in
        _ = startsH264KeyFrame(raw)
        _ = carriesH264ParameterSet(raw)
        _ = startsH265KeyFrame(raw)
        _ = startsVP9KeyFrame(raw)
        _ = startsAV1KeyFrame(raw)
        // A cut parameter set has no height, or the right one when only its end is gone.
        if let height = h264PictureHeight(raw) { #expect([180, 720, 1_080].contains(height)) }
        if let height = vp8KeyFrameHeight(raw) { #expect(height == 720) }
      }
    }
  }
}
