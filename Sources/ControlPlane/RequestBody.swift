import Foundation

/// Bytes of a JSON body at most.
package let bodyLimit = 65_536

/// Reads a JSON body.
/// - Throws: `badJSON` for whatever is no such value.
package func decodeBody<Value: Decodable>(_ text: String) throws(Problem) -> Value {
  guard let value: Value = decodeJSON(Data(text.utf8)) else { throw Problem(.badJSON) }
  return value
}

/// Reads JSON that others have written; nil for whatever is no such value or has more than 256 opening brackets.
///
/// Foundation's decoder refuses nesting deeper than 512, but traps on a text that ends with the bracket that is one too
/// many. Brackets within strings count as well: the bound need not know strings, escapes or encodings.
func decodeJSON<Value: Decodable>(_ data: Data) -> Value? {
  let brackets = data.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }
  return brackets > 256 ? nil : try? JSONDecoder().decode(Value.self, from: data)
}

/// The body of `POST /api/v1/lessons`.
package struct NewLesson: Decodable, Sendable {
  package var title: String
  /// UTC milliseconds.
  package var plannedStart: Int64
  /// UTC milliseconds.
  package var plannedEnd: Int64
  /// Receiving seats, 0…200.
  package var receivers: Int

  /// - Throws: `badRange`; title and times are the ledger's to check.
  package func checkReceivers() throws(Problem) {
    guard (0...200).contains(receivers) else { throw Problem(.badRange) }
  }
}

/// An entry of the body of `PUT …/panes`.
package struct PaneWish: Decodable, Sendable {
  package var mid: String
  package var show: String
  /// Pixels.
  package var maxHeight: Int?
}
