// Goal: datagrams leave whole, from the address they should, cut by the kernel or by us, and what does not fit is
// counted. Method: the worker's socket against plain sockets on loopback.
import Foundation
import MediaWorker
import PacketRing
import RTCCore
import RTCWire
import Testing

/// A plain UDP socket of an address of this machine.
final class PlainSocket {
  let descriptor: Int32
  let port: UInt16
  let isIPv6: Bool

  /// Nil when the machine has no such address.
  init?(_ address: String) {
    isIPv6 = address.contains(":")
    let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var wait = timeval(tv_sec: 2, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    var local = Self.storage(address, 0)
    let bound = withUnsafePointer(to: &local) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, 128) }
    }
    guard bound == 0 else {
      close(descriptor)
      return nil
    }
    var name = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    _ = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    self.descriptor = descriptor
    port = Self.read(name).port
  }

  deinit { close(descriptor) }

  static func storage(_ address: String, _ port: UInt16) -> sockaddr_storage {
    var storage = sockaddr_storage()
    withUnsafeMutableBytes(of: &storage) { raw in
      if address.contains(":") {
        var value = sockaddr_in6()
        value.sin6_family = sa_family_t(AF_INET6)
        value.sin6_port = port.bigEndian
        inet_pton(AF_INET6, address, &value.sin6_addr)
        withUnsafeBytes(of: value) { raw.copyMemory(from: $0) }
      } else {
        var value = sockaddr_in()
        value.sin_family = sa_family_t(AF_INET)
        value.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &value.sin_addr)
        withUnsafeBytes(of: value) { raw.copyMemory(from: $0) }
      }
    }
    return storage
  }

  static func read(_ storage: sockaddr_storage) -> (address: String, port: UInt16) {
    let isIPv6 = Int32(storage.ss_family) == AF_INET6
    return withUnsafeBytes(of: storage) { raw in
      var text = [CChar](repeating: 0, count: 64)
      inet_ntop(isIPv6 ? AF_INET6 : AF_INET, raw.baseAddress! + (isIPv6 ? 8 : 4), &text, 64)  // a whole structure
      let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8($0) }, as: UTF8.self)
      return (address, UInt16(raw[2]) << 8 | UInt16(raw[3]))
    }
  }

  func send(_ bytes: [UInt8], to address: String, _ port: UInt16) {
    var remote = Self.storage(address, port)
    _ = withUnsafePointer(to: &remote) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, bytes, bytes.count, 0, $0, isIPv6 ? 28 : 16)
      }
    }
  }

  /// The next datagram and where it came from; nil after two seconds without one.
  func receive() -> (bytes: [UInt8], address: String, port: UInt16)? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var remote = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let count = withUnsafeMutablePointer(to: &remote) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
      }
    }
    guard count >= 0 else { return nil }
    let from = Self.read(remote)
    return (Array(buffer[0..<count]), from.address, from.port)
  }
}

@Suite struct SocketTests {
  /// Ten datagrams of 900 bytes and a shorter one, as one train.
  static func write(_ egress: inout EgressArena, path: NetworkPath, isUrgent: Bool = false, from first: UInt8 = 0) {
    for number in 0..<UInt8(11) {
      let count = number == 10 ? 100 : 900
      let place = egress.writePointer
      for offset in 0..<count { place[offset] = first + number }
      egress.commit(byteCount: count, path: path, peer: 1, isUrgent: isUrgent)
    }
  }

  static func path(_ socket: borrowing UDPSocket, local: String, to address: String, _ port: UInt16) throws
    -> NetworkPath
  {
    NetworkPath(
      local: try #require(SocketAddress(address: local, port: socket.port)),
      remote: try #require(SocketAddress(address: address, port: port)))
  }

  @Test(arguments: [true, false]) func trainsArriveDatagramByDatagram(segmentation: Bool) throws {
    let far = try #require(PlainSocket("127.0.0.1"))
    var socket = try UDPSocket(port: 0, loopbackOnly: true, bufferByteCount: 1 << 20, segmentation: segmentation)
    var egress = EgressArena(byteCount: 1 << 18, trainLimit: 16)
    Self.write(&egress, path: try Self.path(socket, local: "127.0.0.1", to: "127.0.0.1", far.port))
    #expect(egress.trains.count == 1 && egress.trains[0].segmentCount == 11)
    socket.send(egress, trains: egress.trains)
    for number in 0..<UInt8(11) {
      let got = try #require(far.receive())
      #expect(got.bytes == [UInt8](repeating: number, count: number == 10 ? 100 : 900))
      #expect(got.port == socket.port)
    }
    #expect(socket.sendErrors == 0 && socket.droppedWhenFull == 0)
  }

  /// A device that cannot cut is remembered; the train that found out goes out all the same.
  @Test(arguments: [EIO, EINVAL]) func trainsAreCutByUsWhenTheKernelCannot(code: Int32) throws {
    let far = try #require(PlainSocket("127.0.0.1"))
    var socket = try UDPSocket(port: 0, loopbackOnly: true, bufferByteCount: 1 << 20)
    socket.fault = { trains in trains.first?.isSegmented == true ? code : 0 }
    var egress = EgressArena(byteCount: 1 << 18, trainLimit: 16)
    Self.write(&egress, path: try Self.path(socket, local: "127.0.0.1", to: "127.0.0.1", far.port))
    socket.send(egress, trains: egress.trains)
    for number in 0..<UInt8(11) { #expect(far.receive()?.bytes.first == number) }
    let hasSegmentation = socket.hasSegmentation
    #expect(!hasSegmentation)
    socket.send(egress, trains: egress.trains)
    for number in 0..<UInt8(11) { #expect(far.receive()?.bytes.first == number) }
  }

  /// One receiver's narrow path must not cost the others their trains.
  @Test func aNarrowPathConcernsItsOwnTrain() throws {
    let far = try #require(PlainSocket("127.0.0.1"))
    var socket = try UDPSocket(port: 0, loopbackOnly: true, bufferByteCount: 1 << 20)
    var egress = EgressArena(byteCount: 1 << 18, trainLimit: 16)
    Self.write(&egress, path: try Self.path(socket, local: "127.0.0.1", to: "127.0.0.1", far.port))
    socket.send(egress, trains: egress.trains)
    for _ in 0..<11 { #expect(far.receive() != nil) }
    // The kernel has cut before: this refusal is about the path.
    socket.fault = { trains in trains.first?.isSegmented == true ? EINVAL : 0 }
    socket.send(egress, trains: egress.trains)
    for _ in 0..<11 { #expect(far.receive() != nil) }
    let hasSegmentation = socket.hasSegmentation
    #expect(hasSegmentation)
  }

  /// Nothing sealed waits: picture is dropped and counted datagram by datagram, sound is tried once more.
  @Test(arguments: [1, 2]) func aFullSocketDropsPictureAndCounts(refusals: Int) throws {
    let far = try #require(PlainSocket("127.0.0.1"))
    var socket = try UDPSocket(port: 0, loopbackOnly: true, bufferByteCount: 1 << 20)
    var egress = EgressArena(byteCount: 1 << 18, trainLimit: 16)
    let path = try Self.path(socket, local: "127.0.0.1", to: "127.0.0.1", far.port)
    Self.write(&egress, path: path)
    let place = egress.writePointer
    for offset in 0..<50 { place[offset] = 0xAA }
    egress.commit(byteCount: 50, path: path, peer: 1, isUrgent: true)
    nonisolated(unsafe) var calls = 0
    socket.fault = { _ in
      calls += 1
      return calls <= refusals ? EAGAIN : 0
    }
    socket.send(egress, trains: egress.trains)
    #expect(calls == 2)
    #expect(socket.droppedWhenFull == (refusals == 1 ? 11 : 12))
    if refusals == 1 { #expect(far.receive()?.bytes == [UInt8](repeating: 0xAA, count: 50)) }
  }

  /// An address nobody can reach is an error of its own receiver; the rest of the batch goes.
  @Test func anUnreachableReceiverHarmsNobody() throws {
    let far = try #require(PlainSocket("127.0.0.1"))
    var socket = try UDPSocket(port: 0, loopbackOnly: true, bufferByteCount: 1 << 20)
    var egress = EgressArena(byteCount: 1 << 18, trainLimit: 16)
    Self.write(&egress, path: try Self.path(socket, local: "127.0.0.1", to: "192.0.2.1", 9))
    Self.write(&egress, path: try Self.path(socket, local: "127.0.0.1", to: "127.0.0.1", far.port))
    socket.send(egress, trains: egress.trains)
    for number in 0..<UInt8(11) { #expect(far.receive()?.bytes.first == number) }
  }

  /// What is sent leaves from the path's own address, IPv4 on an IPv6 socket too.
  @Test(arguments: ["127.0.0.1", "127.0.0.5", "::1"]) func theLocalAddressIsThePaths(local: String) throws {
    guard let far = PlainSocket(local.contains(":") ? "::1" : "127.0.0.1") else { return }
    var socket = try UDPSocket(port: 0, loopbackOnly: false, bufferByteCount: 1 << 20)
    var egress = EgressArena(byteCount: 1 << 18, trainLimit: 16)
    Self.write(
      &egress, path: try Self.path(socket, local: local, to: local.contains(":") ? "::1" : "127.0.0.1", far.port))
    socket.send(egress, trains: egress.trains)
    let got = try #require(far.receive())
    #expect(got.address == local && got.port == socket.port)
  }

  /// A check is answered from the address it was sent to, whichever of the machine's that is.
  @Test(arguments: ["127.0.0.1", "127.0.0.9", "::1"]) func theRelayAnswersFromWhereItWasAsked(address: String) throws {
    guard let far = PlainSocket(address.contains(":") ? "::1" : "127.0.0.1") else { return }
    let worker = try MediaWorker(configuration: WorkerConfiguration.small, identity: DTLSIdentity.generate())
    defer { worker.stop() }
    let relay = ICECredentials(userFragment: "rely", password: "relayrelayrelayrelayre")
    let line = MediaLine(
      mid: "0", kind: .audio, direction: .receive,
      codecs: [Codec(encoding: .opus, payloadType: 111, retransmissionPayloadType: nil, clockRate: 48_000)],
      extensions: ExtensionIDs(), feedback: [])
    _ = worker.send(.openLesson(LessonID(rawValue: 1)))
    _ = worker.send(
      .addPeer(
        PeerDescription(
          id: PeerID(rawValue: 1), lesson: LessonID(rawValue: 1), feed: FeedID(rawValue: 1), iceRole: .lite,
          local: relay, remote: ICECredentials(userFragment: "clnt", password: "clientclientclientclie"),
          remoteCandidates: [], dtlsRole: .server,
          remoteFingerprints: [CertificateFingerprint(algorithm: "sha-256", digest: Array(repeating: 1, count: 32))],
          reducedSizeRTCP: true, lines: [line])))
    var writer = STUNWriter(.request, transaction: STUNTransaction(high: 1, low: 2))
    writer.add(STUNAttribute.username, Array("rely:clnt".utf8))
    writer.add(STUNAttribute.useCandidate, [])
    writer.finish { bytes in bytes.withUnsafeBytes { hmacSHA1(key: relay.password, $0) } }
    // The worker may still be taking its commands.
    var got: (bytes: [UInt8], address: String, port: UInt16)?
    for _ in 0..<5 where got == nil {
      far.send(writer.bytes, to: address, worker.port)
      got = far.receive()
    }
    let reply = try #require(got)
    #expect(reply.address == address && reply.port == worker.port)
    let mapped = try reply.bytes.withUnsafeBytes { try STUNMessage($0).xorMappedAddress }
    #expect(mapped?.port == far.port)
  }
}

extension WorkerConfiguration {
  /// A worker that fits a test.
  static var small: WorkerConfiguration {
    var configuration = WorkerConfiguration()
    configuration.slotCount = 1_024
    return configuration
  }
}
