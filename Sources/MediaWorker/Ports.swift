import Glibc

/// A worker's UDP socket and TCP listener, on one port number.
struct Ports: ~Copyable {
  /// With port 0 a number that UDP may take can be taken of TCP: so often another is tried.
  private static let attemptLimit = 32

  let port: UInt16
  var udp: UDPSocket
  var tcp: TCPConnections?

  init(_ configuration: WorkerConfiguration) throws(WorkerError) {
    var attempt = 1
    while true {
      let socket: UDPSocket
      do throws(SocketError) {
        socket = try UDPSocket(
          port: configuration.udpPort, loopbackOnly: configuration.loopbackOnly,
          bufferByteCount: configuration.socketBufferBytes, segmentation: configuration.segmentation)
      } catch { throw .socket(error) }
      guard configuration.tcp else {
        port = socket.port
        udp = socket
        tcp = nil
        return
      }
      do throws(SocketError) {
        let connections = try TCPConnections(
          port: socket.port, loopbackOnly: configuration.loopbackOnly, limit: configuration.tcpConnectionLimit,
          addressLimit: configuration.tcpAddressLimit)
        port = socket.port
        udp = socket
        tcp = consume connections
        return
      } catch {
        guard error.code == EADDRINUSE, configuration.udpPort == 0, attempt < Self.attemptLimit else {
          throw .listener(error)
        }
        attempt += 1
      }
    }
  }
}
