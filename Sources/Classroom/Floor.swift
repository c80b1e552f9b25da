/// Who may be seen and heard in a lesson besides its lead: one called site, raised hands, and what each site is let.
///
/// Made anew of the acts that were taken, in their order, it is the same. Sizes are bounded by the lesson's sites, and
/// reasons by `reasonScalars`. Cost: `take` O(hands), of `mute` for all O(sites).
public struct Floor: Hashable, Sendable {
  /// Unicode scalars of a reason; what is longer is cut.
  public static let reasonScalars = 200

  /// The receiving seats of the lesson.
  public let sites: Set<Identifier>
  /// Sites that want to speak, the one that has waited longest first.
  public private(set) var hands: [Identifier] = []
  public private(set) var called: Identifier?
  public private(set) var muted: Set<Identifier> = []
  /// Banned sites with what they are told; empty where nothing was said.
  public private(set) var banned: [Identifier: String] = [:]
  public private(set) var isPaused = false
  /// Where it differs from `FloorMedium.standard`.
  private var granted: [Identifier: Set<FloorMedium>] = [:]

  public init(sites: Set<Identifier>) { self.sites = sites }

  // MARK: What follows from it

  public func allows(_ medium: FloorMedium, of seat: Identifier) -> Bool {
    (granted[seat] ?? FloorMedium.standard).contains(medium)
  }

  /// Whose picture everyone is shown.
  public var shown: Identifier? { called }

  /// Whose sound everyone is given.
  public var heard: Identifier? {
    guard let called, !muted.contains(called), allows(.audio, of: called) else { return nil }
    return called
  }

  /// Why a site may not be connected at all; nil lets it.
  public func refusalToConnect(_ seat: Identifier) -> FloorRefusal? { banned[seat] == nil ? nil : .banned }

  /// Why a site may not send picture and sound; nil lets it.
  public func refusalToSend(_ seat: Identifier) -> FloorRefusal? {
    guard sites.contains(seat) else { return .notASite }
    if banned[seat] != nil { return .banned }
    if isPaused { return .paused }
    return allows(.video, of: seat) ? nil : .notGranted
  }

  // MARK: Acts

  /// Does what is asked, or nothing.
  /// - Parameter isConnected: whether a connection of the act's seat stands.
  /// - Returns: whether it has changed anything, which ejecting always does.
  public mutating func take(_ act: FloorAct, isConnected: Bool) throws(FloorRefusal) -> Bool {
    if let refusal = refusal(of: act, isConnected: isConnected) { throw refusal }
    let before = self
    apply(act)
    return act.verb == .eject || self != before
  }

  private func refusal(of act: FloorAct, isConnected: Bool) -> FloorRefusal? {
    if let seat = act.seat, !sites.contains(seat) { return .notASite }
    switch act {
    case .call(let seat):
      if banned[seat] != nil { return .banned }
      if isPaused { return .paused }
      if !isConnected { return .notConnected }
      return allows(.video, of: seat) ? nil : .notGranted
    case .raiseHand(let seat):
      if banned[seat] != nil { return .banned }
      if isPaused { return .paused }
      return isConnected ? nil : .notConnected
    case .eject: return isConnected ? nil : .notConnected
    default: return nil
    }
  }

  /// Takes an act that was let through before, as when the floor is made anew. What it cannot have been is ignored.
  public mutating func apply(_ act: FloorAct) {
    if let seat = act.seat, !sites.contains(seat) { return }
    switch act {
    case .call(let seat):
      guard !isPaused, banned[seat] == nil, allows(.video, of: seat) else { return }
      called = seat
      hands.removeAll { $0 == seat }
    case .uncall: called = nil
    case .mute(let seat): muted.formUnion(seat.map { [$0] } ?? sites)
    case .unmute(let seat): muted.subtract(seat.map { [$0] } ?? sites)
    case .eject(let seat, _): silence(seat)
    case .ban(let seat, let reason):
      silence(seat)
      banned[seat] = Self.cut(reason)
    case .unban(let seat): banned[seat] = nil
    case .grant(let seat, let medium, let isOn):
      set(medium, of: seat, isOn: isOn)
      if medium == .video, !isOn, called == seat { called = nil }
    case .pause:
      isPaused = true
      called = nil
      hands.removeAll()
    case .resume: isPaused = false
    case .raiseHand(let seat):
      guard !isPaused, banned[seat] == nil, called != seat, !hands.contains(seat) else { return }
      hands.append(seat)
    case .lowerHand(let seat): hands.removeAll { $0 == seat }
    }
  }

  private mutating func silence(_ seat: Identifier) {
    if called == seat { called = nil }
    hands.removeAll { $0 == seat }
  }

  private mutating func set(_ medium: FloorMedium, of seat: Identifier, isOn: Bool) {
    var media = granted[seat] ?? FloorMedium.standard
    if isOn { media.insert(medium) } else { media.remove(medium) }
    // Equal floors are equal values, however they came to be.
    granted[seat] = media == FloorMedium.standard ? nil : media
  }

  private static func cut(_ reason: String) -> String {
    var kept = String.UnicodeScalarView()
    kept.append(contentsOf: reason.unicodeScalars.prefix(reasonScalars))
    return String(kept)
  }
}
