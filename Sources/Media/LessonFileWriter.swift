internal import CLibAV

/// The kinds of file a lesson becomes.
public enum LessonContainer: Sendable {
  /// H.264 untouched, AAC made from the Opus (48 kHz, 128 kbit/s), and the Opus untouched as a second track; index in
  /// front.
  case mp4
  /// VP8 and Opus untouched.
  case webm
}

/// What a finished file holds.
public struct WrittenFile: Sendable, Equatable {
  public let durationSeconds: Double
  public let videoFrames: Int
  /// From the file's zero to the end of the last packet of sound, silence in holes included.
  public let audioSeconds: Double
  /// The caller's time at the file's zero, in microseconds: that of the earliest unit kept.
  public let startMicroseconds: Int64
  /// Units before the first key frame, over 0.5 s out of order, malformed, or more than a day after the start.
  public let droppedUnits: Int
  /// The size of the picture at first and wherever it changed, at most 32; empty without pictures.
  public let pictureSizes: [PictureSize]

  public struct PictureSize: Sendable, Equatable {
    /// Of the file's time.
    public let milliseconds: Int64
    public let width: Int
    public let height: Int
  }

  init(_ written: tk_written) {
    durationSeconds = written.duration_seconds
    videoFrames = Int(written.video_frames)
    audioSeconds = written.audio_seconds
    startMicroseconds = written.start_us
    droppedUnits = Int(written.dropped)
    pictureSizes = withUnsafeBytes(of: written.sizes) { bytes in
      bytes.bindMemory(to: tk_picture_size.self).prefix(Int(written.size_count)).map {
        PictureSize(milliseconds: $0.at_us / 1_000, width: Int($0.width), height: Int($0.height))
      }
    }
  }
}

/// A stretch of a file that people find by its name; milliseconds of the file's time.
public struct FileChapter: Sendable, Hashable {
  /// Chapters of one file.
  public static let limit = Int(TK_CHAPTER_LIMIT)

  public var start: Int64
  public var end: Int64
  public var title: String

  public init(start: Int64, end: Int64, title: String) {
    self.start = start
    self.end = end
    self.title = title
  }
}

/// Writes units into a file that people can play.
///
/// Times are lesson time. Video keeps them to 1 ms or better: before a gap the last picture stays. Sound begins at the
/// file's zero; from 15 ms on a hole is filled with silence, and the AAC follows the times of the Opus, without clicks
/// up to 2,000 ppm, so that |A−V| does not grow with the file (under 5 ms after 45 minutes at 200 ppm). Nearly all of
/// the cost is the AAC. Holds units in memory until both kinds have begun, for at most 2 s, or until the first key
/// frame, at most 64 MiB. Not `Sendable`: one thread at a time.
public final class LessonFileWriter {
  private let muxer: OpaquePointer
  private let container: LessonContainer

  /// - Throws: `.write` when the file cannot be made, `.unsupported` without any track.
  public init(path: String, container: LessonContainer, hasVideo: Bool, hasAudio: Bool) throws(MediaError) {
    var status: Int32 = 0
    let kind = container == .mp4 ? TK_MP4 : TK_WEBM
    guard let muxer = tk_muxer_open(path, Int32(kind), hasVideo ? 1 : 0, hasAudio ? 1 : 0, &status) else {
      throw MediaError(status: status)
    }
    self.muxer = muxer
    self.container = container
  }

  deinit { tk_muxer_free(muxer) }

  /// One access unit: H.264 for MP4, VP8 for WebM. The caller keeps the order of decoding.
  /// - Throws: `.write`, after which the file is lost; `.codecMissing`.
  public func writeVideo(
    _ bytes: UnsafeRawBufferPointer, at lessonMicroseconds: Int64, isKeyFrame: Bool
  ) throws(MediaError) {
    let start = bytes.bindMemory(to: UInt8.self).baseAddress
    try MediaError.check(tk_muxer_video(muxer, start, bytes.count, lessonMicroseconds, isKeyFrame ? 1 : 0))
  }

  /// One Opus packet.
  /// - Throws: `.write`, after which the file is lost; `.codecMissing`.
  public func writeAudio(_ bytes: UnsafeRawBufferPointer, at lessonMicroseconds: Int64) throws(MediaError) {
    let start = bytes.bindMemory(to: UInt8.self).baseAddress
    try MediaError.check(tk_muxer_audio(muxer, start, bytes.count, lessonMicroseconds))
  }

  /// A unit at its presentation time.
  /// - Throws: `.write`, after which the file is lost; `.codecMissing`; `.unsupported` for VP8 in MP4 and the reverse.
  public func write(_ unit: borrowing EncodedUnit) throws(MediaError) {
    let at = unit.presentationMicroseconds
    switch (unit.encoding, container) {
    case (.opus, _):
      try MediaError.check(unit.bytes.withUnsafeBufferPointer { tk_muxer_audio(muxer, $0.baseAddress, $0.count, at) })
    case (.h264, .mp4), (.vp8, .webm):
      let isKeyFrame: Int32 = unit.isKeyFrame ? 1 : 0
      try MediaError.check(
        unit.bytes.withUnsafeBufferPointer { tk_muxer_video(muxer, $0.baseAddress, $0.count, at, isKeyFrame) })
    default: throw .unsupported("\(unit.encoding) in \(container)")
    }
  }

  /// Writes what is left, the chapters and the index, and forces the file to the disk. Once; nothing may be written
  /// after it.
  /// - Parameter chapters: those of a file that holds what it is called with, ascending; at most `FileChapter.limit`.
  /// - Throws: `.noStream` when no unit could be kept, `.write`.
  public func finish(chapters: (WrittenFile) -> [FileChapter] = { _ in [] }) throws(MediaError) -> WrittenFile {
    var written = tk_written()
    try MediaError.check(tk_muxer_flush(muxer, &written))
    let file = WrittenFile(written)
    for chapter in chapters(file) {
      try MediaError.check(tk_muxer_chapter(muxer, chapter.start, chapter.end, chapter.title))
    }
    try MediaError.check(tk_muxer_finish(muxer))
    return file
  }
}
