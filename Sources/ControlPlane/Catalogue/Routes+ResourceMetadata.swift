import Classroom
import ControlAPI
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore
import Resources

/// What catalogues elsewhere are told of a resource, in the forms they take.
struct ResourceMetadataRoutes: Sendable {
  let relay: RelayParts

  var all: [Route] { [Route(.get, "/api/v1/resources/{resource}/metadata", metadata)] }

  private func metadata(_ request: Request, _ context: RelayContext) async throws -> Response {
    let caller = try relay.gate.caller(of: request, context)
    let resource = try relay.resource(context)
    try ResourceAccess(relay: relay).requireFinding(resource, caller)
    guard let form = try request.query.choice("form", CollectionRecord.Form.self) else {
      throw Problem(.badQuery, arguments: ["name": "form", "value": ""])
    }
    // What goes into a collection is in Chinese, whoever asks.
    let directory = try ResourceDirectory(relay.store, subjects: relay.timetables.subjects, language: .chinese)
    let text = CollectionRecord(try directory.whole(resource), madeAt: resource.madeAt).text(form)
    return Response(
      status: .ok,
      headers: [
        .contentType: form.mediaType + "; charset=utf-8", .cacheControl: "no-store",
        .contentDisposition: "attachment; filename=\"\(form.rawValue)\"",
      ], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}

extension CollectionRecord {
  init(_ resource: ResourceReply, madeAt: Int64) {
    let status: Status =
      switch resource.state {
      case "published", "approved": .final
      case "withdrawn": .unavailable
      default: .draft
      }
    self.init(
      identifier: resource.id, title: resource.title, subject: resource.subjectName, grades: resource.grades,
      made: Date(timeIntervalSince1970: Double(madeAt / 1_000)).formatted(.iso8601), status: status,
      files: (resource.files ?? []).map {
        File(
          name: $0.name, mediaType: $0.mediaType, byteCount: $0.byteCount, sha256: $0.sha256,
          durationMilliseconds: $0.durationMilliseconds)
      })
    term = resource.term
    volume = resource.volume
    textbook = resource.textbook
    chapter = resource.chapter
    lessonName = resource.lessonName
    keywords = resource.keywords
    summary = resource.summary
    teacher = resource.teacherName
    school = resource.schoolName
  }
}
