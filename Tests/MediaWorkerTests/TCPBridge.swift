import Foundation
import Synchronization

/// A client's network that carries no UDP: takes the datagrams of one client and carries them to a relay as frames of
/// one TCP connection (RFC 4571), and back.
final class TCPBridge: @unchecked Sendable {
  enum Segments: Sendable, CaseIterable {
    /// A write for each frame.
    case frames
    /// A write for each of a frame's first bytes, and one for the rest.
    case bytes
    /// Several frames in one write, whose end may cut one.
    case joined
  }

  let udp: PlainSocket
  private let connection: Int32
  private let segments: Segments
  private let isStopped = Atomic<Bool>(false)
  private let stopsReading = Atomic<Bool>(false)
  private let receivedBytes = Atomic<Int>(0)
  private var waiting: [UInt8] = []
  private let ended = DispatchSemaphore(value: 0)

  /// Bytes read of the relay.
  var received: Int { receivedBytes.load(ordering: .relaxed) }
  /// Whether it leaves what the relay sends in the socket.
  var isDeaf: Bool {
    get { stopsReading.load(ordering: .relaxed) }
    set { stopsReading.store(newValue, ordering: .relaxed) }
  }

  /// - Parameter receiveBytes: of the socket's buffer; 0 leaves it to the system.
  init?(to port: UInt16, segments: Segments = .frames, receiveBytes: Int32 = 0) {
    guard let udp = PlainSocket("127.0.0.1"), let connection = TCPClient.connect(port, receiveBytes: receiveBytes)
    else {
      return nil
    }
    self.udp = udp
    self.connection = connection
    self.segments = segments
    Thread.detachNewThread { [self] in
      run()
      close(connection)
      ended.signal()
    }
  }

  func stop() {
    guard !isStopped.exchange(true, ordering: .relaxed) else { return }
    ended.wait()
  }

  private func run() {
    var client: UInt16?
    var stream: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while !isStopped.load(ordering: .relaxed) {
      var wanted = [
        pollfd(fd: udp.descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isDeaf ? -1 : connection, events: Int16(POLLIN), revents: 0),
      ]
      poll(&wanted, 2, 10)
      if wanted[0].revents != 0, let datagram = udp.receive() {
        client = datagram.port
        send(datagram.bytes)
      } else {
        flush()
      }
      guard wanted[1].revents != 0 else { continue }
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return }
      receivedBytes.add(count, ordering: .relaxed)
      stream += buffer[0..<count]
      while stream.count >= 2, stream.count >= 2 + (Int(stream[0]) << 8 | Int(stream[1])) {
        let end = 2 + (Int(stream[0]) << 8 | Int(stream[1]))
        if let client { udp.send(Array(stream[2..<end]), to: "127.0.0.1", client) }
        stream.removeFirst(end)
      }
    }
  }

  private func send(_ datagram: [UInt8]) {
    waiting += TCPClient.frame(datagram)
    switch segments {
    case .frames: flush()
    case .bytes:
      for byte in waiting.prefix(20) { TCPClient.write([byte], to: connection) }
      TCPClient.write(Array(waiting.dropFirst(20)), to: connection)
      waiting = []
    case .joined:
      guard waiting.count > 3_000 else { return }
      // The last bytes go with the next write.
      TCPClient.write(Array(waiting.dropLast(7)), to: connection)
      waiting = waiting.suffix(7)
    }
  }

  private func flush() {
    guard !waiting.isEmpty else { return }
    TCPClient.write(waiting, to: connection)
    waiting = []
  }
}

/// A plain TCP client on loopback.
enum TCPClient {
  static func connect(_ port: UInt16, receiveBytes: Int32 = 0) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    var wait = timeval(tv_sec: 8, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    var size = receiveBytes
    if size > 0 { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
    var remote = PlainSocket.storage("127.0.0.1", port)
    let result = withUnsafePointer(to: &remote) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, 16) }
    }
    guard result == 0 else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  static func frame(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes }

  static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + start, bytes.count - start, Int32(MSG_NOSIGNAL))  // not empty
      }
      guard count > 0 else { return }
      start += count
    }
  }

  /// Whether the other side has ended the connection within its eight seconds.
  static func isEnded(_ descriptor: Int32) -> Bool {
    var byte: UInt8 = 0
    while true {
      let count = recv(descriptor, &byte, 1, 0)
      if count == 0 { return true }
      if count < 0 { return errno == ECONNRESET }
    }
  }
}
