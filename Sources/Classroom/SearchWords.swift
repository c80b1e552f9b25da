/// Text as a full-text index takes it: each hanzi (and kana, and hangul) a word of its own, so that words of two
/// characters are found, and runs of letters and digits as they stand.
public enum SearchWords {
  /// Words of a query; further ones are not looked for.
  public static let queryLimit = 32

  /// The words of a text with one blank between them. Cost: O(scalars).
  public static func indexed(_ text: String) -> String { runs(text).joined().joined(separator: " ") }

  /// An FTS5 expression that finds texts with all of the query's runs, each as a phrase; nil when it has no word.
  ///
  /// Every phrase is quoted and holds letters, digits and blanks alone, so that no query is ever syntax.
  public static func expression(_ query: String) -> String? {
    var left = queryLimit
    var phrases: [String] = []
    for run in runs(query) where left > 0 {
      let words = run.prefix(left)
      left -= words.count
      phrases.append("\"" + words.joined(separator: " ") + "\"")
    }
    return phrases.isEmpty ? nil : phrases.joined(separator: " AND ")
  }

  /// Runs without anything but letters and digits in them, each as its words.
  private static func runs(_ text: String) -> [[String]] {
    var runs: [[String]] = []
    var run: [String] = []
    var word = ""
    func close(_ word: inout String) {
      if !word.isEmpty { run.append(word) }
      word = ""
    }
    for scalar in text.unicodeScalars {
      if isCharacterWord(scalar) {
        close(&word)
        run.append(String(Character(scalar)))
      } else if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
        word.unicodeScalars.append(scalar)
      } else {
        close(&word)
        if !run.isEmpty { runs.append(run) }
        run = []
      }
    }
    close(&word)
    if !run.isEmpty { runs.append(run) }
    return runs
  }

  private static func isCharacterWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isIdeographic || (0x3040...0x30FF).contains(scalar.value)
      || (0xAC00...0xD7AF).contains(scalar.value)
  }
}
