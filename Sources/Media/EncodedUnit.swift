/// How a unit's bytes are encoded.
public enum MediaEncoding: UInt8, Sendable {
  case h264 = 1
  case vp8 = 2
  case opus = 3
}

/// One access unit of video or one packet of sound.
///
/// H.264 is an Annex B byte stream (ITU-T H.264 Annex B) with SPS and PPS before each IDR picture, VP8 a frame
/// (RFC 6386), Opus a packet (RFC 6716).
public struct EncodedUnit: Sendable {
  public var bytes: [UInt8]
  public var encoding: MediaEncoding
  /// Place on the time line of whoever made the unit, in microseconds.
  public var presentationMicroseconds: Int64
  /// 0 when it is not known, as for video that came by RTP.
  public var durationMicroseconds: Int64
  /// An IDR picture, a VP8 key frame; always true for sound.
  public var isKeyFrame: Bool

  public init(
    bytes: [UInt8], encoding: MediaEncoding, presentationMicroseconds: Int64, durationMicroseconds: Int64,
    isKeyFrame: Bool
  ) {
    self.bytes = bytes
    self.encoding = encoding
    self.presentationMicroseconds = presentationMicroseconds
    self.durationMicroseconds = durationMicroseconds
    self.isKeyFrame = isKeyFrame
  }
}
