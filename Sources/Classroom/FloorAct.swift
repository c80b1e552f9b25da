/// What a site may send, each switched by itself (JY/T 《直播类在线教学平台安全保障要求》: 视频、语音、屏幕共享、文字输入).
public enum FloorMedium: String, Hashable, Sendable, Codable, CaseIterable {
  case video, audio, screen, text

  /// What holds for a site about which nobody has decided: a classroom is called to be seen and heard; it shares no
  /// screen and writes no text until it is let.
  public static let standard: Set<FloorMedium> = [.video, .audio]
}

/// The kinds of `FloorAct`; the raw values stand in requests and in the audit trail.
public enum FloorVerb: String, Hashable, Sendable, Codable, CaseIterable {
  case call, uncall, mute, unmute, eject, ban, unban, grant, pause, resume, raiseHand, lowerHand
}

/// Something done to a lesson's floor, by whoever may. Seats are those of sites.
public enum FloorAct: Hashable, Sendable {
  /// 点名发言: everyone sees and hears the site, and no other.
  case call(Identifier)
  case uncall
  /// The site is not heard, also when it is called; nil is every site.
  case mute(Identifier?)
  case unmute(Identifier?)
  /// All connections of the site end; it may come back.
  case eject(Identifier, reason: String)
  /// As `eject`, and it may not come back until `unban` or the lesson's end.
  case ban(Identifier, reason: String)
  case unban(Identifier)
  /// 授权.
  case grant(Identifier, FloorMedium, isOn: Bool)
  /// 一键暂停: nobody is called, no hand is up, and none of it comes back before `resume`.
  case pause
  case resume
  case raiseHand(Identifier)
  case lowerHand(Identifier)

  public var verb: FloorVerb {
    switch self {
    case .call: .call
    case .uncall: .uncall
    case .mute: .mute
    case .unmute: .unmute
    case .eject: .eject
    case .ban: .ban
    case .unban: .unban
    case .grant: .grant
    case .pause: .pause
    case .resume: .resume
    case .raiseHand: .raiseHand
    case .lowerHand: .lowerHand
    }
  }

  /// The site it is about; nil for the whole.
  public var seat: Identifier? {
    switch self {
    case .call(let seat), .eject(let seat, _), .ban(let seat, _), .unban(let seat), .grant(let seat, _, _),
      .raiseHand(let seat), .lowerHand(let seat):
      seat
    case .mute(let seat), .unmute(let seat): seat
    case .uncall, .pause, .resume: nil
    }
  }

  /// What the site is told.
  public var reason: String {
    switch self {
    case .eject(_, let reason), .ban(_, let reason): reason
    default: ""
    }
  }
}

/// Why an act, or a site's sending, is refused.
public enum FloorRefusal: String, Error, Hashable, Sendable, CaseIterable {
  /// No receiving seat of the lesson.
  case notASite
  /// No connection of the site stands.
  case notConnected
  case banned
  case paused
  /// Its picture is switched off.
  case notGranted
}
