// Goal: files of Chinese spreadsheets become UTF-8, and nothing else passes for one. Method: bytes of another
// implementation (Python's codec), and bytes that are no text.
import CLinuxIO
import Testing

@Suite struct TextTests {
  private func decode(_ bytes: [UInt8], limit: Int? = nil) -> Result<[UInt8], Refusal> {
    var out = [UInt8](repeating: 0, count: limit ?? tk_gb18030_limit(bytes.count))
    let count = tk_gb18030_to_utf8(bytes, bytes.count, &out, out.count)
    return count < 0 ? .failure(Refusal(number: count)) : .success([UInt8](out.prefix(Int(count))))
  }

  struct Refusal: Error, Equatable { let number: Int64 }

  @Test func oneTwoAndFourBytesAreRead() {
    let bytes: [UInt8] = [
      0xB1, 0xE0, 0xBA, 0xC5, 0x2C, 0xC3, 0xFB, 0xB3, 0xC6, 0x2C, 0xB9, 0xA4, 0xBA, 0xC5, 0x0D, 0x0A, 0x50,
      0x30, 0x37, 0x2C, 0xCA, 0xAF, 0xB1, 0xDA, 0xDB, 0xEA, 0xBD, 0xCC, 0xD1, 0xA7, 0xB5, 0xE3, 0xA3, 0xAC,
      0x95, 0x34, 0xB2, 0x35, 0xCC, 0xEF, 0x2C, 0xA2, 0xE3, 0x81, 0x39, 0xEF, 0x31, 0x0D, 0x0A,
    ]
    let text = "编号,名称,工号\r\nP07,石壁坳教学点，𠮷田,€㐂\r\n"
    #expect(decode(bytes) == .success([UInt8](text.utf8)))
    #expect(decode([]) == .success([]))
  }

  @Test func theLimitIsEnoughForTheLongestGrowthAndHeld() {
    let bytes = [UInt8]([[0xB1, 0xE0]].joined()) + [UInt8](repeatElement([0xBA, 0xC5], count: 5_000).joined())
    #expect(decode(bytes) == .success([UInt8](("编" + String(repeating: "号", count: 5_000)).utf8)))
    #expect(decode(bytes, limit: 15_002) == .failure(Refusal(number: -7)))
    #expect(decode(bytes, limit: 0) == .failure(Refusal(number: -7)))
  }

  @Test func whatIsNoTextIsRefused() {
    for bytes: [UInt8] in [
      [0xB1], [0x41, 0xFF], [0x41, 0, 0x42], [0], [0xB1, 0xE0, 0x81, 0x30], [0xE7, 0xBC, 0x96, 0xFF],
    ] {
      #expect(decode(bytes) == .failure(Refusal(number: -84)), "\(bytes)")
    }
  }
}
