extension AccessRules {
  /// The rule table, role by role; nil where the role may not do it at all.
  static func reach(of role: Role, for operation: AccessOperation) -> Reach? {
    switch role {
    case .systemAdmin: systemAdmin(operation)
    case .securityAdmin: securityAdmin(operation)
    case .auditor: auditor(operation)
    case .cityCoordinator, .countyCoordinator: coordinator(operation)
    case .schoolAdmin: schoolAdmin(operation)
    case .leadTeacher: leadTeacher(operation)
    case .localTeacher: localTeacher(operation)
    case .researcher: researcher(operation)
    case .reviewer: reviewer(operation)
    case .device: device(operation)
    case .platform: platform(operation)
    case .parent: parent(operation)
    }
  }

  private static func systemAdmin(_ operation: AccessOperation) -> Reach? {
    switch operation {
    case .readInstitutions, .readRooms, .readPersons: .takingPart
    case .readTerms, .readBells: .enclosing
    case .readMetrics, .manageAccounts, .changeSettings: .wholly
    default: nil
    }
  }

  private static func securityAdmin(_ operation: AccessOperation) -> Reach? {
    switch operation {
    case .readPersons: .takingPart
    case .stop, .stopAll, .revokeTokens, .changeSecurity: .wholly
    default: nil
    }
  }

  private static func auditor(_ operation: AccessOperation) -> Reach? {
    operation.isReading ? .takingPart : nil
  }

  private static func coordinator(_ operation: AccessOperation) -> Reach? {
    switch operation {
    case .readInstitutions, .readRooms, .readClasses, .readPersons, .readClusters, .readCourses, .readLocalLessons,
      .readLessons, .exportTables, .shareCalendars, .watchLive, .receiveMedia, .conductPlayback, .readReports:
      .takingPart
    case .readTerms, .readBells, .readResources: .enclosing
    case .changeInstitutions, .changeRooms, .changeClasses, .changePersons, .changeClusters, .changeCourses,
      .changeTerms, .changeBells, .changeLocalLessons, .importTables, .publishTerm, .acceptRoom, .testRoom, .stopAll,
      .manageAccounts, .revokeTokens, .enrolDevices, .deliverUsage, .reviewResources, .answerPush:
      .wholly
    case .changeLesson, .call, .grantMedia, .pause, .mark, .stop, .readUnpublished, .submitResources: .leading
    case .mute, .eject, .ban: .acting
    default: nil
    }
  }

  private static func schoolAdmin(_ operation: AccessOperation) -> Reach? {
    switch operation {
    case .readInstitutions, .readRooms, .readClasses, .readPersons, .readClusters, .readCourses, .readLocalLessons,
      .readLessons, .exportTables, .shareCalendars, .watchLive, .receiveMedia, .conductPlayback, .readReports:
      .takingPart
    case .readTerms, .readBells, .readResources: .enclosing
    case .changeRooms, .changeClasses, .changePersons, .changeTerms, .changeBells, .changeLocalLessons,
      .importTables, .testRoom, .stopAll, .manageAccounts, .revokeTokens, .enrolDevices,
      .reviewResources, .answerPush:
      .wholly
    case .call, .grantMedia, .pause, .mark, .stop, .readUnpublished, .submitResources: .leading
    case .mute, .eject, .ban: .acting
    default: nil
    }
  }

  private static func leadTeacher(_ operation: AccessOperation) -> Reach? {
    switch operation {
    case .readInstitutions, .readRooms, .readClasses, .readClusters, .readCourses, .readLocalLessons, .readLessons,
      .shareCalendars, .watchLive, .receiveMedia, .publishReturn, .replayLesson:
      .takingPart
    case .readTerms, .readBells, .readResources: .enclosing
    case .testRoom, .answerPush: .wholly
    case .call, .mute, .eject, .ban, .grantMedia, .pause, .mark, .stop, .publishLead, .readReports,
      .readUnpublished, .submitResources:
      .leading
    default: nil
    }
  }

  private static func localTeacher(_ operation: AccessOperation) -> Reach? {
    switch operation {
    case .readInstitutions, .readRooms, .readClasses, .readClusters, .readCourses, .readLocalLessons, .readLessons,
      .shareCalendars, .watchLive, .receiveMedia, .conductPlayback, .publishReturn, .replayLesson, .readReports:
      .takingPart
    case .readTerms, .readBells, .readResources: .enclosing
    case .testRoom, .answerPush: .wholly
    default: nil
    }
  }

  private static func researcher(_ operation: AccessOperation) -> Reach? {
    switch operation {
    case .readInstitutions, .readRooms, .readClasses, .readClusters, .readCourses, .readLessons, .exportTables,
      .watchLive, .receiveMedia, .readReports:
      .takingPart
    case .readTerms, .readBells, .readResources: .enclosing
    default: nil
    }
  }

  private static func reviewer(_ operation: AccessOperation) -> Reach? {
    switch operation {
    case .readInstitutions, .readCourses, .readLessons: .takingPart
    case .readTerms, .readBells, .readResources: .enclosing
    case .reviewResources: .wholly
    case .readUnpublished: .leading
    default: nil
    }
  }

  private static func device(_ operation: AccessOperation) -> Reach? {
    switch operation {
    case .readLessons, .watchLive, .receiveMedia, .conductPlayback, .publishReturn, .replayLesson: .takingPart
    case .readTerms, .readBells, .readResources: .enclosing
    case .testRoom: .wholly
    // The recording host (录播主机) of a lead room.
    case .publishLead: .leading
    default: nil
    }
  }

  private static func platform(_ operation: AccessOperation) -> Reach? {
    switch operation {
    case .readInstitutions, .readCourses, .readLessons, .readReports, .deliverUsage: .takingPart
    case .readTerms, .readBells, .readResources: .enclosing
    default: nil
    }
  }

  private static func parent(_ operation: AccessOperation) -> Reach? {
    switch operation {
    case .readLessons: .takingPart
    case .readTerms, .readBells, .readResources: .enclosing
    default: nil
    }
  }
}
