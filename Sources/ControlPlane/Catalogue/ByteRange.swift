/// What a `Range` header asks of a file (RFC 9110 §14).
package enum ByteRange: Hashable, Sendable {
  /// The file as a whole: there is no such header, or it says nothing that a byte range could be.
  case whole
  /// From the first byte to the last, both counted.
  case part(ClosedRange<Int64>)
  /// Behind the end, or several parts at once, which are not given.
  case unsatisfiable

  /// Reads a header for a file of so many bytes; hostile numbers are no trap.
  package init(_ header: String?, size: Int64) {
    guard let header, header.utf8.count <= 4_096, let equals = header.firstIndex(of: "="),
      header[..<equals].lowercased().filter({ $0 != " " }) == "bytes"
    else {
      self = .whole
      return
    }
    let parts = header[header.index(after: equals)...].split(separator: ",", omittingEmptySubsequences: false)
    let ranges = parts.map { Self.read($0) }
    guard ranges.allSatisfy({ $0 != nil }), let first = ranges.first, let range = first else {
      self = .whole
      return
    }
    guard ranges.count == 1, let found = Self.fitted(range, size) else {
      self = .unsatisfiable
      return
    }
    self = .part(found)
  }

  private typealias Ends = (first: Int64?, last: Int64?)

  /// Nil for what is no range at all.
  private static func read(_ text: Substring) -> Ends? {
    let ends = text.trimmed.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard ends.count == 2 else { return nil }
    guard let first = number(ends[0]), let last = number(ends[1]) else { return nil }
    if first == nil, last == nil { return nil }
    if let first, let last, last < first { return nil }
    return (first, last)
  }

  /// Nil inside for no digits, nil outside for what is no number; a number too large is the largest.
  private static func number(_ text: Substring) -> Int64?? {
    if text.isEmpty { return .some(nil) }
    guard text.utf8.count <= 40, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int64(text) ?? .max
  }

  private static func fitted(_ ends: Ends, _ size: Int64) -> ClosedRange<Int64>? {
    guard size > 0 else { return nil }
    guard let first = ends.first else {
      guard let count = ends.last, count > 0 else { return nil }
      return max(0, size - min(count, size))...(size - 1)
    }
    guard first < size else { return nil }
    return first...min(ends.last ?? .max, size - 1)
  }
}

extension Substring {
  /// Without blanks and tabs around it.
  fileprivate var trimmed: Substring {
    let start = drop { $0 == " " || $0 == "\t" }
    guard let end = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
    return start[...end]
  }
}

/// Whether an entity tag stands in a header of tags (RFC 9110 §8.8.3, §13.1).
package enum EntityTags {
  /// `If-None-Match`: a weak tag is as good, `*` is any.
  package static func match(_ header: String?, tag: String) -> Bool {
    guard let header, header.utf8.count <= 4_096 else { return false }
    return header.split(separator: ",").contains { entry in
      let entry = entry.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " }
      return entry == "*" || entry == "\"\(tag)\"" || entry == "W/\"\(tag)\""
    }
  }

  /// `If-Range`: this very tag, else the range is not to be looked at. No header is a match.
  package static func holdsRange(_ header: String?, tag: String) -> Bool {
    header.map { $0 == "\"\(tag)\"" } ?? true
  }
}
