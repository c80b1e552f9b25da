import Foundation

/// What one teaching point of a demonstration had.
package struct DemoPointFigures: Sendable, Equatable {
  package var site: String
  /// Of its seat.
  package var role: String
  /// Of its first connection, from POST.
  package var connectMilliseconds: Double?
  package var firstFrameMilliseconds: Double?
  /// Sums over its connections.
  package var packetsReceived: UInt64 = 0
  package var packetsRepaired: UInt64 = 0
  package var packetsLost: UInt64 = 0
  package var framesComplete = 0
  /// Painted to decoded; nil when no picture could be read.
  package var latency: DemoLatency?
  package var attendanceSeconds = 0

  package init(site: String, role: String) {
    self.site = site
    self.role = role
  }
}

/// Percentiles of a set of latencies, milliseconds.
package struct DemoLatency: Sendable, Equatable {
  package var p50: Double
  package var p99: Double

  /// Nearest rank; nil for an empty set.
  package init?(_ samples: [Double]) {
    guard !samples.isEmpty else { return nil }
    let sorted = samples.sorted()
    func rank(_ share: Double) -> Double { sorted[max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1)] }
    p50 = rank(0.5)
    p99 = rank(0.99)
  }
}

/// What decoding the recording showed.
package struct DemoRecordingFigures: Sendable, Equatable {
  package var path: String
  package var durationSeconds: Double
  package var videoFrames: Int
  package var audioSeconds: Double
  /// Of beep against flash, the median, positive when sound is late; nil when there is neither.
  package var audioVideoOffsetMilliseconds: Double?

  package init(
    path: String, durationSeconds: Double, videoFrames: Int, audioSeconds: Double,
    audioVideoOffsetMilliseconds: Double?
  ) {
    self.path = path
    self.durationSeconds = durationSeconds
    self.videoFrames = videoFrames
    self.audioSeconds = audioSeconds
    self.audioVideoOffsetMilliseconds = audioVideoOffsetMilliseconds
  }
}

/// All figures of a demonstration.
package struct DemoFigures: Sendable, Equatable {
  package var lesson: String
  package var durationSeconds: Double
  package var packetsSent: UInt64 = 0
  package var bytesSent: UInt64 = 0
  package var points: [DemoPointFigures] = []
  package var recording: DemoRecordingFigures?
  package var events = 0
  package var chainVerified = false

  package init(lesson: String, durationSeconds: Double) {
    self.lesson = lesson
    self.durationSeconds = durationSeconds
  }

  /// One object, its members in a fixed order; figures that could not be taken are null.
  package var json: String {
    let entries = points.map { point in
      JSONText.object([
        ("site", JSONText.string(point.site)), ("role", JSONText.string(point.role)),
        ("connectMilliseconds", Self.number(point.connectMilliseconds)),
        ("firstFrameMilliseconds", Self.number(point.firstFrameMilliseconds)),
        ("packetsReceived", String(point.packetsReceived)), ("packetsRepaired", String(point.packetsRepaired)),
        ("packetsLost", String(point.packetsLost)), ("framesComplete", String(point.framesComplete)),
        (
          "latencyMilliseconds",
          JSONText.object([("p50", Self.number(point.latency?.p50)), ("p99", Self.number(point.latency?.p99))])
        ),
        ("attendanceSeconds", String(point.attendanceSeconds)),
      ])
    }
    let file = recording.map { recording in
      JSONText.object([
        ("path", JSONText.string(recording.path)), ("durationSeconds", Self.number(recording.durationSeconds)),
        ("videoFrames", String(recording.videoFrames)), ("audioSeconds", Self.number(recording.audioSeconds)),
        ("audioVideoOffsetMilliseconds", Self.number(recording.audioVideoOffsetMilliseconds)),
      ])
    }
    return JSONText.object([
      ("lesson", JSONText.string(lesson)), ("durationSeconds", Self.number(durationSeconds)),
      ("lead", JSONText.object([("packetsSent", String(packetsSent)), ("bytesSent", String(bytesSent))])),
      ("teachingPoints", JSONText.array(entries)), ("recording", file ?? "null"),
      ("ledger", JSONText.object([("events", String(events)), ("chainVerified", String(chainVerified))])),
    ])
  }

  private static func number(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "null" }
    return String(format: "%.3f", value)
  }

  /// A table of the teaching points and three lines about the rest.
  func text(in language: Language) -> String {
    func words(_ key: String, _ arguments: [String: String] = [:]) -> String {
      Text.of("demo.\(key)", in: language, arguments)
    }
    func figure(_ value: Double?) -> String { value.map { String(format: "%.1f", $0) } ?? "–" }
    var table = TextTable([
      .init(words("column.site")), .init(words("column.connect"), isNumber: true),
      .init(words("column.firstFrame"), isNumber: true), .init(words("column.received"), isNumber: true),
      .init(words("column.repaired"), isNumber: true), .init(words("column.lost"), isNumber: true),
      .init(words("column.frames"), isNumber: true), .init(words("column.latency50"), isNumber: true),
      .init(words("column.latency99"), isNumber: true), .init(words("column.attendance"), isNumber: true),
    ])
    for point in points {
      table.add([
        point.site, figure(point.connectMilliseconds), figure(point.firstFrameMilliseconds),
        String(point.packetsReceived), String(point.packetsRepaired), String(point.packetsLost),
        String(point.framesComplete), figure(point.latency?.p50), figure(point.latency?.p99),
        LessonReportText.duration(point.attendanceSeconds),
      ])
    }
    var lines = [
      words("lesson", ["lesson": lesson, "seconds": figure(durationSeconds)]),
      words("lead", ["packets": String(packetsSent), "bytes": String(bytesSent)]), "", table.text,
    ]
    if let recording {
      lines.append(
        words(
          "recording",
          [
            "path": recording.path, "seconds": figure(recording.durationSeconds),
            "frames": String(recording.videoFrames), "audio": figure(recording.audioSeconds),
            "offset": figure(recording.audioVideoOffsetMilliseconds),
          ]))
    }
    lines.append(words(chainVerified ? "ledger" : "ledgerBroken", ["events": String(events)]))
    return lines.joined(separator: "\n") + "\n"
  }
}
