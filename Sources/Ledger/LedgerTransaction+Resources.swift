public import Classroom
internal import GRDB

/// Resources on their way. Each throws `notFound` for a resource that is not there; an event that says what was done
/// stands in the same transaction.
extension LedgerTransaction {
  /// Takes one step of the review, held against the contents as they are now.
  ///
  /// A submission of what was only recorded makes it a draft first. Throws `ResourceRefusal`.
  @discardableResult
  public func review(_ id: Identifier, _ step: ResourceStep, by actor: Identifier) throws -> LessonResource {
    var resource = try known(id)
    guard !resource.isExpired else { throw ResourceRefusal.expired }
    let digest = try ResourceRow.digest(db, resource)
    if case .submit = step, resource.state == .recorded {
      resource.review = try resource.review.after(.draft, digest: digest)
      try tell(.resourceDrafted, resource, by: actor)
    }
    let wasPublished = resource.state == .published
    resource.review = try resource.review.after(step, digest: digest)
    if wasPublished, resource.state != .published { resource.epoch += 1 }
    try save(&resource)
    switch step {
    case .draft: try tell(.resourceDrafted, resource, by: actor)
    case .submit: try tell(.resourceSubmitted, resource, by: actor, [("digest", digest)])
    case .approve(_, let level):
      try tell(.resourceApproved, resource, by: actor, [("digest", digest), ("level", level.rawValue)])
    case .reject(_, let reason): try tell(.resourceRejected, resource, by: actor, [("reason", reason)])
    case .publish(let visibility):
      try tell(.resourcePublished, resource, by: actor, [("visibility", visibility.rawValue)])
    case .withdraw: try tell(.resourceWithdrawn, resource, by: actor)
    }
    return resource
  }

  /// Gives a resource other words, which makes it a draft whatever it was. Throws `ClassroomError` for words that are
  /// wrong by themselves.
  @discardableResult
  public func describe(_ id: Identifier, _ metadata: ResourceMetadata, by actor: Identifier) throws -> LessonResource {
    var resource = try known(id)
    try metadata.validate()
    resource.metadata = metadata
    if resource.state == .published { resource.epoch += 1 }
    resource.review = try resource.review.after(.draft, digest: "")
    try save(&resource)
    try ResourceRow.index(db, resource)
    try tell(.resourceDrafted, resource, by: actor)
    return resource
  }

  /// What depends on a lesson's files, when one of them has changed: a review of other files is void.
  func followFiles(of lesson: Identifier) throws {
    guard var resource = try ResourceRow.fetch(db, lesson: lesson), resource.review.digest != nil else { return }
    let next = resource.review.following(digest: try ResourceRow.digest(db, resource))
    guard next != resource.review else { return }
    if resource.state == .published { resource.epoch += 1 }
    resource.review = next
    try save(&resource)
    try tell(.resourceDrafted, resource, by: nil, [("reason", "filesChanged")])
  }

  /// A resource as the transaction sees it; nil for none.
  public func resource(_ id: Identifier) throws -> LessonResource? { try ResourceRow.fetch(db, id: id) }

  /// What a resource's approval would be bound to now.
  public func digest(of resource: LessonResource) throws -> String { try ResourceRow.digest(db, resource) }

  // MARK: Naming, keeping, giving

  /// 名课. Nothing when it is so already.
  @discardableResult
  public func nominate(_ id: Identifier, by actor: Identifier) throws -> LessonResource {
    var resource = try known(id)
    guard !resource.isNominated else { return resource }
    resource.isNominated = true
    try save(&resource)
    try tell(.resourceNominated, resource, by: actor)
    return resource
  }

  /// Keeps a resource in spite of its age, or lets it go again. Throws `ResourceRefusal.expired`.
  @discardableResult
  public func hold(_ id: Identifier, _ isHeld: Bool, by actor: Identifier) throws -> LessonResource {
    var resource = try known(id)
    guard !resource.isExpired else { throw ResourceRefusal.expired }
    guard resource.isHeld != isHeld else { return resource }
    resource.isHeld = isHeld
    try save(&resource)
    try tell(isHeld ? .resourceHeld : .resourceReleased, resource, by: actor)
    return resource
  }

  /// Gives a published resource to one school. Throws `ResourceRefusal.notApproved` for one that is not published,
  /// `taken` for a school that has it, `notFound` for no institution.
  @discardableResult
  public func push(_ id: Identifier, to school: Identifier, by actor: Identifier) throws -> ResourcePush {
    let resource = try known(id)
    guard resource.state == .published else { throw ResourceRefusal.notApproved }
    guard try Institution.isKnown(db, school) else { throw LedgerError.notFound }
    guard try pushRow(id, school) == nil else {
      throw LedgerError.taken(key: "school", value: "\(school)", by: LedgerRow(.institutions, school))
    }
    let push = ResourcePush(resource: id, institution: school, by: actor, at: now)
    try db.execute(
      sql: "INSERT INTO resourcePushes (resource, institution, by, at, state) VALUES (?, ?, ?, ?, ?)",
      arguments: [
        id.databaseValue, school.databaseValue, actor.databaseValue, now, ResourcePush.State.pushed.rawValue,
      ])
    try tell(.resourcePushed, resource, by: actor, [("institution", "\(school)")])
    return push
  }

  /// What became of a push. Throws `ResourceRefusal.noSuchStep` for an answer that follows another, `notFound`.
  @discardableResult
  public func answer(
    _ id: Identifier, at school: Identifier, _ state: ResourcePush.State, by actor: Identifier
  ) throws -> ResourcePush {
    let resource = try known(id)
    guard var push = try pushRow(id, school) else { throw LedgerError.notFound }
    guard push.state.leads(to: state) else { throw ResourceRefusal.noSuchStep }
    push.state = state
    push.answeredBy = actor
    push.answeredAt = now
    try db.execute(
      sql:
        "UPDATE resourcePushes SET state = ?, answeredBy = ?, answeredAt = ? WHERE resource = ? AND institution = ?",
      arguments: [state.rawValue, actor.databaseValue, now, id.databaseValue, school.databaseValue])
    try tell(
      .resourcePushAnswered, resource, by: actor, [("institution", "\(school)"), ("outcome", state.rawValue)])
    return push
  }

  private func pushRow(_ id: Identifier, _ school: Identifier) throws -> ResourcePush? {
    try ResourcePush.fetch(
      db, where: "resource = ? AND institution = ?", [id.databaseValue, school.databaseValue]
    ).first
  }

  // MARK: Writing

  private func known(_ id: Identifier) throws -> LessonResource {
    guard let resource = try ResourceRow.fetch(db, id: id) else { throw LedgerError.notFound }
    return resource
  }

  private func save(_ resource: inout LessonResource) throws {
    resource.changedAt = now
    try ResourceRow.save(db, resource)
  }

  private func tell(
    _ kind: EventKind, _ resource: LessonResource, by actor: Identifier?, _ more: [(String, String)] = []
  ) throws {
    let actor = actor.map { [("by", "\($0)")] } ?? []
    try append(
      LedgerEvent(kind: kind, lesson: resource.lesson, payload: [("resource", "\(resource.id)")] + actor + more))
  }
}

extension ResourcePush {
  static func fetch(_ db: Database, where condition: String, _ arguments: StatementArguments) throws -> [ResourcePush]
  {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT resource, institution, by, at, state, answeredBy, answeredAt FROM resourcePushes WHERE \(condition)
        """, arguments: arguments)
    return try rows.map { row in
      var columns = ColumnReader(row)
      return ResourcePush(
        resource: try columns.identifier(), institution: try columns.identifier(), by: try columns.identifier(),
        at: try columns.integer(), state: try columns.choice(), answeredBy: try columns.optionalIdentifier(),
        answeredAt: try columns.optionalInteger())
    }
  }
}
