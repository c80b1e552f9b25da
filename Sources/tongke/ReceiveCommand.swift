import ArgumentParser
import Classroom
import ControlPlane
import Media
import MediaClient

struct ReceiveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "receive", abstract: "Receive a lesson to a file, or to see how well it arrives.",
    discussion: "Prints its figures each second, or with --json once at the end.")

  @Argument(help: "The WHEP URL of the lesson.") var url: String
  @Option(
    help: ArgumentHelp("Write what comes: MP4 for H.264, WebM for VP8.", valueName: "file"), completion: .file())
  var output: String?
  @Option(
    help: ArgumentHelp(
      "What to receive instead of the stage: called, stageScreen, stageCamera, or seat:UUID, a site's picture.",
      valueName: "pane"))
  var pane: String?
  @OptionGroup var client: ClientOptions

  func validate() throws {
    guard let pane, !["called", "stageScreen", "stageCamera"].contains(pane) else { return }
    guard pane.hasPrefix("seat:"), Identifier(pane.dropFirst(5)) != nil else {
      throw ValidationError("--pane is called, stageScreen, stageCamera, or seat:UUID")
    }
  }

  func run() async throws {
    let signals = StopSignals()
    let transport = try client.transport()
    let session: ReceiveSession
    do throws(ClientError) {
      session = try await ReceiveSession.start(
        transport, url: url, token: client.bearer, pane: pane, file: output)
    } catch {
      await transport.shutdown()
      throw Refusal(error)
    }
    let isQuiet = client.json
    let reason = await SessionWatch.run(
      signals: signals, duration: client.duration, end: { await session.end() }, stop: { await session.stop() },
      trouble: { session.trouble },
      report: {
        guard !isQuiet else { return }
        Console.line(Text.of("cli.receive.line", in: .ofEnvironment, Self.figures(session.statistics).arguments))
      })
    let figures = Self.figures(session.statistics)
    let file = session.file
    await transport.shutdown()
    Console.line(client.json ? figures.json : Text.of("cli.receive.line", in: .ofEnvironment, figures.arguments))
    if case .failed(let error) = reason { throw Refusal(error) }
    try tell(file, isEmpty: session.statistics.media == ReceivedMedia())
  }

  private func tell(_ file: Result<WrittenFile, ClientError>?, isEmpty: Bool) throws {
    guard let output else { return }
    if isEmpty { throw Refusal(ClientError.mediaNeverCame) }
    switch file {
    case .failure(let error): throw Refusal(error)
    case .success(let written) where !client.json:
      Console.line(
        Text.of(
          "cli.receive.file", in: .ofEnvironment,
          [
            "file": output, "seconds": String(Int(written.durationSeconds.rounded())),
            "frames": String(written.videoFrames),
          ]))
    default: break
    }
  }

  private static func figures(_ statistics: ReceiveStatistics) -> Figures {
    var figures = Figures()
    figures.add("connected", statistics.isConnected)
    figures.add("connections", statistics.connections.count)
    figures.add("connectMilliseconds", statistics.connections.first?.connectMilliseconds)
    figures.add("firstFrameMilliseconds", statistics.connections.first?.firstFrameMilliseconds)
    figures.add("packetsReceived", statistics.packetsReceived)
    figures.add("bytesReceived", statistics.bytesReceived)
    figures.add("packetsRepaired", statistics.packetsRepaired)
    figures.add("packetsLost", statistics.packetsLost)
    figures.add("framesComplete", statistics.media.framesComplete)
    figures.add("framesIncomplete", statistics.media.framesIncomplete)
    figures.add("keyFrames", statistics.media.keyFrames)
    figures.add("soundMilliseconds", statistics.media.soundMicroseconds / 1_000)
    figures.add("soundLost", statistics.media.soundLost)
    figures.add("roundTripMilliseconds", statistics.connections.last?.roundTripMilliseconds)
    return figures
  }
}
