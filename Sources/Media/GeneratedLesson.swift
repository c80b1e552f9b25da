internal import CLibAV

/// A lesson made up on the spot: slides, a pointer that wanders, grain as of a camera, and speech, with marks for
/// machines.
///
/// Every picture carries a strip along its top edge: 44 equal cells, black or white, of a 36-bit value, most
/// significant bit first, and 8 check bits. At each odd second the lower right corner flashes for 200 ms while a 1 kHz
/// beep sounds. Not `Sendable`: one thread at a time.
public final class GeneratedLesson {
  public struct Settings: Sendable {
    /// Pixels; even, at least 96 × 90.
    public var width = 1_280
    public var height = 720
    /// Pictures a second, 1…120.
    public var framesPerSecond = 25
    public var bitsPerSecond = 2_000_000
    /// Seconds between key frames.
    public var keyFrameSeconds = 2
    /// `.h264` or `.vp8`.
    public var encoding = MediaEncoding.h264
    /// Main profile with two B-frames between others; for `writeMP4` only.
    public var hasBFrames = false
    /// Mono speech at 48 kHz, repeated; empty: tone bursts.
    public var speech: [Float] = Speech.synthesized

    public init() {}
  }

  public let settings: Settings
  private let lesson: OpaquePointer

  /// - Throws: `.unsupported` for settings out of range, `.codecMissing`.
  public init(_ settings: Settings = Settings()) throws(MediaError) {
    var status: Int32 = 0
    var values = tk_lesson_settings()
    values.width = Int32(clamping: settings.width)
    values.height = Int32(clamping: settings.height)
    values.frames_per_second = Int32(clamping: settings.framesPerSecond)
    values.bits_per_second = Int64(settings.bitsPerSecond)
    values.key_frame_seconds = Int32(clamping: settings.keyFrameSeconds)
    values.encoding = Int32(settings.encoding.rawValue)
    values.b_frames = settings.hasBFrames ? 1 : 0
    let lesson = settings.speech.withUnsafeBufferPointer {
      tk_lesson_open(&values, $0.baseAddress, $0.count, &status)
    }
    guard let lesson else { throw MediaError(status: status) }
    self.lesson = lesson
    self.settings = settings
  }

  deinit { tk_lesson_free(lesson) }

  /// Paints and encodes the next picture; times start at 0.
  ///
  /// - Parameter stripValue: the lower 36 bits are shown.
  /// - Throws: `.encode`. Cost at 720p on an EPYC core: H.264 2 ms, VP8 5 ms.
  public func nextVideo(stripValue: UInt64) throws(MediaError) -> EncodedUnit {
    var packet = tk_packet()
    try MediaError.check(tk_lesson_video(lesson, stripValue, &packet))
    guard let unit = EncodedUnit(packet) else { throw .encode("empty picture") }
    return unit
  }

  /// The next 20 ms of sound as an Opus packet; times start at 0.
  /// - Throws: `.encode`, `.codecMissing`.
  public func nextAudio() throws(MediaError) -> EncodedUnit {
    var packet = tk_packet()
    try MediaError.check(tk_lesson_audio(lesson, &packet))
    guard let unit = EncodedUnit(packet) else { throw .encode("empty packet") }
    return unit
  }

  /// Makes the next picture a key frame.
  public func requestKeyFrame() { tk_lesson_request_key(lesson) }

  /// A whole lesson as MP4 with H.264 and AAC, with B-frames by the settings; the strip counts pictures from 0.
  /// - Throws: `.write`, `.encode`, `.codecMissing`.
  public func writeMP4(to path: String, seconds: Double) throws(MediaError) {
    try MediaError.check(tk_lesson_write_mp4(lesson, path, seconds))
  }

  /// Raw pictures for Chromium's `--use-file-for-fake-video-capture`; 1.4 MB each at 720p.
  /// - Throws: `.write`.
  public func writeY4M(to path: String, seconds: Double) throws(MediaError) {
    try MediaError.check(tk_lesson_write_y4m(lesson, path, seconds))
  }

  /// JPEG pictures one after the other, also for Chromium's fake camera, and much smaller.
  /// - Throws: `.write`, `.encode`.
  public func writeMJPEG(to path: String, seconds: Double) throws(MediaError) {
    try MediaError.check(tk_lesson_write_mjpeg(lesson, path, seconds))
  }

  /// Sound for Chromium's `--use-file-for-fake-audio-capture`: mono, 48 kHz, 16 bits.
  /// - Throws: `.write`.
  public func writeWAV(to path: String, seconds: Double) throws(MediaError) {
    try MediaError.check(tk_lesson_write_wav(lesson, path, seconds))
  }
}
