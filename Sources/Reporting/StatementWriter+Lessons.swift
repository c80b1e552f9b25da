internal import Classroom
internal import Ledger

/// Live lessons, by the virtual-classroom profile.
extension StatementWriter {
  private func part(
    _ verb: String, _ owner: Space.Owner, _ space: Space?, _ event: UsageEvent, _ lesson: Lesson, at: Int64? = nil
  ) -> Part {
    Part(
      verb: verb, owner: owner, space: space,
      object: Self.activity(lessonActivity(lesson), type: Vocabulary.classroom + "/activity-types/virtual-classroom"),
      registration: lesson.registration, timestamp: at ?? event.event.at, category: Vocabulary.classroom,
      extensions: [(Vocabulary.sessionID, .text("\(sessionID(event, lesson))"))])
  }

  private func lessonActivity(_ lesson: Lesson) -> String { settings.activityBase + "/lessons/\(lesson.id)" }

  /// Of one technical session: from the doors' opening, or an interruption, to the next.
  private func sessionID(_ event: UsageEvent, _ lesson: Lesson) -> Identifier {
    Identifier(namespace: Self.namespace, name: "\(lesson.registration)|session|\(event.session)")
  }

  /// The four statements that are always told; nil when nobody answers for one that is due.
  func session(_ event: UsageEvent, _ lesson: Lesson) -> [Part]? {
    let stored = event.event
    let seenAt = stored["seenAt"].flatMap { Int64($0) } ?? stored.at
    if stored.seat != nil {
      switch stored.kind {
      case .seatJoined, .peerConnected:
        guard !event.wasPresent else { return [] }
        guard let owner = event.owner else { return nil }
        return [part(Vocabulary.streams + "join", owner, event.space, event, lesson)]
      case .seatLeft, .interrupted:
        guard event.wasPresent else { return [] }
        guard let owner = event.owner else { return nil }
        var leave = part(Vocabulary.streams + "leave", owner, event.space, event, lesson, at: seenAt)
        let effective = event.correctedMilliseconds ?? stored["effectiveMilliseconds"].flatMap { Int64($0) }
        if let effective { leave.result = [("duration", .text(StatementTime.duration(effective)))] }
        return [leave]
      default: return []
      }
    }
    switch stored.kind {
    case .lessonLive:
      guard event.liveSince == nil else { return [] }
      guard let owner = event.leadOwner else { return nil }
      var begun = part(Vocabulary.adl + "initialized", owner, event.leadSpace, event, lesson)
      // Ralph's model takes a date there.
      if settings.profile != .ralph {
        let planned = StatementTime.duration(lesson.plannedMilliseconds)
        begun.extensions.append((Vocabulary.plannedDuration, .text(planned)))
      }
      return [begun]
    case .lessonEnded, .interrupted:
      guard let since = event.liveSince else { return [] }
      guard let owner = event.leadOwner else { return nil }
      let at = stored.kind == .interrupted ? max(seenAt, since) : stored.at
      var ended = part(Vocabulary.adl + "terminated", owner, event.leadSpace, event, lesson, at: at)
      // A correction is of the lesson as a whole; of one that was interrupted no session's part is known.
      let corrected = event.session == 0 ? event.correctedLiveMilliseconds : nil
      ended.result = [("duration", .text(StatementTime.duration(corrected ?? (at &- since))))]
      return [ended]
    default: return []
    }
  }

  /// What happened in between, for who asks for it.
  func optional(_ event: UsageEvent, _ lesson: Lesson) -> [Part]? {
    let stored = event.event
    guard stored.seat != nil, let told = told(stored) else { return [] }
    guard let owner = event.owner else { return nil }
    var part = part(told.verb, owner, event.space, event, lesson)
    if let kind = told.object {
      let lessonID = lessonActivity(lesson)
      part.parent = part.object
      part.object = Self.activity(
        lessonID + "/\(kind)/\(stored.seat?.description ?? "")", type: Vocabulary.classroom + "/activity-types/\(kind)"
      )
    } else {
      let key = Vocabulary.classroom + "/extensions/emoji"
      part.result = [("extensions", .object([(key, .text("U+1F590"))]))]
    }
    return [part]
  }

  /// The verb, and what it is about when it is not the lesson as such.
  private func told(_ stored: StoredEvent) -> (verb: String, object: String?)? {
    let isRalph = settings.profile == .ralph
    let own = Vocabulary.classroom + "/verbs/"
    func verb(_ gaiaX: String, _ ralph: String) -> String { isRalph ? own + ralph : gaiaX }
    switch stored.kind {
    case .published, .unpublished:
      // Whoever comes back had not stopped.
      guard stored["replaces"] == nil else { return nil }
      let isOn = stored.kind == .published
      switch stored["feed"] {
      case "screen":
        return (
          isOn
            ? verb(Vocabulary.streams + "share", "shared-screen")
            : verb(Vocabulary.streams + "unshare", "unshared-screen"), "screen"
        )
      case "camera":
        return (
          isOn ? verb(Vocabulary.streams + "start", "started-camera") : verb(own + "stopped", "stopped-camera"),
          "camera"
        )
      default: return nil
      }
    case .seatUnmuted: return (verb(Vocabulary.streams + "start", "unmuted"), "micro")
    case .seatMuted: return (verb(own + "stopped", "muted"), "micro")
    case .handRaised: return (verb(own + "reacted", "raised-hand"), nil)
    case .handLowered: return (verb(own + "unreacted", "lowered-hand"), nil)
    default: return nil
    }
  }
}

/// Recordings: made, and played by the video profile.
extension StatementWriter {
  func creation(_ event: UsageEvent) -> [Part]? {
    let stored = event.event
    guard let lesson = event.lesson, let resource = stored["resource"].flatMap({ Identifier($0) }) else { return [] }
    guard stored["videoFrames"] != "0" else { return [] }
    guard let owner = event.leadOwner else { return nil }
    var part = Part(
      verb: Vocabulary.streams + "create", owner: owner, space: event.leadSpace, object: recording(resource),
      registration: lesson.registration, timestamp: stored.at, category: Vocabulary.video,
      sequence: "\(resource)")
    if let length = stored["durationMilliseconds"].flatMap({ Int64($0) }) {
      part.extensions = [Self.length(length)]
    }
    return [part]
  }

  private func recording(_ id: Identifier) -> StatementJSON {
    Self.activity(settings.activityBase + "/resources/\(id)", type: Vocabulary.videoType)
  }

  private static func length(_ milliseconds: Int64) -> (String, StatementJSON) {
    (Vocabulary.video + "/extensions/length", .number(StatementTime.seconds(milliseconds)))
  }

  func playback(_ event: UsageEvent) -> [Part]? {
    let stored = event.event
    func number(_ key: String) -> Int64? { stored[key].flatMap { Int64($0) } }
    guard let resource = stored["resource"].flatMap({ Identifier($0) }), let session = stored["session"] else {
      return []
    }
    guard let owner = event.owner else { return nil }
    let position = number("position") ?? 0
    let own = Vocabulary.video + "/extensions/"
    var extensions = [(own + "session-id", StatementJSON.text(session))]
    if let length = number("length") { extensions.append(Self.length(length)) }
    let registration =
      event.lesson?.registration ?? Identifier(namespace: Self.namespace, name: "playback|\(session)")
    func part(_ verb: String, _ result: [(String, StatementJSON)]) -> Part {
      Part(
        verb: verb, owner: owner, space: event.space, object: recording(resource), registration: registration,
        timestamp: stored.at, category: Vocabulary.video, result: result, extensions: extensions)
    }
    func time(_ name: String, _ value: Int64) -> (String, StatementJSON) {
      (own + name, .number(StatementTime.seconds(value)))
    }
    let at = [("extensions", StatementJSON.object([time("time", position)]))]
    switch stored.kind {
    case .playbackStarted:
      return [part(Vocabulary.adl + "initialized", []), part(Vocabulary.video + "/verbs/played", at)]
    case .playbackResumed: return [part(Vocabulary.video + "/verbs/played", at)]
    case .playbackPaused: return [part(Vocabulary.video + "/verbs/paused", at)]
    case .playbackSeeked:
      let moved = StatementJSON.object([time("time-from", number("from") ?? 0), time("time-to", position)])
      return [part(Vocabulary.video + "/verbs/seeked", [("extensions", moved)])]
    case .playbackEnded:
      let played = number("played") ?? 0
      var figures = [time("time", position)]
      if let length = number("length") {
        figures.append((own + "progress", .number(StatementTime.share(played, of: length))))
      }
      return [
        part(
          Vocabulary.adl + "terminated",
          [("duration", .text(StatementTime.duration(played))), ("extensions", .object(figures))])
      ]
    default: return []
    }
  }
}
