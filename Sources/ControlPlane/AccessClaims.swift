public import Classroom
import Foundation
public import JWTKit

/// What a bearer token says (RFC 7519): who its holder is to the system, and until when. It names no person.
public struct AccessClaims: JWTPayload, Hashable, Sendable {
  /// `iss` and `aud` of every token of ours.
  public static let issuer = "tongke"
  /// The subject of the operator of the machine, who is nobody of the ledger.
  public static let `operator` = Identifier(high: 0, low: 1)
  /// The longest that a token may live, in seconds.
  public static let longestLife: Int64 = 400 * 86_400

  /// `jti`, UUIDv7, whose time in milliseconds is when it was made.
  public var id: Identifier
  /// `sub`: a person, a device, a seat, or `operator`.
  public var subject: Identifier
  /// `sid`: the `jti` of the first token of the session that this one goes on with; of others its own.
  public var session: Identifier
  /// `iat`, UTC seconds.
  public var issuedAt: Int64
  /// `exp`, UTC seconds after which it is worth nothing.
  public var expires: Int64
  /// UTC seconds until which a session may be gone on with; nil for a token that is no session's.
  public var sessionEnds: Int64?
  public var grants: [Grant]
  /// Whether a second factor was given.
  public var hasSecondFactor: Bool
  /// The lesson and seat it is for; nil for one that is not a seat's.
  public var lesson: Identifier?
  public var seat: Identifier?
  public var seatRole: Seat.Role?

  /// - Parameters:
  ///   - expires: UTC seconds, held to `longestLife` from now.
  ///   - now: UTC milliseconds.
  public init(subject: Identifier, grants: [Grant], expires: Int64, now: Int64) {
    var random = SystemRandomNumberGenerator()
    id = Identifier(milliseconds: now, using: &random)
    self.subject = subject
    session = id
    issuedAt = now / 1_000
    self.expires = min(expires, issuedAt + Self.longestLife)
    self.grants = grants
    hasSecondFactor = false
  }

  /// Of a seat of a lesson: what its link carries.
  public init(_ seat: Seat, expires: Int64, now: Int64) {
    self.init(subject: seat.id, grants: Self.grants(of: seat), expires: expires, now: now)
    lesson = seat.lesson
    self.seat = seat.id
    seatRole = seat.role
  }

  private static func grants(of seat: Seat) -> [Grant] {
    switch seat.role {
    case .lead: [Grant(.leadTeacher, .lesson(seat.lesson))]
    case .receiver: [Grant(.localTeacher, .lesson(seat.lesson))]
    case .observer: [Grant(.researcher, .lesson(seat.lesson))]
    // No link runs a relay.
    case .operator: []
    }
  }

  /// What pages are told that their token is: its seat's role; of a token without a seat `operator` when it directs
  /// lessons, else `observer`.
  var roleName: String {
    if let seatRole { return seatRole.rawValue }
    let directs = grants.contains { [.cityCoordinator, .countyCoordinator, .schoolAdmin].contains($0.role) }
    return (directs ? Seat.Role.operator : .observer).rawValue
  }

  /// Signature, issuer, audience and times are checked where the token is read.
  public func verify(using algorithm: some JWTAlgorithm) async throws {}

  // MARK: JSON

  private enum CodingKeys: String, CodingKey {
    case iss, aud, sub, jti, sid, iat, exp, ses, grants, mfa, lesson, seat, seatRole
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    guard try values.decode(String.self, forKey: .iss) == Self.issuer,
      try values.decode(String.self, forKey: .aud) == Self.issuer
    else {
      throw DecodingError.dataCorruptedError(forKey: .iss, in: values, debugDescription: "a token of somebody else")
    }
    id = try values.decode(Identifier.self, forKey: .jti)
    subject = try values.decode(Identifier.self, forKey: .sub)
    session = try values.decodeIfPresent(Identifier.self, forKey: .sid) ?? id
    issuedAt = try values.decode(Int64.self, forKey: .iat)
    expires = try values.decode(Int64.self, forKey: .exp)
    sessionEnds = try values.decodeIfPresent(Int64.self, forKey: .ses)
    grants = try values.decode([Grant].self, forKey: .grants)
    hasSecondFactor = try values.decodeIfPresent(Bool.self, forKey: .mfa) ?? false
    lesson = try values.decodeIfPresent(Identifier.self, forKey: .lesson)
    seat = try values.decodeIfPresent(Identifier.self, forKey: .seat)
    seatRole = try values.decodeIfPresent(Seat.Role.self, forKey: .seatRole)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(Self.issuer, forKey: .iss)
    try values.encode(Self.issuer, forKey: .aud)
    try values.encode(id, forKey: .jti)
    try values.encode(subject, forKey: .sub)
    if session != id { try values.encode(session, forKey: .sid) }
    try values.encode(issuedAt, forKey: .iat)
    try values.encode(expires, forKey: .exp)
    try values.encodeIfPresent(sessionEnds, forKey: .ses)
    try values.encode(grants, forKey: .grants)
    if hasSecondFactor { try values.encode(true, forKey: .mfa) }
    try values.encodeIfPresent(lesson, forKey: .lesson)
    try values.encodeIfPresent(seat, forKey: .seat)
    try values.encodeIfPresent(seatRole, forKey: .seatRole)
  }
}
