public import Classroom
internal import Foundation

/// What an event says happened. The raw value is what is stored and hashed, so it never changes.
public enum EventKind: String, Sendable, CaseIterable {
  case lessonArmed
  case lessonLive
  case lessonEnded
  /// Its time passed and nobody taught, or it was stopped before anybody did.
  case lessonNotHeld
  case seatJoined
  case seatLeft
  case peerConnected
  case peerLost
  case published
  case unpublished
  case degraded
  case restored
  case paneEmpty
  case recordingStarted
  case recordingGap
  case recordingEnded
  case resourceMade
  /// What a crash left open was closed: of a seat when it names one, otherwise of the lesson.
  case interrupted
  case tokenIssued
  /// Lessons were made of a term's timetable; `term`, `version` and counts.
  case termPublished
  /// 调课: `oldStart`, `oldEnd`, `newStart`, `newEnd`, UTC milliseconds. Of this and the following, `by` is the actor and
  /// `revision` the lesson's after it.
  case lessonMoved
  /// 代课: `old` and `new` teacher, empty for the course's own.
  case lessonSubstituted
  case lessonCancelled
  /// 加课: beside the weekly times.
  case lessonAdded
  /// `old` and `new` room of the seat.
  case lessonRoomChanged
  /// A later publication asked again for what an earlier one had cancelled.
  case lessonReinstated
  /// A later publication changed title, cluster or seats.
  case lessonRevised
  /// What was done to the floor; `by` is the actor, missing when the relay did it because a site had gone. Of a seat
  /// those that are about one site; muting without a seat is of all.
  case seatCalled, seatUncalled
  case seatMuted, seatUnmuted
  /// `reason`: what the site is told.
  case seatEjected, seatBanned
  case seatUnbanned
  /// `medium` and `on`, 1 or 0.
  case mediaGranted
  case floorPaused, floorResumed
  case handRaised, handLowered
  /// How a seat's line was over one minute; `minute` is its start, UTC milliseconds. See `SeatMinute`.
  case seatMinute
  /// What the local teacher counted: `cohort` (entry year) and `count`; `by`.
  case headCounted
  /// A moment of the lesson worth finding again: `label`, `by`. Becomes a chapter.
  case markerSet
  /// A figure of the past was put right: `reason`, `by`, and what is to hold from now on.
  case lessonCorrected
  /// A class consented to being recorded, or took it back; `class`, `reference`.
  case consentGiven, consentWithdrawn
  /// Reviewing; `resource`, `by`, and of an approval `digest`, of a publication `visibility`, of a refusal `reason`.
  case resourceDrafted, resourceSubmitted, resourceApproved, resourceRejected, resourcePublished, resourceWithdrawn
  /// 名课, and 点对点推送: `resource`, `by`, `institution`; its outcome.
  case resourceNominated, resourcePushed, resourcePushAnswered
  /// Kept in spite of its age, let go of again, told to its owner, deleted.
  case resourceHeld, resourceReleased, resourceExpiring, resourceExpired
  /// A recording was played: by a page, or by the relay in an asynchronous lesson. `resource`, `session`,
  /// `position` and `length` in milliseconds; of a seek `from`; of an end `played`, milliseconds really seen.
  case playbackStarted, playbackPaused, playbackResumed, playbackSeeked, playbackEnded
  /// A person was forgotten: `person`, and how many rows and statements lost their content.
  case personErased
  /// Events up to `through` went into a signed archive and out of the ledger; `archive` is its SHA-256.
  case recordsPruned

  /// The step of the lesson's state machine that the event takes, when it is about a lesson and no seat.
  var step: LessonStep? {
    switch self {
    case .lessonArmed: .arm
    case .lessonLive: .goLive
    case .lessonEnded: .end
    case .lessonNotHeld: .lapse
    case .interrupted: .interrupt
    default: nil
    }
  }
}

/// A fact to be kept. Persons and classes appear by identifier only, pupils never.
public struct LedgerEvent: Sendable {
  /// Entries of one payload.
  public static let entryLimit = 64
  /// Bytes of one payload as stored.
  public static let payloadByteLimit = 4096
  /// Unicode scalars of a key.
  public static let keyScalarLimit = 64

  public var kind: EventKind
  public var lesson: Identifier?
  public var seat: Identifier?
  /// Small facts in the order they are stored; a key may repeat, the first one counts.
  ///
  /// Keys that the report reads: `effectiveMilliseconds` (of a seat so far; the ledger adds it to `seatLeft` and
  /// `interrupted`), `replaces` (of `peerConnected`: the peer whose loss is not told), `reason`.
  public var payload: [(String, String)]

  public init(
    kind: EventKind, lesson: Identifier? = nil, seat: Identifier? = nil, payload: [(String, String)] = []
  ) {
    self.kind = kind
    self.lesson = lesson
    self.seat = seat
    self.payload = payload
  }

  /// The first value of a key.
  public subscript(key: String) -> String? { payload.first { $0.0 == key }?.1 }
}

/// An event as the ledger holds it.
public struct StoredEvent: Sendable {
  /// 1, 2, 3 … without gaps over the whole ledger.
  public let id: Int64
  /// UTC milliseconds, by the ledger's clock when it was appended.
  public let at: Int64
  public let event: LedgerEvent
  /// SHA-256 of the event and the hash before it, 32 bytes.
  public let hash: [UInt8]

  public var kind: EventKind { event.kind }
  public var lesson: Identifier? { event.lesson }
  public var seat: Identifier? { event.seat }
  public var payload: [(String, String)] { event.payload }
  public subscript(key: String) -> String? { event[key] }
}

/// The stored form of a payload: a JSON array of `[key, value]`, so that `sqlite3` and people can read it.
enum PayloadCoding {
  static func encode(_ payload: [(String, String)]) throws -> String {
    guard payload.count <= LedgerEvent.entryLimit else { throw LedgerError.payloadTooLarge }
    var byteCount = 2
    for (key, value) in payload {
      byteCount += key.utf8.count + value.utf8.count
      guard byteCount <= LedgerEvent.payloadByteLimit else { throw LedgerError.payloadTooLarge }
      guard !key.isEmpty, key.unicodeScalars.count <= LedgerEvent.keyScalarLimit else {
        throw LedgerError.payloadTooLarge
      }
    }
    if payload.isEmpty { return "[]" }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    let data = try encoder.encode(payload.map { [$0.0, $0.1] })
    guard data.count <= LedgerEvent.payloadByteLimit else { throw LedgerError.payloadTooLarge }
    return String(decoding: data, as: UTF8.self)
  }

  static func decode(_ text: String) throws -> [(String, String)] {
    if text == "[]" { return [] }
    guard let entries = try? JSONDecoder().decode([[String]].self, from: Data(text.utf8)) else {
      throw LedgerError.corruptRow
    }
    return try entries.map { entry in
      guard entry.count == 2 else { throw LedgerError.corruptRow }
      return (entry[0], entry[1])
    }
  }
}
