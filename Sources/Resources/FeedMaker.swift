import Classroom
import Foundation
import Ledger
import Media
import Recorder

/// Makes the files of one feed's log, one for each part of its plan, and lets the log go.
struct FeedMaker {
  /// How far what was read back may be from what was written, in seconds.
  private static let tolerance = 0.5
  /// Decoding all of a lesson's pictures would take longer than everything else together. What is decoded is a minute
  /// at each end, where a writer's mistakes show, and a key frame every 10 s in between; the rest is read packet by
  /// packet.
  private static let wholeSeconds = 60.0

  private struct Failure: Error {
    let problem: ResourceProblem
  }

  let found: FoundFeed
  let lesson: Identifier
  let maker: ResourceMaker
  let folder: LessonFolder
  let log: LessonLog
  /// Begun when they are asked for.
  let moments: LessonMoments
  let subject: FeedSubject

  init(
    of found: FoundFeed, lesson: Identifier, maker: ResourceMaker, folder: LessonFolder, moments: LessonMoments
  ) throws {
    self.moments = moments
    subject = try FeedSubject(of: found.feed.name, lesson: lesson, in: maker.store)
    self.found = found
    self.lesson = lesson
    self.maker = maker
    self.folder = folder
    log = LessonLog(folder: maker.logFolder)
  }

  func make(into made: inout MadeLesson) throws {
    // Taken back between the lesson and now: nothing is made of it.
    guard try subject.mayBeKept(in: maker.store) else { return try maker.release(found) }
    if let rest = try releasingRunsMadeBefore() {
      return try FeedMaker(of: rest, lesson: lesson, maker: maker, folder: folder, moments: moments).make(into: &made)
    }
    let plan = FilePlan(found, in: log)
    try maker.checkpoint(.planned)
    guard !plan.parts.isEmpty || found.packets == 0 else {
      made.problems.append(.nothingPlayable(feed: found.feed.name))
      return
    }
    if found.packets == 0 { try noteEmptyFeed() }
    do {
      for part in plan.parts.indices {
        var file = try finishedFile(part, runs: found.runs[...]) ?? makeFile(part, plan)
        if plan.parts[part].video != nil { file.poster = try makePoster(of: file, part, into: &made) }
        try makeChapters(of: file, part, into: &made)
        made.files.append(file)
      }
    } catch let failure as Failure {
      made.problems.append(failure.problem)
      return
    }
    try maker.checkpoint(.beforeRelease)
    try maker.release(found)
    try maker.checkpoint(.released)
  }

  /// A feed of which nothing came leaves no file, and is not forgotten all the same.
  private func noteEmptyFeed() throws {
    let isNoted = try maker.store.events(lesson: lesson).contains {
      $0.kind == .recordingGap && $0["feed"] == found.feed.name && $0["reason"] == "empty"
    }
    guard !isNoted else { return }
    try maker.store.append(
      LedgerEvent(
        kind: .recordingGap, lesson: lesson, payload: [("feed", found.feed.name), ("reason", "empty")]))
  }

  /// When files were made of the first runs alone, and the feed was then recorded on: lets those runs go and returns
  /// the rest. Nil in the ordinary case.
  private func releasingRunsMadeBefore() throws -> FoundFeed? {
    guard found.runs.count > 1 else { return nil }
    for count in (1..<found.runs.count).reversed()
    where try maker.store.resourceFile(identifier(0, "recording", runs: found.runs.prefix(count))) != nil {
      var before = found
      before.runs = Array(found.runs.prefix(count))
      let plan = FilePlan(before, in: log)
      guard try plan.parts.indices.allSatisfy({ try finishedFile($0, runs: before.runs[...]) != nil }) else {
        continue
      }
      try maker.release(before)
      var rest = found
      rest.runs.removeFirst(count)
      return rest
    }
    return nil
  }

  func identifier(_ part: Int, _ kind: String, runs: ArraySlice<FoundFeed.Run>? = nil) -> Identifier {
    Digests.identifier(found.feed, runs: runs ?? found.runs[...], part: part, kind: kind)
  }

  // MARK: A recording

  /// The file an earlier attempt finished, when the ledger and the disk agree on it.
  private func finishedFile(_ part: Int, runs: ArraySlice<FoundFeed.Run>) throws -> MadeFile? {
    let id = identifier(part, "recording", runs: runs)
    guard let resource = try maker.store.resourceFile(id), resource.state == .verified, isThere(resource),
      let told = try event(of: resource)
    else { return nil }
    var file = MadeFile(told)
    file?.quality = resource.quality
    return file
  }

  func isThere(_ resource: ResourceFile) -> Bool {
    guard let digest = try? Digests.file(maker.dataFolder + "/" + resource.path) else { return false }
    return digest.sha256 == resource.sha256 && digest.byteCount == resource.byteCount
  }

  private func event(of resource: ResourceFile) throws -> LedgerEvent? {
    try maker.store.events(lesson: lesson).last {
      $0.kind == .resourceMade && $0["resource"] == "\(resource.id)" && $0["sha256"] == resource.sha256
    }?.event
  }

  private func makeFile(_ part: Int, _ plan: FilePlan) throws -> MadeFile {
    let id = identifier(part, "recording")
    let name = try stem(for: id) + "." + plan.parts[part].suffix
    let path = folder.unfinished(name)
    let (written, report) = try writeAndReadBack(path, part, plan)
    let digest = try Digests.file(path)
    try maker.checkpoint(.verified)
    try folder.finish(name)
    try maker.checkpoint(.renamed)
    let resource = ResourceFile(
      id: id, lesson: lesson, kind: .recording, path: folder.relative + "/" + name,
      mediaType: plan.parts[part].mediaType, byteCount: digest.byteCount, sha256: digest.sha256,
      durationMilliseconds: milliseconds(written.durationSeconds), state: .verified, madeAt: now(),
      containsFaces: subject.containsFaces, schoolClass: subject.schoolClass,
      quality: RecordingQuality(plan, found, written, report))
    try maker.store.upsert(resource)
    try maker.checkpoint(.inLedger)
    let told = event(of: resource, written, report, gaps: plan.gaps)
    if try event(of: resource) == nil { try maker.store.append(told) }
    try maker.checkpoint(.told)
    guard var file = MadeFile(told) else { preconditionFailure("the event holds what a file is told by") }
    file.quality = resource.quality
    return file
  }

  private func writeAndReadBack(
    _ path: String, _ part: Int, _ plan: FilePlan
  ) throws -> (written: WrittenFile, report: MediaReport) {
    let written: WrittenFile
    do {
      written = try write(path, part, plan.parts[part])
    } catch {
      try? FileManager.default.removeItem(atPath: path)
      throw Failure(problem: .cannotWrite(feed: found.feed.name, words: error.message))
    }
    try maker.checkpoint(.written)
    do {
      let report = try MediaReport(decoding: path, wholeSeconds: Self.wholeSeconds)
      guard let fault = fault(of: report, written, plan.parts[part], hasGaps: plan.gaps > 0) else {
        return (written, report)
      }
      throw Failure(problem: .notVerified(feed: found.feed.name, words: fault))
    } catch let error as MediaError {
      throw Failure(problem: .notVerified(feed: found.feed.name, words: error.message))
    }
  }

  private func write(_ path: String, _ part: Int, _ planned: FilePlan.Part) throws(MediaError) -> WrittenFile {
    let writer = try LessonFileWriter(
      path: path, container: planned.container, hasVideo: planned.video != nil, hasAudio: planned.hasAudio)
    var flow = UnitFlow(found)
    func keep(_ of: Int, _ unit: EncodedUnit) throws(MediaError) {
      if of == part { try writer.write(unit) }
    }
    try log.replay(found) { (record) throws(MediaError) in try flow.add(record, emit: keep) }
    try flow.finish(emit: keep)
    return try writer.finish { written in
      moments.chapters(
        startsAt: wallMilliseconds(written.startMicroseconds), milliseconds: milliseconds(written.durationSeconds),
        of: found, offsets: flow.offsets)
    }
  }

  /// What of the file does not agree with what was written; nil when it is whole. A decoder may skip or conceal
  /// pictures behind a gap, and those that came broken.
  private func fault(
    of report: MediaReport, _ written: WrittenFile, _ planned: FilePlan.Part, hasGaps: Bool
  ) -> String? {
    guard report.videoPackets == written.videoFrames else {
      return "\(report.videoPackets) of \(written.videoFrames) pictures"
    }
    let (frames, tried) = (report.videoFrames, report.videoTried)
    // What a publisher encoded badly is as badly in a good file: half of it has to be there.
    if hasGaps || report.decodeErrors > 0 ? frames > tried || frames * 2 < tried : frames != tried {
      return "\(frames) of \(tried) pictures decode"
    }
    if abs(report.durationSeconds - written.durationSeconds) > Self.tolerance {
      return "\(report.durationSeconds) of \(written.durationSeconds) seconds"
    }
    if abs(report.audioSeconds - written.audioSeconds) > Self.tolerance {
      return "\(report.audioSeconds) of \(written.audioSeconds) seconds of sound"
    }
    let isExpected = report.videoCodec == (planned.video.map { $0 == .vp8 ? "vp8" : "h264" } ?? "")
    return isExpected ? nil : "video is \(report.videoCodec)"
  }

  private func event(
    of resource: ResourceFile, _ written: WrittenFile, _ report: MediaReport, gaps: Int
  ) -> LedgerEvent {
    var payload = [
      ("resource", "\(resource.id)"), ("feed", found.feed.name), ("path", resource.path),
      ("sha256", resource.sha256), ("bytes", String(resource.byteCount)),
      ("durationMilliseconds", String(resource.durationMilliseconds)),
      ("videoFrames", String(report.videoTried < report.videoPackets ? report.videoPackets : report.videoFrames)),
      ("audioMilliseconds", String(milliseconds(report.audioSeconds))),
      ("startsAt", String(wallMilliseconds(written.startMicroseconds))), ("gaps", String(gaps)),
      ("faces", subject.containsFaces ? "1" : "0"),
    ]
    if let offset = report.audioVideoOffsetMilliseconds {
      payload.append(("audioVideoOffsetMicroseconds", String(milliseconds(offset))))
    }
    return LedgerEvent(kind: .resourceMade, lesson: lesson, payload: payload)
  }

  /// A moment of the feed's line by the wall clock, in UTC milliseconds.
  func wallMilliseconds(_ lessonMicroseconds: Int64) -> Int64 {
    guard let start = found.runs.first?.start else { return 0 }
    return (lessonMicroseconds &- start.monotonic &+ start.wall) / 1_000
  }

  // MARK: Names and numbers

  /// The file's name without its kind: the feed's, with a number when another resource has that name.
  private func stem(for id: Identifier) throws -> String {
    func stem(of path: String) -> String? { folder.name(of: path).map { String($0.prefix { $0 != "." }) } }
    let resources = try maker.store.resourceFiles(lesson: lesson)
    if let known = resources.first(where: { $0.id == id }), let stem = stem(of: known.path) { return stem }
    let taken = Set(resources.compactMap { stem(of: $0.path) })
    let name = found.feed.name.lowercased().map { ("a"..."z").contains($0) || ("0"..."9").contains($0) ? $0 : "-" }
    let base = name.isEmpty ? "feed" : String(name)
    if !taken.contains(base) { return base }
    for number in 2...taken.count + 2 where !taken.contains("\(base)-\(number)") { return "\(base)-\(number)" }
    preconditionFailure("more numbers than names")
  }

  func milliseconds(_ seconds: Double) -> Int64 { Int64((seconds * 1_000).rounded()) }

  func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
}

extension MadeFile {
  /// As a `resourceMade` event tells it; nil when it tells less.
  init?(_ event: LedgerEvent) {
    func number(_ key: String) -> Int64? { event[key].flatMap { Int64($0) } }
    guard let path = event["path"], let feed = event["feed"], let sha256 = event["sha256"],
      let bytes = number("bytes"), let duration = number("durationMilliseconds"), let frames = number("videoFrames"),
      let audio = number("audioMilliseconds"), let startsAt = number("startsAt"), let gaps = number("gaps")
    else { return nil }
    self.init(
      path: path, feed: feed, byteCount: bytes, sha256: sha256, durationSeconds: Double(duration) / 1_000,
      videoFrames: Int(frames), audioSeconds: Double(audio) / 1_000,
      audioVideoOffsetMilliseconds: number("audioVideoOffsetMicroseconds").map { Double($0) / 1_000 },
      startsAt: startsAt, gaps: Int(gaps), poster: nil)
  }
}
