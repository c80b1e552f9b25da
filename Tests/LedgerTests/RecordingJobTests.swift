// Goal: what is still to be done with recordings is neither lost nor done over and over. Method: a ledger with a clock
// that is put where it is wanted; jobs are asked for, begun, failed, and looked at after the ledger was opened anew.
import Classroom
import Foundation
import Ledger
import Testing

@Suite struct RecordingJobTests {
  private func lesson(_ store: LedgerStore) throws -> Identifier {
    try store.makeLesson(
      title: "音乐", plannedStart: 1_800_000_000_000, plannedEnd: 1_800_002_400_000, receivers: 1
    ).lesson.id
  }

  @Test func aJobIsDoneOnceAndGone() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let first = try lesson(store)
    let second = try lesson(store)
    #expect(try store.beginJob() == nil)
    try store.ask(for: .makeFiles, of: [first, second, Identifier(high: 1, low: 1)])
    try store.ask(for: .makeFiles, of: [first])
    #expect(try store.jobs().map(\.lesson) == [first, second])
    let job = try #require(try store.beginJob())
    #expect(job.lesson == first)
    #expect(job.state == .running)
    #expect(try store.beginJob(passing: [second]) == nil)
    try store.endJob(job, problem: nil)
    #expect(try store.jobs().map(\.lesson) == [second])
    #expect(try store.beginJob()?.lesson == second)
    #expect(try store.beginJob() == nil)
  }

  @Test func aProblemWaitsLongerEachTimeAndOutlivesARestart() throws {
    let folder = try LedgerFolder()
    var store = try folder.open()
    let id = try lesson(store)
    try store.ask(for: .makeFiles, of: [id])
    var pauses: [Int64] = []
    for attempt in 1...3 {
      let job = try #require(try store.beginJob())
      try store.endJob(job, problem: "no room")
      try store.close()
      store = try folder.open()
      let left = try #require(try store.jobs().first)
      #expect(left.problem == "no room")
      #expect(left.attempts == attempt)
      let pause = try #require(try store.nextJobDue()) - folder.now
      pauses.append(pause)
      folder.advance(pause - 1)
      #expect(try store.beginJob() == nil)
      folder.advance(1)
    }
    #expect(pauses == [30_000, 60_000, 120_000])
    #expect(RecordingJob.pause(afterAttempts: .max) == 21_600_000)
    #expect(RecordingJob.pause(afterAttempts: .min) == 30_000)
    let inspected = try #require(
      try LedgerStore.inspectRecordings(path: folder.file(), since: 0))
    #expect(inspected.troubled.map(\.lesson) == [id])
    #expect(inspected.grownBytes == 0)
  }

  @Test func whatACrashLeftRunningIsBegunAnew() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let id = try lesson(store)
    try store.ask(for: .makeFiles, of: [id])
    _ = try #require(try store.beginJob())
    #expect(try store.beginJob() == nil)
    try store.reviveJobs()
    #expect(try store.beginJob()?.lesson == id)
  }

  @Test func whatIsHopelessWaitsForWhoeverAsks() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let id = try lesson(store)
    try store.ask(for: .makeFiles, of: [id])
    try store.endJob(try #require(try store.beginJob()), problem: "nothing", isHopeless: true)
    folder.advance(100_000_000)
    #expect(try store.beginJob() == nil)
    #expect(try store.jobs().map(\.state) == [.failed])
    try store.ask(for: .makeFiles, of: [id])
    #expect(try store.beginJob()?.attempts == 0)
  }

  @Test func whatIsAskedForMeanwhileIsDoneAgain() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let id = try lesson(store)
    try store.ask(for: .makeFiles, of: [id])
    let job = try #require(try store.beginJob())
    try store.ask(for: .makeFiles, of: [id])
    try store.endJob(job, problem: nil)
    #expect(try store.beginJob()?.lesson == id)
  }

  /// A job written by a clock that was years ahead.
  @Test func aClockThatWasPutRightKeepsNothingWaiting() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    let id = try lesson(store)
    folder.advance(86_400_000 * 700)
    try store.ask(for: .makeFiles, of: [id])
    folder.advance(-86_400_000 * 700)
    #expect(try store.beginJob()?.lesson == id)
  }

  @Test func roomIsToldInDays() {
    #expect(DiskOutlook(freeBytes: 70_000, grownBytes: 7_000).daysLeft == 70)
    #expect(DiskOutlook(freeBytes: 70_000, grownBytes: 0).daysLeft == nil)
    #expect(DiskOutlook(freeBytes: -1, grownBytes: 7).daysLeft == 0)
  }
}
