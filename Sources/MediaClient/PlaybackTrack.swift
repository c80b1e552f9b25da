import Media
import MediaWorker
public import RTCCore

/// A file of a recorded lesson, and where it lies in the recording.
public struct PlaybackFile: Sendable, Equatable {
  public var path: String
  /// What it is shown as.
  public var feed: FeedID
  /// Where it begins and how long it is on the recording's line, microseconds.
  public var start: Int64
  public var length: Int64

  public init(path: String, feed: FeedID, start: Int64 = 0, length: Int64) {
    self.path = path
    self.feed = feed
    self.start = start
    self.length = length
  }
}

/// One file as it is played: what comes next of it, and the injection by which it goes out.
///
/// Not `Sendable`: lives on its playback's thread.
final class PlaybackTrack {
  /// Bytes of pictures that are sent at once, so that a decoder has what a later one refers to.
  private static let catchUpBytes = 4 << 20

  let file: PlaybackFile
  let source: MediaSource
  let lines: [MediaLine]
  /// The next unit; nil at the end of the file.
  private(set) var head: EncodedUnit?
  /// Units behind a jump that lie before the place that is shown: sent at once, pictures alone.
  private(set) var early: [EncodedUnit] = []
  /// Pictures are left out until the next key frame.
  private var waitsForKey = false

  var injection: InjectionID?
  var player: LanePlayer?
  /// When the last key frame went out, and pictures were last sent again; microseconds of the monotonic clock.
  var lastKey = Int64.min
  var lastRefresh = Int64.min

  init(_ file: PlaybackFile, stop: StopSignal) throws(MediaError) {
    self.file = file
    source = try MediaSource(url: file.path, stop: stop)
    var lines: [MediaLine] = []
    func add(_ kind: MediaKind, _ codec: Codec) {
      lines.append(
        MediaLine(
          mid: String(lines.count), kind: kind, direction: .send, codecs: [codec], extensions: ExtensionIDs(),
          feedback: []))
    }
    if source.hasAudio {
      add(.audio, Codec(encoding: .opus, payloadType: 111, retransmissionPayloadType: nil, clockRate: 48_000))
    }
    switch source.video {
    case .h264:
      add(
        .video,
        Codec(
          encoding: .h264, payloadType: 102, retransmissionPayloadType: nil, clockRate: 90_000, packetizationMode: 1,
          profileLevelID: 0x42E01F))
    case .vp8: add(.video, Codec(encoding: .vp8, payloadType: 96, retransmissionPayloadType: nil, clockRate: 90_000))
    default: break
    }
    self.lines = lines
  }

  var hasPicture: Bool { source.video != nil }

  /// Whether a moment of the recording is in the file.
  func covers(_ position: Int64) -> Bool { position >= file.start && position - file.start < file.length }

  /// Where the next unit lies on the recording's line.
  var nextPosition: Int64? { head.map { position(of: $0) } }

  func position(of unit: EncodedUnit) -> Int64 { file.start + unit.presentationMicroseconds }

  /// Takes the next unit out.
  func take() throws(MediaError) -> EncodedUnit? {
    let unit = head
    if unit != nil { try read() }
    return unit
  }

  func takeEarly() -> [EncodedUnit] {
    defer { early = [] }
    return early
  }

  private func read() throws(MediaError) {
    head = nil
    while let unit = try source.next() {
      if waitsForKey, unit.encoding != .opus {
        guard unit.isKeyFrame else { continue }
        waitsForKey = false
      }
      head = unit
      return
    }
  }

  // MARK: Jumps

  /// Goes to the key frame at or before a place; of a file without pictures, to the place.
  /// - Returns: where that is on the recording's line; nil where there is nothing of this file.
  func seekToKeyFrame(_ position: Int64) throws(MediaError) -> Int64? {
    try jump(to: position)
    // Sound that lies before the key frame was heard with the pictures before it.
    while let unit = head, hasPicture, unit.encoding == .opus { try read() }
    return nextPosition
  }

  /// Goes to a place exactly: pictures from the key frame on are `early`, so that those behind it can be decoded.
  func seek(exactly position: Int64) throws(MediaError) {
    guard position - file.start < file.length else {
      head = nil
      early = []
      return
    }
    try jump(to: position)
    var bytes = 0
    while let unit = head, self.position(of: unit) < position {
      if unit.encoding != .opus {
        bytes += unit.bytes.count
        early.append(unit)
      }
      if bytes > Self.catchUpBytes {
        early = []
        waitsForKey = true
        bytes = 0
      }
      try read()
    }
  }

  private func jump(to position: Int64) throws(MediaError) {
    early = []
    waitsForKey = false
    try source.seek(to: max(0, position - file.start))
    try read()
  }
}
