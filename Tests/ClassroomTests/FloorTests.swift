// Goal: whoever is not let is neither called nor heard, whatever is asked in whichever order, and what was done can be
// done again from its record. Method: thousands of random acts against the promises, and the rules one by one.
import Classroom
import Testing

@Suite struct FloorTests {
  private static let sites = (0..<6).map { Identifier(high: 7, low: $0) }
  private static let stranger = Identifier(high: 8, low: 0)

  private func floor() -> Floor { Floor(sites: Set(Self.sites)) }

  private func randomAct(_ random: inout SeededGenerator) -> FloorAct {
    let known = Self.sites + [Self.stranger]
    let seat = known[Int.random(in: 0..<known.count, using: &random)]
    let isAll = Int.random(in: 0..<8, using: &random) == 0
    // A floor that is paused half the time and bans half the sites would hardly ever be called from.
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1: return .call(seat)
    case 2: return .unban(seat)
    case 3: return .resume
    default: break
    }
    switch FloorVerb.allCases[Int.random(in: 0..<FloorVerb.allCases.count, using: &random)] {
    case .call: return .call(seat)
    case .uncall: return .uncall
    case .mute: return .mute(isAll ? nil : seat)
    case .unmute: return .unmute(isAll ? nil : seat)
    case .eject: return .eject(seat, reason: "")
    case .ban: return .ban(seat, reason: "吵闹")
    case .unban: return .unban(seat)
    case .grant:
      let medium = FloorMedium.allCases[Int.random(in: 0..<4, using: &random)]
      return .grant(seat, medium, isOn: Bool.random(using: &random))
    case .pause: return .pause
    case .resume: return .resume
    case .raiseHand: return .raiseHand(seat)
    case .lowerHand: return .lowerHand(seat)
    }
  }

  private func expectPromises(_ floor: Floor, _ note: String) {
    if let called = floor.called {
      #expect(floor.sites.contains(called) && !floor.isPaused && floor.banned[called] == nil, "\(note)")
      #expect(floor.allows(.video, of: called) && !floor.hands.contains(called), "\(note)")
    }
    #expect(floor.shown == floor.called, "\(note)")
    if let heard = floor.heard {
      #expect(heard == floor.called && !floor.muted.contains(heard) && floor.allows(.audio, of: heard), "\(note)")
    }
    #expect(Set(floor.hands).count == floor.hands.count && floor.sites.isSuperset(of: floor.hands), "\(note)")
    #expect(floor.hands.allSatisfy { floor.banned[$0] == nil }, "\(note)")
    if floor.isPaused { #expect(floor.hands.isEmpty && floor.called == nil && floor.heard == nil, "\(note)") }
    for site in floor.sites {
      let refusal = floor.refusalToSend(site)
      #expect((refusal == nil) == (!floor.isPaused && floor.banned[site] == nil && floor.allows(.video, of: site)))
      #expect((floor.refusalToConnect(site) == nil) == (floor.banned[site] == nil))
    }
    #expect(floor.refusalToSend(Self.stranger) == .notASite)
  }

  @Test(arguments: UInt64(0)..<40) func promisesHoldWhateverIsAsked(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var floor = floor()
    var taken: [FloorAct] = []
    var refused = 0
    var calls = 0
    for step in 0..<500 {
      let act = randomAct(&random)
      let before = floor
      do throws(FloorRefusal) {
        let isChanged = try floor.take(act, isConnected: Int.random(in: 0..<10, using: &random) > 0)
        if isChanged { taken.append(act) }
        #expect(isChanged == (act.verb == .eject || floor != before), "seed \(seed), \(act)")
        if case .call(let seat) = act { #expect(floor.called == seat) }
      } catch {
        refused += 1
        #expect(floor == before, "a refusal changes nothing: seed \(seed), \(act)")
      }
      if act.seat == Self.stranger { #expect(floor == before, "\(act)") }
      // What a site does by itself decides about nothing.
      if act.verb == .raiseHand || act.verb == .lowerHand {
        #expect(floor.called == before.called && floor.isPaused == before.isPaused && floor.banned == before.banned)
        #expect(floor.muted == before.muted && floor.heard == before.heard)
      }
      if before.isPaused, act.verb != .resume { #expect(floor.isPaused && floor.called == nil, "\(act)") }
      if floor.called != nil { calls += 1 }
      expectPromises(floor, "seed \(seed), step \(step), \(act)")
    }
    #expect(refused > 20 && calls > 20 && taken.count > 100, "the acts were worth trying")
    var again = self.floor()
    for act in taken { again.apply(act) }
    #expect(again == floor, "seed \(seed): from its record")
  }

  @Test func callingIsRefusedWithTheReason() throws {
    let (a, b) = (Self.sites[0], Self.sites[1])
    var floor = floor()
    #expect(throws: FloorRefusal.notASite) { try floor.take(.call(Self.stranger), isConnected: true) }
    #expect(throws: FloorRefusal.notConnected) { try floor.take(.call(a), isConnected: false) }
    _ = try floor.take(.ban(a, reason: "x"), isConnected: false)
    #expect(throws: FloorRefusal.banned) { try floor.take(.call(a), isConnected: true) }
    #expect(throws: FloorRefusal.banned) { try floor.take(.raiseHand(a), isConnected: true) }
    _ = try floor.take(.grant(b, .video, isOn: false), isConnected: true)
    #expect(throws: FloorRefusal.notGranted) { try floor.take(.call(b), isConnected: true) }
    _ = try floor.take(.grant(b, .video, isOn: true), isConnected: true)
    _ = try floor.take(.pause, isConnected: false)
    #expect(throws: FloorRefusal.paused) { try floor.take(.call(b), isConnected: true) }
    #expect(throws: FloorRefusal.paused) { try floor.take(.raiseHand(b), isConnected: true) }
    #expect(floor.refusalToSend(b) == .paused)
    _ = try floor.take(.resume, isConnected: false)
    #expect(try floor.take(.call(b), isConnected: true))
    #expect(try !floor.take(.call(b), isConnected: true), "called already")
  }

  @Test func handsWaitInTheirOrderAndACallTakesOne() throws {
    var floor = floor()
    for site in [3, 1, 4] { #expect(try floor.take(.raiseHand(Self.sites[site]), isConnected: true)) }
    #expect(try !floor.take(.raiseHand(Self.sites[1]), isConnected: true))
    #expect(floor.hands == [3, 1, 4].map { Self.sites[$0] })
    _ = try floor.take(.call(Self.sites[1]), isConnected: true)
    #expect(floor.hands == [3, 4].map { Self.sites[$0] })
    _ = try floor.take(.lowerHand(Self.sites[3]), isConnected: false)
    #expect(floor.hands == [Self.sites[4]])
  }

  @Test func soundIsTakenWithoutThePicture() throws {
    let a = Self.sites[0]
    var floor = floor()
    _ = try floor.take(.call(a), isConnected: true)
    #expect(floor.shown == a && floor.heard == a)
    _ = try floor.take(.mute(nil), isConnected: false)
    #expect(floor.muted == floor.sites && floor.shown == a && floor.heard == nil)
    _ = try floor.take(.unmute(a), isConnected: false)
    #expect(floor.heard == a)
    _ = try floor.take(.grant(a, .audio, isOn: false), isConnected: true)
    #expect(floor.shown == a && floor.heard == nil)
    _ = try floor.take(.grant(a, .video, isOn: false), isConnected: true)
    #expect(floor.called == nil)
  }

  @Test func standardGrantsAreStated() {
    let floor = floor()
    #expect(FloorMedium.allCases.filter { floor.allows($0, of: Self.sites[0]) } == [.video, .audio])
  }

  @Test func aReasonIsCut() throws {
    var floor = floor()
    _ = try floor.take(.ban(Self.sites[0], reason: String(repeating: "吵", count: 100_000)), isConnected: true)
    #expect(floor.banned[Self.sites[0]]?.unicodeScalars.count == Floor.reasonScalars)
  }
}
