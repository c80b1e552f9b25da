// Goal: the weeks of a term are kept and told as school programs tell them, and nothing else is taken for weeks.
// Method: random sets against `Set<Int>`, through their text and back; texts of the field; texts that name no weeks.
import Classroom
import Testing

@Suite struct WeekSetTests {
  @Test(arguments: 1...8 as ClosedRange<UInt64>) func behavesAsASetOfNumbers(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<80 {
      let density = Int.random(in: 1...60, using: &generator)
      let first = Set((-3...70).filter { _ in Int.random(in: 0..<60, using: &generator) < density })
      let second = Set((1...60).filter { _ in Bool.random(using: &generator) })
      let weeks = WeekSet(first)
      let held = first.filter { (1...60).contains($0) }
      #expect(weeks.numbers == held.sorted())
      #expect(weeks.count == held.count)
      #expect(weeks.isEmpty == held.isEmpty)
      #expect(weeks.bits & ~(((1 as UInt64) << 61) - 2) == 0)
      #expect((-5...99).filter(weeks.contains) == held.sorted())
      #expect(weeks.intersection(WeekSet(second)).numbers == held.intersection(second).sorted())
      #expect(WeekSet(weeks.description) == weeks, "\(weeks.description)")
    }
  }

  @Test func textsOfTheField() {
    let texts: [(String, [Int])] = [
      ("1-16", Array(1...16)), ("1-15单", [1, 3, 5, 7, 9, 11, 13, 15]), ("2-8双", [2, 4, 6, 8]), ("3", [3]),
      ("1-4、7、9-12", [1, 2, 3, 4, 7, 9, 10, 11, 12]), ("1-4,7，9", [1, 2, 3, 4, 7, 9]), ("1-16周", Array(1...16)),
      ("1-6单周", [1, 3, 5]), ("2-5双", [2, 4]), ("60", [60]), ("全", Array(1...60)), ("每周", Array(1...60)),
      ("单", (1...60).filter { $0 % 2 == 1 }), ("双周", (1...60).filter { $0 % 2 == 0 }), ("none", []),
      ("", Array(1...60)), ("01-02", [1, 2]),
    ]
    for (text, weeks) in texts { #expect(WeekSet(text)?.numbers == weeks, "\(text)") }
    let written: [(WeekSet, String)] = [
      (.all, "all"), (.odd, "odd"), (.even, "even"), (.none, "none"), (WeekSet(1...16), "1-16"),
      (WeekSet([1, 3, 5]), "1-5单"), (WeekSet([2, 4, 6, 8]), "2-8双"), (WeekSet([1, 2, 3, 4, 7, 9, 10]), "1-4、7、9-10"),
      (WeekSet([5]), "5"), (WeekSet([1, 3]), "1、3"),
    ]
    for (weeks, text) in written { #expect(weeks.description == text) }
  }

  @Test func textsThatNameNoWeeks() {
    let one = String(repeating: "1,", count: 5_000_000) + "1"
    for text in [
      "0", "61", "0-3", "1-61", "5-3", "-3", "3-", "-", "1--3", "1-2-3", "a", "1月16日", "Jan-16", "１-16", "1-16单双",
      "2单", "3-3双", "1,,2", ",", "1 ", "周", "单1", "001", "1-99999999999999999999", "all,1", one,
    ] { #expect(WeekSet(text) == nil, "\(text.prefix(30))") }
  }

  @Test func wholeTermsOfSingleAndDoubleWeeks() {
    #expect(WeekSet.odd.intersection(.even) == .none)
    #expect(WeekSet.odd.count + WeekSet.even.count == WeekSet.all.count)
    #expect(WeekSet.all.count == 60)
    #expect(!WeekSet.all.contains(.max) && !WeekSet.all.contains(.min) && !WeekSet.all.contains(0))
  }
}
