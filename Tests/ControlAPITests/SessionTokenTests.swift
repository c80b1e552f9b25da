// Goal: a client knows when to go on with a session, and no token of others makes it trap. Method: tokens written out,
// and times around their ends.
import ControlAPI
import Foundation
import Testing

@Suite struct SessionTokenTests {
  private func token(_ payload: String) -> String {
    let body = Data(payload.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: "")
    return "e30.\(body).AA"
  }

  @Test func aSessionInUseWantsItsNextToken() throws {
    let read = try #require(SessionToken(token(#"{"iat":1000,"exp":2800,"ses":44200,"sub":"x"}"#)))
    #expect(read.ends == 44_200)
    #expect(!read.wantsNext(now: 1_000) && !read.wantsNext(now: 1_059))
    #expect(read.wantsNext(now: 1_060) && read.wantsNext(now: 2_799))
    #expect(read.wantsNext(now: 900), "a clock that was set back")
    #expect(!read.wantsNext(now: 2_800), "it has run out")
    let last = try #require(SessionToken(token(#"{"iat":1000,"exp":2800,"ses":1500}"#)))
    #expect(last.wantsNext(now: 1_499) && !last.wantsNext(now: 1_500))
    let kept = try #require(SessionToken(token(#"{"iat":1000,"exp":2800}"#)))
    #expect(!kept.wantsNext(now: 2_000), "no session's")
  }

  @Test func whatIsNoTokenIsNone() {
    for text in [
      "", "a.b", "a.b.c", "a.b.c.d", token("[]"), token(#"{"iat":1}"#),
      token(#"{"iat":99999999999999999999,"exp":1}"#),
      token(String(repeating: "[", count: 600)), String(repeating: "a", count: 1_000_000),
    ] { #expect(SessionToken(text) == nil, "\(text.prefix(20))") }
    let far = token(#"{"iat":-9223372036854775808,"exp":9223372036854775807,"ses":9223372036854775807}"#)
    #expect(SessionToken(far)?.wantsNext(now: .max - 1) == true, "no sum overflows")
  }
}
