import Classroom
import ControlAPI
import Foundation
import Ledger
import Logging
import Media
import MediaClient
import RTCCore

/// A recording that an open lesson plays.
struct LivePlayback {
  let source: Identifier
  let session: Identifier
  let player: LessonPlayback
  /// UTC milliseconds since which no site has been there; nil while one is.
  var aloneSince: Int64?
  /// It was paused for want of sites, and goes on when one is back.
  var waitsForSites = false
  /// UTC milliseconds since which it has been at its end.
  var endedSince: Int64?
  /// What followers were last told.
  var told: PlaybackReply.State?
  /// What the ledger was last told.
  var kept: LessonPlaybackRow?

  func row(of lesson: Identifier, _ standing: PlaybackStanding) -> LessonPlaybackRow {
    LessonPlaybackRow(
      lesson: lesson, source: source, position: standing.position, played: standing.played, session: session)
  }
}

/// Lessons that show a recording at the sites' own bell, with a local teacher who pauses and jumps.
extension LessonDirector {
  /// Recordings played at once: a worker has 64 injections, of which each may take two.
  static let playbackLimit = 24
  /// What a local teacher may do within `paceSpan`.
  static let playsPerSpan = 40
  /// Milliseconds without any site after which a recording waits.
  static let aloneLimit: Int64 = 3_000
  /// Files of one recording: each is open while it plays.
  private static let fileLimit = 16
  /// Why a lesson is over that its recording has ended.
  static let playbackOver = "playbackOver"

  // MARK: Asked from outside

  /// What a lesson plays and where it stands. Throws `notPlayback` for one that is live.
  func playback(_ id: Identifier) throws(Problem) -> PlaybackReply {
    let row: LessonPlaybackRow?
    do { row = try store.playback(lesson: id) } catch LedgerError.notFound { throw Problem(.notFound) } catch {
      throw Problem(.store, retryAfter: 5)
    }
    guard let row else { throw Problem(.notPlayback) }
    var reply = PlaybackReply(
      lesson: "\(id)", source: row.source.map { "\($0)" },
      title: row.source.flatMap { try? store.lesson($0) }?.title, position: row.position)
    guard let live = lessons[id]?.playback else {
      reply.problem = row.source == nil ? Problem.Kind.nothingToPlay.rawValue : nil
      return reply
    }
    let standing = live.player.standing
    reply.state = live.waitsForSites ? .waiting : PlaybackReply.State(standing.state)
    (reply.position, reply.length) = (standing.position, standing.length)
    if standing.failure != nil { reply.problem = Problem.Kind.nothingToPlay.rawValue }
    return reply
  }

  /// Plays, pauses, jumps or stops. What is so already changes nothing.
  /// - Throws: `notPlayback`, `nothingToPlay`, `notItsSeats`, `recordingTooOld`, `badRange`, `tooFast`, `full`, and
  ///   what `open` throws.
  func conduct(
    _ request: PlaybackRequest, lesson id: Identifier, by actor: Identifier
  ) throws(Problem) -> PlaybackReply {
    let lesson = try open(id)
    guard lesson.isPlayback else { throw Problem(.notPlayback) }
    try Self.checkPace(&recentPlays[id, default: []], limit: Self.playsPerSpan, now: clock())
    switch request.action {
    case .play, .resume:
      if lesson.playback == nil { try startPlayback(of: id, by: actor) } else { goOn(id, by: actor) }
    case .pause: pausePlayback(id, by: actor)
    case .seek:
      guard let position = request.position, position >= 0 else { throw Problem(.badRange) }
      guard let live = lesson.playback else { throw Problem(.nothingToPlay) }
      let from = live.player.standing.position
      live.player.seek(to: position)
      lessons[id]?.playback?.endedSince = nil
      tell(.playbackSeeked, of: id, by: actor, [("from", String(from))])
    case .stop:
      guard lesson.playback != nil else { throw Problem(.nothingToPlay) }
      try end(id, reason: Self.playbackOver)
    }
    return try playback(id)
  }

  // MARK: What is done

  private func startPlayback(of id: Identifier, by actor: Identifier?) throws(Problem) {
    guard let lesson = lessons[id], let row = try? store.playback(lesson: id), let source = row.source else {
      throw Problem(.nothingToPlay)
    }
    try checkReplay(of: source, in: id, now: clock())
    guard lessons.values.count(where: { $0.playback != nil }) < Self.playbackLimit else { throw refusal(.playbacks) }
    let files = playbackFiles(of: source)
    guard !files.isEmpty else { throw Problem(.nothingToPlay) }
    let length = (files.map { $0.start + $0.length }.max() ?? 0) / 1_000
    // One that had come to its end begins anew.
    let position = row.position < length - 1_000 ? row.position : 0
    let player = LessonPlayback(workers[lesson.home], lesson: lesson.number, files: files, position: position)
    let session = Identifier(milliseconds: clock(), using: &random)
    lessons[id]?.playback = LivePlayback(source: source, session: session, player: player)
    player.play()
    tell(.playbackStarted, of: id, by: actor, [("length", String(length))])
    logger.info("a recording is played", metadata: ["lesson": "\(id)", "source": "\(source)"])
  }

  /// - Throws: why the recording may not be shown in the lesson.
  func checkReplay(of source: Identifier, in lesson: Identifier, now: Int64) throws(Problem) {
    do {
      try store.checkReplay(of: source, in: lesson, now: now)
    } catch let refusal as ReplayRule.Refusal {
      switch refusal {
      case .notItsSeats: throw Problem(.notItsSeats)
      case .tooOld: throw Problem(.recordingTooOld)
      }
    } catch LedgerError.notFound {
      throw Problem(.notFound)
    } catch {
      throw Problem(.store, retryAfter: 5)
    }
  }

  /// The files of a recorded lesson on one line; the screen, where there is one, is what people look at.
  private func playbackFiles(of source: Identifier) -> [PlaybackFile] {
    let found = ((try? store.recordedFiles(lesson: source)) ?? []).filter { file in
      FileManager.default.isReadableFile(atPath: configuration.data + "/" + file.resource.path)
    }
    guard let zero = found.map(\.startsAt).min() else { return [] }
    let longest = Limits.plannedMilliseconds
    return found.sorted { $0.feed < $1.feed }.prefix(Self.fileLimit).map { file in
      PlaybackFile(
        path: configuration.data + "/" + file.resource.path,
        feed: file.feed == FeedName.screen.name ? LiveLesson.screenID : LiveLesson.cameraID,
        start: min(max(0, file.startsAt - zero), longest) * 1_000,
        length: min(file.resource.durationMilliseconds, longest) * 1_000)
    }
  }

  private func goOn(_ id: Identifier, by actor: Identifier?) {
    guard let live = lessons[id]?.playback else { return }
    lessons[id]?.playback?.waitsForSites = false
    lessons[id]?.playback?.endedSince = nil
    guard live.player.standing.state != .playing else { return }
    live.player.play()
    tell(.playbackResumed, of: id, by: actor)
  }

  private func pausePlayback(_ id: Identifier, by actor: Identifier?) {
    guard let live = lessons[id]?.playback else { return }
    // Who pauses what waits for sites wants it to stay so.
    lessons[id]?.playback?.waitsForSites = actor == nil
    guard live.player.standing.state == .playing else { return }
    live.player.pause()
    tell(.playbackPaused, of: id, by: actor, actor == nil ? [("reason", "nobody")] : [])
  }

  /// Keeps what was done, and tells followers.
  private func tell(
    _ kind: EventKind, of id: Identifier, by actor: Identifier?, _ more: [(String, String)] = []
  ) {
    guard let live = lessons[id]?.playback else { return }
    let row = live.row(of: id, live.player.standing)
    let by = actor.map { [("by", "\($0)")] } ?? []
    keep([LedgerEvent(kind: kind, lesson: id, payload: row.payload + more + by)])
    keepRows([row])
    tellPlayback(id)
  }

  private func tellPlayback(_ id: Identifier) {
    guard let reply = try? playback(id) else { return }
    lessons[id]?.playback?.told = reply.state
    tell(id, .playback(reply))
  }

  private func keepRows(_ rows: [LessonPlaybackRow]) {
    do { try store.keep(rows) } catch {
      logger.error("where recordings stand was not kept", metadata: ["error": "\(error)"])
      return
    }
    for row in rows { lessons[row.lesson]?.playback?.kept = row }
  }

  /// Takes the recording out of a lesson that is closed.
  func endPlayback(of id: Identifier) {
    guard let live = lessons[id]?.playback else { return }
    var row = live.row(of: id, live.player.standing)
    live.player.stop()
    lessons[id]?.playback = nil
    keep([LedgerEvent(kind: .playbackEnded, lesson: id, payload: row.payload)])
    (row.session, row.played) = (nil, 0)
    keepRows([row])
  }

  // MARK: What a second brings

  /// Begins at the bell when a site is there, waits while none is, and keeps where each recording stands.
  func tendPlaybacks(now: Int64) {
    recentPlays = recentPlays.filter { now - ($0.value.last ?? 0) < Self.paceSpan }
    var rows: [LessonPlaybackRow] = []
    for (id, lesson) in lessons where lesson.isPlayback && !lesson.isEnding {
      let isThere = sessions.of(lesson: id).contains {
        $0.isWatching && $0.role == .receiver && !$0.isSilent(now: now)
      }
      guard let live = lesson.playback else {
        // What cannot be played is told to whoever asks for it.
        if isThere, now >= lesson.value.plannedStart { _ = try? startPlayback(of: id, by: nil) }
        continue
      }
      attend(id, live, isThere: isThere, now: now)
      let standing = live.player.standing
      if standing.state == .ended {
        lessons[id]?.playback?.endedSince = live.endedSince ?? now
      }
      let row = live.row(of: id, standing)
      if row != live.kept { rows.append(row) }
      if let reply = try? playback(id), reply.state != lessons[id]?.playback?.told { tellPlayback(id) }
    }
    keepRows(rows)
  }

  private func attend(_ id: Identifier, _ live: LivePlayback, isThere: Bool, now: Int64) {
    if isThere {
      lessons[id]?.playback?.aloneSince = nil
      if live.waitsForSites { goOn(id, by: nil) }
      return
    }
    let since = live.aloneSince ?? now
    lessons[id]?.playback?.aloneSince = since
    if now - since >= Self.aloneLimit, live.player.standing.state == .playing { pausePlayback(id, by: nil) }
  }

  /// Whether a recording has been at its end as long as a lead may be away: a local teacher may go back until then.
  func playbackIsOver(_ id: Identifier, now: Int64) -> Bool {
    guard let since = lessons[id]?.playback?.endedSince else { return false }
    return now - since >= OvertimePolicy.standard.patience
  }

  /// Somebody needs a key frame of what is played.
  func sendPicture(_ injection: InjectionID) {
    for lesson in lessons.values { lesson.playback?.player.wantsPicture(injection) }
  }
}

extension PlaybackReply.State {
  init(_ state: PlaybackClock.State) {
    switch state {
    case .playing: self = .playing
    case .paused: self = .paused
    case .ended: self = .ended
    }
  }
}
