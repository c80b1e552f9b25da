// Goal: an archive gives its files and nothing else, whoever made it; a hostile one is refused. Method: archives made
// by hand block by block, and every cut and many changes of one.
import ControlAPI
import Foundation
import Testing

@Suite struct SheetArchiveTests {
  /// One entry, padded to whole blocks.
  private static func entry(
    _ name: String, _ content: [UInt8], type: Character = "0", size: Int? = nil
  ) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, _ place: Int) {
      for (index, byte) in text.utf8.enumerated() { header[place + index] = byte }
    }
    put(name, 0)
    put("0000644", 100)
    let octal = String(size ?? content.count, radix: 8)
    put(String(repeating: "0", count: 11 - octal.count) + octal, 124)
    put("        ", 148)
    put(String(type), 156)
    put("ustar", 257)
    let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
    put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", 148)
    return header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  private static let end = [UInt8](repeating: 0, count: 1_024)

  private func names(_ bytes: [UInt8]) throws -> [String] { try SheetArchive.files(Data(bytes)).map(\.name) }

  @Test func filesComeInTheirOrderWithWhatTheyHold() throws {
    let first = Array("编号,名称\nA01,校\n".utf8)
    let second = (0..<1_500).map { UInt8($0 % 251) }
    let bytes =
      Self.entry("folder/", [], type: "5") + Self.entry("folder/a.csv", first) + Self.entry("b.csv", second) + Self.end
    #expect(SheetArchive.isArchive(Data(bytes)))
    let files = try SheetArchive.files(Data(bytes))
    #expect(files.map(\.name) == ["a.csv", "b.csv"])
    #expect(files.map { Array($0.data) } == [first, second])
    // A slice whose first byte is not number 0.
    #expect(try SheetArchive.files(Data([1, 2, 3] + bytes).dropFirst(3)).map(\.name) == ["a.csv", "b.csv"])
  }

  @Test func longNamesAndWhatIsNoFile() throws {
    let extended = Array("28 path=目录/教师名单.csv\n12 mtime=1.5\n".utf8)
    let bytes =
      Self.entry("g", Array("x".utf8), type: "g") + Self.entry("x", extended, type: "x") + Self.entry("?.csv", [1])
      + Self.entry("L", Array("deep/very long.csv\0".utf8), type: "L") + Self.entry("short", [2])
      + Self.entry("link", [], type: "2") + Self.entry("._a.csv", [3]) + Self.entry("a\\c.csv", [4])
      + Self.end
    #expect(try names(bytes) == ["教师名单.csv", "very long.csv", "c.csv"])
  }

  @Test func aSheetIsNoArchive() {
    #expect(!SheetArchive.isArchive(Data("编号,名称\n".utf8)))
    #expect(!SheetArchive.isArchive(Data()))
    #expect(!SheetArchive.isArchive(Data([UInt8](repeating: 0x41, count: 600))))
  }

  @Test func damageIsRefused() throws {
    let good = Self.entry("a.csv", [1, 2, 3]) + Self.end
    #expect(try names(good) == ["a.csv"])
    #expect(throws: SheetArchive.Failure.damaged) { try names(Self.entry("a.csv", [1], size: 100_000) + Self.end) }
    // Cut between two files nothing else would tell.
    #expect(throws: SheetArchive.Failure.damaged) { try names(Self.entry("a.csv", [1]) + Self.entry("b.csv", [2])) }
    var changed = good
    changed[3] ^= 1
    #expect(throws: SheetArchive.Failure.damaged) { try names(changed) }
    let many = (0...SheetArchive.fileLimit).flatMap { Self.entry("\($0).csv", [1]) }
    #expect(throws: SheetArchive.Failure.tooManyFiles) { try names(many) }
    #expect(try names(Array(many.dropLast(1_024)) + Self.end).count == SheetArchive.fileLimit)
  }

  @Test func nothingTraps() {
    let good = Self.entry("x", Array("20 path=a.csv\n".utf8), type: "x") + Self.entry("a", [1, 2, 3]) + Self.end
    var answered = 0
    for count in stride(from: 0, through: good.count, by: 7) {
      if (try? names(Array(good.prefix(count)))) != nil { answered += 1 }
    }
    #expect(answered > 10)
    for place in 0..<512 {
      for value: UInt8 in [0, 0x20, 0x37, 0xFF] {
        var changed = good
        changed[place] = value
        _ = try? names(changed)
      }
    }
  }

  @Test func transfersGrowUntilOneCanBeMeasuredBy() {
    // 8 Mbit/s, a round trip of 20 ms.
    var plan = TransferPlan()
    var (transfers, bytes) = (0, 0)
    var goesOn = true
    while goesOn, transfers < 20 {
      bytes += plan.bytes
      #expect(plan.bytes <= TransferPlan.byteLimit)
      goesOn = plan.goesOn(seconds: Double(plan.bytes) * 8 / 8e6 + 0.02, roundTrip: 0.02)
      transfers += 1
    }
    #expect(transfers == 2 && bytes < 3 << 20)
    #expect(abs(plan.rate - 8_000_000) < 1_000)
    // A line without measure, and one that gives nothing.
    var fast = TransferPlan()
    while fast.goesOn(seconds: 0, roundTrip: 1) { #expect(fast.bytes <= TransferPlan.byteLimit) }
    #expect(fast.bytes == TransferPlan.byteLimit && fast.rate > 1_000_000_000)
    var slow = TransferPlan()
    #expect(!slow.goesOn(seconds: 90, roundTrip: 0.5) && slow.rate > 20_000)
  }
}
