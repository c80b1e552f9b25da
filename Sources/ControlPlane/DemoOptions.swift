/// How a demonstration is run.
public struct DemoOptions: Sendable, Equatable {
  /// Below this there is no room for a point that comes late and one that drops and comes back.
  public static let durationRange = 5...3_600
  /// Each point is a whole WebRTC client of this process; with more, the machine would be measured, not the relay.
  public static let teachingPointRange = 1...200

  /// Seconds of teaching.
  public var durationSeconds = 20
  public var teachingPoints = 3
  /// Anything libavformat opens; nil generates a lesson.
  public var source: String?
  /// Where the recording goes; nil makes a folder among the temporary files and keeps it.
  public var outputFolder: String?
  /// Share of datagrams lost on purpose at the relay, each way, 0…0.5.
  public var dropFraction = 0.0
  public var json = false

  public init() {}

  /// Reads `drop=5%` or `drop=0.05`; nil when it is neither.
  public static func dropFraction(of text: String) -> Double? {
    guard text.hasPrefix("drop=") else { return nil }
    var number = text.dropFirst(5)
    let isPercent = number.last == "%"
    if isPercent { number = number.dropLast() }
    guard let value = Double(number), value.isFinite else { return nil }
    let fraction = isPercent ? value / 100 : value
    return (0...0.5).contains(fraction) ? fraction : nil
  }

  /// What becomes of a teaching point during the lesson.
  package enum Course: Sendable, Equatable { case steady, dropsAndRejoins, joinsLate }

  /// The last of three and more comes late, the one before drops; with two, one does each; alone, it drops.
  package func course(of point: Int) -> Course {
    switch teachingPoints - point {
    case 1: teachingPoints == 1 ? .dropsAndRejoins : .joinsLate
    case 2: .dropsAndRejoins
    default: .steady
    }
  }

  /// A quarter in, at most 5 s: three quarters are enough to have attended.
  var lateJoin: Duration { .milliseconds(min(durationSeconds * 250, 5_000)) }
  var drop: Duration { .milliseconds(durationSeconds * 500) }
  /// Between the silence of a point and its return.
  static let absence = Duration.seconds(1)
}
