// Goal: nothing is published that nobody else approved, for a level that did not approve it, or after it has changed.
// Method: every step from every state against a table, and long random sequences of steps and changes held against a
// ledger of who did what that is kept by the test itself.
import Classroom
import Testing

@Suite struct ResourceReviewTests {
  static let teacher = Identifier(high: 1, low: 1)
  static let school = Identifier(high: 1, low: 2)
  static let county = Identifier(high: 1, low: 3)

  private func take(_ review: ResourceReview, _ step: ResourceStep, digest: String = "a") -> ResourceRefusal? {
    do {
      _ = try review.after(step, digest: digest)
      return nil
    } catch { return error }
  }

  private func reached(_ steps: [ResourceStep]) throws -> ResourceReview {
    try steps.reduce(ResourceReview()) { try $0.after($1, digest: "a") }
  }

  private func state(_ state: ResourceState) throws -> ResourceReview {
    let submitted: [ResourceStep] = [.draft, .submit(by: Self.teacher)]
    let approved = submitted + [.approve(by: Self.county, for: .county)]
    let steps: [ResourceStep] =
      switch state {
      case .recorded: []
      case .draft: [.draft]
      case .submitted: submitted
      case .approved: approved
      case .rejected: submitted + [.reject(by: Self.county, reason: "无字幕")]
      case .published: approved + [.publish(.county)]
      case .withdrawn: approved + [.publish(.county), .withdraw]
      }
    let found = try reached(steps)
    #expect(found.state == state)
    return found
  }

  @Test func onlyTheStepsOfTheMachineAreTaken() throws {
    let steps: [(ResourceStep, Set<ResourceState>)] = [
      (.draft, Set(ResourceState.allCases)), (.submit(by: Self.teacher), [.draft]),
      (.approve(by: Self.county, for: .school), [.submitted, .approved, .published]),
      (.reject(by: Self.county, reason: "无字幕"), [.submitted]), (.publish(.county), [.approved, .published]),
      (.withdraw, [.published]),
    ]
    for from in ResourceState.allCases {
      for (step, allowed) in steps {
        let refusal = take(try state(from), step)
        #expect((refusal == nil) == allowed.contains(from), "\(step) from \(from): \(refusal as Any)")
      }
    }
  }

  @Test func refusalsSayWhy() throws {
    let submitted = try state(.submitted)
    #expect(take(submitted, .approve(by: Self.teacher, for: .school)) == .ownSubmission)
    #expect(take(submitted, .approve(by: Self.county, for: .school), digest: "b") == .changed)
    #expect(take(submitted, .publish(.school)) == .notApproved)
    for reason in ["", "\n", String(repeating: "长", count: 201)] {
      #expect(take(submitted, .reject(by: Self.county, reason: reason)) == .noReason)
    }
    let approved = try reached([.draft, .submit(by: Self.teacher), .approve(by: Self.school, for: .school)])
    #expect(take(approved, .publish(.cluster)) == .notApproved)
    #expect(take(approved, .publish(.school), digest: "b") == .changed)
    #expect(take(approved, .publish(.school)) == nil)
  }

  @Test func wideningNeedsTheWiderLevel() throws {
    let narrow = try reached(
      [.draft, .submit(by: Self.teacher), .approve(by: Self.school, for: .school), .publish(.school)])
    #expect(take(narrow, .publish(.county)) == .notApproved)
    let wider = try narrow.after(.approve(by: Self.county, for: .county), digest: "a")
    #expect(wider.visibility == .school, "approving alone shows it to nobody more")
    #expect(try wider.after(.publish(.county), digest: "a").visibility == .county)
    // A narrower approval after a wider one takes nothing away.
    let again = try wider.after(.approve(by: Self.school, for: .school), digest: "a")
    #expect(again.approvedFor == .county)
  }

  @Test func changeVoidsWhatWasBoundToTheOldContents() throws {
    for from in [ResourceState.submitted, .approved, .rejected, .published] {
      let review = try state(from)
      #expect(review.following(digest: "a") == review)
      #expect(review.following(digest: "b").state == .draft, "\(from)")
      #expect(review.following(digest: "b").approvedFor == nil)
    }
    for from in [ResourceState.recorded, .draft, .withdrawn] {
      let review = try state(from)
      #expect(review.following(digest: "b") == review)
    }
  }

  /// What the test itself knows of who approved what.
  private struct Book {
    var submitter: Identifier?
    var approvals: [(by: Identifier, level: ResourceVisibility, digest: String)] = []
  }

  @Test(arguments: 0..<200) func randomSequencesNeverPublishUnapproved(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    var review = ResourceReview()
    var book = Book()
    var digest = "d0"
    var published = 0
    for turn in 0..<200 {
      let by = [Self.teacher, Self.school, Self.county].randomElement(using: &random)!
      let level = ResourceVisibility.allCases.randomElement(using: &random)!
      if Int.random(in: 0..<12, using: &random) == 0 {
        digest = "d\(turn)"
        review = review.following(digest: digest)
        continue
      }
      let steps: [ResourceStep] = [
        .draft, .submit(by: by), .submit(by: by), .approve(by: by, for: level), .approve(by: by, for: level),
        .reject(by: by, reason: "不清楚"), .publish(level), .publish(level), .withdraw,
      ]
      let step = steps.randomElement(using: &random)!
      guard let next = try? review.after(step, digest: digest) else { continue }
      switch step {
      case .submit: book = Book(submitter: by)
      case .approve: book.approvals.append((by, level, digest))
      case .publish:
        published += 1
        let isCovered = book.approvals.contains { $0.level >= level && $0.digest == digest && $0.by != book.submitter }
        #expect(isCovered, "published for \(level) after \(book.approvals)")
      case .draft, .withdraw, .reject: book = Book()
      }
      review = next
      let isSound = ResourceReview(
        state: review.state, submitter: review.submitter, approver: review.approver,
        approvedFor: review.approvedFor, visibility: review.visibility, digest: review.digest, reason: review.reason)
      #expect(isSound == review, "every state that is reached can be stored")
    }
    if seed == 0 { #expect(published > 0, "something was published at all") }
  }

  @Test func storedReviewsThatNoStepsLeadToAreRefused() {
    func stored(_ state: ResourceState, _ submitter: Identifier?, _ approver: Identifier?, _ levels: (Int?, Int?))
      -> ResourceReview?
    {
      ResourceReview(
        state: state, submitter: submitter, approver: approver,
        approvedFor: levels.0.flatMap(ResourceVisibility.init(rank:)),
        visibility: levels.1.flatMap(ResourceVisibility.init(rank:)), digest: "a", reason: "")
    }
    #expect(stored(.published, Self.teacher, Self.school, (3, 3)) != nil)
    #expect(stored(.published, Self.teacher, Self.school, (1, 3)) == nil, "wider than approved")
    #expect(stored(.published, Self.teacher, Self.teacher, (3, 3)) == nil, "approved by its submitter")
    #expect(stored(.published, Self.teacher, nil, (3, 3)) == nil)
    #expect(stored(.draft, nil, nil, (nil, 1)) == nil)
  }

  @Test func canonicalFormsOfOtherWordsDiffer() {
    let first = ResourceMetadata(title: "乘法", volume: "上册", keywords: ["a", "bc"])
    var others: [ResourceMetadata] = []
    func other(_ change: (inout ResourceMetadata) -> Void) {
      var value = first
      change(&value)
      others.append(value)
    }
    other { $0.title = "除法" }
    other { $0.keywords = ["ab", "c"] }
    other { $0.keywords = ["bc", "a"] }
    other { ($0.volume, $0.textbook) = ("", "上册") }
    other { $0.containsFaces = false }
    other { $0.author = Identifier(high: 1, low: 1) }
    other { $0.institution = Identifier(high: 1, low: 1) }
    other { $0.grades = [1, 2] }
    // A value that looks like what follows it.
    other { $0.title = "乘法\nsubject=0:" }
    #expect(Set(others.map(\.canonical)).union([first.canonical]).count == others.count + 1)
    #expect(ResourceMetadata(title: "乘法", volume: "上册", keywords: ["a", "bc"]).canonical == first.canonical)
  }

  @Test func whatIsMissingIsNamed() {
    #expect(ResourceMetadata(title: "x").missing == ResourceField.allCases)
    let whole = ResourceMetadata(
      title: "x", subject: "music", grades: [3], volume: "上册", textbook: "人教版", chapter: "一", lessonName: "歌",
      keywords: ["歌"], summary: "一", containsFaces: false, institution: Self.school, author: Self.teacher)
    #expect(whole.missing == [])
    var seen = whole
    seen.containsFaces = true
    #expect(seen.missing == [.consent])
  }

  @Test func searchWordsTakeHanziApartAndQuoteEverything() {
    #expect(SearchWords.indexed("三年级Music课 2026-2027") == "三 年 级 Music 课 2026 2027")
    #expect(SearchWords.expression("乘法 music") == "\"乘 法\" AND \"music\"")
    #expect(SearchWords.expression(" \"*^-:(){} ") == nil)
    #expect(SearchWords.expression("\" OR NEAR(a b) *") == "\"OR\" AND \"NEAR\" AND \"a\" AND \"b\"")
    let long = SearchWords.expression(String(repeating: "长", count: 5_000))
    #expect(long?.count { $0 == "长" } == SearchWords.queryLimit)
    #expect(SearchWords.indexed("𠮷野") == "𠮷 野")
  }
}
