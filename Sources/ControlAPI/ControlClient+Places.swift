public import Foundation

extension ControlClient {
  /// The pages of a list one after another, up to so many rows; `next` tells whether there are more.
  public func places<Row>(
    _ kind: PlaceKind, _ query: PlaceQuery = PlaceQuery(), atMost limit: Int
  ) async throws(ControlError) -> Page<Row> {
    try await pages([kind.rawValue], query.items, atMost: limit)
  }

  /// - Parameter key: the number; of a person the school's number and the staff number.
  public func place<Row: Decodable>(
    _ kind: PlaceKind, _ key: [String]
  ) async throws(ControlError) -> (row: Row, tag: String) {
    try await tagged(ControlRequest(.get, [kind.rawValue] + key))
  }

  /// Registers one; `fields` are the columns of its sheet by their English names, as `import` takes them.
  /// - Throws: `.refused` with issues for what an import would refuse.
  public func add<Row: Decodable>(_ kind: PlaceKind, _ fields: [String: String]) async throws(ControlError) -> Row {
    try await tagged(try Self.request(.post, [kind.rawValue], fields)).row
  }

  /// Changes the columns that are named.
  /// - Parameter tag: of the row as it was read; another one is refused with status 412 and told what changed.
  public func change<Row: Decodable>(
    _ kind: PlaceKind, _ key: [String], tag: String, _ fields: [String: String]
  ) async throws(ControlError) -> Row {
    var request = try Self.request(.patch, [kind.rawValue] + key, fields)
    request.match = tag
    return try await tagged(request).row
  }

  /// What is wrong with how schools belong together.
  public func pairing() async throws(ControlError) -> [PairingReply] { try await read(["pairing"]) }

  // Rooms

  public func store(test: RoomTestRequest, room: String) async throws(ControlError) -> RoomTestReply {
    try await tagged(try Self.request(.post, ["rooms", room, "tests"], test)).row
  }

  /// The latest first.
  public func tests(room: String) async throws(ControlError) -> [RoomTestReply] {
    try await read(["rooms", room, "tests"])
  }

  /// Holds a room against the relay's profile, by its latest measurement.
  public func accept(room: String, use: String) async throws(ControlError) -> AcceptanceReply {
    try await tagged(try Self.request(.post, ["rooms", room, "acceptance"], AcceptanceRequest(use: use))).row
  }

  public func check(lesson: String) async throws(ControlError) -> LessonCheckReply {
    try await read(["lessons", lesson, "check"])
  }

  // Audit

  /// The latest first.
  public func audit(_ query: AuditListQuery, atMost limit: Int) async throws(ControlError) -> Page<AuditReply> {
    try await pages(
      ["audit"],
      [
        ("from", query.from), ("to", query.to), ("actor", query.actor), ("operation", query.operation),
        ("outcome", query.outcome),
      ], atMost: limit)
  }

  public func verifyAudit() async throws(ControlError) -> ChainReply { try await read(["audit", "verification"]) }

  // Export

  /// A sheet as a file that imports again to the same, and how many rows it leaves out because nothing finds them.
  /// - Parameters:
  ///   - kind: raw value of a kind of sheet, such as `courses`.
  ///   - encoding: `utf8` or `gb18030`.
  public func export(
    _ kind: String, term: String?, encoding: String
  ) async throws(ControlError) -> (file: Data, leftOut: Int) {
    var request = ControlRequest(.get, ["exports", kind])
    request.query = [("term", term), ("encoding", encoding)]
    request.accept = "*/*"
    let answer = try await transport.exchange(request)
    return (answer.data, answer.leftOut)
  }

  // Requests

  private func read<Value: Decodable>(_ path: [String]) async throws(ControlError) -> Value {
    try ControlTransport.decode(try await transport.send(ControlRequest(.get, path)))
  }

  func tagged<Row: Decodable>(_ request: ControlRequest) async throws(ControlError) -> (row: Row, tag: String) {
    let (data, tag) = try await transport.sendTagged(request)
    return (try ControlTransport.decode(data), (tag ?? "").filter { $0 != "\"" })
  }

  static func request(
    _ method: ControlRequest.Method, _ path: [String], _ body: some Encodable
  ) throws(ControlError) -> ControlRequest {
    var request = ControlRequest(method, path)
    guard let data = try? JSONEncoder().encode(body) else { throw .badAnswer(reason: "not encodable") }
    request.body = data
    return request
  }

  func pages<Row>(
    _ path: [String], _ query: [(name: String, value: String?)], atMost limit: Int
  ) async throws(ControlError) -> Page<Row> {
    var all = Page<Row>(rows: [])
    repeat {
      var request = ControlRequest(.get, path)
      request.query = query + [("limit", "\(min(5_000, limit - all.rows.count))"), ("cursor", all.next)]
      let page: Page<Row> = try ControlTransport.decode(try await transport.send(request))
      all.rows += page.rows.prefix(limit - all.rows.count)
      all.next = page.next
      // A server that goes on with empty pages is not followed.
      if page.rows.isEmpty { break }
    } while all.next != nil && all.rows.count < limit
    return all
  }
}
