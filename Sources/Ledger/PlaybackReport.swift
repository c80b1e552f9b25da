public import Classroom

/// What an asynchronous lesson showed of a recording, recounted from its events.
public struct PlaybackReport: Hashable, Sendable {
  /// The recorded lesson; nil when nothing was played.
  public var source: Identifier?
  /// Times it was begun, a relay's restart among them.
  public var sessions: Int
  /// Whole seconds shown while somebody was there, however often.
  public var playedSeconds: Int
  public var lengthSeconds: Int
  public var pauses: Int
  public var seeks: Int
}

/// Counts the playback events of one lesson.
struct PlaybackTally {
  private var source: Identifier?
  private var sessions = 0
  private var pauses = 0
  private var seeks = 0
  private var length: Int64 = 0
  /// By session: the latest end tells all of it.
  private var played: [String: Int64] = [:]

  mutating func take(_ event: StoredEvent) {
    switch event.kind {
    case .playbackStarted:
      sessions += 1
      source = event["resource"].flatMap { Identifier($0) } ?? source
      length = max(length, event["length"].flatMap { Int64($0) } ?? 0)
    case .playbackPaused: pauses += 1
    case .playbackSeeked: seeks += 1
    case .playbackEnded:
      guard let session = event["session"], let milliseconds = event["played"].flatMap({ Int64($0) }) else { return }
      played[session] = min(max(0, milliseconds), Limits.latestTime)
    default: break
    }
  }

  var report: PlaybackReport {
    let shown = played.values.reduce(Int64(0)) { $0.addingReportingOverflow($1).partialValue }
    return PlaybackReport(
      source: source, sessions: sessions, playedSeconds: Int(shown / 1_000), lengthSeconds: Int(length / 1_000),
      pauses: pauses, seeks: seeks)
  }
}
