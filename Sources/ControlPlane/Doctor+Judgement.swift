package import Classroom
import Foundation
package import MediaWorker
package import RTCCore

package enum MachineArchitecture {
  /// Whether the processor is of the x86-64 family.
  package static var isX86: Bool {
    #if arch(x86_64)
      true
    #else
      false
    #endif
  }
}

extension CipherChoice {
  /// The library it comes to; nil when it is not there.
  package func library(of available: [CipherLibrary]) -> CipherLibrary? {
    self == .auto ? available.first : available.first { $0.rawValue == rawValue }
  }
}

/// What each reading means; pure, so that every outcome can be tested on any machine.
extension Doctor {
  static func describe(_ address: ListenAddress, isUDP: Bool) -> [String: String] {
    ["protocol": isUDP ? "UDP" : "TCP", "port": String(address.port), "address": address.host]
  }

  package static func port(_ address: ListenAddress, isUDP: Bool, state: MachineProbe.Port, owner: PortOwner?)
    -> Finding
  {
    var arguments = describe(address, isUDP: isUDP)
    switch state {
    case .free: return Finding(.portFree, arguments)
    case .forbidden: return Finding(.portForbidden, arguments)
    case .noSuchAddress, .failed: return Finding(.portWithoutAddress, arguments)
    case .inUse:
      guard let owner else { return Finding(.portTakenByUnknown, arguments) }
      arguments["process"] = "\(owner.name) (\(owner.process))"
      return Finding(owner.name == "tongke" ? .portOurs : .portTaken, arguments)
    }
  }

  package static func codecs(missing: [String]) -> Finding {
    missing.isEmpty ? Finding(.codecsPresent) : Finding(.codecsMissing, ["names": missing.joined(separator: ", ")])
  }

  /// Without AES instructions a packet takes some 10 µs; 100 receivers of 2 Mbit/s need 20,000 packets a second.
  package static func cipher(microseconds: Double, library: String) -> Finding {
    Finding(
      microseconds < 4 ? .cipherFast : .cipherSlow,
      ["microseconds": number(microseconds, 2), "library": library])
  }

  /// - Parameter hasBetter: whether the processor has use for the library that is better than OpenSSL.
  package static func libraries(
    available: [CipherLibrary], choice: CipherChoice, hasBetter: Bool = MachineArchitecture.isX86
  ) -> Finding {
    let names = available.map(\.rawValue).joined(separator: ", ")
    guard let library = choice.library(of: available) else {
      return Finding(.cipherChoiceMissing, ["library": choice.rawValue, "names": names])
    }
    let isPlain = hasBetter && choice == .auto && !available.contains(.multiBuffer)
    return Finding(isPlain ? .cipherLibraryMissing : .cipherLibraries, ["library": library.rawValue, "names": names])
  }

  /// - Parameters:
  ///   - ports: of the workers, as many as there are.
  ///   - isFree: they take any that are free.
  package static func workers(_ count: Int, ports: [UInt16], isFree: Bool, takesTCP: Bool) -> [Finding] {
    guard !isFree else { return [] }
    let span = ports.count > 1 ? "\(ports[0])–\(ports[ports.count - 1])" : ports.first.map { "\($0)" } ?? ""
    let arguments = ["workers": String(count), "ports": span, "protocol": takesTCP ? "UDP, TCP" : "UDP"]
    return [Finding(ports.count < count ? .workersBeyondPorts : .workersPlanned, arguments)]
  }

  /// - Parameter setting: as `always [madvise] never`, the one in brackets being chosen; nil where there is none.
  package static func hugePages(setting: String?) -> Finding {
    let isGiven = setting.map { $0.contains("[always]") || $0.contains("[madvise]") } ?? false
    return Finding(isGiven ? .hugePagesGiven : .hugePagesRefused)
  }

  /// Lists of names as `/proc/sys` has them; nil where the kernel does not tell. The relay's own user may use those
  /// that are allowed, root any.
  package static func congestionControl(available: String?, allowed: String?, isRoot: Bool) -> Finding {
    func has(_ list: String?) -> Bool { list?.split(separator: " ").contains("bbr") ?? false }
    return Finding(has(available) && (isRoot || has(allowed)) ? .tcpWithBBR : .tcpWithoutBBR)
  }

  /// - Parameters:
  ///   - now: UTC milliseconds.
  ///   - jump: seconds the wall clock moved against the monotonic one while being looked at.
  package static func clock(now: Int64, jump: Double, isSynchronised: Bool?) -> Finding {
    let date = Date(timeIntervalSince1970: Double(now) / 1_000)
    let text = date.formatted(.iso8601)
    // This release is of 2026; certificates and timetables of a machine that lives earlier are worthless.
    guard (1_767_225_600_000..<4_102_444_800_000).contains(now) else { return Finding(.clockWrong, ["time": text]) }
    guard abs(jump) < 0.05 else { return Finding(.clockJumps, ["milliseconds": number(jump * 1e3, 0)]) }
    return Finding(isSynchronised == false ? .clockUnsynchronised : .clockGood, ["time": text])
  }

  /// A lesson of 45 minutes at 3 Mbit/s takes 1 GB, twice while its files are made.
  package static func room(bytes: UInt64, folder: String) -> Finding {
    let gigabytes = Double(bytes) / 1e9
    let arguments = ["gigabytes": number(gigabytes, 1), "folder": folder]
    return Finding(gigabytes < 2 ? .diskFull : gigabytes < 20 ? .diskLow : .diskRoomy, arguments)
  }

  /// Two weeks are what it takes to get a disk.
  package static func outlook(_ outlook: DiskOutlook) -> Finding {
    let rate = number(Double(outlook.grownBytes) / 7 / 1e9, 1)
    guard let days = outlook.daysLeft else { return Finding(.daysRoomy, ["days": "∞", "rate": rate]) }
    return Finding(days < 14 ? .daysFew : .daysRoomy, ["days": number(min(days, 9_999), 0), "rate": rate])
  }

  /// - Parameter troubled: those whose last attempt ended with a problem.
  package static func jobs(_ troubled: [RecordingJob]) -> Finding {
    guard let worst = troubled.max(by: { $0.attempts < $1.attempts }) else { return Finding(.jobsDone) }
    return Finding(
      .jobsTroubled,
      [
        "count": String(troubled.count), "lesson": "\(worst.lesson)", "attempts": String(worst.attempts),
        "problem": worst.problem.onOneLine(limit: 200),
      ])
  }

  package static func speed(_ speed: Measurement.DiskSpeed, folder: String) -> Finding {
    let isFast = speed.megabytesPerSecond >= 20 && speed.syncMilliseconds <= 200
    return Finding(
      isFast ? .diskFast : .diskSlow,
      [
        "rate": number(speed.megabytesPerSecond, 0), "milliseconds": number(speed.syncMilliseconds, 1),
        "folder": folder,
      ])
  }

  /// - Parameter isOwn: the relay issues its own anew by itself, so only an operator's is anybody's work.
  package static func certificate(file: String, secondsLeft: Int64, isOwn: Bool) -> Finding {
    let days = secondsLeft / 86_400
    let arguments = ["file": file, "days": String(max(0, days))]
    if isOwn, days < 30 { return Finding(.certificateToBeMade) }
    if secondsLeft <= 0 { return Finding(.certificateEnded, arguments) }
    return Finding(days < 30 ? .certificateEnding : .certificateGood, arguments)
  }

  /// Bytes; nil where the kernel does not tell, in which case nothing can be done about it either.
  package static func buffers(receive: Int?, send: Int?, wanted: Int) -> Finding {
    let least = min(receive ?? wanted, send ?? wanted)
    return Finding(
      least < wanted ? .buffersSmall : .buffersLarge, ["bytes": String(least), "wanted": String(wanted)])
  }

  /// A session takes a connection and perhaps an event stream; the rest is logs, recordings and the ledger.
  package static func files(limit: UInt64, sessions: Int) -> Finding {
    let wanted = UInt64(sessions * 2 + 256)
    return Finding(limit < wanted ? .filesFew : .filesEnough, ["limit": String(limit), "wanted": String(wanted)])
  }

  private static func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
