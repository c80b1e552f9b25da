// Goal: locks, terminal codes, one's own second factor and vouched links hold for as long as they say, by the clock
// that they are given. Method: a desk over a ledger of its own and a clock that the test sets.
import Classroom
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct AccessAccountTests {
  private let folder: AccessFolder
  private let here = "192.0.2.7"

  init() throws {
    folder = try AccessFolder()
    try folder.store.upsert(
      Person(id: folder.person, institution: folder.school, name: "王丽", staffNumber: "001"))
  }

  private func session(_ desk: AccessDesk) throws -> AccessClaims {
    try desk.signIn(link: desk.makeSignInLink(for: folder.person).code, from: here).claims
  }

  private func digits(drift: Int64 = 0) throws -> String {
    let factor = try #require(try folder.store.secondFactor(of: folder.person))
    return TimeCode.code(secret: factor.secret, step: TimeCode.step(at: folder.now) + drift)
  }

  @Test func aLockedAccountOpensForItsAdministratorAlone() throws {
    let desk = folder.desk()
    try folder.give(.leadTeacher, .school(folder.school))
    let before = try desk.signIn(link: desk.makeSignInLink(for: folder.person).code, from: here)
    try desk.lockAccount(of: folder.person)
    #expect(try desk.lock(of: folder.person) == .locked)
    #expect(refusal { _ = try folder.tokens.check(before.token, now: folder.now) } == .revokedToken)
    folder.advance(seconds: 400 * 86_400)
    let link = try desk.makeSignInLink(for: folder.person)
    #expect(refusal { _ = try desk.signIn(link: link.code, from: here) } == .accountLocked, "no time opens it")
    try desk.unlockAccount(of: folder.person)
    #expect(try desk.lock(of: folder.person) == .open)
    #expect(try desk.signIn(link: link.code, from: here).claims.subject == folder.person)
  }

  @Test func aTerminalsCodeWorksOnceForFiveMinutes() throws {
    let desk = folder.desk()
    try folder.give(.leadTeacher, .school(folder.school))
    let page = try session(desk)
    let code = try desk.makeTerminalCode(for: page)
    #expect(code.code.count == 9 && code.expires == folder.now + 300_000)
    let session = try desk.signIn(terminal: " " + code.code.lowercased(), from: here)
    #expect(session.claims.subject == folder.person && session.claims.session != page.session)
    #expect(refusal { _ = try desk.signIn(terminal: code.code, from: here) } == .badCode, "a second time")
    let late = try desk.makeTerminalCode(for: page)
    folder.advance(seconds: 300)
    #expect(refusal { _ = try desk.signIn(terminal: late.code, from: here) } == .badCode, "too late")
    #expect(refusal { _ = try desk.makeTerminalCode(for: folder.claims()) } == .wrongRole, "no session's token")
    for _ in 0..<10 { _ = try desk.makeTerminalCode(for: page) }
    #expect(refusal { _ = try desk.makeTerminalCode(for: page) } == .tooFast, "they are not made without end")
    let link = try desk.makeSignInLink(for: folder.person)
    #expect(refusal { _ = try desk.signIn(link: late.code, from: here) } == .badCode)
    #expect(refusal { _ = try desk.signIn(terminal: link.code, from: here) } == .badCode)
  }

  @Test func aTerminalIsAsStrongAsThePage() throws {
    let desk = folder.desk { $0.requiresSecondFactor = true }
    try folder.give(.countyCoordinator, .county(AccessFolder.county))
    let link = try desk.makeSignInLink(for: folder.person)
    _ = try desk.startSecondFactor(link: link.code, account: "P01", from: here)
    let strong = try desk.signIn(link: link.code, secondFactor: digits(), from: here).claims
    let code = try desk.makeTerminalCode(for: strong)
    #expect(try desk.signIn(terminal: code.code, from: here).claims.hasSecondFactor)
    var weak = strong
    weak.hasSecondFactor = false
    let other = try desk.makeTerminalCode(for: weak)
    #expect(refusal { _ = try desk.signIn(terminal: other.code, from: here) } == .secondFactorNeeded)
  }

  @Test func oneSetsUpTheOwnSecondFactor() throws {
    let desk = folder.desk()
    try folder.give(.schoolAdmin, .school(folder.school))
    let claims = try session(desk)
    #expect(refusal { _ = try desk.confirmSecondFactor("123456", of: claims, from: here) } == .secondFactorMissing)
    #expect(try desk.startSecondFactor(of: claims, account: "P01/001").contains("secret="))
    let wrong = String(format: "%06d", ((Int(try digits()) ?? 0) + 500_000) % 1_000_000)
    #expect(refusal { _ = try desk.confirmSecondFactor(wrong, of: claims, from: here) } == .badSecondFactor)
    // Begun and not confirmed: nobody is kept out by it.
    #expect(try !session(desk).hasSecondFactor)
    let next = try #require(try desk.confirmSecondFactor(digits(), of: claims, from: here))
    #expect(next.claims.hasSecondFactor && next.claims.session == claims.session)
    #expect(refusal { _ = try desk.startSecondFactor(of: claims, account: "P01/001") } == .secondFactorSet)
    #expect(refusal { _ = try session(desk) } == .secondFactorNeeded)
    let nobody = AccessClaims(subject: AccessClaims.operator, grants: [], expires: .max, now: folder.now)
    #expect(refusal { _ = try desk.startSecondFactor(of: nobody, account: "") } == .notFound)
    for _ in 0..<5 { _ = refusal { _ = try desk.confirmSecondFactor(wrong, of: claims, from: "198.51.100.1") } }
    #expect(try desk.lock(of: folder.person) == .waiting)
    #expect(refusal { _ = try desk.confirmSecondFactor(wrong, of: claims, from: "198.51.100.2") } == .lockedOut)
    folder.advance(seconds: 900)
    #expect(try desk.lock(of: folder.person) == .open)
  }

  @Test func whoIsVouchedForHasMinutesForTheSecondFactor() throws {
    let desk = folder.desk()
    try folder.give(.leadTeacher, .school(folder.school))
    let link = try desk.makeVouchedLink(for: folder.person)
    #expect(link.expires == folder.now + 300_000)
    folder.advance(seconds: 300)
    #expect(refusal { _ = try desk.signIn(link: link.code, from: here) } == .badCode)
    for _ in 0..<10 { _ = try desk.makeSignInLink(for: folder.person) }
    #expect(refusal { _ = try desk.makeSignInLink(for: folder.person) } == .tooFast)
    folder.advance(seconds: 24 * 3_600)
    #expect(try desk.makeSignInLink(for: folder.person).code.count == 43)
  }

  @Test func devicesAreListed() throws {
    let desk = folder.desk()
    try folder.give(.leadTeacher, .school(folder.school))
    _ = try session(desk)
    let device = try desk.enrol(link: desk.makeDeviceLink(room: folder.room).code, from: here)
    #expect(try desk.devices().map(\.id) == [device.device], "sessions are none")
    #expect(try desk.devices().first?.room == folder.room && desk.devices().first?.isRevoked == false)
    try desk.revoke(subject: device.device)
    #expect(try desk.devices().first?.isRevoked == true)
    folder.advance(seconds: 365 * 86_400 + 1)
    #expect(try desk.devices().isEmpty, "it has run out")
  }
}
