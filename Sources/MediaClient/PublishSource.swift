import Media
import RTCCore

/// What a session publishes.
public enum PublishSource: Sendable, Equatable {
  /// Anything libavformat opens: a file, `rtsp://`, `rtmp://`, `srt://`, a device. A file with `loops` never ends.
  case media(url: String, loops: Bool)
  /// A generated lesson; its strip carries the wall clock in milliseconds, modulo 2^36.
  case generated
}

/// A source as the feeder reads it: what is next on its time line, and when.
///
/// Not `Sendable`: lives on the feeder's thread.
enum OpenedSource {
  case media(MediaSource)
  case generated(GeneratedLesson)

  init(_ source: PublishSource, stop: StopSignal) throws(MediaError) {
    switch source {
    case .media(let url, let loops): self = .media(try MediaSource(url: url, loops: loops, stop: stop))
    case .generated: self = .generated(try GeneratedLesson())
    }
  }

  var tracks: [OfferedTrack] {
    var tracks: [OfferedTrack] = []
    switch self {
    case .media(let source):
      if source.hasAudio { tracks.append(OfferedTrack(kind: .audio, encoding: .opus)) }
      if let video = source.video { tracks.append(OfferedTrack(kind: .video, encoding: video == .vp8 ? .vp8 : .h264)) }
    case .generated:
      tracks = [OfferedTrack(kind: .audio, encoding: .opus), OfferedTrack(kind: .video, encoding: .h264)]
    }
    return tracks
  }

  func requestKeyFrame() {
    switch self {
    case .media(let source): source.requestKeyFrame()
    case .generated(let lesson): lesson.requestKeyFrame()
    }
  }
}
