import Classroom
import RTCCore
import Resources

/// A picture-and-sound source of a lesson: what one WHIP session publishes.
enum FeedName: Hashable, Sendable {
  /// The lead's.
  case camera, screen
  /// What a receiving seat sends back.
  case site(Identifier)

  /// Those of the lead, which every lesson has.
  static let lead: [FeedName] = [.camera, .screen]

  /// As URLs and the ledger call it.
  var name: String {
    switch self {
    case .camera: "camera"
    case .screen: "screen"
    case .site: "site"
    }
  }

  /// As logs and their files call it.
  var logName: String {
    if case .site(let seat) = self { "\(FeedSubject.sitePrefix)\(seat)" } else { name }
  }

  /// As panes and news call it.
  var paneName: String {
    if case .site(let seat) = self { "seat:\(seat)" } else { name }
  }

  var isReturn: Bool {
    if case .site = self { true } else { false }
  }
}

/// One HTTP session and the transport behind it.
struct Session {
  enum Kind: Hashable {
    case publish(FeedName)
    case receive
  }

  /// The unguessable last part of its URL.
  let name: String
  let peer: PeerID
  let lesson: Identifier
  let seat: Identifier
  let role: Seat.Role
  let kind: Kind
  /// The worker that has its transport.
  let worker: Int
  /// Strong, with quotes; a new one for each ICE restart.
  var entityTag: String
  var remoteFragment: String
  var bundle: [String]
  let reach: Reach
  var hasMedia = false
  var isConnected = false
  var isStalled = false
  /// Another transport has taken its seat over; its loss is not told.
  var isReplaced = false
  var statistics: PeerStatistics?
  /// UTC milliseconds when `statistics` came.
  var statisticsAt: Int64 = 0
  /// UTC milliseconds since which its transport stands.
  var connectedAt: Int64?
  /// What it carried lately.
  var line = SessionLine()
  /// What its page counted last.
  var pageCounts = LessonDirector.PageCounts()

  var isPublishing: Bool { kind != .receive }
  /// It brings what its site sends back: neither recorded nor attendance.
  var isReturn: Bool {
    if case .publish(.site) = kind { true } else { false }
  }
  /// A transport that receives and stands, and is the only one of its place.
  var isWatching: Bool { isConnected && !isReplaced && !isPublishing }

  /// A transport this long without a word is one its seat comes back from, milliseconds: browsers speak every 2.5 s.
  static let silence: Int64 = 3_500

  func isSilent(now: Int64) -> Bool {
    guard let statistics else { return isStalled }
    return isStalled || statistics.silentMilliseconds + (now - statisticsAt) >= Self.silence
  }
}

/// A feed being recorded: the worker's sink and the recorder's name for what comes out of it.
struct FeedRecording {
  let sink: SinkID
  /// The lesson's home.
  let worker: Int
  let feed: FeedName
  /// Counts the recordings of an always-live lesson; 0 elsewhere.
  let number: UInt32
}

/// A lesson that is open: what the ledger does not need to know of it while it runs.
struct LiveLesson {
  let number: LessonID
  /// The worker that has its publishers and recordings.
  let home: Int
  var value: Lesson
  var seats: [Identifier: Seat]
  var trackers: [Identifier: AttendanceTracker]
  /// Sessions whose transport stands, by feed; the newest that brought media publishes.
  var publishers: [FeedName: PeerID] = [:]
  /// Tracks of the present sessions: which feeds have a picture, which have sound.
  var pictures: Set<FeedName> = []
  var sounds: Set<FeedName> = []
  var recordings: [FeedName: FeedRecording] = [:]
  /// UTC milliseconds since which an always-live lesson has nobody who publishes a feed.
  var silentSince: [FeedName: Int64] = [:]
  var isEnding = false
  var floor: LiveFloor
  /// Whether it shows a recording instead of a lead (异步双师), and the one that goes on.
  var isPlayback = false
  var playback: LivePlayback?
  /// What each of its receivers is sent.
  var stageRate = StageRate()
  /// UTC milliseconds when followers were last told how many watch, and whether that has changed since.
  var countToldAt: Int64 = 0
  var hasUntoldCount = false
  /// When it has to end; nil until that was worked out.
  var end: LessonEnd?
  var isEndStale = true
  /// Whether followers know that its bell has rung.
  var hasRung = false
  /// UTC milliseconds since which nobody teaches; nil while somebody does.
  var leadGoneSince: Int64?
  /// Seats that were there before the relay was started anew.
  var cameBefore: Set<Identifier> = []
  /// Tracks announced while no recording was there yet, told to the recorder when it starts.
  var tracks: [FeedName: [AnnouncedTrack]] = [:]

  struct AnnouncedTrack {
    var number: UInt32
    var kind: MediaKind
    var codec: Codec
  }

  /// The screen is what everyone looks at while it is shared; the teacher is heard through whichever has sound.
  var stage: (picture: FeedName, sound: FeedName) {
    let picture: FeedName = pictures.contains(.screen) ? .screen : .camera
    if sounds.contains(.camera) { return (picture, .camera) }
    return (picture, sounds.contains(.screen) ? .screen : picture)
  }

  /// Those of the lead that have media.
  var liveFeeds: [FeedName] { FeedName.lead.filter { hasMedia($0) } }

  func hasMedia(_ feed: FeedName) -> Bool { pictures.contains(feed) || sounds.contains(feed) }
}

/// When a lesson's doors are open, around its planned time.
enum LessonWindow {
  /// Peers may connect this long before the bell: cameras and lines are tried before a class waits.
  static let early: Int64 = 15 * 60_000

  static func opens(_ lesson: Lesson) -> Int64 { lesson.plannedStart &- early }
  /// When it is over at the latest; `LessonEnd` says when it really is.
  static func closes(_ lesson: Lesson) -> Int64 { lesson.plannedEnd &+ OvertimePolicy.standard.longest }
}
