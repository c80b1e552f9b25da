/// What is too much for the relay.
extension Inspection {
  mutating func inspectLoad() {
    var own: [Int: Int] = [:]
    for booking in subject.bookings { own[booking.date.day, default: 0] += booking.seats }
    for (index, booking) in subject.bookings.enumerated() where booking.seats > 0 && concerns(index) {
      let days = days(of: booking)
      // Mostly not even a whole day's lessons at once would be too much.
      let most = days.reduce(own[days.lowerBound - 1] ?? 0) { $0 + (checker.loads[$1]?.seats ?? 0) + (own[$1] ?? 0) }
      guard most > policy.relaySeats else { continue }
      let seats = peak(during: booking, days)
      guard seats > policy.relaySeats else { continue }
      report(
        Conflict(code: .relayCapacity, course: course.id, limit: policy.relaySeats), at: Place(booking: index),
        weeklyTime: booking.weeklyTime, seats: seats)
    }
  }

  /// Those on which lessons begin that can share time with it: lessons last a day at most.
  private func days(of booking: Booking) -> ClosedRange<Int> {
    let first = booking.date.day
    let last = max(first, CivilTime.date(of: booking.span.upperBound - 1).day)
    let isReached = checker.loads[first - 1].map { $0.end > booking.span.lowerBound } ?? false
    return (isReached ? first - 1 : first)...last
  }

  /// Seats at the fullest instant of a booking. Cost: lessons of the days × their logarithm.
  private func peak(during booking: Booking, _ days: ClosedRange<Int>) -> Int {
    var changes: [(at: Int64, seats: Int)] = []
    func add(_ span: Range<Int64>, _ seats: Int) {
      guard span.overlaps(booking.span) else { return }
      changes.append((max(span.lowerBound, booking.span.lowerBound), seats))
      changes.append((span.upperBound, -seats))
    }
    for day in days {
      for part in checker.loads[day]?.parts ?? [] where isAsked(part.order) { add(part.span, part.seats) }
    }
    for own in subject.bookings { add(own.span, own.seats) }
    // At one instant those that end go before those that begin.
    changes.sort { ($0.at, $0.seats) < ($1.at, $1.seats) }
    var (now, most) = (0, 0)
    for change in changes where change.at < booking.span.upperBound {
      now += change.seats
      most = max(most, now)
    }
    return most
  }
}
