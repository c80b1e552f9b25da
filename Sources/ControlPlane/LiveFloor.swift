import Classroom
import RTCCore

/// The floor of an open lesson, and the sites that it is about.
struct LiveFloor {
  /// A receiving seat as people know it.
  struct Site {
    let seat: Identifier
    /// The room's number, such as `P01-1`, and its name; empty for a seat without a room.
    var number = ""
    var name = ""
  }

  /// A seat that is called or raises its hand and has gone stops doing so after this many milliseconds: as long as one
  /// may be away without having left.
  static let awayLimit: Int64 = 60_000

  var value: Floor
  /// In the order the seats were made.
  var sites: [Site]
  /// The worker's numbers of what sites send back, given once for as long as the lesson is open.
  private let feeds: [Identifier: FeedID]
  private let seats: [FeedID: Identifier]
  /// Since when somebody who is called or raises a hand has no connection, UTC milliseconds.
  var awaySince: [Identifier: Int64] = [:]
  /// A worker has not taken the last `setCalled` yet.
  var owesCalled = false
  /// Followers have not been told yet which sites are there and send.
  var hasUntold = false

  init(_ value: Floor, sites: [Site]) {
    self.value = value
    self.sites = sites
    let numbered = sites.enumerated().map { place, site in
      (site.seat, FeedID(rawValue: FeedID.firstReturn.rawValue + UInt32(place)))
    }
    feeds = Dictionary(numbered, uniquingKeysWith: { first, _ in first })
    seats = Dictionary(numbered.map { ($0.1, $0.0) }, uniquingKeysWith: { first, _ in first })
  }

  func feed(of seat: Identifier) -> FeedID? { feeds[seat] }
  func seat(of feed: FeedID) -> Identifier? { seats[feed] }
}

extension LiveLesson {
  static let cameraID = FeedID(rawValue: 1)
  static let screenID = FeedID(rawValue: 2)

  /// The worker's number of a feed; nil for what a seat of another lesson sends.
  func id(of feed: FeedName) -> FeedID? {
    switch feed {
    case .camera: Self.cameraID
    case .screen: Self.screenID
    case .site(let seat): floor.feed(of: seat)
    }
  }

  func feed(_ id: FeedID) -> FeedName? {
    switch id {
    case Self.cameraID: .camera
    case Self.screenID: .screen
    default: floor.seat(of: id).map(FeedName.site)
    }
  }

  /// What a seat publishes, and is never given back.
  func ownFeeds(of seat: Seat) -> [FeedID] {
    switch seat.role {
    case .lead: [Self.cameraID, Self.screenID]
    case .receiver: floor.feed(of: seat.id).map { [$0] } ?? []
    case .observer, .operator: []
    }
  }

  var stageCommand: Command {
    let stage = stage
    let picture = stage.picture == .screen ? Self.screenID : Self.cameraID
    return .setStage(number, picture, audio: stage.sound == .screen ? Self.screenID : Self.cameraID)
  }

  var calledCommand: Command {
    .setCalled(
      number, picture: floor.value.shown.flatMap { floor.feed(of: $0) },
      sound: floor.value.heard.flatMap { floor.feed(of: $0) })
  }

  /// What the nth line of a kind shows until its receiver wishes otherwise: the stage, then the called site. To the
  /// lead, whose stage is its own, the called site first.
  static func firstSource(ofLine place: Int, for role: Seat.Role) -> PaneSource {
    switch (place, role) {
    case (0, .lead): .called
    case (0, _): .stage
    case (1, .lead): .stage
    case (1, _): .called
    default: .none
    }
  }
}
