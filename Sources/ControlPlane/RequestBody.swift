import Foundation

/// Bytes of a JSON body at most.
package let bodyLimit = 65_536

/// Reads a JSON body.
/// - Throws: `badJSON` for whatever is no such value.
package func decodeBody<Value: Decodable>(_ text: String) throws(Problem) -> Value {
  do { return try JSONDecoder().decode(Value.self, from: Data(text.utf8)) } catch { throw Problem(.badJSON) }
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
