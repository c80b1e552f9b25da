/// Everything that can be asked of the system; each request, command and page is one of these.
///
/// The raw values stand in the audit trail and never change their meaning.
public enum AccessOperation: String, Hashable, Sendable, Codable, CaseIterable {
  // Reading what is planned
  case readInstitutions, readRooms, readClasses, readPersons, readClusters, readCourses, readTerms, readBells
  case readLocalLessons, readLessons
  // Changing it
  case changeInstitutions, changeRooms, changeClasses, changePersons, changeClusters, changeCourses, changeTerms
  case changeBells, changeLocalLessons
  /// 调课, 代课, 取消, 加课: making, moving, substituting, cancelling a single lesson.
  case changeLesson
  case importTables, exportTables
  /// A link that opens one calendar to whoever has it, and taking it back.
  case shareCalendars
  /// A term from draft to published.
  case publishTerm
  /// 验收: running and storing the standards check of a room.
  case acceptRoom
  /// Measuring devices and line of a room, which its acceptance is judged by.
  case testRoom
  // Running lessons
  /// Each seat's state and figures, not its media. Each row is asked for with the row's room as `actedOn`.
  case watchLive
  case call, mute, eject, ban
  /// 授权: video, audio, screen or text of one site on or off.
  case grantMedia
  /// 一键暂停
  case pause
  /// Marking a moment of a lesson, so that it is found again in the recording.
  case mark
  /// 播放控制: beginning, pausing and seeking what an asynchronous lesson plays.
  case conductPlayback
  /// 一键关停
  case stop
  /// 一键关停 of every lesson within a scope.
  case stopAll
  // Media
  case publishLead, publishReturn, receiveMedia
  // Resources and figures
  /// Finding and playing what is published.
  case readResources
  /// Approving or rejecting; the target is the level that it is done for.
  case reviewResources
  case readReports, readAudit, readMetrics
  /// Seeing resources that are not published.
  case readUnpublished
  /// Replaying a lesson of one's own that is not published.
  case replayLesson
  /// Describing, submitting, publishing what is approved, withdrawing, nominating, holding and pushing.
  case submitResources
  /// Answering for the school that a resource was pushed to.
  case answerPush
  /// Taking usage away to the platform; holding it back, and letting it go on.
  case deliverUsage
  // Accounts
  case manageAccounts, revokeTokens, enrolDevices
  /// Second factors, lockouts, keys of tokens.
  case changeSecurity
  /// What holds for the relay as a whole, such as the table of subjects.
  case changeSettings

  /// Whether it brings live sound or picture to or from its caller.
  public var isLiveMedia: Bool {
    switch self {
    case .publishLead, .publishReturn, .receiveMedia: true
    default: false
    }
  }

  /// Whether it changes a lesson that runs, and nothing that is planned.
  public var isConducting: Bool {
    switch self {
    case .call, .mute, .eject, .ban, .grantMedia, .pause, .mark, .conductPlayback: true
    default: false
    }
  }

  /// Whether everything is afterwards as it was before.
  public var isReading: Bool {
    switch self {
    case .readInstitutions, .readRooms, .readClasses, .readPersons, .readClusters, .readCourses, .readTerms,
      .readBells, .readLocalLessons, .readLessons, .exportTables, .watchLive, .readResources, .readReports,
      .readAudit, .readMetrics, .readUnpublished, .replayLesson:
      true
    default: false
    }
  }
}
