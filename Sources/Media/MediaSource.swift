internal import CLibAV

/// Ends a blocking open or read of a `MediaSource` from any thread.
public final class StopSignal: @unchecked Sendable {
  // Unchecked: the pointer never changes, and the flag behind it is atomic.
  let flag: OpaquePointer

  public init() {
    guard let flag = tk_flag_create() else { preconditionFailure("no memory for a flag") }
    self.flag = flag
  }

  deinit { tk_flag_free(flag) }

  /// Cannot be taken back. Cost: one atomic store.
  public func raise() { tk_flag_raise(flag) }
}

/// Anything libavformat opens, as H.264 or VP8 and Opus on one time line that starts near 0.
///
/// H.264 without B-frames, VP8 and mono or stereo Opus pass untouched, Opus also where it stands behind other sound;
/// everything else is encoded again: video as
/// H.264 baseline without B-frames with a key frame every 2 s and at most 1920 × 1080, sound as Opus at 64 kbit/s.
/// Not `Sendable`: one thread at a time.
public final class MediaSource {
  private let source: OpaquePointer
  private let stop: StopSignal?

  /// - Parameters:
  ///   - url: a path, `rtsp://`, `rtmp://`, `srt://`, `http(s)://`, or `/dev/video0`.
  ///   - loops: a file starts again at its end, its times going on.
  /// - Throws: `.cannotOpen`, `.noStream`, `.codecMissing`. Blocks for at most 15 s, or until the signal is raised.
  public init(url: String, loops: Bool = false, stop: StopSignal? = nil) throws(MediaError) {
    var status: Int32 = 0
    guard let source = tk_source_open(url, loops ? 1 : 0, stop?.flag, &status) else {
      throw MediaError(status: status)
    }
    self.source = source
    self.stop = stop
  }

  deinit { tk_source_free(source) }

  /// Encoding of the units of video; nil without video. May change to H.264 when B-frames turn up in the middle.
  public var video: MediaEncoding? { MediaEncoding(rawValue: UInt8(tk_source_video(source))) }
  public var hasAudio: Bool { tk_source_has_audio(source) != 0 }
  /// Whether video is decoded and encoded again rather than passed through.
  public var reencodesVideo: Bool { tk_source_reencodes_video(source) != 0 }
  public var reencodesAudio: Bool { tk_source_reencodes_audio(source) != 0 }

  /// The next unit: a file's in the order of their times as fast as it decodes, a live source's as they come.
  ///
  /// Nil at the end and after the signal. Blocks on a live source.
  /// - Throws: `.decode` when a live source breaks or is silent for 15 s, `.encode`, `.unsupported`.
  public func next() throws(MediaError) -> EncodedUnit? {
    var packet = tk_packet()
    let status = tk_source_next(source, &packet)
    try MediaError.check(status)
    guard status == TK_OK else { return nil }
    return EncodedUnit(packet)
  }

  /// Goes on at the key frame at or before a place of a file, in microseconds of its own time line; behind its end, at
  /// the last one. The units that follow have the file's times. Sound begins at most a second beside the picture.
  /// - Throws: `.unsupported` for what is no file, `.decode`, `.codecMissing`.
  public func seek(to microseconds: Int64) throws(MediaError) {
    try MediaError.check(tk_source_seek(source, microseconds))
  }

  /// Makes the next re-encoded picture a key frame; without effect on video that passes through.
  public func requestKeyFrame() { tk_source_request_key(source) }
}

/// Reads media from untrusted bytes as `MediaSource` would from a file, and opens nothing else.
///
/// Returns the number of units that could be read, at most `unitLimit`; whatever is wrong ends the reading. An entry
/// for fuzzing and for checking uploads.
public func countUnits(ofMedia bytes: UnsafeRawBufferPointer, unitLimit: Int) -> Int {
  var status: Int32 = 0
  let start = bytes.bindMemory(to: UInt8.self).baseAddress
  guard let start, let source = tk_source_open_bytes(start, bytes.count, &status) else { return 0 }
  defer { tk_source_free(source) }
  var count = 0
  var packet = tk_packet()
  while count < unitLimit, tk_source_next(source, &packet) == TK_OK { count += 1 }
  return count
}

extension EncodedUnit {
  /// Copies a packet of the shim's.
  init?(_ packet: tk_packet) {
    guard let encoding = MediaEncoding(rawValue: UInt8(packet.encoding)), let bytes = packet.bytes else { return nil }
    self.init(
      bytes: Array(UnsafeBufferPointer(start: bytes, count: packet.count)), encoding: encoding,
      presentationMicroseconds: packet.presentation_us, durationMicroseconds: packet.duration_us,
      isKeyFrame: packet.is_key != 0)
  }
}
