import Classroom
import Testing

@Suite struct IdentifierTests {
  /// RFC 9562 Appendix A.6: the UUIDv7 test vector.
  @Test func version7MatchesTheStandardsVector() {
    let made = Identifier(
      milliseconds: 0x017F_22E2_79B0, randomHigh: 0xCC3, randomLow: 0x18C4_DC0C_0C07_398F)
    #expect(made.description == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    #expect(made.version == 7)
    #expect(made.milliseconds == 0x017F_22E2_79B0)
    #expect(Identifier("C232AB00-9414-11EC-B3C8-9F6BDECED846")?.version == 1)
    #expect(Identifier("C232AB00-9414-11EC-B3C8-9F6BDECED846")?.milliseconds == nil)
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func textAndBytesRoundTrip(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<1_000 {
      let identifier = Identifier(high: generator.next(), low: generator.next())
      #expect(Identifier(identifier.description) == identifier)
      #expect(Identifier(identifier.description.uppercased()) == identifier)
      #expect(Identifier(bytes: identifier.bytes) == identifier)
    }
  }

  @Test func otherTextIsRefused() {
    let text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    for count in 0..<text.count { #expect(Identifier(text.prefix(count)) == nil) }
    let wrong = [
      "", text + "0", "{\(text)}", "urn:uuid:\(text)", "017f22e279b07cc398c4dc0c0c07398f",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2-79b0-7cc3-98c4_dc0c0c07398f",
      "-017f22e-79b0-7cc3-98c4-dc0c0c07398f", "０17f22e2-79b0-7cc3-98c4-dc0c0c07398",
      String(repeating: "0", count: 100_000),
    ]
    for text in wrong { #expect(Identifier(text) == nil, "\(text.prefix(50))") }
    for count in [0, 15, 17] { #expect(Identifier(bytes: [UInt8](repeating: 1, count: count)) == nil) }
  }

  @Test func version7SortsByTimeAndKeepsItsFieldsApart() {
    var generator = SeededGenerator(seed: 9)
    let made = (0..<500).map { Identifier(milliseconds: Int64($0) * 7, using: &generator) }
    #expect(made == made.sorted())
    #expect(made.map(\.description) == made.map(\.description).sorted())
    for identifier in made { #expect(identifier.low >> 62 == 0b10) }
    for time in [Int64.min, -1, Int64.max] {
      let extreme = Identifier(milliseconds: time, randomHigh: .max, randomLow: .max)
      #expect(extreme.version == 7)
      #expect(extreme.milliseconds == (time < 0 ? 0 : 0xffff_ffff_ffff))
    }
  }
}
