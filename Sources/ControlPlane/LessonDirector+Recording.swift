import Classroom
import Ledger
import Logging
import RTCCore
import Recorder
import Resources

extension LessonDirector {
  /// Records a track that has begun: the first of a feed opens the feed's log, which then goes on over every session
  /// that publishes the feed.
  func record(_ feed: FeedName, lesson id: Identifier, _ track: LiveLesson.AnnouncedTrack) {
    guard configuration.recordsLessons, let lesson = lessons[id], !lesson.isEnding,
      !feed.isReturn || mayRecord(feed, of: lesson),
      !lesson.value.isAlwaysLive || configuration.recordsAlwaysLive
    else { return }
    var recording = lesson.recordings[feed]
    if recording == nil {
      recording = startRecording(feed, of: lesson)
      lessons[id]?.recordings[feed] = recording
      guard recording != nil else {
        logger.error("recording cannot start", metadata: ["lesson": "\(id)", "feed": "\(feed.name)"])
        keep(.recordingGap, lesson: id, [("feed", feed.logName), ("reason", "cannotStart")])
        return
      }
      keep(.recordingStarted, lesson: id, [("feed", feed.logName)])
      tell(id, .recording(true))
    }
    guard let recording else { return }
    recordings.declare(track, of: recording.logged(lesson: id))
  }

  /// What sites send back is theirs: it is recorded where the course says so and every class of it has consented, as
  /// long as there is room.
  private func mayRecord(_ feed: FeedName, of lesson: LiveLesson) -> Bool {
    guard case .site(let seat) = feed, let schoolClass = lesson.seats[seat]?.schoolClass,
      !recordings.isShortOfRoom, let course = lesson.value.course
    else { return false }
    guard let consents = try? store.consentsToRecording(course: course) else { return false }
    return consents.contains(schoolClass)
  }

  /// Ends the recordings of sites: for want of room, or because a class has withdrawn its consent.
  func stopRecordingSites(where isMeant: (Seat?) -> Bool = { _ in true }) {
    for (id, lesson) in lessons {
      for (feed, recording) in lesson.recordings {
        guard case .site(let seat) = feed, isMeant(lesson.seats[seat]) else { continue }
        lessons[id]?.recordings[feed] = nil
        finish(recording, of: id)
      }
    }
  }

  private func startRecording(_ feed: FeedName, of lesson: LiveLesson) -> FeedRecording? {
    // Of an always-live lesson each stretch is a recording of its own, numbered by when it began; a site's recording
    // may end for want of room, and begin again.
    let number = lesson.value.isAlwaysLive || feed.isReturn ? UInt32(truncatingIfNeeded: clock() / 1_000) : 0
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
    keep(.recordingEnded, lesson: lesson, [("feed", recording.feed.logName)])
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
      stopRecordingSites()
      logger.warning("\(Text.of("log.lowSpace", in: .ofEnvironment, ["bytes": String(free)]))")
    }
  }
}

extension FeedRecording {
  func logged(lesson: Identifier) -> RecordedFeed {
    RecordedFeed(
      lesson: LogIdentity(high: lesson.high, low: lesson.low), name: feed.logName, number: number)
  }
}
