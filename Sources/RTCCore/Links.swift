import PacketRing

/// What a worker tells another one of the lessons it lends to it.
public struct LinkNotice: Sendable {
  /// A stream whose packets follow.
  struct Stream: Sendable {
    /// The lender's number of it, as in `PacketRecord.stream`.
    var number: UInt16
    var link: UInt32
    var feed: FeedID
    var kind: MediaKind
    var layer: Int8
    var codec: Codec
    /// Pixel rows, 0 while unknown.
    var height: UInt16
    /// Its publisher makes no key frame when it is asked for one.
    var ignoresPictureRequests: Bool
  }

  enum Content: Sendable {
    case opened(link: UInt32, LessonID)
    case closed(link: UInt32)
    case started(Stream)
    case ended(UInt16)
    case codecChanged(UInt16, Codec)
    case ignoresPictureRequests(UInt16, Bool)
    /// All links end; those that go on are opened again after it.
    case reset
  }

  /// Leases that went into the lane before it: it is read after them and before all others.
  var position: Int
  var content: Content
}

/// What a worker that borrows wants of the one that lends.
public enum LinkWish: Sendable {
  /// A key frame of a stream, by the lender's number.
  case picture(UInt16)
  /// The link's lesson has been opened here: tell and lend everything again.
  case repeated(link: UInt32)
  /// The link's lesson has been closed here.
  case ended(link: UInt32)
  /// This worker ends.
  case stopped
}

/// One worker's ends of the lanes between it and another: what it lends and what it borrows.
public struct NeighbourLanes: ~Copyable, Sendable {
  var leases: LaneProducer<PacketRecord>
  var notices: LaneProducer<LinkNotice>
  var returns: LaneConsumer<SlotIndex>
  var wishes: LaneConsumer<LinkWish>
  var borrowedLeases: LaneConsumer<PacketRecord>
  var borrowedNotices: LaneConsumer<LinkNotice>
  var borrowedReturns: LaneProducer<SlotIndex>
  var borrowedWishes: LaneProducer<LinkWish>
}

/// The lanes between two workers, both ways.
@frozen public struct NeighbourLanePair: ~Copyable, Sendable {
  /// Leases waiting to be read by the other worker: 2 s of 10 Mbit/s are 2,084 packets of 1,200 bytes and 100 of sound;
  /// three such lessons and a group of pictures of 1,600 packets fit. 32 bytes each, 256 KiB, touched as used.
  public static let leaseCapacity = 8_192
  /// The two feeds of a lead have four streams each: 128 lessons that begin all at once.
  static let noticeCapacity = 1_024
  static let wishCapacity = 1_024

  public var first: NeighbourLanes
  public var second: NeighbourLanes

  /// - Parameter leaseCapacity: leases that wait in a lane; what does not fit is dropped at hand-off and counted.
  /// - Parameter slotCount: slots of one worker; no more leases of it are out, and so many fit the lane back.
  public init(leaseCapacity: Int = leaseCapacity, slotCount: Int) {
    let forth = LinkLanes(leaseCapacity: leaseCapacity, slotCount: slotCount)
    let back = LinkLanes(leaseCapacity: leaseCapacity, slotCount: slotCount)
    first = NeighbourLanes(
      leases: forth.leases.takeProducer(), notices: forth.notices.takeProducer(),
      returns: forth.returns.takeConsumer(), wishes: forth.wishes.takeConsumer(),
      borrowedLeases: back.leases.takeConsumer(), borrowedNotices: back.notices.takeConsumer(),
      borrowedReturns: back.returns.takeProducer(), borrowedWishes: back.wishes.takeProducer())
    second = NeighbourLanes(
      leases: back.leases.takeProducer(), notices: back.notices.takeProducer(), returns: back.returns.takeConsumer(),
      wishes: back.wishes.takeConsumer(), borrowedLeases: forth.leases.takeConsumer(),
      borrowedNotices: forth.notices.takeConsumer(), borrowedReturns: forth.returns.takeProducer(),
      borrowedWishes: forth.wishes.takeProducer())
  }
}

/// The lanes of one direction of lending.
private struct LinkLanes {
  let leases: Lane<PacketRecord>
  let notices = Lane<LinkNotice>(capacity: NeighbourLanePair.noticeCapacity)
  let returns: Lane<SlotIndex>
  let wishes = Lane<LinkWish>(capacity: NeighbourLanePair.wishCapacity)

  init(leaseCapacity: Int, slotCount: Int) {
    leases = Lane(capacity: leaseCapacity)
    returns = Lane(capacity: slotCount)
  }
}

/// What a core knows of another worker of its process.
struct Neighbour: ~Copyable {
  /// A lesson that the other worker lends to this one.
  struct Borrowed {
    var link: UInt32
    var lesson: LessonID
    /// The lesson was open here when the link was: its streams are taken.
    var isTaken: Bool
  }

  let worker: Int
  let slots: Range<Int>
  var lanes: NeighbourLanes

  /// Leases ever put into the lane, and leases out.
  var lent = 0
  var outstanding = 0
  /// The lane of notices was full: nothing is lent until the other worker has been told to forget everything.
  var owesReset = false
  /// The other worker has ended.
  var isGone = false

  /// Leases ever taken out of the lane.
  var taken = 0
  /// Leases here.
  var borrowed = 0
  /// The next notice, waiting for the leases before it.
  var notice: LinkNotice?
  var lessons: [Borrowed] = []
  /// Streams here by the lender's number, -1 where none.
  var streams: [Int32]
  /// Wishes that must not be lost and found the lane full.
  var owedWishes: [LinkWish] = []

  init(worker: Int, slots: Range<Int>, lanes: consuming NeighbourLanes, streamLimit: Int) {
    self.worker = worker
    self.slots = slots
    self.lanes = lanes
    streams = Array(repeating: -1, count: streamLimit)
  }
}
