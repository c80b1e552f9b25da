import ArgumentParser
import Foundation

/// What one more receiver costs the relay, beside sealing and sending alone.
struct FanoutBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fanout", abstract: "A whole relay with many receivers, beside sealing and sending alone.",
    discussion: """
      The relay in a process of its own on one processor; a publisher and receivers with ICE, DTLS and keys of their own
      on another. Then, by turns, the same packets sealed and sent by a bare program: as one train for each frame and
      receiver (the baseline), as trains of the relay's length, and by a system call for each packet.
      """)

  @Option(help: "Receivers of all lessons, up to 2,000.") var receivers = 200
  @Option(help: "Lessons they are spread over.") var lessons = 1
  @Option(help: "Media threads of the relay.") var workers = 1
  @Option(help: "Seconds after joining at which memory is read, for N and for 2N receivers; 0 leaves it out.")
  var memorySettle = 60
  @OptionGroup var options: FanoutOptions
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (1...2_000).contains(receivers), (1...min(receivers, 300)).contains(lessons), (1...64).contains(workers),
      (0...600).contains(memorySettle)
    else { throw ValidationError("out of range") }
  }

  func run() async throws {
    let run = try FanoutRun(options: options, receivers: receivers, lessons: lessons, workers: workers)
    defer { run.stop() }
    // Twice as many of the first half's rate have to fit one core of load.
    let memory = memorySettle > 0 && receivers * 2 <= 1_000 ? memorySettle : nil
    let result = try await run.measure(memorySettle: memory)
    result.print(asJSON: json)
    if result.isVoid { throw ExitCode(1) }
  }
}
