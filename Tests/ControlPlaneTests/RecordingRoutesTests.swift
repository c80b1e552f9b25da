// Goal: who may says whose pupils are recorded and what goes, others are refused, and what is said is what the relay
// does. Method: a running relay over HTTP with a small county, files that lie in its ledger, and a clock put forward.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Testing

@Suite struct RecordingRoutesTests {
  private static let consent = "/api/v1/classes/B01-B1/consent"
  private static let course = "/api/v1/terms/T1/courses/K1/recording"

  private func county(_ clock: GivenClock? = nil) async throws -> TimetableRelay {
    let relay = try await TimetableRelay(clock: clock)
    #expect(try await relay.send(relay.places).status == 200)
    let answer = try await relay.ask(
      "POST", "/api/v1/classes",
      body: ["number": "B01-B1", "institution": "B01", "name": "三年级", "homeRoom": "B01-1"])
    #expect(answer.status == 201, "\(answer.text)")
    #expect(try await relay.send([relay.courses()]).status == 200)
    return relay
  }

  @Test func consentIsGivenShownAndTakenBack() async throws {
    let relay = try await county()
    let none: ConsentReply = try await relay.ask("GET", Self.consent).value()
    #expect(!none.given)
    #expect(none.history == [])
    for token in [try relay.token(.auditor, .city), try relay.token(.localTeacher, .city)] {
      let wish = ConsentRequest(reference: "x")
      #expect(try await relay.ask("POST", Self.consent, token: token, body: wish).status == 403)
      #expect(try await relay.ask("DELETE", Self.consent, token: token).status == 403)
    }
    #expect(try await relay.ask("POST", Self.consent, body: ConsentRequest(reference: "")).status == 400)
    let given: ConsentReply = try await relay.ask(
      "POST", Self.consent, body: ConsentRequest(reference: "柜3-07")
    ).value()
    #expect(given.given)
    #expect(given.reference == "柜3-07")
    let withdrawn: ConsentReply = try await relay.ask("DELETE", Self.consent).value()
    #expect(!withdrawn.given)
    #expect(withdrawn.history.map(\.given) == [false, true])
    #expect(try await relay.ask("GET", "/api/v1/classes/none/consent").status == 404)
    #expect(try relay.relay.store.verifyChain().isIntact)
  }

  /// The course alone, or the classes alone, are not enough.
  @Test func sitesAreRecordedOnceAllAgree() async throws {
    let relay = try await county()
    let store = relay.relay.store
    func said(_ sites: Bool) async throws -> CourseRecordingReply {
      try await relay.ask("PATCH", Self.course, body: CourseRecordingRequest(sites: sites)).value()
    }
    let before: CourseRecordingReply = try await relay.ask("GET", Self.course).value()
    #expect(!before.sites && !before.recorded)
    // The receiving room has no class yet.
    let without = try await said(true)
    #expect(without.sites && !without.recorded)
    #expect(without.missing == ["B01-1"])
    var course = try #require(try store.course(number: "K1", term: "T1"))
    let pupils = try #require(try store.schoolClass(number: "B01-B1"))
    course.receivers[0].schoolClass = pupils.id
    try store.transaction { [course] in try $0.upsert(course) }
    #expect(try store.consentsToRecording(course: course.id) == [])
    let missing: CourseRecordingReply = try await relay.ask("GET", Self.course).value()
    #expect(missing.missing == ["B01-B1"])
    #expect(try await relay.ask("POST", Self.consent, body: ConsentRequest(reference: "柜3")).status == 200)
    let recorded: CourseRecordingReply = try await relay.ask("GET", Self.course).value()
    #expect(recorded.recorded)
    #expect(try store.consentsToRecording(course: course.id) == [pupils.id])
    let off = try await said(false)
    #expect(!off.recorded)
    #expect(try store.consentsToRecording(course: course.id) == [])
    let token = try relay.token(.leadTeacher, .city)
    let refused = try await relay.ask("PATCH", Self.course, token: token, body: CourseRecordingRequest(sites: true))
    #expect(refused.status == 403)
    // An import of the course leaves it as it was said.
    _ = try await said(true)
    #expect(try await relay.send([relay.courses(second: "周四第2节")]).status == 200)
    #expect(try store.course(number: "K1", term: "T1")?.recordsSites == true)
  }

  @Test func whatNobodyKeepsIsListedAndGoes() async throws {
    let clock = GivenClock()
    let relay = try await county(clock)
    let store = relay.relay.store
    let lesson = try store.makeLesson(
      title: "音乐", plannedStart: clock.now, plannedEnd: clock.now + 2_400_000, receivers: 1
    ).lesson
    let folder = "lessons/\(lesson.id)"
    let path = relay.scratch.path + "/" + folder
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Data("film".utf8).write(to: URL(fileURLWithPath: path + "/camera.mp4"))
    var quality = RecordingQuality()
    quality.jumpCount = 2
    let file = ResourceFile(
      id: Identifier(high: 1, low: 99), lesson: lesson.id, kind: .recording, path: folder + "/camera.mp4",
      mediaType: "video/mp4", byteCount: 4, sha256: String(repeating: "a", count: 64), durationMilliseconds: 1,
      state: .verified, madeAt: clock.now, containsFaces: false, quality: quality)
    try store.transaction { try $0.upsert(file) }
    let shown = try await relay.ask("GET", "/api/v1/lessons/\(lesson.id)")
    #expect(shown.text.contains(#""containsFaces":false"#))
    #expect(shown.text.contains(#""jumpCount":2"#))
    #expect(shown.text.contains(#""jobs":[]"#))
    clock.advance(minutes: 24 * 1_440)
    let list: ExpiryList = try await relay.ask("GET", "/api/v1/resources/expiry").value()
    #expect(list.unreviewedDays == 30)
    #expect(list.lessons.map(\.lesson) == ["\(lesson.id)"])
    #expect(list.lessons[0].noticedAt == nil)
    let auditor = try relay.token(.auditor, .city)
    #expect(try await relay.ask("POST", "/api/v1/resources/expiry", token: auditor).status == 403)
    let told: ExpiryReply = try await relay.ask("POST", "/api/v1/resources/expiry").value()
    #expect(told == ExpiryReply(noticed: 1, expired: 0))
    clock.advance(minutes: 8 * 1_440)
    let gone: ExpiryReply = try await relay.ask("POST", "/api/v1/resources/expiry").value()
    #expect(gone == ExpiryReply(noticed: 0, expired: 1))
    // The job takes it off the disk in the background.
    for _ in 0..<200 where FileManager.default.fileExists(atPath: path + "/camera.mp4") {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(!FileManager.default.fileExists(atPath: path + "/camera.mp4"))
    let after: ExpiryList = try await relay.ask("GET", "/api/v1/resources/expiry").value()
    #expect(after.lessons == [])
  }

  @Test func onlyWhoConductsMarks() async throws {
    let relay = try await county()
    let lesson = try relay.relay.store.makeLesson(
      title: "音乐", plannedStart: Int64(Date().timeIntervalSince1970 * 1_000),
      plannedEnd: Int64(Date().timeIntervalSince1970 * 1_000) + 2_400_000, receivers: 1
    ).lesson.id
    let path = "/api/v1/lessons/\(lesson)/markers"
    for role in [Role.auditor, .localTeacher, .researcher] {
      let answer = try await relay.ask("POST", path, token: try relay.token(role, .city), body: MarkerRequest())
      #expect(answer.status == 403, "\(role)")
    }
    // Nobody teaches yet.
    let early = try await relay.ask("POST", path, body: MarkerRequest(label: "x"))
    #expect(early.status == 409)
    #expect(early.kind == "notLive")
    #expect(try relay.relay.store.events(lesson: lesson).filter { $0.kind == .markerSet }.isEmpty)
  }

  @Test func roomAndTroublesAreJudged() {
    #expect(Doctor.outlook(DiskOutlook(freeBytes: 700, grownBytes: 0)).outcome == .daysRoomy)
    #expect(Doctor.outlook(DiskOutlook(freeBytes: 700_000, grownBytes: 70_000)).outcome == .daysRoomy)
    #expect(Doctor.outlook(DiskOutlook(freeBytes: 70_000, grownBytes: 70_000)).outcome == .daysFew)
    #expect(Doctor.jobs([]).outcome == .jobsDone)
    let job = RecordingJob(
      lesson: Identifier(high: 1, low: 1), kind: .makeFiles, state: .waiting, attempts: 3, notBefore: 0,
      problem: "camera: cannot write: no room", askedAt: 0)
    let finding = Doctor.jobs([job])
    #expect(finding.outcome == .jobsTroubled)
    #expect(finding.sentence(in: .english).contains("no room"))
    #expect(finding.fix(in: .chinese) != nil)
    var snapshot = MetricsSnapshot()
    snapshot.recordingJobs = [job]
    snapshot.disk = DiskOutlook(freeBytes: 70_000, grownBytes: 7_000)
    let text = MetricsText.write(snapshot)
    #expect(text.contains("recording_jobs_troubled 1"))
    #expect(text.contains("disk_full_days 70"))
  }
}
