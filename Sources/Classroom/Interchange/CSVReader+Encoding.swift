extension CSVReader {
  /// How the bytes of a file stand for text.
  public enum Encoding: String, Hashable, Sendable, Codable, CaseIterable {
    case utf8
    /// With a mark before it, as "CSV UTF-8" is saved.
    case utf8Marked
    /// With its mark, as "Unicode text" is saved.
    case utf16
    /// As Chinese spreadsheets save plain CSV.
    case gb18030
  }

  /// Beginnings of workbooks: a ZIP archive, and the compound file of older ones.
  private static let workbooks: [[UInt8]] = [[0x50, 0x4B, 0x03, 0x04], [0xD0, 0xCF, 0x11, 0xE0]]

  /// UTF-8 without a mark, and what it was before.
  static func decode(
    _ file: [UInt8], _ decodeGB18030: ([UInt8]) -> [UInt8]?
  ) throws(ImportIssue) -> ([UInt8], Encoding) {
    guard !workbooks.contains(where: file.starts) else {
      throw ImportIssue(.isWorkbook, suggestion: .saveAsCSV)
    }
    if file.starts(with: [0xEF, 0xBB, 0xBF]) {
      let text = [UInt8](file.dropFirst(3))
      guard isUTF8(text) else { throw ImportIssue(.badEncoding, value: "UTF-8", suggestion: .saveAsCSV) }
      return (text, .utf8Marked)
    }
    if file.starts(with: [0xFF, 0xFE]) || file.starts(with: [0xFE, 0xFF]) {
      guard let text = fromUTF16(file) else {
        throw ImportIssue(.badEncoding, value: "UTF-16", suggestion: .saveAsCSV)
      }
      return (text, .utf16)
    }
    if isUTF8(file) { return (file, .utf8) }
    guard let text = decodeGB18030(file), isUTF8(text) else {
      throw ImportIssue(.unknownEncoding, suggestion: .saveAsCSV)
    }
    return (text, .gb18030)
  }

  private static func isUTF8(_ bytes: [UInt8]) -> Bool {
    do {
      _ = try UTF8Span(validating: bytes.span)
      return true
    } catch {
      return false
    }
  }

  /// UTF-8 of UTF-16 with its mark; nil for half a unit or half a pair.
  private static func fromUTF16(_ file: [UInt8]) -> [UInt8]? {
    guard file.count % 2 == 0 else { return nil }
    let isLittle = file[0] == 0xFF
    var text: [UInt8] = []
    text.reserveCapacity(file.count / 2 * 3)
    var place = 2
    while place < file.count {
      func unit(_ place: Int) -> UInt32 {
        let (first, second) = (UInt32(file[place]), UInt32(file[place + 1]))
        return isLittle ? second << 8 | first : first << 8 | second
      }
      var value = unit(place)
      place += 2
      if (0xD800...0xDBFF).contains(value), place < file.count, (0xDC00...0xDFFF).contains(unit(place)) {
        value = 0x10000 + (value - 0xD800) << 10 + (unit(place) - 0xDC00)
        place += 2
      }
      guard let scalar = Unicode.Scalar(value) else { return nil }
      text += String(scalar).utf8
    }
    return text
  }
}
