import Classroom
import Ledger
import Logging
import MediaWorker
import RTCCore

/// A lesson that is to end, and why: a reason of `LessonEnd`, `unheld`, a role of whoever ends it, or `stopAll`.
struct Ending {
  let lesson: Identifier
  /// As the ledger has it, of a lesson that is not open; nil asks for it.
  var state: LessonState?
  let reason: String

  init(lesson: Identifier, state: LessonState? = nil, reason: String) {
    self.lesson = lesson
    self.state = state
    self.reason = reason
  }
}

extension LessonDirector {
  /// Ends a lesson for everyone: attendance and the end are kept before this returns; files are made afterwards.
  func end(_ id: Identifier, reason: String) throws(Problem) {
    let known = if let open = lessons[id] { open.value } else { try stored(id) }
    guard !known.isAlwaysLive else { throw Problem(.alwaysLive) }
    guard lessons[id]?.isEnding != true else { return }
    // One whose doors are closed says so.
    if lessons[id] == nil, !known.state.isOpen { _ = try open(id) }
    let done = end([Ending(lesson: id, state: lessons[id] == nil ? known.state : nil, reason: reason)])
    guard done.ended + done.notHeld == 1 else { throw Problem(.store, retryAfter: 5) }
  }

  /// Ends lessons for everyone, those that nobody has taught yet as not held: attendance and ends are kept by one write
  /// each before this returns. Those that the ledger cannot end go on.
  @discardableResult
  func end(_ endings: [Ending]) -> (ended: Int, notHeld: Int, lessons: Set<Identifier>) {
    guard !endings.isEmpty else { return (0, 0, []) }
    keepMinutes(of: Set(endings.map(\.lesson)))
    keepGathered()
    checkpoint(endings.map(\.lesson).filter { lessons[$0] != nil })
    var steps: [LedgerEvent] = []
    for ending in endings where lessons[ending.lesson]?.isEnding != true {
      guard let state = lessons[ending.lesson]?.value.state ?? ending.state else { continue }
      let isTaught = state == .live || state == .interrupted
      steps.append(
        LedgerEvent(
          kind: isTaught ? .lessonEnded : .lessonNotHeld, lesson: ending.lesson, payload: [("reason", ending.reason)]))
    }
    let done = Set(appendSteps(steps))
    let ended = steps.count { $0.kind == .lessonEnded && $0.lesson.map(done.contains) == true }
    for ending in endings where done.contains(ending.lesson) {
      guard lessons[ending.lesson] != nil else {
        // What was recorded before the relay stopped in the middle of it.
        recordings.makeResource(of: ending.lesson)
        continue
      }
      _ = lessons[ending.lesson]?.value.take(.end) == true || lessons[ending.lesson]?.value.take(.lapse) == true
      close(ending.lesson, reason: ending.reason)
    }
    return (ended, done.count - ended, done)
  }

  /// Lessons with a window that are armed, live or interrupted, open here or not.
  func running() -> [Lesson] {
    let stored = [LessonState.live, .interrupted, .armed].flatMap { (try? store.lessons(in: $0, limit: 2_000)) ?? [] }
    return stored.filter { !$0.isAlwaysLive }
  }

  /// Takes a lesson out of the worker, finishes its recordings, and forgets it.
  func close(_ id: Identifier, reason: String) {
    guard let lesson = lessons[id], !lesson.isEnding else { return }
    tell(id, .state(lesson.value.state.rawValue))
    followers[id]?.end(reason)
    followers[id] = nil
    endPlayback(of: id)
    forget(lesson)
    for recording in lesson.recordings.values { finish(recording, of: id) }
    for session in sessions.of(lesson: id) { admission.remove(session.peer) }
    sessions.removeAll(of: id)
    recordings.makeResource(of: id)
    logger.info("lesson closed", metadata: ["lesson": "\(id)", "reason": "\(reason)"])
  }

  private func forget(_ lesson: LiveLesson) {
    send(.closeLesson(lesson.number), toAllOf: lesson.number)
    placement.close(lesson.number)
    lessons[lesson.value.id] = nil
    lessonsByNumber[lesson.number] = nil
  }

  /// Makes room for one more lesson by letting go one that is armed and where nobody is; false when there is none.
  func letGoIdle() -> Bool {
    let idle = lessons.first { id, lesson in
      lesson.value.state == .armed && !lesson.value.isAlwaysLive && !lesson.isEnding
        && sessions.of(lesson: id).isEmpty && followers[id]?.isEmpty != false
    }
    guard let idle else { return false }
    forget(idle.value)
    return true
  }
}
