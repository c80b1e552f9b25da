package import ControlAPI

/// A refusal, told as problem+json (RFC 9457) in the language of the request.
package struct Problem: Error, Sendable, Equatable {
  /// Each case has `problem.<case>` (what happened) and `problem.<case>.do` (what to do) in the catalogue.
  package enum Kind: String, Sendable, CaseIterable {
    case noToken, badToken, expiredToken, revokedToken, wrongLesson, wrongRole, outsideScope, noGrant, conflictingRoles
    case badCode, lockedOut, accountLocked, secondFactorMissing, secondFactorNeeded, badSecondFactor, secondFactorSet
    case staleSignIn, providerUnreachable, providerRefused, unknownIdentity, noSeat
    case notFound, unknownFeed, unknownPane, badJSON, badRange
    case wrongType, tooLarge, empty, notAcceptable
    case malformedOffer, unusableOffer, malformedFragment
    case noMatch, staleMatch, restartIncomplete
    case beforeWindow, afterWindow, lessonEnded, notLive, full, stopping, alwaysLive, tooFast, store
    case importRefused, hasConflicts, lessonConflicts, noRevision, staleLesson, staleCourse, staleTable, lessonFixed,
      taken, inUse,
      tableFull
    case unknownName, ambiguousName, badQuery
    case notASite, siteNotConnected, siteBanned, siteNotGranted, banned, floorPaused, notGranted, soundByCall
    case notPlayback, nothingToPlay, notItsSeats, recordingTooOld, notMissed, noFreePeriod
    case staleRow, noTag, rowRefused, noRecentTest, tooMuchMeasured
    case noSuchStep, ownSubmission, notApproved, resourceChanged, noReason, resourceExpired, badLink, linkExpired
  }

  package var kind: Kind
  package var arguments: [String: String]
  /// 1-based line of the SDP that is wrong.
  package var line: Int?
  /// Seconds.
  package var retryAfter: Int?
  /// What is wrong with an import's files, as many as are told.
  package var issues: [ImportIssueReply] = []
  /// What keeps a term from being published or a lesson from being changed, as many as are told.
  package var findings: [FindingReply] = []
  /// How many issues or findings are not told.
  package var more = 0
  /// The revision that a lesson has now.
  package var revision: Int?
  /// The version that a row or a course has now, as its tag.
  package var tag: String?

  package init(_ kind: Kind, arguments: [String: String] = [:], line: Int? = nil, retryAfter: Int? = nil) {
    self.kind = kind
    self.arguments = arguments
    self.line = line
    self.retryAfter = retryAfter
  }
}
