/// A role that somebody holds, as people read it.
public struct GrantReply: Codable, Hashable, Sendable {
  /// To take it back by; nil for what a token says.
  public var id: String?
  /// Such as `schoolAdmin`.
  public var role: String
  /// As `GrantRequest.scope` takes it.
  public var scope: String
  /// Name of the place; empty for the city.
  public var place: String
  /// Civil times of China, `2026-09-07 10:10`; nil is without an end.
  public var from: String?
  public var until: String?

  public init(
    id: String? = nil, role: String, scope: String, place: String, from: String? = nil, until: String? = nil
  ) {
    self.id = id
    self.role = role
    self.scope = scope
    self.place = place
    self.from = from
    self.until = until
  }
}

/// A role to be given: the body of `POST …/accounts/{person}/grants`.
public struct GrantRequest: Codable, Hashable, Sendable {
  public var role: String
  /// `city`, `county:NAME`, `school:NUMBER`, `room:NUMBER`, `lesson:UUID`; a UUID in place of a number is taken too.
  public var scope: String
  /// Civil times of China, `2026-09-07 10:10`; nil is from now on, and until it is taken back.
  public var from: String?
  public var until: String?

  public init(role: String, scope: String, from: String? = nil, until: String? = nil) {
    self.role = role
    self.scope = scope
    self.from = from
    self.until = until
  }
}

/// A person's account.
public struct AccountReply: Codable, Hashable, Sendable {
  public var id: String
  public var name: String
  /// Number of the school; nil for the staff of a bureau.
  public var institution: String?
  public var staffNumber: String
  /// Who vouches for the person elsewhere; nil where nobody does.
  public var identity: IdentityReply?
  public var grants: [GrantReply]
  /// `none`, `started` or `confirmed`.
  public var secondFactor: String
  /// `open`, `waiting` after too many wrong attempts, or `locked` by an administrator.
  public var lock: String

  public init(
    id: String, name: String, institution: String?, staffNumber: String, identity: IdentityReply?,
    grants: [GrantReply], secondFactor: String, lock: String
  ) {
    self.id = id
    self.name = name
    self.institution = institution
    self.staffNumber = staffNumber
    self.identity = identity
    self.grants = grants
    self.secondFactor = secondFactor
    self.lock = lock
  }
}

/// Who vouches for somebody (OpenID Connect `iss`, or a ticket's gateway), and the name there.
public struct IdentityReply: Codable, Hashable, Sendable {
  public var issuer: String
  public var subject: String

  public init(issuer: String, subject: String) {
    self.issuer = issuer
    self.subject = subject
  }
}

/// A page of accounts.
public struct AccountList: Codable, Hashable, Sendable {
  public var accounts: [AccountReply]
  /// What `cursor` takes for the next page; nil on the last.
  public var next: String?

  public init(accounts: [AccountReply], next: String? = nil) {
    self.accounts = accounts
    self.next = next
  }
}

/// A person to be made: the body of `POST /api/v1/accounts`.
public struct AccountRequest: Codable, Hashable, Sendable {
  public var name: String
  /// Number of the school; nil for the staff of a bureau.
  public var institution: String?
  public var staffNumber: String
  /// The first role.
  public var grant: GrantRequest?

  public init(name: String, institution: String?, staffNumber: String, grant: GrantRequest? = nil) {
    self.name = name
    self.institution = institution
    self.staffNumber = staffNumber
    self.grant = grant
  }
}

/// A link that lets somebody in once. The code is a secret.
public struct LinkReply: Codable, Hashable, Sendable {
  public var code: String
  /// Civil time of China.
  public var expires: String
  /// Address of the page that takes it; the code belongs behind `#code=`.
  public var page: String

  public init(code: String, expires: String, page: String) {
    self.code = code
    self.expires = expires
    self.page = page
  }

  /// What is handed over: a fragment is sent to no server.
  public var link: String { "\(page)#code=\(code)" }
}

/// The body of `POST /api/v1/sign-in`.
public struct SignInRequest: Codable, Hashable, Sendable {
  /// Of a link, 43 characters, or a terminal's, such as `K7QM-2XRT`.
  public var code: String
  /// 6 digits of an authenticator app.
  public var secondFactor: String?

  public init(code: String, secondFactor: String? = nil) {
    self.code = code
    self.secondFactor = secondFactor
  }
}

/// Who somebody is to the relay, and for how long.
public struct SessionReply: Codable, Hashable, Sendable {
  /// A new token; nil where the one that was sent is told of.
  public var token: String?
  /// `person`, `device`, `seat` or `operator`.
  public var kind: String
  public var id: String
  /// A person's name, or a device's room.
  public var name: String
  public var grants: [GrantReply]
  /// UTC milliseconds until which the token is good.
  public var expires: Int64
  /// UTC milliseconds until which the session may be gone on with; nil for a token that is no session's.
  public var ends: Int64?
  /// `none`, `started` or `confirmed`.
  public var secondFactor: String

  public init(
    token: String? = nil, kind: String, id: String, name: String, grants: [GrantReply], expires: Int64, ends: Int64?,
    secondFactor: String
  ) {
    self.token = token
    self.kind = kind
    self.id = id
    self.name = name
    self.grants = grants
    self.expires = expires
    self.ends = ends
    self.secondFactor = secondFactor
  }
}

/// A second factor that has been begun: shown once.
public struct SecondFactorReply: Codable, Hashable, Sendable {
  /// `otpauth://` for an authenticator app.
  public var address: String
  /// The same secret to be typed, base32.
  public var secret: String

  public init(address: String, secret: String) {
    self.address = address
    self.secret = secret
  }
}

/// A short code for a terminal.
public struct TerminalCodeReply: Codable, Hashable, Sendable {
  public var code: String
  /// Civil time of China.
  public var expires: String

  public init(code: String, expires: String) {
    self.code = code
    self.expires = expires
  }
}

/// What enrols a device: the answer of `POST /api/v1/rooms/{room}/device-codes`.
public struct DeviceCodeReply: Codable, Hashable, Sendable {
  /// `digits` or `link`.
  public var kind: String
  public var code: String
  /// Number of the school, to be typed together with digits.
  public var institution: String
  public var room: String
  /// Civil time of China.
  public var expires: String
  /// Address of the page that takes it; a link's code belongs behind `#device=`.
  public var page: String

  public init(kind: String, code: String, institution: String, room: String, expires: String, page: String) {
    self.kind = kind
    self.code = code
    self.institution = institution
    self.room = room
    self.expires = expires
    self.page = page
  }

  public var link: String { "\(page)#device=\(code)" }
}

/// An enrolled device.
public struct DeviceReply: Codable, Hashable, Sendable {
  public var id: String
  /// Number of its room.
  public var room: String
  /// Civil times of China.
  public var enrolled: String
  public var expires: String
  public var revoked: Bool

  public init(id: String, room: String, enrolled: String, expires: String, revoked: Bool) {
    self.id = id
    self.room = room
    self.enrolled = enrolled
    self.expires = expires
    self.revoked = revoked
  }
}
