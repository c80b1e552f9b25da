// Goal: a device that is enrolled by digits or a link opens the lesson of its own room, and nothing else; revoked, it
// opens nothing. Method: a running relay with lessons that go on now, asked over HTTP.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct DeviceRoutesTests {
  private struct Next: Decodable {
    struct Lesson: Decodable {
      var id: String
      var start: Int64
      var opens: Int64
    }
    struct Seat: Decodable {
      var role: String
      var room: String
      var seat: String
      var token: String
    }
    var room: String
    var lesson: Lesson?
    var seat: Seat?
  }

  private struct View: Decodable {
    var role: String
    var seat: String?
  }

  private func enrol(_ asked: TimetableRelay, _ body: [String: String]) async throws -> TimetableRelay.Answer {
    try await asked.ask("POST", "/api/v1/enrolment", token: "none", body: body)
  }

  @Test func aDeviceOpensItsOwnRoomsLessonAlone() async throws {
    let asked = try await TimetableRelay()
    let links = try asked.relay.makeLesson(title: "古诗", receivers: 2, seconds: 600)
    #expect(try await asked.send(asked.places + [asked.courses()]).status == 200)
    #expect(try await asked.ask("POST", "/api/v1/terms/T1/publish").status == 200)
    let elsewhere = try #require(try asked.relay.store.rooms(number: "B01-1").first).id
    let other = try #require(try asked.relay.store.lessons(room: elsewhere).first).id
    let number = links.whep[0].site
    let seats = try asked.relay.store.seats(lesson: links.id)
    let seat = try #require(seats.first { "\($0.id)" == links.whep[0].seat })
    let room = try #require(try seat.room.flatMap { try asked.relay.store.room($0) })
    let made: DeviceCodeReply = try await asked.ask(
      "POST", "/api/v1/rooms/\(room.id)/device-codes", body: ["kind": "link"]
    ).value()
    #expect(made.room == number && made.link.contains("/sign-in#device="))
    let session: SessionReply = try await enrol(asked, ["code": made.code]).value()
    let token = try #require(session.token)
    #expect(session.kind == "device" && session.name == number && session.grants.map(\.role) == ["device"])
    #expect(try await enrol(asked, ["code": made.code]).kind == "badCode", "once")

    let next: Next = try await asked.ask("GET", "/api/v1/devices/me/next-lesson", token: token).value()
    #expect(next.room == number && next.lesson?.id == links.lesson)
    let own = try #require(next.seat)
    #expect(own.role == "receiver" && own.seat == links.whep[0].seat)
    let lesson = "/api/v1/lessons/"
    let view: View = try await asked.ask("GET", lesson + links.lesson, token: own.token).value()
    #expect(view.role == "receiver" && view.seat == own.seat)
    #expect(try await asked.ask("GET", lesson + "\(other)", token: own.token).kind == "wrongLesson")
    #expect(
      try await asked.ask("POST", lesson + "\(other)" + "/seat", token: token, body: [String: String]()).status
        == 403)
    #expect(try await asked.ask("POST", lesson + links.lesson + "/end", token: own.token).status == 403)

    let listed: [DeviceReply] = try await asked.ask("GET", "/api/v1/devices").value()
    #expect(listed.map(\.id) == [session.id] && listed[0].room == number && !listed[0].revoked)
    #expect(try await asked.ask("DELETE", "/api/v1/devices/\(session.id)").status == 204)
    for (path, dead) in [("/api/v1/devices/me/next-lesson", token), (lesson + links.lesson, own.token)] {
      #expect(try await asked.ask("GET", path, token: dead).kind == "revokedToken", "\(path)")
    }
    let after: [DeviceReply] = try await asked.ask("GET", "/api/v1/devices").value()
    #expect(after.first?.revoked == true)
    await asked.relay.stop()
  }

  @Test func aLeadRoomsDeviceTakesTheLeadsSeatAndDirectsNothing() async throws {
    let asked = try await TimetableRelay()
    let links = try asked.relay.makeLesson(title: "古诗", receivers: 1, seconds: 600)
    let lead = try #require(try asked.relay.store.seats(lesson: links.id).first { $0.role == .lead })
    let room = try #require(lead.room)
    let desk = asked.relay.accessDesk
    let device = try desk.enrol(link: desk.makeDeviceLink(room: room).code, from: "192.0.2.1")
    let next: Next = try await asked.ask(
      "GET", "/api/v1/devices/me/next-lesson", token: device.access.token
    ).value()
    let seat = try #require(next.seat)
    #expect(seat.role == "lead" && seat.seat == "\(lead.id)")
    #expect(try await asked.ask("POST", "/api/v1/lessons/\(links.lesson)/end", token: seat.token).kind == "wrongRole")
    await asked.relay.stop()
  }

  @Test func digitsAreTypedWithTheSchoolsNumber() async throws {
    let asked = try await TimetableRelay()
    #expect(try await asked.send(asked.places).status == 200)
    let made: DeviceCodeReply = try await asked.ask(
      "POST", "/api/v1/rooms/B01-1/device-codes", body: ["kind": "digits"]
    ).value()
    #expect(made.institution == "B01" && made.code.count == 6)
    for (school, digits) in [("A01", made.code), ("Z99", made.code), ("B01", "12345"), ("", "")] {
      #expect(try await enrol(asked, ["institution": school, "digits": digits]).kind == "badCode", "\(school)")
    }
    let device: SessionReply = try await enrol(asked, ["institution": "B01", "digits": made.code]).value()
    #expect(device.name == "B01-1")
    let next: Next = try await asked.ask("GET", "/api/v1/devices/me/next-lesson", token: device.token).value()
    #expect(next.lesson == nil && next.seat == nil && next.room == "B01-1")
    #expect(try await asked.ask("POST", "/api/v1/rooms/Z9-1/device-codes", body: ["kind": "digits"]).status == 404)
    #expect(try await asked.ask("POST", "/api/v1/rooms/B01-1/device-codes", body: ["kind": "x"]).status == 400)
    await asked.relay.stop()
  }

  @Test func theNextLessonIsTheOneThatGoesOnOrComes() async throws {
    let asked = try await TimetableRelay()
    let store = asked.relay.store
    #expect(try await asked.send(asked.places + [asked.courses()]).status == 200)
    #expect(try await asked.ask("POST", "/api/v1/terms/T1/publish").status == 200)
    let room = try #require(try store.rooms(number: "B01-1").first).id
    let desk = asked.relay.accessDesk
    let device = try desk.enrol(link: desk.makeDeviceLink(room: room).code, from: "192.0.2.1")
    let next: Next = try await asked.ask("GET", "/api/v1/devices/me/next-lesson", token: device.access.token).value()
    let first = try #require(try store.lessons(room: room).first)
    #expect(next.lesson?.id == "\(first.id)" && next.lesson?.opens == first.plannedStart - 15 * 60_000)
    #expect(next.seat == nil, "its doors are not open")
    await asked.relay.stop()
  }
}
