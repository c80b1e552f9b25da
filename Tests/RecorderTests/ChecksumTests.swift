import CLinuxIO
import Testing

@Suite struct ChecksumTests {
  /// RFC 3720 Appendix B.4.
  @Test func agreesWithTheStandardsVectors() {
    let vectors: [([UInt8], UInt32)] = [
      ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
      ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
      ((0..<32).map { UInt8($0) }, 0x46DD_794E),
      ((0..<32).reversed().map { UInt8($0) }, 0x113F_DB5C),
    ]
    for (bytes, expected) in vectors {
      #expect(tk_crc32c(0, bytes, bytes.count) == expected)
      #expect(tk_crc32c_portable(0, bytes, bytes.count) == expected)
    }
  }

  @Test func bothWaysAgreeAtEveryLengthAndInPieces() {
    var generator = SeededGenerator(seed: 1)
    let bytes = (0..<300).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    for count in 0...bytes.count {
      let whole = tk_crc32c(7, bytes, count)
      #expect(whole == tk_crc32c_portable(7, bytes, count))
      let first = Int(generator.next() % UInt64(count + 1))
      let rest = Array(bytes[first..<count])
      #expect(tk_crc32c(tk_crc32c(7, bytes, first), rest, rest.count) == whole)
    }
  }
}
