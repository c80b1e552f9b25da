// Goal: no cut of anything that comes from the network upsets a parser. Method: every fixture at every length.
import RTCCore
import RTCWire
import Testing

@Suite struct TruncationTests {
  @Test(arguments: OfferFixtures.all.map(\.name)) func offers(name: String) throws {
    let fixture = try #require(OfferFixtures.all.first { $0.name == name })
    let role: NegotiationRole = fixture.isPublisher ? .whip : .whep
    let bytes = Array(fixture.text.utf8)
    var answered = 0
    for count in 0...bytes.count {
      let text = String(decoding: bytes[0..<count], as: UTF8.self)
      if (try? NegotiationTests.answer(text, role)) != nil { answered += 1 }
    }
    #expect(answered > 0 && answered < bytes.count)
  }

  @Test func fragments() throws {
    let text = """
      a=ice-ufrag:EsAw\r
      a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r
      m=audio 9 UDP/TLS/RTP/SAVPF 0\r
      a=mid:0\r
      a=candidate:1 1 udp 2130706431 192.0.2.2 61764 typ host\r
      a=candidate:2 1 tcp 1518280447 2001:db8::9 9 typ host tcptype active\r
      a=candidate:3 1 udp 2130706431 6f1c5a34-0f0e-4dcb-9d5e-1be7e8d2f0aa.local 61765 typ host\r
      a=end-of-candidates\r

      """
    let whole = try SDPFragment(parsing: text)
    #expect(whole.userFragment == "EsAw" && whole.candidates.count == 3 && whole.endOfCandidates)
    #expect(whole.candidates.map { $0.socketAddress != nil } == [true, true, false])
    #expect(whole.candidates[1].tcpType == "active")
    let again = try SDPFragment(parsing: whole.text)
    #expect(again.candidates == whole.candidates)
    let bytes = Array(text.utf8)
    for count in 0..<bytes.count {
      guard let cut = try? SDPFragment(parsing: String(decoding: bytes[0..<count], as: UTF8.self)) else { continue }
      #expect(cut.candidates.count <= 3)
    }
  }

  @Test func addressesAreReadStrictly() {
    for text in [
      "1.2.3", "1.2.3.4.5", "256.1.1.1", "+1.2.3.4", "1..2.3", "", "::1::", "1:2:3:4:5:6:7:8:9", "-1::", "g::",
      ":::", "1:", ":1", "::1%eth0", "1:2:3:4:5:6:7::8:9", "::1.2.3",
    ] {
      #expect(SocketAddress(address: text, port: 1) == nil, "\(text)")
    }
    for text in ["::", "::1", "1::", "2001:db8::ff00:42:8329", "1:2:3:4:5:6:7:8", "192.0.2.1"] {
      #expect(SocketAddress(address: text, port: 1)?.addressText == text)
    }
    #expect(SocketAddress(address: "::ffff:192.0.2.1", port: 1)?.low == 0xFFFF_C000_0201)
  }
}
