/// Something a demonstration promises and did not keep. Each has its words under `demo.broken.<name>`.
package enum DemoPromise: Sendable, Equatable {
  case connected(site: String, reason: String)
  case pictureCame(site: String)
  case returned(site: String)
  case noLoss(site: String, packets: UInt64)
  case complete(site: String, frames: Int, of: Int)
  case readable(site: String, read: Int, of: Int)
  case attended(site: String, seconds: Int, of: Int)
  case published(reason: String)
  case recorded(reason: String)
  case recordingWhole(frames: Int, of: Int)
  case recordingLong(seconds: Double, of: Double)
  case soundLong(seconds: Double, of: Double)
  case inStep(milliseconds: Double?)
  case recordingClean(errors: Int)
  case chainHolds

  package func words(in language: Language) -> String {
    func text(_ name: String, _ arguments: [String: String]) -> String {
      Text.of("demo.broken.\(name)", in: language, arguments)
    }
    func figure(_ value: Double) -> String { String(Double(Int(value * 10)) / 10) }
    return switch self {
    case .connected(let site, let reason): text("connected", ["site": site, "reason": reason])
    case .pictureCame(let site): text("pictureCame", ["site": site])
    case .returned(let site): text("returned", ["site": site])
    case .noLoss(let site, let packets): text("noLoss", ["site": site, "packets": String(packets)])
    case .complete(let site, let frames, let all):
      text("complete", ["site": site, "frames": String(frames), "all": String(all)])
    case .readable(let site, let read, let all):
      text("readable", ["site": site, "read": String(read), "all": String(all)])
    case .attended(let site, let seconds, let all):
      text("attended", ["site": site, "seconds": String(seconds), "all": String(all)])
    case .published(let reason): text("published", ["reason": reason])
    case .recorded(let reason): text("recorded", ["reason": reason])
    case .recordingWhole(let frames, let all):
      text("recordingWhole", ["frames": String(frames), "all": String(all)])
    case .recordingLong(let seconds, let all):
      text("recordingLong", ["seconds": figure(seconds), "all": figure(all)])
    case .soundLong(let seconds, let all): text("soundLong", ["seconds": figure(seconds), "all": figure(all)])
    case .inStep(let milliseconds): text("inStep", ["milliseconds": milliseconds.map(figure) ?? "–"])
    case .recordingClean(let errors): text("recordingClean", ["errors": String(errors)])
    case .chainHolds: text("chainHolds", [:])
    }
  }
}

/// What a demonstration came to, beyond the figures it prints: what the promises are judged by.
package struct DemoOutcome: Sendable {
  package var options: DemoOptions
  package var figures: DemoFigures
  /// Pictures the lead published, and the seconds it did.
  package var picturesPublished: Int
  package var seconds: Double
  package var points: [Point]
  package var decodeErrors = 0
  /// Set when something did not come about at all.
  package var failures: [DemoPromise] = []

  package struct Point: Sendable {
    package var figures: DemoPointFigures
    package var course: DemoOptions.Course
    package var isDecodedFully: Bool
    package var stretches: [Stretch]
    package var pictures: DemoPictures

    package init(
      figures: DemoPointFigures, course: DemoOptions.Course, isDecodedFully: Bool, stretches: [Stretch],
      pictures: DemoPictures
    ) {
      self.figures = figures
      self.course = course
      self.isDecodedFully = isDecodedFully
      self.stretches = stretches
      self.pictures = pictures
    }
  }

  /// A connection of a point, from its first picture to its end.
  package struct Stretch: Sendable {
    package var hadPicture: Bool
    package var seconds: Double

    package init(hadPicture: Bool, seconds: Double) {
      self.hadPicture = hadPicture
      self.seconds = seconds
    }
  }

  package init(
    options: DemoOptions, figures: DemoFigures, picturesPublished: Int, seconds: Double, points: [Point]
  ) {
    self.options = options
    self.figures = figures
    self.picturesPublished = picturesPublished
    self.seconds = seconds
    self.points = points
  }

  /// A lossy line is promised a lesson, a clean one every packet.
  private var share: Double { options.dropFraction > 0 ? 0.85 : 0.98 }

  package func brokenPromises() -> [DemoPromise] {
    failures + points.flatMap(broken) + brokenRecording() + (figures.chainVerified ? [] : [.chainHolds])
  }

  private func broken(_ point: Point) -> [DemoPromise] {
    let site = point.figures.site
    // Who could not join at all is told of already.
    guard let first = point.stretches.first else { return [] }
    guard first.hadPicture else { return [.pictureCame(site: site)] }
    var broken: [DemoPromise] = []
    if point.course == .dropsAndRejoins, point.stretches.count < 2 || point.stretches.last?.hadPicture != true {
      broken.append(.returned(site: site))
    }
    if options.dropFraction == 0, point.figures.packetsLost > 0 {
      broken.append(.noLoss(site: site, packets: point.figures.packetsLost))
    }
    let rate = Double(picturesPublished) / max(seconds, 0.001)
    // The first and the last second of a session are only partly there.
    let expected = point.stretches.reduce(0) { $0 + max(0, Int(($1.seconds - 0.5) * rate)) }
    if Double(point.figures.framesComplete) < share * Double(expected) {
      broken.append(.complete(site: site, frames: point.figures.framesComplete, of: expected))
    }
    let decoded = point.pictures.decoded
    if point.figures.latency == nil { broken.append(.readable(site: site, read: 0, of: decoded)) }
    if options.source == nil, Double(point.pictures.read) < share * Double(decoded) {
      broken.append(.readable(site: site, read: point.pictures.read, of: decoded))
    }
    if point.isDecodedFully, Double(decoded) < share * Double(point.figures.framesComplete) {
      broken.append(.readable(site: site, read: decoded, of: point.figures.framesComplete))
    }
    // Media is acknowledged once a second; what a point has between its last report and its end is not vouched for.
    let attended = Int(point.stretches.reduce(0) { $0 + $1.seconds })
    if abs(point.figures.attendanceSeconds - attended) > 3 + attended / 20 {
      broken.append(.attended(site: site, seconds: point.figures.attendanceSeconds, of: attended))
    }
    return broken
  }

  private func brokenRecording() -> [DemoPromise] {
    guard let recording = figures.recording else { return [] }
    var broken: [DemoPromise] = []
    let tolerance = options.dropFraction > 0 ? picturesPublished / 10 : max(3, picturesPublished / 100)
    if abs(recording.videoFrames - picturesPublished) > tolerance {
      broken.append(.recordingWhole(frames: recording.videoFrames, of: picturesPublished))
    }
    if abs(recording.durationSeconds - seconds) > 0.75 {
      broken.append(.recordingLong(seconds: recording.durationSeconds, of: seconds))
    }
    if recording.audioSeconds > 0, abs(recording.audioSeconds - seconds) > 1 {
      broken.append(.soundLong(seconds: recording.audioSeconds, of: seconds))
    }
    if options.source == nil {
      if recording.audioSeconds == 0 { broken.append(.soundLong(seconds: 0, of: seconds)) }
      let offset = recording.audioVideoOffsetMilliseconds
      if offset.map({ abs($0) > 40 }) ?? true { broken.append(.inStep(milliseconds: offset)) }
      if options.dropFraction == 0, decodeErrors > 0 { broken.append(.recordingClean(errors: decodeErrors)) }
    }
    return broken
  }
}
