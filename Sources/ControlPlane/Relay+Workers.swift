import MediaWorker
import RTCCore

extension WorkerConfiguration {
  /// What the relay's configuration says of so many workers, but for what differs from one to another.
  init(_ configuration: RelayConfiguration, workers: Int, cipher: CipherLibrary, seed: UInt64) {
    self.init()
    udpPort = configuration.udpPort
    tcp = configuration.mediaTakesTCP(workers: workers)
    loopbackOnly = configuration.loopbackOnly
    faultDropFraction = configuration.faultDropFraction
    segmentation = configuration.segmentsTrains
    coalescing =
      switch configuration.coalescing {
      case .auto: .adaptive
      case .off: .fixed(.zero)
      case .milliseconds(let window): .fixed(.milliseconds(Int64(window)))
      }
    core.cipher = cipher
    self.seed = seed
  }
}

extension Relay {
  /// Starts the workers that are configured.
  /// - Throws: what is missing or which port is taken, in words.
  static func startWorkers(
    _ configuration: RelayConfiguration, identity: DTLSIdentity
  ) throws(RelayStartError) -> [MediaWorker] {
    guard let cipher = configuration.cipher.library(of: CipherLibrary.available) else {
      throw RelayStartError { Text.of("serve.cipher", in: $0, ["library": configuration.cipher.rawValue]) }
    }
    let count = 1
    let seed = secureRandomBytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    let settings = WorkerConfiguration(configuration, workers: count, cipher: cipher, seed: seed)
    do throws(WorkerError) { return [try MediaWorker(configuration: settings, identity: identity)] } catch {
      throw startError(error, port: configuration.udpPort)
    }
  }

  private static func startError(_ error: WorkerError, port: UInt16) -> RelayStartError {
    let key =
      switch error {
      case .socket: "serve.udp"
      case .listener: "serve.tcp"
      case .certificate: "serve.identity"
      }
    return RelayStartError { Text.of(key, in: $0, ["port": String(port), "error": "\(error)"]) }
  }
}
