public import Classroom
import Ledger

/// Where and with which token each seat of a lesson connects. The tokens are secrets: print it for its owner alone.
public struct LessonLinks: Sendable, Encodable {
  public struct Publish: Sendable, Encodable {
    public var feed: String
    public var url: String
    public var token: String
  }
  public struct Receive: Sendable, Encodable {
    public var seat: String
    /// The room's number, such as `P01-1`.
    public var site: String
    public var url: String
    public var token: String
  }
  public struct Pages: Sendable, Encodable {
    public var lead: String
    public var receivers: [String]
  }

  public var lesson: String
  public var whip: [Publish]
  public var whep: [Receive]
  public var page: Pages

  public var id: Identifier { Identifier(lesson) ?? Identifier(high: 0, low: 0) }
}

/// What `tongke serve --sample` prints, so that any client can try.
public struct SampleLinks: Sendable, Encodable {
  public struct Pages: Sendable, Encodable {
    public var lead: String
    public var receiver: String
  }
  public struct Operator: Sendable, Encodable {
    public var token: String
  }
  public var lesson: String
  public var whip: [LessonLinks.Publish]
  public var whep: LessonLinks.Receive
  public var page: Pages
  public var `operator`: Operator
}

extension LessonLinks {
  /// - Parameter base: scheme, host and port, without a slash at the end.
  init(_ seated: SeatedLesson, base: String, pageBase: String, tokens: TokenIssuer, expires: Int64) {
    let id = seated.lesson.id
    func token(_ seat: Seat) -> String { tokens.issue(seat, expires: expires) }
    func page(_ seat: Seat) -> String { "\(pageBase)/#lesson=\(id)&token=\(token(seat))" }
    lesson = "\(id)"
    whip = FeedName.lead.map { feed in
      Publish(feed: feed.name, url: "\(base)/whip/lessons/\(id)/\(feed.name)", token: token(seated.leadSeat))
    }
    let rooms = Dictionary(seated.rooms.map { ($0.id, $0.number) }, uniquingKeysWith: { $1 })
    whep = seated.receiverSeats.map { seat in
      Receive(
        seat: "\(seat.id)", site: seat.room.flatMap { rooms[$0] } ?? "", url: "\(base)/whep/lessons/\(id)",
        token: token(seat))
    }
    self.page = Pages(lead: page(seated.leadSeat), receivers: seated.receiverSeats.map(page))
  }
}
