internal import Classroom
public import Ledger

/// Makes xAPI statements of events: pure, so that the same event gives the same identifiers and the same bytes.
///
/// Of a live lesson by the virtual-classroom profile, of a recording that is played by the video profile, of a file
/// that was made `create`. Actors are accounts that were imported, teachers as agents and whoever sits before one
/// screen as a group; no name stands in any.
public struct StatementWriter: StatementMaking {
  public let settings: StatementSettings

  public init(_ settings: StatementSettings) { self.settings = settings }

  static let classroomKinds: Set<EventKind> = [
    .lessonLive, .lessonEnded, .interrupted, .seatJoined, .peerConnected, .seatLeft,
  ]
  static let optionalKinds: Set<EventKind> = [
    .published, .unpublished, .seatMuted, .seatUnmuted, .handRaised, .handLowered,
  ]
  static let playbackKinds: Set<EventKind> = [
    .playbackStarted, .playbackPaused, .playbackResumed, .playbackSeeked, .playbackEnded,
  ]

  public var kinds: Set<EventKind> { correctedKinds.union(Self.playbackKinds).union([.resourceMade]) }

  public var correctedKinds: Set<EventKind> {
    settings.profile == .none ? Self.classroomKinds : Self.classroomKinds.union(Self.optionalKinds)
  }

  /// What is told of one event: whose it is and the parts of a statement that differ.
  struct Part {
    var verb: String
    var owner: Space.Owner
    var space: Space?
    var object: StatementJSON
    var registration: Identifier
    var timestamp: Int64
    var category: String
    var result: [(String, StatementJSON)] = []
    var parent: StatementJSON?
    var extensions: [(String, StatementJSON)] = []
    /// What its identifier is made of besides registration and owner, when it is not the event's number.
    var sequence: String?
  }

  public func statements(of event: UsageEvent) -> [StatementDraft]? {
    guard let parts = parts(of: event) else { return nil }
    return parts.enumerated().map { place, part in draft(part, place: place, event) }
  }

  private func parts(of event: UsageEvent) -> [Part]? {
    if Self.playbackKinds.contains(event.event.kind) { return playback(event) }
    if event.event.kind == .resourceMade { return creation(event) }
    // A lesson without an end has no session to account for, and one that is played back is no live one.
    guard let lesson = event.lesson else { return [] }
    if lesson.isAlwaysLive || event.mode == .asyncDual { return Self.isTold(event) ? nil : [] }
    return Self.classroomKinds.contains(event.event.kind)
      ? session(event, lesson) : optional(event, lesson)
  }

  /// Whether an event would be told of if its lesson were.
  private static func isTold(_ event: UsageEvent) -> Bool {
    switch event.event.kind {
    case .seatJoined, .lessonLive: true
    case .peerConnected: !event.wasPresent
    default: false
    }
  }

  private func draft(_ part: Part, place: Int, _ event: UsageEvent) -> StatementDraft {
    let sequence = part.sequence ?? "\(event.event.id)"
    let name = [
      "\(part.registration)", part.verb, part.owner.text, sequence, "\(place)",
      event.correction.map { "\($0)" } ?? "",
    ].joined(separator: "|")
    let id = Identifier(namespace: Self.namespace, name: name)
    guard let space = part.space else {
      return StatementDraft(id: id, place: place, owner: part.owner, reason: "unmapped")
    }
    guard let platform = settings.platform(of: space.homePage) else {
      return StatementDraft(id: id, place: place, owner: part.owner, reason: "noPlatform")
    }
    return StatementDraft(
      id: id, place: place, owner: part.owner, platform: platform, body: bytes(part, id: id, space: space))
  }

  /// Of the identifiers of statements; never changes.
  static let namespace = Identifier(high: 0x8f0c_54d1_6a2b_4e6f, low: 0x9d1e_2b7a_40c3_58f6)

  private func bytes(_ part: Part, id: Identifier, space: Space) -> [UInt8] {
    var context: [(String, StatementJSON)] = [("registration", .text("\(part.registration)"))]
    var activities: [(String, StatementJSON)] = []
    if let parent = part.parent { activities.append(("parent", .list([parent]))) }
    activities.append(
      ("category", .list([Self.activity(part.category, type: Vocabulary.profileType)])))
    context.append(("contextActivities", .object(activities)))
    if !settings.appID.isEmpty { context.append(("platform", .text(settings.appID))) }
    let extensions = part.extensions + registered
    if !extensions.isEmpty { context.append(("extensions", .object(extensions))) }
    var members: [(String, StatementJSON)] = [
      ("id", .text("\(id)")), ("actor", Self.actor(space)), ("verb", .object([("id", .text(part.verb))])),
      ("object", part.object),
    ]
    if !part.result.isEmpty { members.append(("result", .object(part.result))) }
    members += [("context", .object(context)), ("timestamp", .text(StatementTime.text(part.timestamp)))]
    return StatementJSON.object(members).bytes
  }

  /// The registered application and the platform's code, which go with every report.
  private var registered: [(String, StatementJSON)] {
    [("app-id", settings.appID), ("platform-code", settings.platformCode)].filter { !$0.1.isEmpty }.map {
      (settings.activityBase + "/xapi/extensions/" + $0.0, .text($0.1))
    }
  }

  static func actor(_ space: Space) -> StatementJSON {
    .object([
      ("objectType", .text(space.kind.isPersonal ? "Agent" : "Group")),
      ("account", .object([("homePage", .text(space.homePage)), ("name", .text(space.name))])),
    ])
  }

  static func activity(_ id: String, type: String) -> StatementJSON {
    .object([
      ("objectType", .text("Activity")), ("id", .text(id)), ("definition", .object([("type", .text(type))])),
    ])
  }

  // MARK: Taking back

  public func void(of statement: StatementToVoid) -> StatementDraft {
    let id = Identifier(namespace: Self.namespace, name: "void|\(statement.id)")
    guard let space = statement.space else {
      return StatementDraft(id: id, place: 0, owner: statement.owner, reason: "unmapped", voids: statement.id)
    }
    var members: [(String, StatementJSON)] = [
      ("id", .text("\(id)")), ("actor", Self.actor(space)),
      ("verb", .object([("id", .text(Vocabulary.adl + "voided"))])),
      ("object", .object([("objectType", .text("StatementRef")), ("id", .text("\(statement.id)"))])),
    ]
    if !registered.isEmpty { members.append(("context", .object([("extensions", .object(registered))]))) }
    members.append(("timestamp", .text(StatementTime.text(statement.event.at))))
    return StatementDraft(
      id: id, place: 0, owner: statement.owner, platform: statement.platform,
      body: StatementJSON.object(members).bytes, voids: statement.id)
  }
}
