import Classroom
import Ledger
import Logging
import RTCCore
import Recorder

extension LessonDirector {
  /// Records a track that has begun: the first of a feed opens the feed's log, which then goes on over every session
  /// that publishes the feed.
  func record(_ feed: FeedName, lesson id: Identifier, _ track: LiveLesson.AnnouncedTrack) {
    // What sites send back is theirs: recording it would need their consent.
    guard configuration.recordsLessons, !feed.isReturn, let lesson = lessons[id], !lesson.isEnding,
      !lesson.value.isAlwaysLive || configuration.recordsAlwaysLive
    else { return }
    var recording = lesson.recordings[feed]
    if recording == nil {
      recording = startRecording(feed, of: lesson)
      lessons[id]?.recordings[feed] = recording
      guard recording != nil else {
        logger.error("recording cannot start", metadata: ["lesson": "\(id)", "feed": "\(feed.name)"])
        keep(.recordingGap, lesson: id, [("feed", feed.name), ("reason", "cannotStart")])
        return
      }
      keep(.recordingStarted, lesson: id, [("feed", feed.name)])
      tell(id, .recording(true))
    }
    guard let recording else { return }
    recordings.declare(track, of: recording.logged(lesson: id))
  }

  private func startRecording(_ feed: FeedName, of lesson: LiveLesson) -> FeedRecording? {
    // Of an always-live lesson each stretch is a recording of its own, numbered by when it began.
    let number = lesson.value.isAlwaysLive ? UInt32(truncatingIfNeeded: clock() / 1_000) : 0
    let recording = FeedRecording(sink: SinkID(rawValue: nextSink), worker: lesson.home, feed: feed, number: number)
    nextSink = nextSink == .max ? 1 : nextSink + 1
    guard let feedID = lesson.id(of: feed) else { return nil }
    let isStarted = recordings.start(
      recording.logged(lesson: lesson.value.id), sink: recording.sink, lesson: lesson.number, feed: feedID,
      at: workers[lesson.home])
    return isStarted ? recording : nil
  }

  /// The publisher of an always-live lesson's feed has gone for good: its stretch of teaching becomes a file.
  func publisherLeft(_ feed: FeedName, lesson id: Identifier) {
    guard let lesson = lessons[id], lesson.value.isAlwaysLive else { return }
    lessons[id]?.silentSince[feed] = nil
    guard let recording = lesson.recordings[feed], lesson.publishers[feed] == nil else { return }
    lessons[id]?.recordings[feed] = nil
    finish(recording, of: id)
    tell(id, .recording(!(lessons[id]?.recordings.isEmpty ?? true)))
    recordings.makeResource(of: id)
  }

  func finish(_ recording: FeedRecording, of lesson: Identifier) {
    keep(.recordingEnded, lesson: lesson, [("feed", recording.feed.name)])
    recordings.finish(recording.logged(lesson: lesson), sink: recording.sink, at: workers[recording.worker])
  }

  // MARK: What the recorder tells

  func handle(_ event: RecorderEvent) {
    switch event {
    case .gapBegan(let feed, let reason, let at):
      logger.warning("recording has a gap", metadata: ["feed": "\(feed.name)", "reason": "\(reason)", "at": "\(at)"])
    case .gapEnded(let feed, let gap):
      let id = Identifier(high: feed.lesson.high, low: feed.lesson.low)
      let payload = [
        ("feed", feed.name), ("reason", "\(gap.reason)"), ("packets", String(gap.count)),
        ("milliseconds", String((gap.to - gap.from) / 1_000)),
      ]
      if lessons[id] != nil { keep(.recordingGap, lesson: id, payload) }
    case .diskFull(let free):
      logger.critical("\(Text.of("log.diskFull", in: .ofEnvironment, ["bytes": String(free)]))")
    case .diskFailed(let errno):
      logger.critical("\(Text.of("log.diskFailed", in: .ofEnvironment, ["errno": String(errno)]))")
    case .diskRecovered: logger.notice("\(Text.of("log.diskRecovered", in: .ofEnvironment))")
    case .lowSpace(let free):
      logger.warning("\(Text.of("log.lowSpace", in: .ofEnvironment, ["bytes": String(free)]))")
    }
  }
}

extension FeedRecording {
  func logged(lesson: Identifier) -> RecordedFeed {
    RecordedFeed(
      lesson: LogIdentity(high: lesson.high, low: lesson.low), name: feed.name, number: number)
  }
}
