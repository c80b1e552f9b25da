import MediaWorker
import RTCCore
import RTCWire

extension WorkerConfiguration {
  /// What the relay's configuration says of so many workers, but for what differs from one to another.
  init(_ configuration: RelayConfiguration, workers: Int, cipher: CipherLibrary, seed: UInt64) {
    self.init()
    // 150 lessons of 2 Mbit/s with a key frame every 2 s are 200 MiB; beyond that histories are shortened.
    slotCount = 131_072
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
    pins = configuration.pinsWorkers
    hugePages = configuration.wantsHugePages
  }
}

extension Relay {
  /// Starts the workers that are configured.
  /// - Throws: what is missing or which port is taken, in words.
  static func startWorkers(
    _ configuration: RelayConfiguration, identity: DTLSIdentity
  ) throws(RelayStartError) -> MediaWorkerPool {
    guard let cipher = configuration.cipher.library(of: CipherLibrary.available) else {
      throw RelayStartError { Text.of("serve.cipher", in: $0, ["library": configuration.cipher.rawValue]) }
    }
    let count = configuration.workerCount(processors: MachineProbe.processors.count)
    let ports = configuration.mediaPorts(workers: count)
    guard configuration.udpPort == 0 || ports.count == count else {
      let finding = Doctor.workers(count, ports: ports, isFree: false, takesTCP: configuration.takesTCP)[0]
      throw RelayStartError {
        [finding.sentence(in: $0), finding.fix(in: $0)].compactMap(\.self).joined(separator: "\n")
      }
    }
    let seed = secureRandomBytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    let settings = WorkerConfiguration(configuration, workers: count, cipher: cipher, seed: seed)
    do throws(WorkerError) {
      return try MediaWorkerPool(configuration: settings, workers: count, identity: identity)
    } catch { throw startError(error, ports: ports, loopbackOnly: configuration.loopbackOnly) }
  }

  /// The pool has let go of the ports it had, so the one that is taken is still the first to be.
  private static func startError(_ error: WorkerError, ports: [UInt16], loopbackOnly: Bool) -> RelayStartError {
    let key: String
    let reason: String
    var isUDP = true
    switch error {
    case .socket(let error): (key, reason) = ("serve.udp", "\(error)")
    case .listener(let error):
      (key, reason) = ("serve.tcp", "\(error)")
      isUDP = false
    case .certificate(let error): (key, reason) = ("serve.identity", "\(error)")
    }
    let host = loopbackOnly ? "127.0.0.1" : "::"
    let taken = ports.first { port in
      SocketAddress(address: host, port: port).map { MachineProbe.port($0, isUDP: isUDP) != .free } ?? false
    }
    let port = taken ?? ports.first ?? 0
    return RelayStartError { Text.of(key, in: $0, ["port": String(port), "error": reason]) }
  }
}
