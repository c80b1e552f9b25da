// Goal: an archive has the bytes and sums it says, and the same ones each time. Method: known sums; an archive taken
// apart by hand. Python's zipfile reads real exports in the tests with real clients.
import ControlAPI
import Foundation
import Testing

@Suite struct StoredArchiveTests {
  @Test func sumsAreThoseOfTheStandard() {
    func sum(_ text: String, split: Int = 0) -> UInt32 {
      var sum = CRC32()
      let data = Data(text.utf8)
      sum.add(data.prefix(split))
      sum.add(data.dropFirst(split))
      return sum.value
    }
    #expect(sum("123456789") == 0xCBF4_3926)
    #expect(sum("") == 0)
    #expect(sum("The quick brown fox jumps over the lazy dog") == 0x414F_A339)
    for split in 0...43 { #expect(sum("The quick brown fox jumps over the lazy dog", split: split) == 0x414F_A339) }
  }

  private func archive(_ files: [(String, Data)]) throws -> Data {
    var output = Data()
    var archive = StoredArchive { output.append($0) }
    for (name, data) in files {
      var sum = CRC32()
      sum.add(data)
      try archive.add(name: name, size: UInt64(data.count), checksum: sum.value) { take in
        for start in stride(from: 0, to: data.count, by: 7) { try take(data[start..<min(start + 7, data.count)]) }
      }
    }
    try archive.finish()
    return output
  }

  @Test func theSameFilesAreTheSameBytes() throws {
    let files = [("课.txt", Data("一".utf8)), ("empty", Data()), ("b.bin", Data((0..<100).map { UInt8($0) }))]
    let first = try archive(files)
    #expect(try archive(files) == first)
    // The end of the directory: three entries, and where it begins.
    let end = first.suffix(22)
    #expect(end.prefix(4).elementsEqual([0x50, 0x4B, 5, 6]) && Array(end)[8] == 3 && Array(end)[10] == 3)
    let start = Array(end)[16..<20].reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(first.dropFirst(start).prefix(4).elementsEqual([0x50, 0x4B, 1, 2]))
    #expect(first.range(of: Data("课.txt".utf8)) != nil)
  }

  @Test func aFileThatChangesIsRefused() {
    var archive = StoredArchive { _ in }
    #expect(throws: StoredArchive.Failure.changed) {
      try archive.add(name: "a", size: 3, checksum: 0) { try $0(Data([1, 2, 3])) }
    }
    #expect(throws: StoredArchive.Failure.changed) {
      try archive.add(name: "a", size: 4, checksum: 0) { try $0(Data([1, 2, 3])) }
    }
  }
}
