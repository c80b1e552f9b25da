import MediaWorker
import RTCCore

extension WorkerConfiguration {
  /// What the relay's configuration says of its workers, but for what differs from one to another.
  init(_ configuration: RelayConfiguration, seed: UInt64) {
    self.init()
    udpPort = configuration.udpPort
    loopbackOnly = configuration.loopbackOnly
    faultDropFraction = configuration.faultDropFraction
    segmentation = configuration.segmentsTrains
    coalescing =
      switch configuration.coalescing {
      case .auto: .adaptive
      case .off: .fixed(.zero)
      case .milliseconds(let window): .fixed(.milliseconds(Int64(window)))
      }
    self.seed = seed
    if let library = configuration.cipher.library(of: CipherLibrary.available) { core.cipher = library }
  }
}

extension Relay {
  static func startWorkers(
    _ configuration: RelayConfiguration, identity: DTLSIdentity
  ) throws(RelayStartError) -> [MediaWorker] {
    guard configuration.cipher.library(of: CipherLibrary.available) != nil else {
      throw RelayStartError { Text.of("serve.cipher", in: $0, ["library": configuration.cipher.rawValue]) }
    }
    let seed = secureRandomBytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    let settings = WorkerConfiguration(configuration, seed: seed)
    do throws(WorkerError) { return [try MediaWorker(configuration: settings, identity: identity)] } catch {
      throw RelayStartError {
        Text.of("serve.udp", in: $0, ["port": String(configuration.udpPort), "error": "\(error)"])
      }
    }
  }
}
