public import Foundation

/// The interface of a relay as functions: what `/api/v1` offers to coordinators.
///
/// Each throws `ControlError`; `.refused` carries the relay's own sentence in `language`. A request takes 120 s at
/// most, an answer 64 MiB; redirections are not followed, so that the token goes to nobody else. Times are civil times
/// of China, terms are named by their codes, courses, rooms and classes by their numbers. `shutdown` before letting go.
public struct ControlClient: Sendable {
  let transport: ControlTransport

  /// - Parameters:
  ///   - base: such as `https://relay.example:8443`.
  ///   - token: sent in the Authorization header alone; nil sends none.
  ///   - language: `zh-CN` or `en`, in which sentences come.
  ///   - trust: file of PEM certificates to trust besides the system's, such as the relay's `ca.crt`.
  /// - Throws: `.badURL`, `.badToken`, `.cannotTrust`
  public init(base: String, token: String?, language: String? = nil, trust: String? = nil) throws(ControlError) {
    transport = try ControlTransport(base: base, token: token, language: language, trust: trust)
  }

  public func shutdown() async { await transport.shutdown() }

  // Import

  public func importFiles(_ request: ImportRequest) async throws(ControlError) -> ImportReply {
    try await post(["imports"], request)
  }

  // Terms

  public func terms() async throws(ControlError) -> [TermReply] { try await get(["terms"]) }

  public func courses(term: String) async throws(ControlError) -> [CourseReply] {
    try await get(["terms", term, "courses"])
  }

  /// One course, column by column, with its version.
  public func course(_ number: String, term: String) async throws(ControlError) -> CourseFieldsReply {
    try await get(["terms", term, "courses", number])
  }

  /// - Parameter version: of the course as it was read; another one is refused with status 412.
  public func change(
    course: String, term: String, version: String, _ change: CourseChangeRequest
  ) async throws(ControlError) -> CourseFieldsReply {
    try await send(.patch, ["terms", term, "courses", course], change, match: version)
  }

  /// - Parameters:
  ///   - course: number of the one to check; nil checks all.
  ///   - severity: the one that findings are told of; nil tells all.
  public func check(
    term: String, course: String? = nil, severity: String? = nil
  ) async throws(ControlError) -> CheckReply {
    try await get(["terms", term, "check"], [("course", course), ("severity", severity)])
  }

  /// The windows in which a course could be moved.
  public func free(
    term: String, course: String, weeks: String? = nil, minutes: Int? = nil
  ) async throws(ControlError) -> [FreeWindowReply] {
    try await get(
      ["terms", term, "free"], [("course", course), ("weeks", weeks), ("minutes", minutes.map(String.init))])
  }

  /// The windows that rooms have in common.
  public func free(
    term: String, lead: String, sites: [String], weeks: String? = nil, minutes: Int? = nil
  ) async throws(ControlError) -> [FreeWindowReply] {
    try await get(
      ["terms", term, "free"],
      [
        ("lead", lead), ("sites", sites.joined(separator: ",")), ("weeks", weeks),
        ("minutes", minutes.map(String.init)),
      ])
  }

  /// - Parameters:
  ///   - schoolClass: number of the one to tell of; nil tells of all.
  ///   - limit: how many are told at most; nil tells all, of which a county has tens of thousands.
  public func gaps(
    term: String, schoolClass: String? = nil, limit: Int? = nil
  ) async throws(ControlError) -> [GapReply] {
    try await get(["terms", term, "gaps"], [("class", schoolClass), ("limit", limit.map(String.init))])
  }

  /// - Throws: `.refused` with findings when there are conflicts.
  public func publish(term: String) async throws(ControlError) -> PublishReply {
    try Self.value(try await transport.send(ControlRequest(.post, ["terms", term, "publish"])))
  }

  /// A week of a room to be printed.
  /// - Parameter format: `text`, `html`, `cses` or `csv`.
  public func week(term: String, room: String, week: Int, format: String) async throws(ControlError) -> Data {
    try await file(
      ["terms", term, "week"], [("room", room), ("week", String(week)), ("format", format)])
  }

  // Lessons

  /// One page.
  public func lessons(_ query: LessonQuery) async throws(ControlError) -> LessonList {
    try await get(
      ["lessons"],
      [
        ("from", query.from), ("to", query.to), ("now", query.now ? "1" : nil), ("room", query.room),
        ("course", query.course), ("limit", query.limit.map(String.init)), ("cursor", query.cursor),
      ])
  }

  /// The pages of a list one after another, up to so many lessons; `next` tells whether there are more.
  public func lessons(_ query: LessonQuery, atMost limit: Int) async throws(ControlError) -> LessonList {
    var query = query
    var all = LessonList(lessons: [])
    let pageLimit = query.limit ?? 200
    repeat {
      query.limit = min(pageLimit, limit - all.lessons.count)
      let page = try await lessons(query)
      all.lessons += page.lessons.prefix(limit - all.lessons.count)
      all.next = page.next
      // A server that goes on with empty pages is not followed.
      guard !page.lessons.isEmpty else { break }
      query.cursor = page.next
    } while all.next != nil && all.lessons.count < limit
    return all
  }

  /// - Parameter revision: of the lesson as it was read; another one is refused with status 412.
  public func change(
    lesson: String, revision: Int, _ change: LessonChangeRequest
  ) async throws(ControlError) -> LessonReply {
    try await send(.post, ["lessons", lesson, "changes"], change, match: String(revision))
  }

  /// The revision that a lesson has now: its `ETag`, or `revision` of the answer.
  public func revision(lesson: String) async throws(ControlError) -> Int {
    struct Answer: Decodable { var revision: Int? }
    let (data, tag) = try await transport.sendTagged(ControlRequest(.get, ["lessons", lesson]))
    if let tag, let revision = Int(tag.filter { $0 != "\"" }) { return revision }
    guard let revision = (try Self.value(data) as Answer).revision else {
      throw .badAnswer(reason: "the lesson has no revision")
    }
    return revision
  }

  public func add(term: String, _ lesson: LessonAddRequest) async throws(ControlError) -> LessonReply {
    try await post(["terms", term, "lessons"], lesson)
  }

  // Calendars (RFC 5545)

  public func calendar(room: String) async throws(ControlError) -> Data {
    try await file(["calendars", "rooms", room + ".ics"])
  }

  public func calendar(institution: String, staffNumber: String) async throws(ControlError) -> Data {
    try await file(["calendars", "teachers", institution, staffNumber + ".ics"])
  }

  public func calendar(cluster: String) async throws(ControlError) -> Data {
    try await file(["calendars", "clusters", cluster + ".ics"])
  }

  /// A link that opens one calendar to whoever has it; its address is told here and never again.
  public func shareCalendar(_ wanted: CalendarLinkRequest) async throws(ControlError) -> CalendarLinkReply {
    try await post(["calendars", "links"], wanted)
  }

  public func calendarLinks() async throws(ControlError) -> [CalendarLinkReply] {
    try await get(["calendars", "links"])
  }

  /// Takes a link back.
  public func removeCalendarLink(_ id: String) async throws(ControlError) {
    _ = try await transport.send(ControlRequest(.delete, ["calendars", "links", id]))
  }

  // Requests

  func get<Value: Decodable>(
    _ path: [String], _ query: [(name: String, value: String?)] = []
  ) async throws(ControlError) -> Value {
    var request = ControlRequest(.get, path)
    request.query = query
    return try Self.value(try await transport.send(request))
  }

  func file(
    _ path: [String], _ query: [(name: String, value: String?)] = []
  ) async throws(ControlError) -> Data {
    var request = ControlRequest(.get, path)
    request.query = query
    request.accept = "*/*"
    return try await transport.send(request)
  }

  func post<Value: Decodable>(_ path: [String], _ body: some Encodable) async throws(ControlError) -> Value {
    try await send(.post, path, body, match: nil)
  }

  func send<Value: Decodable>(
    _ method: ControlRequest.Method, _ path: [String], _ body: some Encodable, match: String?
  ) async throws(ControlError) -> Value {
    var request = ControlRequest(method, path)
    request.match = match
    guard let data = try? JSONEncoder().encode(body) else { throw .badAnswer(reason: "not encodable") }
    request.body = data
    return try Self.value(try await transport.send(request))
  }

  /// A request that needs no body.
  func post<Value: Decodable>(_ path: [String]) async throws(ControlError) -> Value {
    try Self.value(try await transport.send(ControlRequest(.post, path)))
  }

  func delete(_ path: [String]) async throws(ControlError) {
    _ = try await transport.send(ControlRequest(.delete, path))
  }

  static func value<Value: Decodable>(_ data: Data) throws(ControlError) -> Value {
    try ControlTransport.decode(data)
  }
}

/// Which lessons are listed; what is nil does not choose.
public struct LessonQuery: Hashable, Sendable {
  /// First and last day, `2026-09-07`.
  public var from: String?
  public var to: String?
  /// Those that are being taught.
  public var now: Bool
  /// Number of a room that takes part.
  public var room: String?
  /// Number of the course.
  public var course: String?
  /// How many a page has at most.
  public var limit: Int?
  /// `next` of the page before.
  public var cursor: String?

  public init(
    from: String? = nil, to: String? = nil, now: Bool = false, room: String? = nil, course: String? = nil,
    limit: Int? = nil, cursor: String? = nil
  ) {
    self.from = from
    self.to = to
    self.now = now
    self.room = room
    self.course = course
    self.limit = limit
    self.cursor = cursor
  }
}
