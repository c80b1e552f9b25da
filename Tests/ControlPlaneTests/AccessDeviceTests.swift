// Goal: a device is enrolled for its room by a link or 6 digits, once, and guessing digits closes the door. Method: a
// desk over a ledger of its own and a clock that the test sets.
import Classroom
import ControlPlane
import Ledger
import Testing

@Suite struct AccessDeviceTests {
  private let folder: AccessFolder
  private let desk: AccessDesk
  private let here = "192.0.2.7"

  init() throws {
    folder = try AccessFolder()
    desk = folder.desk()
  }

  private func enrol(_ digits: String, _ school: Identifier? = nil, from address: String) -> Problem.Kind? {
    refusal { _ = try desk.enrol(digits: digits, institution: school ?? folder.school, from: address) }
  }

  @Test func aDeviceHoldsItsRoomAlone() throws {
    let link = try desk.makeDeviceLink(room: folder.room)
    let device = try desk.enrol(link: link.code, from: here)
    let claims = try folder.tokens.check(device.access.token, now: folder.now)
    #expect(claims.grants == [Grant(.device, .room(folder.room))] && claims.subject == device.device)
    #expect(refusal { _ = try desk.enrol(link: link.code, from: here) } == .badCode)
    let another = try desk.enrol(link: desk.makeDeviceLink(room: folder.room).code, from: here)
    try desk.revoke(subject: device.device)
    #expect(refusal { _ = try folder.tokens.check(device.access.token, now: folder.now) } == .revokedToken)
    #expect(try folder.tokens.check(another.access.token, now: folder.now).subject == another.device)
    #expect(refusal { _ = try desk.makeDeviceLink(room: folder.school) } == .notFound)
    #expect(refusal { _ = try desk.makeDeviceDigits(room: folder.school) } == .notFound)
  }

  @Test func digitsWorkOnceForTheirSchoolForTenMinutes() throws {
    let digits = try desk.makeDeviceDigits(room: folder.room)
    #expect(digits.code.utf8.count == 6 && digits.code.allSatisfy(\.isNumber))
    #expect(digits.expires == folder.now + 600_000)
    let other = Identifier(high: 1, low: 2)
    try folder.store.upsert(Institution(id: other, kind: .school, name: "二小", region: AccessFolder.county))
    #expect(enrol(digits.code, other, from: here) == .badCode, "another school's")
    #expect(try desk.enrol(digits: digits.code, institution: folder.school, from: here).room == folder.room)
    #expect(enrol(digits.code, from: here) == .badCode, "a second time")
    let late = try desk.makeDeviceDigits(room: folder.room)
    folder.advance(seconds: 600)
    #expect(enrol(late.code, from: here) == .badCode, "too late")
  }

  @Test func wrongDigitsLockTheAddress() throws {
    let digits = try desk.makeDeviceDigits(room: folder.room)
    for hostile in ["", "12345", "1234567", "12345a", "１２３４５６", String(repeating: "1", count: 100_000)] {
      #expect(enrol(hostile, from: here) == .badCode)
    }
    let wrong = digits.code == "000000" ? "000001" : "000000"
    for _ in 0..<4 { #expect(enrol(wrong, from: here) == .badCode) }
    #expect(enrol(digits.code, from: here) == .lockedOut, "the right ones as well")
    // A device of the school elsewhere is not locked out with it.
    #expect(enrol(digits.code, from: "198.51.100.1") == nil)
    folder.advance(seconds: 600)
    #expect(enrol(wrong, from: here) == .badCode, "open again")
  }

  @Test func wrongDigitsFromEverywhereLockTheSchool() throws {
    let digits = try desk.makeDeviceDigits(room: folder.room)
    let wrong = digits.code == "000000" ? "000001" : "000000"
    for index in 0..<20 { #expect(enrol(wrong, from: "198.51.100.\(index)") == .badCode) }
    #expect(enrol(digits.code, from: "203.0.113.1") == .lockedOut)
    // Its links still work, so that nobody can keep a school from enrolling.
    let link = try desk.makeDeviceLink(room: folder.room)
    #expect(try desk.enrol(link: link.code, from: "203.0.113.1").room == folder.room)
    // A school that does not exist is counted nowhere but at the address.
    let nobody = Identifier(high: 77, low: 77)
    #expect(enrol(wrong, nobody, from: "203.0.113.2") == .badCode)
    #expect(try folder.store.lockedUntil("institution:\(nobody)") == nil)
  }

  @Test func aSchoolHasTwentyCodesOpen() throws {
    for _ in 0..<LedgerStore.digitCodesPerInstitution { _ = try desk.makeDeviceDigits(room: folder.room) }
    #expect(refusal { _ = try desk.makeDeviceDigits(room: folder.room) } == .tooFast)
    folder.advance(seconds: 600)
    _ = try desk.makeDeviceDigits(room: folder.room)
  }
}
