// Goal: server-sent events are cut as they were sent, however they arrive, and nothing grows without end. Method: a
// stream fed in pieces of every size, and streams no relay sends.
import ControlAPI
import Foundation
import Testing

@Suite struct NewsReaderTests {
  private static let stream =
    ": tongke\n\nevent: state\ndata: {\"state\":\"live\"}\n\n: \n\n"
    + "event: bye\r\ndata: {\"reason\":\"stopAll\",\"peer\":3}\r\n\r\n"
    + "data: 1\ndata: 2\n\nevent: nothing\n\nid: 4\ndata\n\nevent: half"

  @Test(arguments: [1, 2, 3, 7, 1_000]) func eventsComeWholeWhateverTheirPieces(size: Int) {
    var reader = NewsReader()
    var news: [ControlNews] = []
    let bytes = Array(Self.stream.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      news += reader.take(bytes[start..<min(start + size, bytes.count)])
    }
    #expect(news.map(\.name) == ["state", "bye", "message"])
    #expect(news.first?.text("state") == "live" && news.first?.text("reason") == nil)
    #expect(news.dropFirst().first?.text("reason") == "stopAll" && news.dropFirst().first?.text("peer") == nil)
    #expect(news.last.map { String(decoding: $0.data, as: UTF8.self) } == "1\n2")
    #expect(!reader.isTooLong)
  }

  @Test func aStreamWithoutEndIsCutOff() {
    for text in ["x", "data: 1\n"] {
      var reader = NewsReader()
      let many = Array(String(repeating: text, count: 100_000).utf8)
      #expect(reader.take(many).isEmpty && reader.isTooLong)
      #expect(reader.take(Array("\n\ndata: 1\n\n".utf8)).isEmpty)
    }
  }
}
