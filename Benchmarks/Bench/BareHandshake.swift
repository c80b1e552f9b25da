import CMeasure
import COpenSSL
import Foundation
import Glibc
import MediaWorker

/// The unit of joining: a DTLS handshake between two threads over loopback and one round trip after it, without HTTP,
/// ICE or media.
enum BareHandshake {
  /// A datagram socket of 127.0.0.1, blocking.
  private struct Socket {
    let descriptor: Int32
    let address: sockaddr_in

    init() throws {
      let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var limit = timeval(tv_sec: 5, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      guard descriptor >= 0, Self.call(&address, { bind(descriptor, $0, $1) }) == 0 else {
        throw BenchError("no UDP socket")
      }
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      withUnsafeMutablePointer(to: &address) {
        _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
      }
      self.descriptor = descriptor
      self.address = address
    }

    static func call(_ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
      }
    }

    func connect(to other: Socket) {
      var address = other.address
      _ = Self.call(&address) { Glibc.connect(descriptor, $0, $1) }
    }

    /// Runs the handshake to its end; false when it fails.
    func shakeHands(_ dtls: OpaquePointer, isClient: Bool) -> Bool {
      var bytes = [UInt8](repeating: 0, count: 2_048)
      var state = isClient ? tk_dtls_receive(dtls, nil, 0) : TK_DTLS_GOING
      while true {
        while true {
          let count = tk_dtls_next_datagram(dtls, &bytes, bytes.count)
          guard count > 0 else { break }
          send(descriptor, bytes, count, 0)
        }
        guard state == TK_DTLS_GOING else { return state == TK_DTLS_DONE }
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        state = tk_dtls_receive(dtls, bytes, count)
      }
    }
  }

  private struct Passed: @unchecked Sendable { let value: OpaquePointer }

  /// Milliseconds of one handshake and one round trip.
  static func milliseconds(identity: DTLSIdentity) throws -> Double {
    let (client, server) = (try Socket(), try Socket())
    defer {
      close(client.descriptor)
      close(server.descriptor)
    }
    client.connect(to: server)
    server.connect(to: client)
    guard let own = tk_identity_create(identity.certificatePEM, identity.privateKeyPEM) else {
      throw BenchError("OpenSSL does not take the certificate")
    }
    defer { tk_identity_free(own) }
    let passed = Passed(value: own)
    let done = DispatchSemaphore(value: 0)
    let start = tk_monotonic_nanoseconds()
    Thread {
      defer { done.signal() }
      guard let dtls = tk_dtls_create(passed.value, 0, 1_200) else { return }
      defer { tk_dtls_free(dtls) }
      guard server.shakeHands(dtls, isClient: false) else { return }
      var bytes = [UInt8](repeating: 0, count: 2_048)
      let count = recv(server.descriptor, &bytes, bytes.count, 0)
      if count > 0 { send(server.descriptor, bytes, count, 0) }
    }.start()
    guard let dtls = tk_dtls_create(own, 1, 1_200) else { throw BenchError("OpenSSL makes no association") }
    defer { tk_dtls_free(dtls) }
    let isDone = client.shakeHands(dtls, isClient: true)
    var bytes = [UInt8](repeating: 1, count: 100)
    send(client.descriptor, bytes, bytes.count, 0)
    let echoed = recv(client.descriptor, &bytes, bytes.count, 0)
    let time = Double(tk_monotonic_nanoseconds() - start) / 1e6
    done.wait()
    guard isDone, echoed == 100 else { throw BenchError("the bare handshake failed") }
    return time
  }
}
