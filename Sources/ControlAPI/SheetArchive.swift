public import Foundation

/// Several files as one stream: a tar archive (POSIX ustar, also with the extensions that Windows' own `tar` writes),
/// so that one standard input can carry all sheets of an import.
public enum SheetArchive {
  /// Why an archive is not taken.
  public enum Failure: Error, Hashable, Sendable {
    /// A header or a size that is none, or an archive that ends too early.
    case damaged
    case tooManyFiles
  }

  /// Files of one archive.
  public static let fileLimit = 64
  private static let block = 512

  /// Whether bytes begin like such an archive.
  public static func isArchive(_ data: Data) -> Bool {
    data.count >= block && data.dropFirst(257).prefix(5).elementsEqual("ustar".utf8)
  }

  /// The plain files in it, in their order: the last part of each name, and what it holds. Folders, links and what
  /// Macs put beside files are left out. Cost: one pass; what files hold is not copied twice.
  public static func files(_ data: Data) throws(Failure) -> [(name: String, data: Data)] {
    let data = data.startIndex == 0 ? data : Data(data)
    var files: [(name: String, data: Data)] = []
    var place = 0
    var longName: String?
    while place + block <= data.count {
      let header = data[place..<(place + block)]
      // Two empty blocks end it; one is enough to see that nothing is missing.
      if header.allSatisfy({ $0 == 0 }) { return files }
      guard sumFits(header), let size = octal(header, 124, 12) else { throw .damaged }
      let (start, type) = (place + block, header[place + 156])
      guard size <= data.count - start else { throw .damaged }
      let content = data[start..<(start + size)]
      place = start + (size + block - 1) / block * block
      switch type {
      case UInt8(ascii: "x"): longName = path(ofExtension: content) ?? longName
      case UInt8(ascii: "L"): longName = text(content)
      case UInt8(ascii: "0"), 0, UInt8(ascii: "7"):
        let whole = longName ?? text(header.prefix(100))
        let name = whole.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init)
        longName = nil
        guard let name, !name.hasPrefix("._") else { continue }
        guard files.count < fileLimit else { throw .tooManyFiles }
        files.append((name, Data(content)))
      case UInt8(ascii: "g"): break
      default: longName = nil
      }
    }
    throw .damaged
  }

  private static func text(_ bytes: Data) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

  /// Digits to the base of 8, blanks around them; nil for anything else and for more than 100 GB.
  private static func octal(_ header: Data, _ offset: Int, _ count: Int) -> Int? {
    let start = header.startIndex + offset
    var value = 0
    var hasDigit = false
    for byte in header[start..<(start + count)] {
      if byte == 0x20 || byte == 0 {
        if hasDigit { break }
        continue
      }
      guard (0x30...0x37).contains(byte), value < 1 << 36 else { return nil }
      value = value * 8 + Int(byte - 0x30)
      hasDigit = true
    }
    return hasDigit ? value : nil
  }

  /// The sum of all bytes of a header, its own field counted as blanks.
  private static func sumFits(_ header: Data) -> Bool {
    guard let wanted = octal(header, 148, 8) else { return false }
    var sum = 0
    for (index, byte) in header.enumerated() { sum += (148..<156).contains(index) ? 0x20 : Int(byte) }
    return sum == wanted
  }

  /// `path` of an extended header: lines `LENGTH KEY=VALUE`.
  private static func path(ofExtension content: Data) -> String? {
    for line in content.split(separator: 0x0A) {
      guard let space = line.firstIndex(of: 0x20) else { continue }
      let entry = line[line.index(after: space)...]
      if entry.starts(with: "path=".utf8) { return String(decoding: entry.dropFirst(5), as: UTF8.self) }
    }
    return nil
  }
}
