import Classroom
import Media
import Recorder

extension RecordingQuality {
  /// What was odd about one file of a feed: of the log's notes those that fall into it.
  init(_ plan: FilePlan, _ found: FoundFeed, _ written: WrittenFile, _ report: MediaReport) {
    self.init()
    let end = Int64(written.durationSeconds * 1_000)
    func milliseconds(_ at: Int64) -> Int64 { (at &- written.startMicroseconds) / 1_000 }
    func inside(_ moments: [Int64]) -> [Int64] { moments.map(milliseconds).filter { $0 >= 0 && $0 <= end } }
    let gaps = plan.notes.gaps.filter { milliseconds($0.to) >= 0 && milliseconds($0.from) <= end }
    gapCount = gaps.count
    self.gaps = gaps.prefix(Self.listLimit).map {
      let from = max(0, milliseconds($0.from))
      return Gap(
        stretch: Stretch(from: from, to: max(from, min(end, milliseconds($0.to)))), packets: $0.packets,
        reason: "\($0.reason)")
    }
    let jumps = inside(plan.notes.jumps)
    jumpCount = jumps.count
    clockJumps = Array(jumps.prefix(Self.listLimit))
    resets = Array(inside(plan.notes.resets).prefix(Self.listLimit))
    sizes = written.pictureSizes.map { Size(at: $0.milliseconds, width: $0.width, height: $0.height) }
    codecs = plan.notes.codecs.map { "\($0)" }
    silences = report.silences.prefix(Self.listLimit).map {
      Stretch(from: Int64($0.lowerBound * 1_000), to: Int64($0.upperBound * 1_000))
    }
    let tracks = found.runs.flatMap(\.tracks)
    if tracks.contains(where: \.isVideo), !plan.notes.hasPicture { emptyTracks.append("picture") }
    if tracks.contains(where: { !$0.isVideo }), !plan.notes.hasSound { emptyTracks.append("sound") }
    lostPictures = plan.lostPictures
    concealedPictures = report.decodeErrors
  }
}
