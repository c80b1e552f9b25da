internal import CLibAV

/// What a file holds, found by decoding it.
public struct MediaReport: Sendable {
  /// As libavcodec calls it: `h264`, `vp8`; empty without video.
  public let videoCodec: String
  public let audioCodecs: [String]
  /// From zero to the end of the last picture or sound decoded.
  public let durationSeconds: Double
  public let videoFrames: Int
  /// Sound decoded from the track that was asked for.
  public let audioSeconds: Double
  /// One a picture, in order of presentation, at most 864,000 (4 h at 60 pictures a second); nil where none reads.
  public let strips: [UInt64?]
  /// Onsets in seconds of the file's time; a picture exact.
  public let flashes: [Double]
  /// Onsets of the 1 kHz beep in seconds, exact to 3 ms.
  public let beeps: [Double]
  /// Packets and pictures that did not decode cleanly.
  public let decodeErrors: Int
  /// Pictures in the file, and how many of them were given to the decoder.
  public let videoPackets: Int
  public let videoTried: Int
  /// Stretches of 10 s and more without any sound (under -70 dBFS), in seconds of the file's time; at most 7,200.
  public let silences: [ClosedRange<Double>]

  /// Decodes the video and one audio track, counted from 0. Cost: all of the file's decoding, on the calling thread.
  /// - Parameter wholeSeconds: decodes the pictures of so many seconds at both ends alone, and between them a key frame
  ///   every 10 s; every packet is read all the same, and all of the sound is decoded. Nil decodes everything.
  /// - Throws: `.cannotOpen`, `.noStream`, `.codecMissing`. What is wrong further in is counted in `decodeErrors`.
  public init(decoding path: String, audioTrack: Int = 0, wholeSeconds: Double? = nil) throws(MediaError) {
    var report = tk_report()
    let status = tk_report_fill(&report, path, Int32(clamping: audioTrack), max(wholeSeconds ?? 0, 0))
    defer { tk_report_clear(&report) }
    try MediaError.check(status)
    videoCodec = withUnsafeBytes(of: report.video_codec, Self.text)
    audioCodecs = withUnsafeBytes(of: report.audio_codecs) { codecs in
      (0..<Int(report.audio_codec_count)).map {
        Self.text(UnsafeRawBufferPointer(rebasing: codecs[$0 * 32..<$0 * 32 + 32]))
      }
    }
    durationSeconds = report.duration_seconds
    videoFrames = Int(report.video_frames)
    audioSeconds = report.audio_seconds
    strips = UnsafeBufferPointer(start: report.strips, count: report.strip_count).map { $0 == UInt64.max ? nil : $0 }
    flashes = Array(UnsafeBufferPointer(start: report.flashes, count: report.flash_count))
    beeps = Array(UnsafeBufferPointer(start: report.beeps, count: report.beep_count))
    decodeErrors = Int(report.decode_errors)
    videoPackets = Int(report.video_packets)
    videoTried = Int(report.video_tried)
    let ends = UnsafeBufferPointer(start: report.silences, count: report.silence_count)
    silences = (0..<ends.count / 2).map { ends[2 * $0]...max(ends[2 * $0], ends[2 * $0 + 1]) }
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// How much later than the flash the beep is, in milliseconds: the median over pairs at most 0.5 s apart; nil when
  /// there are none.
  public var audioVideoOffsetMilliseconds: Double? {
    var offsets: [Double] = []
    for flash in flashes {
      guard let nearest = beeps.min(by: { abs($0 - flash) < abs($1 - flash) }), abs(nearest - flash) <= 0.5 else {
        continue
      }
      offsets.append((nearest - flash) * 1_000)
    }
    guard !offsets.isEmpty else { return nil }
    offsets.sort()
    return (offsets[(offsets.count - 1) / 2] + offsets[offsets.count / 2]) / 2
  }
}

/// Writes a JPEG of a representative picture of a file, at most 1280 wide.
/// - Throws: `.cannotOpen`, `.noStream`, `.decode` when no picture can be had, `.write`.
public func writePoster(from: String, to: String) throws(MediaError) {
  try MediaError.check(tk_poster_write(from, to))
}
