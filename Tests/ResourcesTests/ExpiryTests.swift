// Goal: recordings that nobody keeps go after their time, told a week before; those that somebody keeps stay, and a
// class's withdrawal hides what shows it at once. Method: files of a recorded lesson under a clock that is put forward.
import Classroom
import Foundation
import Ledger
import Resources
import Testing

@Suite(.serialized) struct ExpiryTests {
  private static let day: Int64 = 86_400_000

  private func recorded() async throws -> DataFolder {
    let data = try DataFolder()
    try await data.record([Session(hasAudio: false, seconds: 1)])
    #expect(try data.maker.make(data.lesson.id).problems == [])
    // Files say when they were made by the machine's clock.
    data.now.value = try #require(try data.store.resourceFiles(lesson: data.lesson.id).first).madeAt
    return data
  }

  private func kinds(_ data: DataFolder) throws -> [EventKind] {
    try data.store.events(lesson: data.lesson.id).map(\.kind).filter { "\($0)".hasPrefix("resourceExpir") }
  }

  @Test func whatNobodyKeepsGoesAfterAWeeksNotice() async throws {
    let data = try await recorded()
    let sweep = ExpirySweep(store: data.store, unreviewedDays: 30)
    let made = data.now.value
    func run(after days: Int64) throws -> (noticed: Int, expired: Int) {
      data.now.value = made + days * Self.day + 1_000
      return try sweep.run(now: data.now.value)
    }
    #expect(try run(after: 22) == (0, 0))
    #expect(try sweep.due(now: data.now.value).isEmpty)
    // Looking changes nothing.
    data.now.value = made + 24 * Self.day
    #expect(try sweep.due(now: data.now.value).map(\.expiry.lesson) == [data.lesson.id])
    #expect(try kinds(data) == [])
    #expect(try run(after: 24) == (1, 0))
    #expect(try run(after: 24) == (0, 0))
    // Told a day late, it goes a day late.
    #expect(try run(after: 30) == (0, 0))
    #expect(data.has("lessons/\(data.lesson.id)/camera.mp4"))
    #expect(try run(after: 31) == (0, 1))
    #expect(try run(after: 400) == (0, 0))
    #expect(try kinds(data) == [.resourceExpiring, .resourceExpired])
    #expect(try data.store.resourceFiles(lesson: data.lesson.id).map(\.state) == [.withdrawn, .withdrawn])
    #expect(try data.store.jobs().map(\.kind) == [.deleteFiles])
    try data.maker.deleteWithdrawn(data.lesson.id)
    try data.maker.deleteWithdrawn(data.lesson.id)
    #expect(data.lessonFiles == [])
  }

  @Test func whatSomebodyKeepsStaysUntilItIsReleased() async throws {
    let data = try await recorded()
    let sweep = ExpirySweep(store: data.store, unreviewedDays: 30)
    for kind in [EventKind.resourceSubmitted, .resourceNominated, .resourceHeld] {
      try data.store.append(LedgerEvent(kind: kind, lesson: data.lesson.id))
      data.now.value += 100 * Self.day
      #expect(try sweep.due(now: data.now.value).isEmpty)
      try data.store.append(LedgerEvent(kind: .resourceReleased, lesson: data.lesson.id))
      #expect(try sweep.due(now: data.now.value).count == 1)
    }
    // Somebody else may say so as well.
    let kept = ExpirySweep(store: data.store, unreviewedDays: 30) { _ in true }
    #expect(try kept.run(now: data.now.value) == (0, 0))
  }

  @Test func aClassThatWithdrawsIsSeenNoMore() async throws {
    let data = try DataFolder()
    let store = data.store
    let cluster = try #require(try store.clusters().first)
    let school = try #require(cluster.members.last).institution
    let pupils = SchoolClass(id: Identifier(high: 5, low: 5), institution: school, name: "三年级1班")
    let others = SchoolClass(id: Identifier(high: 5, low: 6), institution: school, name: "三年级2班")
    let seats = [pupils, others].enumerated().map { number, value in
      Seat(
        id: Identifier(high: 6, low: UInt64(number)), lesson: data.lesson.id, role: .receiver, schoolClass: value.id)
    }
    try store.transaction { transaction in
      for value in [pupils, others] { try transaction.upsert(value) }
      for seat in seats { try transaction.upsert(seat) }
    }
    #expect(throws: ClassroomError.self) { try store.setConsent(of: pupils.id, reference: "", by: nil) }
    for value in [pupils, others] { try store.setConsent(of: value.id, reference: "家长同意书 2026-07", by: nil) }
    for seat in seats {
      try await data.record([Session(hasAudio: false, seconds: 1)], of: "site-\(seat.id)")
    }
    try await data.record([Session(hasAudio: false, seconds: 1)])
    #expect(try data.maker.make(data.lesson.id).files.count == 3)
    func shown() throws -> [ResourceFile] {
      try store.resourceFiles(lesson: data.lesson.id).filter { $0.state == .verified && $0.kind == .recording }
    }
    #expect(try shown().map(\.schoolClass) == [pupils.id, others.id, nil])
    #expect(try shown().prefix(2).allSatisfy(\.containsFaces))
    #expect(try store.setConsent(of: pupils.id, reference: nil, by: nil) == [data.lesson.id])
    #expect(try shown().map(\.schoolClass) == [others.id, nil])
    #expect(try store.schoolClass(pupils.id)?.consentRecord == "")
    #expect(try store.consents(of: pupils.id).map(\.kind) == [.consentWithdrawn, .consentGiven])
    try data.maker.deleteWithdrawn(data.lesson.id)
    #expect(data.lessonFiles.count == 4)
    #expect(!data.has("lessons/\(data.lesson.id)/site-\(seats[0].id).mp4"))
    // What was recorded before the withdrawal and not made into files yet is let go.
    try await data.record([Session(hasAudio: false, seconds: 1)], of: "site-\(seats[0].id)", number: 2)
    #expect(try data.maker.make(data.lesson.id).files == [])
    #expect(try data.foundFeeds().isEmpty)
    #expect(data.lessonFiles.count == 4)
  }
}
