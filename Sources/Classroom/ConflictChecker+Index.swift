/// What can be booked once at a time.
enum Resource: Hashable, Sendable {
  case person(Identifier)
  case room(Identifier)
  case schoolClass(Identifier)
}

/// A resource needed by one booking.
struct Use: Sendable {
  /// UTC milliseconds.
  var span: Range<Int64>
  /// The place of its course among those of the checker.
  var order: Int
  /// The place of the booking among those of its course.
  var booking: Int
  /// The place among the booking's sites; nil for the lead.
  var site: Int?
}

/// All uses of one resource, by start.
struct UseList: Sendable {
  private(set) var sorted: [Use] = []
  /// The longest of them: how far back one that still lasts can have begun.
  private var longest: Int64 = 0

  mutating func append(_ uses: [Use]) {
    sorted += uses
    for use in uses { longest = max(longest, use.span.upperBound - use.span.lowerBound) }
  }

  /// Two sorted runs are merged, so this costs little after a course was appended.
  mutating func sort() { sorted.sort { $0.span.lowerBound < $1.span.lowerBound } }

  mutating func remove(order: Int) { sorted.removeAll { $0.order == order } }

  /// The latest first.
  func forEach(overlapping span: Range<Int64>, _ body: (Use) -> Void) {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle].span.lowerBound < span.upperBound { low = middle + 1 } else { high = middle }
    }
    while low > 0 {
      low -= 1
      let use = sorted[low]
      if use.span.lowerBound + longest <= span.lowerBound { return }
      if use.span.upperBound > span.lowerBound { body(use) }
    }
  }
}

/// A course in the checker, with its dated lessons by start.
struct CheckedCourse: Sendable {
  var course: Course
  var order: Int
  var bookings: [Booking]
  var undated: [Undated]

  /// In the order in which resources first come up, so that nothing depends on hashing.
  var uses: [(resource: Resource, uses: [Use])] {
    var places: [Resource: Int] = [:]
    var list: [(resource: Resource, uses: [Use])] = []
    func add(_ resource: Resource, _ use: Use) {
      if let place = places[resource] {
        list[place].uses.append(use)
      } else {
        places[resource] = list.count
        list.append((resource, [use]))
      }
    }
    for (index, booking) in bookings.enumerated() {
      if booking.needsLead {
        let use = Use(span: booking.span, order: order, booking: index, site: nil)
        if let teacher = booking.leadTeacher { add(.person(teacher), use) }
        add(.room(booking.leadRoom), use)
        if let schoolClass = booking.leadClass { add(.schoolClass(schoolClass), use) }
      }
      for (place, site) in booking.sites.enumerated() {
        let use = Use(span: site.occupied, order: order, booking: index, site: place)
        if let teacher = site.teacher { add(.person(teacher), use) }
        add(.room(site.room), use)
        if let schoolClass = site.schoolClass { add(.schoolClass(schoolClass), use) }
      }
    }
    return list
  }
}

/// What the relay carries on one date.
struct DayLoad: Sendable {
  struct Part: Sendable {
    var span: Range<Int64>
    var seats: Int
    var order: Int
  }
  private(set) var parts: [Part] = []
  /// Of all parts, whenever they are.
  private(set) var seats = 0
  /// When the last of them ends, those taken out included: mostly on the same date.
  private(set) var end = Int64.min

  mutating func append(_ part: Part) {
    parts.append(part)
    seats += part.seats
    end = max(end, part.span.upperBound)
  }

  mutating func remove(order: Int) {
    for part in parts where part.order == order { seats -= part.seats }
    parts.removeAll { $0.order == order }
  }
}
