// Goal: a file as a Chinese spreadsheet saves it is read as what was typed. Method: bytes written down by hand go
// through the system's table and the reader together.
import Classroom
import ControlPlane
import Testing

@Suite struct ImportDecodingTests {
  /// `编号,名称` CRLF `P01,石桥𠮷小学` CRLF: two bytes for each hanzi, four for the one outside the basic plane.
  static let rooms: [UInt8] =
    [0xB1, 0xE0, 0xBA, 0xC5, 0x2C, 0xC3, 0xFB, 0xB3, 0xC6, 0x0D, 0x0A]
    + [0x50, 0x30, 0x31, 0x2C, 0xCA, 0xAF, 0xC7, 0xC5, 0x95, 0x34, 0xB2, 0x35, 0xD0, 0xA1, 0xD1, 0xA7, 0x0D, 0x0A]

  @Test func aSheetInGB18030IsRead() throws {
    let sheet = try ImportSheet(Self.rooms)
    #expect(sheet.kind == .institutions)
    #expect(sheet.encoding == .gb18030)
    #expect(sheet.header == ["编号", "名称"])
    var reader = try CSVReader(Self.rooms, decodeGB18030: ImportDecoding.utf8(ofGB18030:))
    #expect(try reader.next()?.cells == ["编号", "名称"])
    #expect(try reader.next()?.cells == ["P01", "石桥\u{20BB7}小学"])
    #expect(try reader.next() == nil)
  }

  @Test func whatIsNotGB18030IsRefused() {
    // Half a character at the end, a byte that begins none, a NUL.
    for bytes: [UInt8] in [[0xB1], [0x41, 0xFF, 0x41], [0xB1, 0xE0, 0x00]] {
      #expect(ImportDecoding.utf8(ofGB18030: bytes) == nil)
      let issue = #expect(throws: ImportIssue.self) { try ImportSheet(bytes + [0xFF]) }
      #expect(issue?.code == .unknownEncoding)
    }
    #expect(ImportDecoding.utf8(ofGB18030: []) == [])
  }

  @Test func aFileBeyondTheLimitIsNotDecoded() {
    let tooMuch = [UInt8](repeating: 0x41, count: CSVReader.byteLimit + 1)
    #expect(ImportDecoding.utf8(ofGB18030: tooMuch) == nil)
    let issue = #expect(throws: ImportIssue.self) { try ImportSheet(tooMuch) }
    #expect(issue?.code == .fileTooLarge)
  }
}
