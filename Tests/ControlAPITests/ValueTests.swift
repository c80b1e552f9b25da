// Goal: what the relay and its client write to each other is what the interface says. Method: values are compared with
// the JSON they stand for, and hostile answers are refused.
import ControlAPI
import Foundation
import Testing

@Suite struct ValueTests {
  private func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  @Test func anImportCarriesItsFilesAsBase64() throws {
    let request = ImportRequest(
      files: [.init(name: "教师.csv", data: Data([0xD1, 0xA7]), kind: "persons")], teacher: "P07/001", dryRun: true)
    let text = try json(request)
    #expect(
      text == #"{"deleteMissing":false,"dryRun":true,"files":[{"data":"0ac=","kind":"persons","name":"教师.csv"}],"#
        + #""teacher":"P07/001"}"#)
    #expect(try ControlTransport.decode(Data(text.utf8)) as ImportRequest == request)
  }

  @Test func aProblemCarriesWhatIsWrong() throws {
    let text = #"""
      {"type":"urn:tongke:problem:import","title":"t","status":422,"detail":"d","more":3,"issues":[
      {"sheet":"courses","row":2,"column":"周次","value":"1月16日","code":"mangledWeeks","text":"…"},
      {"sheet":"rooms","code":"empty","text":"…"}]}
      """#
    let problem = ControlTransport.problem(status: 422, Data(text.utf8))
    #expect(problem.issues?.count == 2 && problem.issues?[0].row == 2 && problem.issues?[1].row == nil)
    #expect(problem.more == 3 && problem.findings == nil)
  }

  @Test(arguments: ["", "<html>", "[]", #"{"title":7}"#, String(repeating: "[", count: 4_000)])
  func aRefusalThatIsNoProblemStillTellsItsStatus(body: String) {
    let problem = ControlTransport.problem(status: 502, Data(body.utf8))
    #expect(problem.status == 502 && problem.title == "HTTP 502")
  }

  @Test func whatTheServerAnswersMayNotNestWithoutEnd() throws {
    let deep = String(repeating: "[", count: 33) + String(repeating: "]", count: 33)
    #expect(throws: ControlError.badAnswer(reason: "JSON nests too deep")) {
      let _: [TermReply] = try ControlTransport.decode(Data(deep.utf8))
    }
    // Brackets of a text are none.
    let brackets = String(repeating: "[", count: 100)
    let list: [String] = try ControlTransport.decode(Data(#"["\"\#(brackets)"]"#.utf8))
    #expect(list == ["\"" + brackets])
  }

  @Test func numbersOfPeopleAreOneSegment() {
    var request = ControlRequest(.get, ["calendars", "teachers", "P07/..", "张 1?"])
    request.query = [("room", "L01-1&x=1"), ("week", nil), ("to", "2026-09-07")]
    #expect(
      request.target
        == "/api/v1/calendars/teachers/P07%2F../%E5%BC%A0%201%3F?room=L01-1%26x%3D1&to=2026-09-07")
    #expect(ControlRequest(.get, ["lessons", ".."]).target == "/api/v1/lessons/%2E%2E")
  }

  @Test(arguments: ["", "relay", "ftp://relay", "https://", "https://user:word@relay", "https://relay/?x=1"])
  func whatIsNoAddressIsRefused(base: String) {
    #expect(throws: ControlError.badURL(base)) {
      try ControlTransport(base: base, token: nil, language: nil, trust: nil)
    }
  }

  @Test(arguments: ["", "a b", "a\r\nX: y", "令牌"]) func whatIsNoTokenIsRefused(token: String) {
    #expect(throws: ControlError.badToken) {
      try ControlTransport(base: "https://relay", token: token, language: nil, trust: nil)
    }
  }
}
