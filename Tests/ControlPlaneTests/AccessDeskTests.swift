// Goal: people and devices come in once, in time, with what is asked of them, and guessing closes the door. Method: a
// desk over a ledger of its own and a clock that the test sets; every refusal is provoked.
import Classroom
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct AccessDeskTests {
  private let folder: AccessFolder
  private let here = "192.0.2.7"

  init() throws { folder = try AccessFolder() }

  private func code(_ desk: AccessDesk, drift: Int64 = 0) throws -> String {
    let factor = try #require(try folder.store.secondFactor(of: folder.person))
    return TimeCode.code(secret: factor.secret, step: TimeCode.step(at: folder.now) + drift)
  }

  // MARK: Links and sessions

  @Test func aLinkLetsItsPersonInOnce() throws {
    let desk = folder.desk()
    try folder.give(.schoolAdmin, .school(folder.school))
    let link = try desk.makeSignInLink(for: folder.person)
    #expect(link.code.utf8.count == 43, "256 bits")
    let session = try desk.signIn(link: link.code, from: here)
    let claims = try folder.tokens.check(session.token, now: folder.now)
    #expect(claims.subject == folder.person && claims.grants == [Grant(.schoolAdmin, .school(folder.school))])
    #expect(claims.expires == folder.now / 1_000 + 1_800 && !claims.hasSecondFactor)
    #expect(refusal { _ = try desk.signIn(link: link.code, from: here) } == .badCode, "a second time")
    let late = try desk.makeSignInLink(for: folder.person)
    folder.advance(seconds: 24 * 3_600)
    #expect(refusal { _ = try desk.signIn(link: late.code, from: here) } == .badCode, "too late")
    let device = try desk.makeDeviceLink(room: folder.room)
    #expect(refusal { _ = try desk.signIn(link: device.code, from: here) } == .badCode, "a device's link")
    let stranger = try desk.makeSignInLink(for: Identifier(high: 3, low: 99))
    #expect(refusal { _ = try desk.signIn(link: stranger.code, from: here) } == .noGrant, "without a role")
  }

  @Test func anIdleSessionEndsAndABusyOneGoesOnToItsEnd() throws {
    let desk = folder.desk()
    try folder.give(.leadTeacher, .school(folder.school))
    var session = try desk.signIn(link: desk.makeSignInLink(for: folder.person).code, from: here)
    let first = session
    for _ in 0..<30 {
      folder.advance(seconds: 1_500)
      let claims = try folder.tokens.check(session.token, now: folder.now)
      guard folder.now / 1_000 < claims.sessionEnds ?? 0 else { break }
      session = try desk.refresh(claims)
      #expect(session.claims.session == first.claims.id && session.claims.id != first.claims.id)
      #expect(session.claims.expires <= first.claims.issuedAt + 12 * 3_600)
      if session.claims.expires == session.claims.sessionEnds { break }
    }
    #expect(session.claims.expires == first.claims.issuedAt + 12 * 3_600, "twelve hours, and no more")
    folder.advance(seconds: 1_800)
    #expect(refusal { _ = try folder.tokens.check(session.token, now: folder.now) } == .expiredToken)
    #expect(refusal { _ = try desk.refresh(session.claims) } == .expiredToken)
    #expect(refusal { _ = try desk.refresh(folder.claims()) } == .wrongRole, "no session's token")
  }

  @Test func idleForHalfAnHourIsOver() throws {
    let desk = folder.desk()
    try folder.give(.leadTeacher, .school(folder.school))
    let session = try desk.signIn(link: desk.makeSignInLink(for: folder.person).code, from: here)
    folder.advance(seconds: 1_800)
    #expect(refusal { _ = try folder.tokens.check(session.token, now: folder.now) } == .expiredToken)
  }

  @Test func signingOutAndLosingARoleEndASession() throws {
    let desk = folder.desk()
    try folder.give(.leadTeacher, .school(folder.school))
    let session = try desk.signIn(link: desk.makeSignInLink(for: folder.person).code, from: here)
    let next = try desk.refresh(session.claims)
    try desk.signOut(next.claims)
    for token in [session.token, next.token] {
      #expect(refusal { _ = try folder.tokens.check(token, now: folder.now) } == .revokedToken)
    }
    let again = try desk.signIn(link: desk.makeSignInLink(for: folder.person).code, from: here)
    let city = Caller(claims: folder.claims(.cityCoordinator, .city), address: here)
    let held = try #require(try folder.store.heldGrants(subject: folder.person).first)
    try desk.takeBack(held, at: .place(AccessPlace(county: AccessFolder.county, school: folder.school)), by: city)
    #expect(refusal { _ = try folder.tokens.check(again.token, now: folder.now) } == .revokedToken)
    #expect(refusal { _ = try desk.refresh(again.claims) } == .noGrant)
  }

  // MARK: Second factors

  @Test func administratorsGiveASecondFactorWhereItIsAsked() throws {
    let desk = folder.desk { $0.requiresSecondFactor = true }
    try folder.give(.countyCoordinator, .county(AccessFolder.county))
    let link = try desk.makeSignInLink(for: folder.person)
    #expect(refusal { _ = try desk.signIn(link: link.code, from: here) } == .secondFactorMissing)
    let address = try desk.startSecondFactor(link: link.code, account: "P01", from: here)
    #expect(address.hasPrefix("otpauth://totp/"))
    #expect(refusal { _ = try desk.signIn(link: link.code, from: here) } == .secondFactorNeeded)
    let first = try code(desk)
    let session = try desk.signIn(link: link.code, secondFactor: first, from: here)
    #expect(session.claims.hasSecondFactor)

    let second = try desk.makeSignInLink(for: folder.person)
    #expect(refusal { _ = try desk.signIn(link: second.code, from: here) } == .secondFactorNeeded)
    #expect(
      refusal { _ = try desk.signIn(link: second.code, secondFactor: first, from: here) } == .badSecondFactor,
      "a code is never accepted twice")
    #expect(
      refusal { _ = try desk.startSecondFactor(link: second.code, account: "P01", from: here) } == .secondFactorSet,
      "a link alone does not replace the second factor")
    folder.advance(seconds: 30)
    #expect(try desk.signIn(link: second.code, secondFactor: code(desk), from: here).claims.hasSecondFactor)
    try desk.removeSecondFactor(of: folder.person)
    #expect(refusal { _ = try folder.tokens.check(session.token, now: folder.now) } == .revokedToken)
  }

  @Test func teachersNeedNoneUntilTheyHaveOne() throws {
    let desk = folder.desk { $0.requiresSecondFactor = true }
    try folder.give(.leadTeacher, .school(folder.school))
    let plain = try desk.signIn(link: desk.makeSignInLink(for: folder.person).code, from: here)
    #expect(!plain.claims.hasSecondFactor)
    let link = try desk.makeSignInLink(for: folder.person)
    _ = try desk.startSecondFactor(link: link.code, account: "t", from: here)
    #expect(try desk.signIn(link: link.code, secondFactor: code(desk), from: here).claims.hasSecondFactor)
    let next = try desk.makeSignInLink(for: folder.person)
    #expect(refusal { _ = try desk.signIn(link: next.code, from: here) } == .secondFactorNeeded)
    // Who becomes a coordinator in a session without one cannot go on with it.
    try folder.give(.countyCoordinator, .county(AccessFolder.county), number: 2)
    #expect(refusal { _ = try desk.refresh(plain.claims) } == .secondFactorNeeded)
  }

  @Test func guessingASecondFactorUsesTheLinkUpAndLocksTheAccount() throws {
    let desk = folder.desk { $0.requiresSecondFactor = true }
    try folder.give(.countyCoordinator, .county(AccessFolder.county))
    let link = try desk.makeSignInLink(for: folder.person)
    _ = try desk.startSecondFactor(link: link.code, account: "P01", from: here)
    let wrong = String(format: "%06d", ((Int(try code(desk)) ?? 0) + 500_000) % 1_000_000)
    for _ in 0..<5 {
      #expect(refusal { _ = try desk.signIn(link: link.code, secondFactor: wrong, from: here) } == .badSecondFactor)
    }
    #expect(refusal { _ = try desk.signIn(link: link.code, secondFactor: wrong, from: here) } == .badCode)
    let next = try desk.makeSignInLink(for: folder.person)
    let right = try code(desk)
    do {
      _ = try desk.signIn(link: next.code, secondFactor: right, from: "198.51.100.1")
      Issue.record("a locked account was let in")
    } catch let problem as Problem {
      #expect(problem.kind == .lockedOut && (1...900).contains(problem.retryAfter ?? 0))
    }
    folder.advance(seconds: 900)
    #expect(try desk.signIn(link: next.code, secondFactor: code(desk), from: "198.51.100.1").claims.hasSecondFactor)
  }

  @Test func wrongLinksLockTheirAddress() throws {
    let desk = folder.desk()
    try folder.give(.leadTeacher, .school(folder.school))
    let link = try desk.makeSignInLink(for: folder.person)
    let wrong = String(repeating: "A", count: 43)
    for index in 0..<10 {
      // All addresses of one /64 are one.
      #expect(refusal { _ = try desk.signIn(link: wrong, from: "2001:db8::\(index)") } == .badCode)
    }
    #expect(refusal { _ = try desk.signIn(link: link.code, from: "2001:db8::ffff") } == .lockedOut)
    for hostile in ["", String(repeating: "é", count: 1_000_000), "\u{0}"] {
      #expect(refusal { _ = try desk.signIn(link: hostile, from: "198.51.100.9") } == .badCode)
    }
    #expect(try desk.signIn(link: link.code, from: "2001:db8:0:1::1").claims.subject == folder.person)
  }

  // MARK: Roles and tokens to keep

  @Test func rolesAreGivenByThoseWhoMay() throws {
    let desk = folder.desk()
    let place = AccessTarget.place(AccessPlace(county: AccessFolder.county, school: folder.school))
    let grant = Grant(.schoolAdmin, .school(folder.school))
    let county = Caller(claims: folder.claims(.countyCoordinator, .county(AccessFolder.county)), address: here)
    let other = Caller(claims: folder.claims(.countyCoordinator, .county("零陵区")), address: here)
    let teacher = Caller(claims: folder.claims(), address: here)
    #expect(refusal { try desk.give(grant, at: place, to: folder.person, by: other) } == .outsideScope)
    #expect(refusal { try desk.give(grant, at: place, to: folder.person, by: teacher) } == .wrongRole)
    let held = try desk.give(grant, at: place, to: folder.person, until: folder.now + 1_000, by: county)
    #expect(try folder.store.grants(of: folder.person) == [grant] && held.givenBy == folder.person)
    let parent = Grant(.parent, .school(folder.school))
    #expect(refusal { try desk.give(parent, at: place, to: folder.person, by: county) } == .conflictingRoles)
    #expect(refusal { try desk.takeBack(held, at: place, by: other) } == .outsideScope)
  }

  @Test func tokensToKeepAreListedAndRevoked() throws {
    let desk = folder.desk()
    let grants = [Grant(.countyCoordinator, .county(AccessFolder.county))]
    let kept = try desk.issue(to: folder.person, grants: grants, days: 30, label: "笔记本")
    #expect(try folder.tokens.check(kept.token, now: folder.now).grants == grants)
    #expect(try desk.list().map(\.token.label) == ["笔记本"] && desk.list().first?.isRevoked == false)
    try desk.revoke(token: kept.claims.id)
    #expect(try desk.list().first?.isRevoked == true)
    for days in [0, 401, -1, Int64.max] {
      #expect(refusal { _ = try desk.issue(to: folder.person, grants: grants, days: days, label: "") } == .badRange)
    }
    let both = [Grant(.systemAdmin, .city), Grant(.auditor, .city)]
    #expect(refusal { _ = try desk.issue(to: folder.person, grants: both, days: 1, label: "") } == .conflictingRoles)
    #expect(throws: ClassroomError.badRange) {
      try desk.issue(to: folder.person, grants: [Grant(.leadTeacher, .city)], days: 1, label: "")
    }
  }

  @Test func theFirstTokenIsMadeOnTheMachineItself() throws {
    #expect(throws: LedgerError.notFound) {
      try AccessDesk.firstAdminToken(dataDirectory: folder.scratch.path + "/nothing")
    }
    let token = try AccessDesk.firstAdminToken(dataDirectory: folder.scratch.path)
    let now = Int64(Date().timeIntervalSince1970 * 1_000)
    let claims = try folder.tokens.check(token, now: now)
    #expect(claims.grants == AccessDesk.operatorGrants && claims.subject == AccessClaims.operator)
    #expect(claims.expires - now / 1_000 <= 30 * 86_400)
  }
}
