/// How many columns of a terminal a text takes.
///
/// Of Unicode Standard Annex #11: two for wide and full-width scalars and for emoji, none for those that join and for
/// controls, one for the rest; ambiguous ones count one, as terminals outside legacy code pages show them.
public enum TextWidth {
  public static func of(_ text: some StringProtocol) -> Int { text.reduce(0) { $0 + of($1) } }

  public static func of(_ character: Character) -> Int {
    let scalars = character.unicodeScalars
    guard let first = scalars.first else { return 0 }
    if first.value < 0x7F, scalars.count == 1 { return first.value < 0x20 ? 0 : 1 }
    // A flag, and whatever asks to be shown as a picture.
    if scalars.count > 1, isRegional(first) || scalars.contains(where: { $0.value == 0xFE0F }) { return 2 }
    // A picture with a skin tone, or several joined, is one.
    let widest = scalars.reduce(0) { max($0, width($1)) }
    if first.properties.isEmojiPresentation { return widest }
    return isHangul(first) ? widest : scalars.reduce(0) { $0 + width($1) }
  }

  /// Of a scalar by itself.
  public static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: return 0
    case 0x20..<0x300: return 1
    // Vowels and finals of Hangul join the letter before them.
    case 0x1160...0x11FF, 0xD7B0...0xD7FF: return 0
    default: break
    }
    if isWide(scalar.value) { return isJoining(scalar) ? 0 : 2 }
    if isJoining(scalar) { return 0 }
    return scalar.properties.isEmojiPresentation && !isRegional(scalar) ? 2 : 1
  }

  private static func isJoining(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  private static func isRegional(_ scalar: Unicode.Scalar) -> Bool { (0x1F1E6...0x1F1FF).contains(scalar.value) }
  private static func isHangul(_ scalar: Unicode.Scalar) -> Bool {
    (0x1100...0x11FF).contains(scalar.value) || (0xAC00...0xD7A3).contains(scalar.value)
  }

  /// Wide and full-width without the single symbols that are emoji anyway.
  private static func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x2329...0x232A, 0x2630...0x2637, 0x268A...0x268F, 0x2E80...0x2E99, 0x2E9B...0x2EF3,
      0x2F00...0x2FD5, 0x2FF0...0x303E, 0x3041...0x3096, 0x3099...0x30FF, 0x3105...0x312F, 0x3131...0x318E,
      0x3190...0x31E5, 0x31EF...0x321E, 0x3220...0x3247, 0x3250...0xA48C, 0xA490...0xA4C6, 0xA960...0xA97C,
      0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE52, 0xFE54...0xFE66, 0xFE68...0xFE6B,
      0xFF01...0xFF60, 0xFFE0...0xFFE6:
      true
    case 0x16FE0...0x16FE4, 0x16FF0...0x16FF6, 0x17000...0x18CD5, 0x18CFF...0x18D1E, 0x18D80...0x18DF2,
      0x1AFF0...0x1AFF3, 0x1AFF5...0x1AFFB, 0x1AFFD...0x1AFFE, 0x1B000...0x1B122, 0x1B132, 0x1B150...0x1B152, 0x1B155,
      0x1B164...0x1B167, 0x1B170...0x1B2FB, 0x1D300...0x1D356, 0x1D360...0x1D376, 0x1F200, 0x1F202, 0x1F210...0x1F219,
      0x1F21B...0x1F22E, 0x1F230...0x1F231, 0x1F237, 0x1F23B, 0x1F240...0x1F248, 0x1F260...0x1F265, 0x20000...0x2FFFD,
      0x30000...0x3FFFD:
      true
    default: false
    }
  }

  /// With spaces up to `width` columns, before it when `right`; a wider text stays as it is.
  public static func padded(_ text: String, to width: Int, right: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - of(text)))
    return right ? space + text : text + space
  }

  /// Lines of at most `width` columns (1 at least; a wide character alone may take more), broken at spaces and between
  /// wide characters; a longer word is cut. No space at a line's end. At least one line. Cost: the text's length.
  public static func wrapped(_ text: String, to width: Int) -> [String] {
    let limit = max(1, width)
    var lines: [String] = []
    var line = ""
    var used = 0
    func end() {
      while line.last == " " { line.removeLast() }
      lines.append(line)
      (line, used) = ("", 0)
    }
    for piece in pieces(text) {
      let length = of(piece)
      if piece == " ", line.isEmpty || used >= limit { continue }
      if used + length > limit, !line.isEmpty { end() }
      if length <= limit {
        if piece != " " || !line.isEmpty {
          line += piece
          used += length
        }
        continue
      }
      for character in piece {
        let step = of(character)
        if used + step > limit, !line.isEmpty { end() }
        line.append(character)
        used += step
      }
    }
    if !line.isEmpty || lines.isEmpty { end() }
    return lines
  }

  /// Marks that no line begins with.
  private static let closing = Set<Character>("，。、；：！？）】》」』〉］｝％")

  /// Spaces, wide characters each by themselves with the marks that close them, and words between them.
  private static func pieces(_ text: String) -> [String] {
    var result: [String] = []
    var word = ""
    for character in text {
      let isSpace = character == " " || character.isNewline || character == "\t"
      guard isSpace || of(character) == 2 else {
        word.append(character)
        continue
      }
      if closing.contains(character), !word.isEmpty || result.last.map({ $0 != " " }) ?? false {
        if word.isEmpty { result[result.count - 1].append(character) } else { word.append(character) }
        continue
      }
      if !word.isEmpty { result.append(word) }
      word = ""
      result.append(isSpace ? " " : String(character))
    }
    if !word.isEmpty { result.append(word) }
    return result
  }
}
