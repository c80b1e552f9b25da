// Goal: the demonstration notices each promise that is not kept. Method: outcomes made up, with one fault each.
import ControlPlane
import Foundation
import MediaClient
import Testing

@Suite struct DemoTests {
  @Test(arguments: [
    ("drop=5%", 0.05), ("drop=0.05", 0.05), ("drop=0", 0), ("drop=50%", 0.5), ("drop=51%", nil), ("drop=-1%", nil),
    ("drop=", nil), ("drop=%", nil), ("drop=nan", nil), ("drop=inf%", nil), ("5%", nil), ("loss=5%", nil), ("", nil),
  ]) func faultsAreRead(text: String, fraction: Double?) {
    #expect(DemoOptions.dropFraction(of: text) == fraction)
  }

  @Test func onePointDropsAndOneComesLate() {
    var options = DemoOptions()
    for count in 1...20 {
      options.teachingPoints = count
      let courses = (0..<count).map { options.course(of: $0) }
      #expect(courses.count { $0 == .dropsAndRejoins } == 1)
      #expect(courses.count { $0 == .joinsLate } == (count > 1 ? 1 : 0))
    }
  }

  @Test func percentilesAreThoseOfTheNearestRank() {
    #expect(DemoLatency([]) == nil)
    let hundred = DemoLatency((1...100).map(Double.init).shuffled())
    #expect(hundred?.p50 == 50 && hundred?.p99 == 99)
    #expect(DemoLatency([7])?.p99 == 7)
  }

  /// Ten seconds, two points, everything as promised.
  private static func whole() -> DemoOutcome {
    var options = DemoOptions()
    options.durationSeconds = 10
    options.teachingPoints = 2
    var figures = DemoFigures(lesson: "lesson", durationSeconds: 10)
    figures.chainVerified = true
    figures.recording = DemoRecordingFigures(
      path: "lesson.mp4", durationSeconds: 9.96, videoFrames: 250, audioSeconds: 9.96,
      audioVideoOffsetMilliseconds: -1.5)
    func point(_ course: DemoOptions.Course, _ seconds: [Double], frames: Int) -> DemoOutcome.Point {
      var figures = DemoPointFigures(site: "P01-1", role: "receiver")
      figures.framesComplete = frames
      figures.latency = DemoLatency([20])
      figures.attendanceSeconds = Int(seconds.reduce(0, +)) - 1
      var pictures = DemoPictures()
      pictures.decoded = frames
      pictures.read = frames
      return DemoOutcome.Point(
        figures: figures, course: course, isDecodedFully: true,
        stretches: seconds.map { DemoOutcome.Stretch(hadPicture: true, seconds: $0) }, pictures: pictures)
    }
    return DemoOutcome(
      options: options, figures: figures, picturesPublished: 250, seconds: 10,
      points: [point(.dropsAndRejoins, [5, 4], frames: 225), point(.joinsLate, [7.5], frames: 188)])
  }

  private func broken(_ change: (inout DemoOutcome) -> Void) -> [DemoPromise] {
    var outcome = Self.whole()
    change(&outcome)
    return outcome.brokenPromises()
  }

  @Test func nothingIsBrokenWhenAllIsKept() { #expect(Self.whole().brokenPromises() == []) }

  @Test func faultsOfAPointAreSeen() {
    let site = "P01-1"
    #expect(broken { $0.points[0].stretches[0].hadPicture = false } == [.pictureCame(site: site)])
    #expect(broken { $0.points[0].stretches.removeLast() }.contains(.returned(site: site)))
    #expect(broken { $0.points[0].stretches[1].hadPicture = false } == [.returned(site: site)])
    #expect(broken { $0.points[1].figures.packetsLost = 1 } == [.noLoss(site: site, packets: 1)])
    #expect(broken { $0.points[1].figures.framesComplete = 150 }.contains(.complete(site: site, frames: 150, of: 175)))
    #expect(broken { $0.points[1].pictures.read = 100 } == [.readable(site: site, read: 100, of: 188)])
    #expect(broken { $0.points[1].pictures.decoded = 100 }.contains(.readable(site: site, read: 100, of: 188)))
    #expect(broken { $0.points[1].figures.latency = nil } == [.readable(site: site, read: 0, of: 188)])
    #expect(broken { $0.points[1].figures.attendanceSeconds = 2 } == [.attended(site: site, seconds: 2, of: 7)])
    #expect(broken { $0.points[1].figures.attendanceSeconds = 12 } == [.attended(site: site, seconds: 12, of: 7)])
  }

  @Test func faultsOfTheRecordingAndTheLedgerAreSeen() {
    #expect(broken { $0.figures.recording?.videoFrames = 240 } == [.recordingWhole(frames: 240, of: 250)])
    #expect(broken { $0.figures.recording?.durationSeconds = 8 } == [.recordingLong(seconds: 8, of: 10)])
    #expect(broken { $0.figures.recording?.audioSeconds = 8 } == [.soundLong(seconds: 8, of: 10)])
    #expect(broken { $0.figures.recording?.audioSeconds = 0 } == [.soundLong(seconds: 0, of: 10)])
    for offset in [nil, 41.0, -41.0] {
      #expect(
        broken { $0.figures.recording?.audioVideoOffsetMilliseconds = offset } == [.inStep(milliseconds: offset)])
    }
    #expect(broken { $0.decodeErrors = 1 } == [.recordingClean(errors: 1)])
    #expect(broken { $0.figures.chainVerified = false } == [.chainHolds])
    #expect(
      broken {
        $0.figures.recording = nil
        $0.failures = [.recorded(reason: "none")]
      } == [.recorded(reason: "none")])
  }

  @Test func aLossyLineMayLosePackets() {
    #expect(
      broken {
        $0.options.dropFraction = 0.05
        $0.points[0].figures.packetsLost = 40
      } == [])
  }

  @Test func theObjectHasItsMembersAndNoOthers() throws {
    var outcome = Self.whole()
    outcome.figures.points = outcome.points.map(\.figures)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.figures.json.utf8)) as? [String: Any])
    #expect(
      Set(object.keys) == ["lesson", "durationSeconds", "lead", "teachingPoints", "recording", "ledger"])
    let points = try #require(object["teachingPoints"] as? [[String: Any]])
    #expect(
      Set(points[0].keys) == [
        "site", "role", "connectMilliseconds", "firstFrameMilliseconds", "packetsReceived", "packetsRepaired",
        "packetsLost", "framesComplete", "latencyMilliseconds", "attendanceSeconds",
      ])
    #expect(points[0]["connectMilliseconds"] is NSNull)
    #expect((points[0]["latencyMilliseconds"] as? [String: Double])?["p99"] == 20)
    let recording = try #require(object["recording"] as? [String: Any])
    #expect(recording["audioVideoOffsetMilliseconds"] as? Double == -1.5)
  }

  @Test func everyPromiseHasItsWords() {
    let promises: [DemoPromise] = [
      .connected(site: "P", reason: "r"), .pictureCame(site: "P"), .returned(site: "P"),
      .noLoss(site: "P", packets: 1),
      .complete(site: "P", frames: 1, of: 2), .readable(site: "P", read: 1, of: 2),
      .attended(site: "P", seconds: 1, of: 2), .published(reason: "r"), .recorded(reason: "r"),
      .recordingWhole(frames: 1, of: 2), .recordingLong(seconds: 1, of: 2), .soundLong(seconds: 1, of: 2),
      .inStep(milliseconds: nil), .recordingClean(errors: 1), .chainHolds,
    ]
    for language in Language.allCases {
      for promise in promises {
        let words = promise.words(in: language)
        #expect(!words.hasPrefix("demo.") && !words.contains("{"), "\(promise): \(words)")
      }
    }
  }

  @Test func everyErrorOfTheClientsHasItsWords() {
    let errors: [ClientError] = [
      .badURL("u"), .cannotTrust(file: "f"), .unreachable(host: "h", reason: "r"), .untrusted(host: "h"),
      .refused(HTTPRefusal(status: 503, title: "t", detail: "d")), .badAnswer(reason: "r"),
      .sourceUnreadable(reason: "r"), .fileUnwritable(reason: "r"), .noPath, .handshakeFailed, .wrongCertificate,
      .mediaNeverCame, .connectionLost, .endedByRelay, .full, .worker("w"), .stopped,
    ]
    for language in Language.allCases {
      for error in errors {
        let words = Text.of("client.\(error.name)", in: language, error.arguments)
        #expect(!words.hasPrefix("client.") && !words.contains("{"), "\(error): \(words)")
      }
    }
  }
}
