import Classroom
import ControlAPI
import Ledger

/// Resources as the interface tells of them; names are looked up once for a list.
struct ResourceDirectory: Sendable {
  private let institutions: [Identifier: Institution]
  private let subjects: SubjectTable
  private let store: LedgerStore
  private let language: Language

  init(_ store: LedgerStore, subjects: SubjectTable, language: Language) throws {
    institutions = Dictionary(try store.institutions(limit: 100_000).map { ($0.id, $0) }) { first, _ in first }
    self.store = store
    self.subjects = subjects
    self.language = language
  }

  private func number(_ id: Identifier?) -> String {
    guard let id else { return "" }
    guard let school = institutions[id] else { return "\(id)" }
    return school.number.isEmpty ? "\(id)" : school.number
  }

  func name(ofSchool id: Identifier?) -> String { id.flatMap { institutions[$0]?.name } ?? "" }

  /// Number and name; a person who was forgotten has a word in place of the name.
  private func teacher(_ id: Identifier?) throws -> (key: String, name: String) {
    guard let id else { return ("", "") }
    guard let person = try store.person(id) else {
      return ("\(id)", Text.of("resource.forgotten", in: language))
    }
    let key = person.staffNumber.isEmpty ? "\(id)" : number(person.institution) + "/" + person.staffNumber
    return (key, person.name)
  }

  func reply(_ resource: LessonResource) throws -> ResourceReply {
    let (metadata, review) = (resource.metadata, resource.review)
    let teacher = try teacher(metadata.author)
    let subject = subjects.subject(named: metadata.subject)
    return ResourceReply(
      id: "\(resource.id)", lesson: "\(resource.lesson)", title: metadata.title, subject: metadata.subject,
      subjectName: subject.map { language == .chinese ? $0.name : $0.englishName } ?? metadata.subject,
      grades: metadata.grades, term: metadata.term, volume: metadata.volume, textbook: metadata.textbook,
      chapter: metadata.chapter, lessonName: metadata.lessonName, keywords: metadata.keywords,
      summary: metadata.summary, faces: metadata.containsFaces, consent: metadata.consent,
      school: number(metadata.institution), schoolName: name(ofSchool: metadata.institution), teacher: teacher.key,
      teacherName: teacher.name, state: review.state.rawValue, approvedFor: review.approvedFor?.rawValue,
      visibility: review.visibility?.rawValue, reason: review.reason.isEmpty ? nil : review.reason,
      nominated: resource.isNominated, held: resource.isHeld, expired: resource.isExpired,
      madeAt: CivilText.text(resource.madeAt), changedAt: CivilText.text(resource.changedAt),
      missing: metadata.missing.map(\.rawValue))
  }

  /// One resource with its files and to whom it was given.
  func whole(_ resource: LessonResource) throws -> ResourceReply {
    var reply = try reply(resource)
    reply.files = try store.resourceFiles(lesson: resource.lesson).filter { $0.state == .verified }.map { file in
      ResourceReply.File(
        id: "\(file.id)", kind: file.kind.rawValue, mediaType: file.mediaType, byteCount: file.byteCount,
        sha256: file.sha256, durationMilliseconds: file.durationMilliseconds,
        name: file.path.split(separator: "/").last.map(String.init) ?? "\(file.id)")
    }
    reply.pushes = try store.pushes(resource: resource.id).map { push in
      ResourceReply.Push(
        school: number(push.institution), schoolName: name(ofSchool: push.institution), state: push.state.rawValue,
        at: CivilText.text(push.answeredAt ?? push.at))
    }
    return reply
  }
}

/// Makes refusals of what the ledger and the domain throw for a step of a resource.
func tellingResourceProblems<T>(_ body: () throws -> T) throws -> T {
  do { return try tellingProblems(body) } catch let refusal as ResourceRefusal {
    switch refusal {
    case .noSuchStep: throw Problem(.noSuchStep)
    case .ownSubmission: throw Problem(.ownSubmission)
    case .notApproved: throw Problem(.notApproved)
    case .changed: throw Problem(.resourceChanged)
    case .noReason: throw Problem(.noReason)
    case .expired: throw Problem(.resourceExpired)
    }
  }
}
