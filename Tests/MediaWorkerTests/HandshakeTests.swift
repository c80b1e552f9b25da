// Goal: DTLS comes about in both roles and with either kind of certificate. Method: two workers on loopback, real
// sockets.
import MediaWorker
import PacketRing
import RTCCore
import RTCWire
import Testing

@Suite(.serialized) struct HandshakeTests {
  /// A certificate as GStreamer makes them: RSA, 2,048 bits; made for these tests.
  static let rsaCertificate = """
    -----BEGIN CERTIFICATE-----
    MIIDATCCAemgAwIBAgIUAWh4FSbAhfB3MYBzZFok3T4FBBUwDQYJKoZIhvcNAQEL
    BQAwDzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjQxNDI1MTdaGA8yMTI2MTAzMTE0
    MjUxN1owDzENMAsGA1UEAwwEdGVzdDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCC
    AQoCggEBALm8mGk5ZoVV5eeufwsvekxEdpuX84zYMdgkWQ1zhjjdhG36LDOpg1Rq
    w4dYTBlzOi5h92+77clyBCewZLXDSd2RGkNt/aEH5Q0u8S3Kp1bgzBkFAA8HZ0T5
    qmTUYUvwtbq/HWyeGlfJBX47yd+g3D+53pN2twQVm8K3vmdpsSA0jABS31rybUyA
    VIYvv5/D8wK+JbN9KYJ9hSumb0nI44pyo3RCCuQyzoXNEpTeRI+fbsJsizdfMd13
    oeye8jeXFxyKpoqzhvx5pXIDGs+ua9p81vFZFDbn6pZnh+72p2EBYJJnO9TOVx10
    AyrNozgIKDh115SE/hUGim/fBK3LOhECAwEAAaNTMFEwHQYDVR0OBBYEFBKRhr8o
    GzR69rG0M1q874nkq7obMB8GA1UdIwQYMBaAFBKRhr8oGzR69rG0M1q874nkq7ob
    MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBACPRykji8vK/78mq
    tP+aEqRVjhYngKMmCVWDXi7EFJ5PWhTOgxgH07O7yl36+JalWk8E0Q8ABZAJJwzf
    lwMPwHLWKpy7/eOLp5fRrkn4zspQElPkGazkwjs0WUzlS4kqQRbf+uZ4CWX045Kg
    mv9zi/QK843m/4iWWBPZ99fzQUC6hwfvPTjQOej0Bm6Xh55J4yp1jYDldYfHKObB
    xAHS+rTFyzT+vR4/4nI5qnmluccC3J+sBDqSDeM84AscTCLBJWIZtd/f5fjVSly9
    7nOuXns1tOG5prh4RX25E17b/qf6ycypqRZmsk4P/h6Yd7kpxuVtpN7KNZ6k4HGV
    6PJZlIE=
    -----END CERTIFICATE-----
    """
  static let rsaKey = """
    -----BEGIN PRIVATE KEY-----
    MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC5vJhpOWaFVeXn
    rn8LL3pMRHabl/OM2DHYJFkNc4Y43YRt+iwzqYNUasOHWEwZczouYfdvu+3JcgQn
    sGS1w0ndkRpDbf2hB+UNLvEtyqdW4MwZBQAPB2dE+apk1GFL8LW6vx1snhpXyQV+
    O8nfoNw/ud6TdrcEFZvCt75nabEgNIwAUt9a8m1MgFSGL7+fw/MCviWzfSmCfYUr
    pm9JyOOKcqN0QgrkMs6FzRKU3kSPn27CbIs3XzHdd6HsnvI3lxcciqaKs4b8eaVy
    AxrPrmvafNbxWRQ25+qWZ4fu9qdhAWCSZzvUzlcddAMqzaM4CCg4ddeUhP4VBopv
    3wStyzoRAgMBAAECggEAAarVjivCjae9TyquB6dc5GCAtVG8USdLbsCYR05yPfJQ
    nxVd5laTKAvHjrBqaffSpdIRsOBFsJ9QNdw/sjFDKWzVGNX83vBBhFBXoEjrfsRY
    trCInSnsiZYpaztsFmy+L+OJb8U9UKyMeuMt4y7YLU8Fhkq8drocLme8ewSMD1E/
    gZqBGk/I+qKF/zKgnqpsUoP2drOVQq41B5/iHzUZYz2SFH8KSghOOJJCBCMMFxw6
    +RDl8dWcHjjLj63vO6IJpIjp8sJS15WQR/muT0+GL4lkDXDTYKX3Om4lBSVY5867
    FqZf9YEpZ0M5uKUpc95iE9Ag6a4pfn74jPZJwdkpIQKBgQDwuacQtxqnLRXGaWIv
    P0oFJSYx2KbABo0XXIu7RGR7IVGAuIVhjZsJMQBoeZHvYnP39/h+lrpADERsNWoB
    HrqRRPXlIe+FMC6n758Rd56oRqJs8OBcIw3qtL6m/nknAjnFqTg/dC6UED/rbvjL
    S8OzHW5OZCrvpKCyrcaEnhMa4QKBgQDFhbU1ftKrpBtGTJ1XrkQ/pRBqJGknQUNs
    KzqwELfw7Mc/emLQ9YPHq1kDrt2ZShN3v+4TN3O2aW3Ut4/svle9GdWLdTZL+cCC
    nnJhhLxolDpTAzeNzGSlcbhZDGWnruwzzoURzmr8jPGF2p09FI/6azJMmMfapIV6
    qrICoGK1MQKBgCU/xQ88Fh66Rj1Of0fqVizXo8Jg0OSz3s83ndObcKTw8eimJNWE
    kPHqKDMCZMeTB3jeYRBNiIJyo3/PABkuRRZHgnkzOBn267FGzelpBh7p1yZeW4lG
    T1f7Iek7RUn4+TGRzsda1f5JSWrH4C2tCppDupbcvxwX8FnVs/s/bpthAoGBAIPt
    e4wgihukf6cjsxAGUIVl/aG3chiLCbps4UUJ1aHwtGBcoTXKVlt9wfWozU/+XyRj
    qGNjbUEQCBDFDjdlJvsiDzSXdE2oogFcTS9/VcxP/OjHRErMkwjB/QxVMGygdBli
    PhUXlvPaO9NYoh9S5ZuwD6eDgDE0JAc7jawdbfBxAoGBALsNVR3ALiae78qahbbo
    t5R7NitSAjQrSiXkToH539Akl7Z9iDy1Mc4OrG0YJgZlKzR8lahozoM9UXDOw3R5
    H86ygLh6LQJ8uVU46o7vYRrQ8Mha8wiAijGUOUR9xO/1TznLpduFGP3RES1f7EKp
    Ivif1P5cxqgggO26wRI8HwuN
    -----END PRIVATE KEY-----
    """

  private static func credentials() -> ICECredentials {
    func text(_ count: Int) -> String {
      String(decoding: secureRandomBytes(count).map { UInt8(ascii: "a") + $0 % 26 }, as: UTF8.self)
    }
    return ICECredentials(userFragment: text(8), password: text(24))
  }

  private static func transport(_ worker: MediaWorker, _ identity: DTLSIdentity) -> LocalTransport {
    LocalTransport(
      credentials: credentials(), fingerprint: identity.fingerprint,
      candidates: [
        ICECandidateLine(
          foundation: "1", transport: "udp", priority: 1, address: "127.0.0.1", port: worker.port, type: "host")
      ], sessionID: 1)
  }

  /// What became of a worker's only peer.
  private static func outcome(_ worker: MediaWorker) async -> SRTPProfile? {
    for await batch in worker.events {
      for event in batch {
        switch event {
        case .dtlsConnected(_, let profile, _): return profile
        case .ended: return nil
        default: break
        }
      }
    }
    return nil
  }

  @Test(arguments: [true, false], [true, false])
  func bothRolesAndBothKindsOfCertificate(clientIsRSA: Bool, relayIsServer: Bool) async throws {
    let relayIdentity = try DTLSIdentity.generate()
    let clientIdentity =
      clientIsRSA
      ? try DTLSIdentity(certificatePEM: Self.rsaCertificate, privateKeyPEM: Self.rsaKey) : try DTLSIdentity.generate()
    var configuration = WorkerConfiguration.small
    configuration.loopbackOnly = true
    let relay = try MediaWorker(configuration: configuration, identity: relayIdentity)
    configuration.core.localAddresses = [SocketAddress(ipv4: 0x7F00_0001, port: 0)]
    let client = try MediaWorker(configuration: configuration, identity: clientIdentity)
    defer {
      client.stop()
      relay.stop()
    }
    var random = SystemRandomNumberGenerator()
    let offer = Negotiation.offer(
      role: .whip, tracks: [OfferedTrack(kind: .audio, encoding: .opus)],
      local: Self.transport(client, clientIdentity), random: &random)
    // ffmpeg insists on being the server.
    let text = offer.description.text
    let sent = relayIsServer ? text : text.replacing("a=setup:actpass", with: "a=setup:passive")
    let (answer, description) = try Negotiation.answer(
      offer: SessionDescription(parsing: sent), role: .whip, local: Self.transport(relay, relayIdentity),
      peer: PeerID(rawValue: 7), lesson: LessonID(rawValue: 1), feed: FeedID(rawValue: 1), random: &random)
    let far = try Negotiation.apply(
      answer: SessionDescription(parsing: answer.text), to: offer, peer: PeerID(rawValue: 8),
      lesson: LessonID(rawValue: 1), feed: nil)
    #expect(description.dtlsRole == (relayIsServer ? .server : .client))
    for worker in [relay, client] { _ = worker.send(.openLesson(LessonID(rawValue: 1))) }
    _ = relay.send(.addPeer(description))
    _ = client.send(.addPeer(far))
    async let first = Self.outcome(relay)
    async let second = Self.outcome(client)
    #expect(await first == .aeadAES128GCM)
    #expect(await second == .aeadAES128GCM)
  }
}
