import Classroom
import Foundation
import Ledger
import MediaWorker
import RTCCore
import RTCWire

/// Examines whether this machine can carry lessons, and says what to do where it cannot.
///
/// Changes nothing: ports are let go again, a file written for the disk's speed is removed, nothing is made or
/// migrated. May run beside a relay that is at work.
public struct Doctor: Sendable {
  let configuration: RelayConfiguration
  let missingCodecs: @Sendable () -> [String]
  let now: Int64

  /// - Parameters:
  ///   - missingCodecs: names of what the media libraries lack.
  ///   - now: UTC milliseconds.
  public init(configuration: RelayConfiguration, missingCodecs: @escaping @Sendable () -> [String], now: Int64) {
    self.configuration = configuration
    self.missingCodecs = missingCodecs
    self.now = now
  }

  /// Blocks for about two seconds.
  public func examine() -> Diagnosis {
    let offset = Measurement.clockOffset()
    var findings = ports()
    findings += workers()
    findings.append(Self.codecs(missing: missingCodecs()))
    findings += cipher()
    findings += disk()
    findings.append(certificate())
    findings.append(
      Self.buffers(
        receive: Measurement.kernelSetting("net.core.rmem_max"), send: Measurement.kernelSetting("net.core.wmem_max"),
        wanted: WorkerConfiguration().socketBufferBytes))
    findings.append(Finding(MachineProbe.sendsTrains ? .trainsWork : .trainsMissing))
    if configuration.wantsHugePages {
      let setting = try? String(contentsOfFile: "/sys/kernel/mm/transparent_hugepage/enabled", encoding: .utf8)
      findings.append(Self.hugePages(setting: setting))
    }
    if takesTCP {
      findings.append(
        Self.congestionControl(
          available: Measurement.kernelText("net.ipv4.tcp_available_congestion_control"),
          allowed: Measurement.kernelText("net.ipv4.tcp_allowed_congestion_control"), isRoot: geteuid() == 0))
    }
    findings.append(Self.files(limit: Measurement.openFileLimit(), sessions: configuration.sessionLimit))
    findings.append(ledger())
    findings += usage()
    findings += recordings()
    // Last, so that the time between is long enough to see the clock jump.
    findings.append(
      Self.clock(
        now: now, jump: Measurement.clockOffset() - offset, isSynchronised: MachineProbe.clockIsSynchronised))
    return Diagnosis(findings: findings)
  }

  // MARK: What is asked of the machine

  private func ports() -> [Finding] {
    var wanted: [(ListenAddress, isUDP: Bool)] = [(configuration.http, false)]
    if let https = configuration.https { wanted.append((https, false)) }
    let mediaHost = configuration.loopbackOnly ? "127.0.0.1" : "::"
    for port in configuration.mediaPorts(workers: workerCount) {
      wanted.append((ListenAddress(host: mediaHost, port: Int(port)), true))
      if takesTCP { wanted.append((ListenAddress(host: mediaHost, port: Int(port)), false)) }
    }
    return wanted.map { address, isUDP in
      let host = address.host == "localhost" ? "127.0.0.1" : address.host
      let port = UInt16(clamping: address.port)
      guard let socket = SocketAddress(address: host, port: port) else {
        return Finding(.portWithoutAddress, Self.describe(address, isUDP: isUDP))
      }
      let state = MachineProbe.port(socket, isUDP: isUDP)
      let owner = state == .inUse ? PortOwner.find(port: port, isUDP: isUDP) : nil
      return Self.port(address, isUDP: isUDP, state: state, owner: owner)
    }
  }

  private var workerCount: Int { configuration.workerCount(processors: MachineProbe.processors.count) }

  private var takesTCP: Bool { configuration.mediaTakesTCP(workers: workerCount) }

  private func workers() -> [Finding] {
    let shared = configuration.takesTCP ? configuration.sharedPort(workers: workerCount) : nil
    return Self.workers(
      workerCount, ports: configuration.mediaPorts(workers: workerCount), isFree: configuration.udpPort == 0,
      takesTCP: takesTCP) + (shared.map { [Finding(.tcpPortShared, ["port": String($0)])] } ?? [])
  }

  private func cipher() -> [Finding] {
    let available = CipherLibrary.available
    guard let library = configuration.cipher.library(of: available) else {
      return [Self.libraries(available: available, choice: configuration.cipher)]
    }
    return [
      Self.libraries(available: available, choice: configuration.cipher),
      Self.cipher(microseconds: Measurement.cipherMicroseconds(library: library), library: library.rawValue),
    ]
  }

  private func disk() -> [Finding] {
    let folder = existingFolder
    guard access(folder, W_OK | X_OK) == 0, let free = Measurement.freeBytes(folder: folder) else {
      return [Finding(.folderUnwritable, ["folder": configuration.data])]
    }
    let room = Self.room(bytes: free, folder: configuration.data)
    // Measuring the speed of a full disk would only fill it.
    guard room.outcome != .diskFull else { return [room] }
    guard let speed = Measurement.diskSpeed(folder: folder) else {
      return [room, Finding(.folderUnwritable, ["folder": configuration.data])]
    }
    return [room, Self.speed(speed, folder: configuration.data)]
  }

  /// The data folder, or the nearest one above it before the first start.
  private var existingFolder: String {
    var folder = configuration.data
    while folder.count > 1, !FileManager.default.fileExists(atPath: folder) {
      folder = (folder as NSString).deletingLastPathComponent
    }
    return folder.isEmpty ? "." : folder
  }

  private func certificate() -> Finding {
    guard configuration.https != nil else { return Finding(.httpsOff) }
    let own = configuration.data + "/tls/server.pem"
    if configuration.certificate == nil, !FileManager.default.fileExists(atPath: own) {
      return Finding(.certificateToBeMade)
    }
    let path = configuration.certificate ?? own
    let key = configuration.privateKey ?? own
    guard let text = try? PEMFile(path: path).read(),
      let inspection = try? CertificateInspection(certificatePEM: text),
      let keyText = try? PEMFile(path: key).read(), inspection.matches(privateKeyPEM: keyText)
    else { return Finding(.certificateBad, ["file": path]) }
    return Self.certificate(
      file: path, secondsLeft: inspection.notAfter - now / 1_000, isOwn: configuration.certificate == nil)
  }

  /// How long the room lasts, and what could not be made of recordings; nothing before the first start.
  private func recordings() -> [Finding] {
    let file = configuration.data + "/ledger.sqlite"
    guard let free = Measurement.freeBytes(folder: existingFolder),
      let found = try? LedgerStore.inspectRecordings(path: file, since: now - DiskOutlook.span)
    else { return [] }
    let outlook = DiskOutlook(freeBytes: Int64(clamping: free), grownBytes: found.grownBytes)
    return [Self.outlook(outlook), Self.jobs(found.troubled)]
  }

  private func ledger() -> Finding {
    let file = configuration.data + "/ledger.sqlite"
    do {
      let chain = try LedgerStore.inspect(path: file)
      guard chain.isIntact else {
        return Finding(.ledgerBroken, ["file": file, "event": chain.firstBroken.map(String.init) ?? "?"])
      }
      return Finding(.ledgerIntact, ["events": String(chain.events), "head": String(chain.head.prefix(16))])
    } catch LedgerError.notFound { return Finding(.ledgerToBeMade) } catch LedgerError.newerVersion {
      return Finding(.ledgerNewer, ["file": file])
    } catch LedgerError.notALedger { return Finding(.ledgerForeign, ["file": file]) } catch {
      return Finding(.ledgerUnreadable, ["file": file])
    }
  }
}
