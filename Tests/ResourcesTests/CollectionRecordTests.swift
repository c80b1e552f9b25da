// Goal: whatever a title says, the forms are well-formed, say the same, and are the same bytes each time. Method:
// hostile words through Foundation's parsers of XML and JSON.
import Foundation
import Resources
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct CollectionRecordTests {
  static let hostile = "乘法 <b> & \"引号\" ]]> '单' \u{1}\u{FFFF}\t\r\n\\ \u{2028}𠮷 -->"

  private func record(title: String = "三年级音乐") -> CollectionRecord {
    var record = CollectionRecord(
      identifier: "018f0000-0000-7000-8000-000000000001", title: title, subject: "音乐", grades: [3, 4],
      made: "2026-11-28T02:00:00Z", status: .final,
      files: [
        .init(
          name: "camera.mp4", mediaType: "video/mp4", byteCount: 5_000_000_000,
          sha256: String(repeating: "a", count: 64),
          durationMilliseconds: 2_712_500),
        .init(
          name: "camera.jpg", mediaType: "image/jpeg", byteCount: 5, sha256: String(repeating: "b", count: 64),
          durationMilliseconds: 0),
      ])
    record.teacher = title == "三年级音乐" ? "李红" : title
    record.school = "中心小学"
    record.keywords = ["民歌", title]
    record.summary = title
    record.textbook = "人教版"
    return record
  }

  /// Every element with its text, in order.
  private final class Reader: NSObject, XMLParserDelegate {
    var path: [String] = []
    var found: [(path: String, text: String)] = []
    var namespaces: Set<String> = []
    private var text = ""

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      path.append(name)
      namespaces.insert(namespaceURI ?? "")
      text = ""
    }
    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
      found.append((path.joined(separator: "/"), text))
      path.removeLast()
      text = ""
    }
    func texts(_ path: String) -> [String] { found.filter { $0.path == path }.map(\.text) }
  }

  private func read(_ text: String) throws -> Reader {
    let parser = XMLParser(data: Data(text.utf8))
    parser.shouldProcessNamespaces = true
    let reader = Reader()
    parser.delegate = reader
    #expect(parser.parse(), "\(parser.parserError as Any)\n\(text)")
    return reader
  }

  @Test func lomSaysWhatTheRecordSays() throws {
    let found = try read(record().text(.lomXML))
    #expect(found.namespaces == ["http://ltsc.ieee.org/xsd/LOM"])
    #expect(found.texts("lom/general/title/string") == ["三年级音乐"])
    #expect(found.texts("lom/general/keyword/string") == ["民歌", "三年级音乐"])
    #expect(found.texts("lom/technical/size") == ["5000000005"])
    #expect(found.texts("lom/technical/format") == ["image/jpeg", "video/mp4"])
    #expect(found.texts("lom/technical/duration/duration") == ["PT45M12.5S"])
    #expect(found.texts("lom/educational/typicalAgeRange/string") == ["8-10"])
    #expect(found.texts("lom/lifeCycle/contribute/entity").first?.contains("FN:李红\nORG:中心小学") == true)
    #expect(found.texts("lom/classification/taxonPath/taxon/entry/string") == ["音乐", "3", "4", "人教版"])
  }

  @Test func hostileWordsStayWords() throws {
    let record = record(title: Self.hostile)
    let shown = Self.hostile.replacing("\u{1}", with: "\u{FFFD}").replacing("\u{FFFF}", with: "\u{FFFD}")
    #expect(try read(record.text(.lomXML)).texts("lom/general/title/string") == [shown])
    #expect(try read(record.text(.dublinCore)).texts("metadata/title") == [shown])
    for form in [CollectionRecord.Form.lomJSON, .collection] {
      let value = try JSONSerialization.jsonObject(with: Data(record.text(form).utf8)) as? [String: Any]
      let found = try #require(value?["题名"] ?? value?["lom"])
      #expect("\(found)".contains("乘法 <b>"), "\(form)")
    }
    let collection = try #require(
      try JSONSerialization.jsonObject(with: Data(record.text(.collection).utf8)) as? [String: String])
    #expect(collection["题名"] == Self.hostile && collection["年级"] == "3,4")
    let card = try #require(try read(record.text(.lomXML)).texts("lom/lifeCycle/contribute/entity").first)
    #expect(card.split(separator: "\n").count == 5, "a name begins no property of its own: \(card)")
  }

  @Test func whatIsEmptyIsLeftOut() throws {
    var bare = CollectionRecord(
      identifier: "x", title: "x", subject: "", grades: [], made: "", status: .draft, files: [])
    bare.keywords = []
    let text = bare.text(.lomXML)
    _ = try read(text)
    for name in ["keyword", "description", "duration", "contribute", "classification", "typicalAgeRange"] {
      #expect(!text.contains("<\(name)"), "\(name)")
    }
  }

  @Test func formsAreTheSameBytesEachTime() {
    for form in CollectionRecord.Form.allCases { #expect(record().text(form) == record().text(form)) }
    #expect(Set(CollectionRecord.Form.allCases.map { record().text($0) }).count == 4)
  }
}
