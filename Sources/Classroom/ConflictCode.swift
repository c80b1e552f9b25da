/// What is wrong with a course in a timetable; the raw values are stable, programs and texts go by them.
///
/// Times are wall-clock times and half-open: what ends at 10:50 and what begins at 10:50 share none.
public enum ConflictCode: String, CaseIterable, Sendable, Codable {
  /// A person, in whatever part (leading, in a receiving room, in a local lesson), is needed twice at one time.
  case leadTeacher
  /// A room is booked twice, and one of the courses is led from it.
  case leadRoom
  /// A class is taught twice, and leads one of the courses; or the lead class has a local lesson.
  case leadClass
  /// A room is booked twice, and receives both courses.
  case siteRoom
  /// A class is taught twice, and receives both courses; or a receiving class has a local lesson.
  case siteClass
  /// An institution that takes part is not of the course's cluster, or is a teaching point without its school.
  case unpairedInstitution
  /// The bells of a site, or the lead's own, do not have the lesson.
  case bellMisfit
  /// A holiday or a day of 调休 is in the way.
  case holiday
  /// The relay would carry more seats at one instant than it may.
  case relayCapacity
  /// The line of a receiving room is thinner than the policy asks.
  case siteBandwidth
  /// A room was never accepted.
  case unacceptedRoom
  /// A receiving class looks at a screen longer than the policy says.
  case screenTime
  /// The parts of the course do not agree with its mode, or with its lead's part in the cluster.
  case modeOrRole
}

/// What exactly a conflict's code stands for, where the code alone leaves it open.
public enum ConflictReason: String, CaseIterable, Sendable, Codable {
  /// `unpairedInstitution`: not a member of the course's cluster.
  case notMember
  /// `unpairedInstitution`: a teaching point that names no school it belongs to.
  case noParent
  /// `unpairedInstitution`: the timetable does not know the room.
  case unknownRoom
  /// `bellMisfit`: the best period of the site departs from the lesson; `minutes` says by how much.
  case departs
  /// `bellMisfit`: no period of the site shares time with the lesson.
  case noPeriod
  /// `bellMisfit`: the bells of the site were never entered.
  case noBells
  /// `bellMisfit`: the lead's bells have no such period, so that the lesson falls out.
  case noLeadPeriod
  /// `holiday`: of the lead; a lesson of a draft falls out (note), one already dated stands (warning).
  case leadHoliday
  /// `holiday`: of a site, while the lead teaches; days outside the site's term are such too.
  case siteHoliday
  /// `holiday`: the site is taught another weekday than the lead is that day.
  case otherWeekday
  /// `siteBandwidth`
  case downlink
  /// `siteBandwidth`
  case uplink
  /// `screenTime`: of a day; `minutes` of `limit`.
  case day
  /// `screenTime`: without a break; `minutes` of `limit`.
  case continuous
  /// `screenTime`: of a week's teaching time; `minutes` of `limit`.
  case week
  /// `modeOrRole`: the lead's institution only receives in this cluster.
  case leadOnlyReceives
  /// `modeOrRole`: a course for others without a receiver.
  case noReceivers
  /// `modeOrRole`: teachers among themselves, and a class.
  case classInResearch
  /// `modeOrRole`: a recorded lesson without a teacher in the room.
  case noLocalTeacher
  /// `modeOrRole`: the lead's teacher or class receives its own course.
  case leadReceives
}
