// Goal: ranges and tags are read as RFC 9110 says, and no header is a trap. Method: a table of headers; every range of
// small files; random headers.
import ControlPlane
import Testing

@Suite struct ByteRangeTests {
  @Test(arguments: [
    ("bytes=0-0", ByteRange.part(0...0)), ("bytes=0-", .part(0...999)), ("bytes=500-", .part(500...999)),
    ("bytes=-1", .part(999...999)), ("bytes=-5000", .part(0...999)), ("bytes=990-5000", .part(990...999)),
    ("BYTES = 1-2", .part(1...2)), ("bytes= 1-2 ", .part(1...2)), ("bytes=999-999", .part(999...999)),
    ("bytes=0-99999999999999999999999", .part(0...999)),
    // Behind the end, nothing of it, and several at once.
    ("bytes=1000-", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=99999999999999999999999-", .unsatisfiable),
    ("bytes=0-1,5-6", .unsatisfiable), ("bytes=0-0,-1", .unsatisfiable),
    // What is no range of bytes is not there.
    ("bytes=5-4", .whole), ("bytes=", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole), ("bytes=1", .whole),
    ("bytes=1-2-3", .whole), ("bytes=+1-2", .whole), ("lines=0-1", .whole), ("bytes", .whole), ("", .whole),
    ("bytes=0-1,", .whole), ("bytes=0x0-1", .whole), ("bytes=１-２", .whole),
  ])
  func headersAreRead(header: String, expected: ByteRange) {
    #expect(ByteRange(header, size: 1_000) == expected, "\(header)")
  }

  @Test func noHeaderIsTheWhole() {
    #expect(ByteRange(nil, size: 5) == .whole)
    #expect(ByteRange("bytes=" + String(repeating: "1-2,", count: 5_000), size: 5) == .whole)
    #expect(ByteRange("bytes=0-", size: 0) == .unsatisfiable)
  }

  @Test func everyRangeOfASmallFileIsInIt() {
    for size in Int64(1)...6 {
      for first in Int64(0)...8 {
        for last in first...9 {
          let found = ByteRange("bytes=\(first)-\(last)", size: size)
          #expect(found == (first < size ? .part(first...min(last, size - 1)) : .unsatisfiable))
        }
        let suffix = ByteRange("bytes=-\(first)", size: size)
        #expect(suffix == (first > 0 ? .part(max(0, size - first)...(size - 1)) : .unsatisfiable))
      }
    }
  }

  @Test func randomHeadersAreNoTrap() {
    let alphabet = Array("bytes=0123456789-, \u{0}é")
    for _ in 0..<20_000 {
      let header = "bytes=" + String((0..<Int.random(in: 0...24)).map { _ in alphabet.randomElement() ?? "-" })
      if case .part(let part) = ByteRange(header, size: 77) {
        #expect(part.lowerBound >= 0 && part.upperBound < 77, "\(header)")
      }
    }
  }

  @Test func tagsAreCompared() {
    for header in ["\"a\"", "W/\"a\"", "*", "\"b\", \"a\"", "\"b\",W/\"a\""] {
      #expect(EntityTags.match(header, tag: "a"), "\(header)")
    }
    for header in [nil, "", "a", "\"b\"", "\"aa\"", "'a'"] { #expect(!EntityTags.match(header, tag: "a")) }
    #expect(EntityTags.holdsRange(nil, tag: "a") && EntityTags.holdsRange("\"a\"", tag: "a"))
    for header in ["W/\"a\"", "\"b\"", "Sat, 28 Nov 2026 00:00:00 GMT"] {
      #expect(!EntityTags.holdsRange(header, tag: "a"), "\(header)")
    }
  }
}
