// Goal: what is granted, revoked, used once or counted stays so over restarts, and has an end. Method: a ledger in a
// folder of its own, a clock that the test sets, and the ledger opened again.
import Classroom
import GRDB
import Ledger
import Testing

@Suite struct AccessStoreTests {
  private let folder: LedgerFolder
  private let store: LedgerStore
  private let teacher = Identifier(high: 1, low: 1)
  private let school = Identifier(high: 2, low: 1)
  private let day: Int64 = 86_400_000

  init() throws {
    folder = try LedgerFolder()
    store = try folder.open()
  }

  private func held(_ number: UInt64, _ role: Role, _ scope: Scope) -> HeldGrant {
    HeldGrant(id: Identifier(high: 7, low: number), subject: teacher, grant: Grant(role, scope))
  }

  // MARK: Keys

  @Test func theFirstKeyIsMadeOnceAndRotationKeepsTheOld() throws {
    var made = 0
    func make() -> TokenKey {
      made += 1
      return TokenKey(id: "k\(made)", value: [UInt8](repeating: UInt8(made), count: 32), madeAt: folder.now)
    }
    let first = try store.tokenKeys(orFirst: make)
    #expect(try store.tokenKeys(orFirst: make) == first && first.count == 1 && made == 1)
    folder.advance(day)
    try store.rotateTokenKey(make(), forgettingBefore: folder.now - 2 * day)
    #expect(try store.tokenKeys().map(\.id) == ["k1", "k2"])
    try store.close()
    let again = try folder.open()
    #expect(try again.tokenKeys().map(\.id) == ["k1", "k2"])
    folder.advance(day)
    try again.rotateTokenKey(make(), forgettingBefore: folder.now - day)
    #expect(try again.tokenKeys().map(\.id) == ["k2", "k3"], "k1 is older than the horizon")
    #expect(throws: ClassroomError.badRange) {
      try again.rotateTokenKey(TokenKey(id: "x", value: [1], madeAt: 0), forgettingBefore: 0)
    }
    for number in 10..<24 {
      let key = TokenKey(id: "n\(number)", value: [UInt8](repeating: 9, count: 32), madeAt: folder.now)
      try again.rotateTokenKey(key, forgettingBefore: 0)
    }
    #expect(throws: LedgerError.full) {
      try again.rotateTokenKey(
        TokenKey(id: "last", value: [UInt8](repeating: 9, count: 32), madeAt: folder.now), forgettingBefore: 0)
    }
  }

  // MARK: Revocation and issued tokens

  @Test func revocationsComeInOrderAndAreLetGoWhenTheirTokensHaveRunOut() throws {
    try store.revoke(.token, teacher, until: folder.now + 1_000, by: nil)
    try store.revoke(.subject, school, until: folder.now + day, by: teacher)
    let all = try store.revocations()
    #expect(all.map(\.kind) == [.token, .subject] && all.map(\.value) == [teacher, school])
    #expect(try store.revocations(after: all[0].id).map(\.value) == [school])
    folder.advance(2_000)
    try store.revoke(.token, Identifier(high: 9, low: 9), until: folder.now + day, by: nil)
    let left = try store.revocations()
    #expect(left.map(\.value) == [school, Identifier(high: 9, low: 9)])
    #expect(left[1].id > all[1].id, "numbers are never used again")
  }

  @Test func issuedTokensAreListedUntilTheyRunOut() throws {
    let grants = [Grant(.leadTeacher, .school(school)), Grant(.countyCoordinator, .county("冷水滩区"))]
    for number in UInt64(1)...3 {
      try store.noteIssued(
        IssuedToken(
          id: Identifier(high: 3, low: number), subject: number == 3 ? school : teacher, grants: grants,
          label: "第 \(number) 个", madeAt: folder.now + Int64(number), expires: folder.now + Int64(number) * 1_000))
    }
    #expect(try store.issuedTokens().map(\.id.low) == [3, 2, 1])
    #expect(try store.issuedTokens(subject: teacher).first?.grants == grants)
    folder.advance(1_500)
    #expect(try store.issuedTokens(subject: teacher).map(\.id.low) == [2])
    #expect(throws: ClassroomError.badName) {
      try store.noteIssued(
        IssuedToken(id: teacher, subject: teacher, grants: [], label: "a\u{7}", madeAt: 0, expires: .max))
    }
  }

  // MARK: Grants

  @Test func grantsHoldFromTheirBeginningToTheirEnd() throws {
    var limited = held(1, .schoolAdmin, .school(school))
    limited.validFrom = folder.now + 1_000
    limited.validUntil = folder.now + 3_000
    try store.give(limited)
    try store.give(held(2, .leadTeacher, .school(school)))
    #expect(try store.grants(of: teacher).map(\.role) == [.leadTeacher])
    folder.advance(1_000)
    #expect(try store.grants(of: teacher).map(\.role) == [.schoolAdmin, .leadTeacher])
    folder.advance(2_000)
    #expect(try store.grants(of: teacher).map(\.role) == [.leadTeacher])
    try store.takeBack(grant: Identifier(high: 7, low: 2))
    #expect(try store.grants(of: teacher) == [])
    #expect(throws: LedgerError.notFound) { try store.takeBack(grant: Identifier(high: 7, low: 2)) }
    let kept = try folder.open().heldGrants(subject: teacher)
    #expect(kept.count == 2 && kept[1].endedAt == folder.now && kept[0].endedAt == nil)
    #expect(try store.heldGrant(Identifier(high: 7, low: 1))?.grant == limited.grant)
  }

  @Test func rolesThatExcludeEachOtherAreRefused() throws {
    try store.give(held(1, .systemAdmin, .city))
    for role in [Role.securityAdmin, .auditor] {
      #expect(throws: LedgerError.conflictingRoles) { try store.give(held(2, role, .city)) }
    }
    #expect(throws: LedgerError.conflictingRoles) { try store.give(held(3, .parent, .school(school))) }
    #expect(throws: ClassroomError.badRange) { try store.give(held(4, .leadTeacher, .city)) }
    // What begins later conflicts now: nobody comes into two by waiting.
    var later = held(5, .auditor, .city)
    later.validFrom = folder.now + day
    #expect(throws: LedgerError.conflictingRoles) { try store.give(later) }
    try store.takeBack(grant: Identifier(high: 7, low: 1))
    try store.give(later)
    #expect(try store.heldGrants(subject: teacher).count == 2)
  }

  // MARK: Codes

  @Test func aCodeIsTakenOnceAndBeforeItsEnd() throws {
    let hash = [UInt8](repeating: 5, count: 32)
    let code = OneTimeCode(hash: hash, kind: .signIn, subject: teacher, expires: folder.now + 1_000)
    try store.put(code)
    #expect(throws: LedgerError.alreadyExists) { try store.put(code) }
    #expect(try store.openCode(hash) == code)
    #expect(try folder.open().takeCode(hash) == code)
    #expect(try store.takeCode(hash) == nil && store.openCode(hash) == nil)
    let late = [UInt8](repeating: 6, count: 32)
    try store.put(OneTimeCode(hash: late, kind: .signIn, subject: teacher, expires: folder.now + 1_000))
    folder.advance(1_000)
    #expect(try store.takeCode(late) == nil)
    // Expired rows are gone, so the hash is free.
    try store.put(OneTimeCode(hash: hash, kind: .signIn, subject: teacher, expires: folder.now + 1_000))
    try store.countAttempt(at: hash, limit: 2)
    #expect(try store.openCode(hash)?.attempts == 1)
    try store.countAttempt(at: hash, limit: 2)
    #expect(try store.takeCode(hash) == nil, "used up by failed tries")
    #expect(throws: ClassroomError.badRange) {
      try store.put(OneTimeCode(hash: [1], kind: .signIn, subject: teacher, expires: folder.now + 1))
    }
  }

  @Test func aSchoolHasFewDigitCodesOpen() throws {
    func code(_ number: UInt8, _ institution: Identifier) -> OneTimeCode {
      OneTimeCode(
        hash: [UInt8](repeating: number, count: 32), kind: .deviceDigits, subject: teacher,
        institution: institution, expires: folder.now + 1_000)
    }
    for number in 0..<UInt8(LedgerStore.digitCodesPerInstitution) { try store.put(code(number, school)) }
    #expect(throws: LedgerError.full) { try store.put(code(100, school)) }
    try store.put(code(101, teacher))
    folder.advance(1_000)
    try store.put(code(100, school))
  }

  // MARK: Failures and second factors

  @Test func failuresLockAndAreForgotten() throws {
    let policy = LockoutPolicy(limit: 3, window: 10_000, lock: 60_000)
    #expect(try store.countFailure("a", policy) == nil)
    #expect(try store.countFailure("a", policy) == nil)
    #expect(try store.countFailure("b", policy) == nil)
    let until = try #require(try store.countFailure("a", policy))
    #expect(until == folder.now + 60_000)
    #expect(try folder.open().lockedUntil("a") == until)
    #expect(try store.lockedUntil("b") == nil)
    folder.advance(30_000)
    #expect(try store.countFailure("a", policy) == until, "a try while it is locked does not lengthen it")
    folder.advance(30_000)
    #expect(try store.lockedUntil("a") == nil)
    #expect(try store.countFailure("a", policy) == nil)
    folder.advance(10_000)
    #expect(try store.countFailure("a", policy) == nil)
    #expect(try store.countFailure("a", policy) == nil, "the first is out of the window")
    #expect(try store.countFailure("a", policy) != nil)
    try store.clearFailures("a")
    #expect(try store.lockedUntil("a") == nil)
  }

  @Test func aTimeStepIsTakenOnce() throws {
    let secret = [UInt8](repeating: 1, count: 20)
    try store.setSecondFactor(of: teacher, secret: secret)
    try store.setSecondFactor(of: teacher, secret: [UInt8](repeating: 2, count: 20))
    #expect(try store.secondFactor(of: teacher)?.isConfirmed == false)
    #expect(try store.takeStep(100, of: teacher))
    #expect(try !store.takeStep(100, of: teacher) && !store.takeStep(99, of: teacher))
    #expect(try folder.open().takeStep(101, of: teacher))
    let factor = try #require(try store.secondFactor(of: teacher))
    #expect(factor.isConfirmed && factor.lastStep == 101 && factor.secret[0] == 2)
    #expect(throws: LedgerError.immutable) { try store.setSecondFactor(of: teacher, secret: secret) }
    try store.removeSecondFactor(of: teacher)
    #expect(throws: LedgerError.notFound) { try store.removeSecondFactor(of: teacher) }
    #expect(try store.secondFactor(of: teacher) == nil && !store.takeStep(200, of: teacher))
  }

  @Test func nothingSecretStandsInTheClear() throws {
    // A code is kept by its hash alone, so whoever reads the file cannot use it.
    let columns = try folder.stranger().read { db in try db.columns(in: "oneTimeCodes").map(\.name) }
    #expect(Set(columns) == ["hash", "kind", "subject", "institution", "madeAt", "expires", "attempts", "usedAt"])
    let tables = try folder.stranger().read { db in
      try String.fetchAll(db, sql: "SELECT lower(sql) FROM sqlite_master WHERE sql IS NOT NULL")
    }
    #expect(!tables.isEmpty && !tables.contains { $0.contains("password") })
  }
}
