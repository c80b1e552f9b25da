// Goal: what was decided about a lesson's sites holds however the relay ended. Method: acts are kept, the ledger is
// opened again, and the floor made of it is compared with the one that was acted on.
import Classroom
import Ledger
import Testing

@Suite struct FloorEventTests {
  @Test func theFloorIsMadeAgainOfItsEvents() throws {
    let folder = try LedgerFolder()
    var store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    let other = try Classes(in: store, start: folder.now, number: 2)
    let seats = classes.receivers.map(\.id)
    let actor = Identifier(high: 5, low: 5)
    var floor = Floor(sites: Set(seats))
    let acts: [FloorAct] = [
      .raiseHand(seats[2]), .call(seats[0]), .mute(seats[1]), .grant(seats[1], .screen, isOn: true), .uncall,
      .call(seats[1]), .ban(seats[0], reason: "吵闹 \"x\"\u{2028}"), .grant(seats[2], .audio, isOn: false), .mute(nil),
      .unmute(seats[2]), .raiseHand(seats[2]), .eject(seats[2], reason: "y"), .pause,
    ]
    for act in acts {
      let called = floor.called
      _ = try floor.take(act, isConnected: true)
      try store.append(LedgerEvent(act, lesson: classes.lesson.id, called: called, by: actor))
      folder.advance(1)
    }
    // What else happens in the lesson, and in another one, is no act.
    try store.append(classes.event(.degraded, classes.receivers[0]))
    try store.append(
      LedgerEvent(.ban(other.receivers[0].id, reason: ""), lesson: other.lesson.id, called: nil, by: nil))
    try store.close()
    store = try folder.open()
    #expect(try store.floor(lesson: classes.lesson.id, sites: Set(seats)) == floor)
    #expect(floor.isPaused && floor.banned[seats[0]] == "吵闹 \"x\"\u{2028}" && floor.muted.count == 2)

    let kept = try store.events(lesson: classes.lesson.id).filter { $0.event.floorAct != nil }
    #expect(kept.map { $0.event.floorAct?.verb } == acts.map(\.verb))
    #expect(kept.allSatisfy { $0["by"] == "\(actor)" })
    // The end of a call tells whose it was.
    #expect(kept.first { $0.kind == .seatUncalled }?.seat == seats[0])
    #expect(try store.verifyChain().isIntact)
  }

  @Test func everyVerbComesBackAsItWasKept() throws {
    let seat = Identifier(high: 1, low: 2)
    for verb in FloorVerb.allCases {
      let act: FloorAct =
        switch verb {
        case .call: .call(seat)
        case .uncall: .uncall
        case .mute: .mute(seat)
        case .unmute: .unmute(nil)
        case .eject: .eject(seat, reason: "a")
        case .ban: .ban(seat, reason: "b")
        case .unban: .unban(seat)
        case .grant: .grant(seat, .text, isOn: true)
        case .pause: .pause
        case .resume: .resume
        case .raiseHand: .raiseHand(seat)
        case .lowerHand: .lowerHand(seat)
        }
      let event = LedgerEvent(act, lesson: Identifier(high: 3, low: 4), called: nil, by: nil)
      #expect(event.floorAct == act)
      #expect(event["by"] == nil)
    }
    // What no version of ours has written is no act.
    #expect(LedgerEvent(kind: .mediaGranted, seat: seat, payload: [("medium", "smell"), ("on", "1")]).floorAct == nil)
    #expect(LedgerEvent(kind: .seatCalled).floorAct == nil)
    #expect(LedgerEvent(kind: .published, seat: seat).floorAct == nil)
  }

  @Test func aSeatOfAnotherLessonIsRefused() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let classes = try Classes(in: store, start: folder.now)
    let other = try Classes(in: store, start: folder.now, number: 2)
    #expect(throws: LedgerError.notFound) {
      try store.append(
        LedgerEvent(.call(other.receivers[0].id), lesson: classes.lesson.id, called: nil, by: nil))
    }
    #expect(try store.floor(lesson: classes.lesson.id, sites: []) == Floor(sites: []))
  }
}
