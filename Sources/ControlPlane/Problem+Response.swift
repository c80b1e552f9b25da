import ControlAPI
import Foundation
package import HTTPTypes
package import Hummingbird

extension Problem {
  package var status: HTTPResponse.Status {
    switch kind {
    case .noToken, .badToken, .expiredToken, .revokedToken, .badCode, .secondFactorNeeded, .badSecondFactor,
      .staleSignIn, .providerRefused:
      .unauthorized
    case .wrongLesson, .wrongRole, .outsideScope, .noGrant, .conflictingRoles, .secondFactorMissing, .accountLocked,
      .unknownIdentity, .noSeat, .banned, .notGranted, .notItsSeats, .recordingTooOld:
      .forbidden
    case .notFound, .unknownFeed, .unknownName, .notASite: .notFound
    case .badJSON, .badRange, .badQuery, .empty, .malformedOffer, .malformedFragment: .badRequest
    case .wrongType: .unsupportedMediaType
    case .tooLarge: .contentTooLarge
    case .notAcceptable: .notAcceptable
    case .unusableOffer, .unknownPane, .restartIncomplete, .importRefused, .soundByCall, .rowRefused:
      .unprocessableContent
    case .noMatch, .noRevision, .noTag: .preconditionRequired
    case .staleMatch, .staleLesson, .staleCourse, .staleRow: .preconditionFailed
    case .beforeWindow, .afterWindow, .lessonEnded, .notLive, .alwaysLive: .conflict
    case .siteNotConnected, .siteBanned, .siteNotGranted, .floorPaused, .notPlayback, .nothingToPlay, .notMissed,
      .noFreePeriod:
      .conflict
    case .hasConflicts, .lessonConflicts, .staleTable, .lessonFixed, .taken, .inUse, .tableFull, .ambiguousName,
      .noRecentTest, .secondFactorSet:
      .conflict
    case .tooFast, .lockedOut, .tooMuchMeasured: .tooManyRequests
    case .noSuchStep, .ownSubmission, .notApproved, .resourceChanged: .conflict
    case .noReason: .unprocessableContent
    case .resourceExpired: .gone
    case .badLink, .linkExpired: .forbidden
    case .full, .stopping, .store, .providerUnreachable: .serviceUnavailable
    }
  }

  /// What happened, and what to do.
  package func texts(in language: Language) -> (title: String, detail: String) {
    var arguments = arguments
    // Something missing has no line.
    arguments["place"] = line.map { Text.of("problem.place", in: language, ["line": String($0)]) } ?? ""
    if kind == .banned {
      arguments["why"] = arguments["why"].map { Text.of("problem.why", in: language, ["why": $0]) } ?? ""
    }
    let family = kind == .full ? "full" : "offer"
    if let reason = arguments["reason"], Text.has("\(family).\(reason)", in: language) {
      arguments["reason"] = Text.of("\(family).\(reason)", in: language)
      arguments["remedy"] = kind == .full ? Text.of("full.\(reason).do", in: language) : nil
    }
    let key = "problem.\(kind.rawValue)"
    return (Text.of(key, in: language, arguments), Text.of(key + ".do", in: language, arguments))
  }

  package func response(in language: Language) -> Response {
    let texts = texts(in: language)
    var body: [String: ProblemValue] = [
      "type": .text("urn:tongke:problem:\(kind.rawValue)"), "status": .number(status.code),
      "title": .text(texts.title),
      "detail": .text(texts.detail),
    ]
    if let line { body["line"] = .number(line) }
    if let reason = arguments["reason"] { body["reason"] = .text(reason) }
    if !issues.isEmpty { body["issues"] = .issues(issues) }
    if !findings.isEmpty { body["findings"] = .findings(findings) }
    if more > 0 { body["more"] = .number(more) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var headers: HTTPFields = [.contentType: "application/problem+json", .contentLanguage: language.rawValue]
    if let retryAfter { headers[.retryAfter] = String(retryAfter) }
    if let tag = revision.map(String.init) ?? tag { headers[.eTag] = "\"\(tag)\"" }
    if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer realm=\"tongke\"" }
    let data = (try? encoder.encode(body)) ?? Data()
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
  }
}

private enum ProblemValue: Encodable {
  case text(String)
  case number(Int)
  case issues([ImportIssueReply])
  case findings([FindingReply])

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .number(let number): try container.encode(number)
    case .issues(let issues): try container.encode(issues)
    case .findings(let findings): try container.encode(findings)
    }
  }
}
