import ArgumentParser
import CMeasure
import Foundation
import MediaWorker
import RTCCore

/// What a packet asks of the allocator, of locks and of Swift's runtime: nothing, or `--check` says where.
struct CallsBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calls", abstract: "Allocations, locks, retains, accesses and objects of a packet, as slopes.",
    discussion: """
      The slope is (calls with twice the packets - calls) / packets: what is paid once, or by time, falls out. The core
      in virtual time, RTP in and RTP out apart; then a media thread over loopback, the turns that had nothing but RTP.
      RTP in of the SHA-1 profile is libsrtp2's and is told, not checked; so are its calls for RTCP.
      """)

  @Option(help: "Receivers, up to 100.") var receivers = 4
  @Option(help: "Seconds of the shorter run.") var seconds = 5
  @Option(help: "Bits a second of the publisher; twice that in the second run of the media thread.") var bitrate =
    1_500_000
  @Option(help: "The largest slope that passes.") var limit = 0.001
  @Option(help: "Places told of each run that is over the limit.") var places = 8
  @Flag(help: "Exit with 1 when a slope is over the limit.") var check = false
  @Flag(help: "Plant one call of each kind for each packet sent: the check must fail.") var plant = false
  @Flag(help: "Leave the media thread out.") var coreOnly = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (1...100).contains(receivers), seconds > 0, (100_000...10_000_000).contains(bitrate), places > 0, limit > 0
    else { throw ValidationError("out of range") }
  }

  func run() throws {
    guard WorkMeter.isSighted else { throw BenchError("the counters of calls see nothing") }
    var report = Report("calls", unit: "one packet")
    var over: [String] = []
    for trial in CoreTrial.all { over += try measure(trial, into: &report) }
    if !coreOnly { over += try measureWorker(into: &report) }
    report.print(asJSON: json)
    for line in over { FileHandle.standardError.write(Data((line + "\n").utf8)) }
    if check, !over.isEmpty { throw ExitCode(1) }
  }

  // MARK: The core

  private struct CoreTrial {
    var name: String
    var profile: SRTPProfile
    var loss: Double
    static let all = [
      CoreTrial(name: "gcm", profile: .aeadAES128GCM, loss: 0),
      CoreTrial(name: "gcm, 5 % lost", profile: .aeadAES128GCM, loss: 0.05),
      CoreTrial(name: "sha1", profile: .aes128CMSHA180, loss: 0),
      CoreTrial(name: "sha1, 5 % lost", profile: .aes128CMSHA180, loss: 0.05),
    ]
    func checks(_ work: MemoryLesson.Work) -> Bool {
      switch work {
      case .ingest: profile == .aeadAES128GCM
      case .media: true
      case .repair: loss > 0
      case .control: false
      }
    }
  }

  private func measure(_ trial: CoreTrial, into report: inout Report) throws -> [String] {
    let meter = WorkMeter()
    let lesson = try MemoryLesson(
      receivers: receivers, bitsPerSecond: bitrate, profile: trial.profile, loss: trial.loss, meter: meter)
    // Until joining, its bursts, and buffers that grow once are over.
    lesson.run(milliseconds: 8_000)
    guard lesson.counters.packetsSent > 0 else { throw BenchError("no packet came through") }
    meter.plants = plant
    meter.isRunning = true
    lesson.run(milliseconds: seconds * 1_000)
    let first = MemoryLesson.Work.allCases.map { meter[$0] }
    meter.clear()
    lesson.run(milliseconds: seconds * 2_000)
    meter.isRunning = false
    let second = MemoryLesson.Work.allCases.map { meter[$0] }
    var over: [String] = []
    for (index, work) in MemoryLesson.Work.allCases.enumerated() where work != .control {
      guard trial.loss > 0 || work != .repair else { continue }
      let group = "core, \(trial.name), \(Self.name(work))"
      over += add(
        group, packets: (first[index].packets, second[index].packets),
        calls: (first[index].calls.raw, second[index].calls.raw), isChecked: trial.checks(work), into: &report)
    }
    let peerSeconds = Double((receivers + 1) * seconds * 2)
    for (name, path) in CallCounts.kinds {
      report.add(
        "core, \(trial.name), not of RTP", name, Double(meter[.control].calls.raw[keyPath: path]) / peerSeconds,
        "a peer and second")
      report.add(
        "core, \(trial.name), not of RTP", name + " in libsrtp2", Double(meter.srtcp.raw[keyPath: path]) / peerSeconds,
        "a peer and second")
    }
    guard !over.isEmpty else { return [] }
    meter.isRunning = true
    meter.countsControl = false
    CallSites.begin()
    lesson.run(milliseconds: seconds * 1_000)
    return over + tell()
  }

  private static func name(_ work: MemoryLesson.Work) -> String {
    switch work {
    case .ingest: "RTP in"
    case .media: "RTP out"
    case .repair: "retransmissions out"
    case .control: "other work"
    }
  }

  // MARK: A media thread

  private func measureWorker(into report: inout Report) throws -> [String] {
    tk_calls_watch("media")
    let (first, _) = try turns(bitsPerSecond: bitrate)
    let (second, control) = try turns(bitsPerSecond: bitrate * 2)
    func packets(_ turns: tk_turns) -> Int { Int(turns.packets_in + turns.packets_out) }
    let group = "media thread, gcm, RTP in and out"
    let over = add(
      group, packets: (packets(first), packets(second)), calls: (first.calls, second.calls), isChecked: true,
      into: &report)
    report.add(group, "turns", Double(second.turns), "with nothing but RTP")
    for (name, path) in CallCounts.kinds {
      let peerSeconds = Double((receivers + 1) * seconds)
      report.add(
        "media thread, other turns", name, Double(control.calls[keyPath: path]) / peerSeconds, "a peer and second")
      report.add(
        "media thread, other turns", name + " in libsrtp2", Double(control.srtcp[keyPath: path]) / peerSeconds,
        "a peer and second")
    }
    guard !over.isEmpty else { return [] }
    _ = try turns(bitsPerSecond: bitrate, gathersPlaces: true)
    return over + tell()
  }

  /// The turns with RTP only, and the others, of a lesson over loopback.
  private func turns(
    bitsPerSecond: Int, gathersPlaces: Bool = false
  ) throws -> (media: tk_turns, control: tk_turns) {
    let lesson = try SocketLesson(receivers: receivers)
    defer { lesson.stop() }
    let planted = plant ? Planted.pointer : nil
    _ = lesson.teach(
      bitsPerSecond: bitsPerSecond, settle: 4, seconds: seconds,
      begin: {
        if gathersPlaces { CallSites.begin() }
        tk_turns_begin(planted)
      },
      end: {
        tk_turns_end()
        tk_sites_end()
      })
    return (tk_turns_media(), tk_turns_control())
  }

  // MARK: Telling

  private func add(
    _ group: String, packets: (first: Int, second: Int), calls: (first: tk_calls, second: tk_calls), isChecked: Bool,
    into report: inout Report
  ) -> [String] {
    let more = packets.second - packets.first
    // Without packets nothing has been shown.
    guard more * 4 > packets.first, more >= 100 else {
      return isChecked ? ["\(group): \(packets.first) and \(packets.second) packets show nothing"] : []
    }
    var over: [String] = []
    for (name, path) in CallCounts.kinds {
      let slope = (Double(calls.second[keyPath: path]) - Double(calls.first[keyPath: path])) / Double(more)
      report.add(group, name, slope, isChecked ? "a packet" : "a packet, not checked")
      if isChecked, slope > limit { over.append("over \(limit): \(group): \(name) \(slope)") }
    }
    report.add(group, "packets", Double(packets.second), "in the longer run")
    return over
  }

  private func tell() -> [String] {
    CallSites.end(limit: places).map { "  \($0.count) \($0.kind) from \($0.functions.joined(separator: " < "))" }
  }
}
