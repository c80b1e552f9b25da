import ArgumentParser
import ControlPlane
import MediaClient

struct PublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish", abstract: "Publish a file, camera or stream to a lesson.",
    discussion: """
      SOURCE is anything libavformat opens: a file, rtsp://, rtmp://, srt://, or a device such as /dev/video0; the word
      generated makes a lesson of its own. AAC becomes Opus; H.264 with B-frames is encoded anew, all else goes
      untouched.
      """)

  @Argument(help: "What to publish.", completion: .file()) var source: String
  @Argument(help: "The WHIP URL of the feed: a lead's ends with camera or screen, a site's with site.") var url: String
  @Flag(help: "Begin again at the end of a file.") var loop = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let signals = StopSignals()
    let transport = try client.transport()
    let session: PublishSession
    do throws(ClientError) {
      session = try await PublishSession.start(
        transport, url: url, token: client.bearer,
        source: source == "generated" ? .generated : .media(url: source, loops: loop))
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
        Console.line(Text.of("cli.publish.line", in: .ofEnvironment, Self.figures(session.statistics).arguments))
      })
    let figures = Self.figures(session.statistics)
    await transport.shutdown()
    Console.line(client.json ? figures.json : Text.of("cli.publish.line", in: .ofEnvironment, figures.arguments))
    if case .failed(let error) = reason { throw Refusal(error) }
  }

  private static func figures(_ statistics: PublishStatistics) -> Figures {
    var figures = Figures()
    figures.add("connected", statistics.isConnected)
    figures.add("connections", statistics.connections.count)
    figures.add("connectMilliseconds", statistics.connections.first?.connectMilliseconds)
    figures.add("picturesPlayed", statistics.picturesPlayed)
    figures.add("packetsSent", statistics.packetsSent)
    figures.add("bytesSent", statistics.bytesSent)
    figures.add("packetsRetransmitted", statistics.packetsRetransmitted)
    figures.add("packetsUnsent", statistics.packetsUnsent)
    figures.add("roundTripMilliseconds", statistics.connections.last?.roundTripMilliseconds)
    return figures
  }
}
