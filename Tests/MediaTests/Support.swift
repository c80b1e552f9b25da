import Foundation
import Media
import RTCWire
import Testing

/// A folder that goes with the test.
final class Folder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "tongke-media-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
}

/// An RTP packet taken apart.
struct Received {
  let header: RTPHeader
  let bytes: [UInt8]
  var payload: ArraySlice<UInt8> { bytes[header.payloadOffset...] }

  init(_ bytes: [UInt8]) throws {
    header = try bytes.withUnsafeBytes { packet throws(WireError) in try RTPHeader(packet) }
    self.bytes = bytes
  }
}

extension Packetizer {
  mutating func packets(_ unit: EncodedUnit, timestamp: UInt32) throws -> [Received] {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1_600, alignment: 16)
    defer { memory.deallocate() }
    var all: [[UInt8]] = []
    packetize(unit, timestamp: timestamp) { fill in
      let count = fill(memory)
      all.append([UInt8](memory[..<count]))
    }
    return try all.map { try Received($0) }
  }
}

extension AccessUnitAssembler {
  mutating func add(
    _ payload: some Collection<UInt8>, sequence: Int64, timestamp: UInt32 = 0, marker: Bool = false, at: Int64 = 0
  ) -> [EncodedUnit] {
    Array(payload).withUnsafeBytes {
      add(payload: $0, sequence: sequence, timestamp: timestamp, marker: marker, lessonTime: at)
    }
  }

  mutating func add(_ packet: Received, at: Int64 = 0) -> [EncodedUnit] {
    add(
      packet.payload, sequence: Int64(packet.header.sequence), timestamp: packet.header.timestamp,
      marker: packet.header.marker, at: at)
  }
}

func unit(_ bytes: [UInt8], _ encoding: MediaEncoding = .h264, at: Int64 = 0, isKey: Bool = false) -> EncodedUnit {
  EncodedUnit(
    bytes: bytes, encoding: encoding, presentationMicroseconds: at, durationMicroseconds: 0, isKeyFrame: isKey)
}

/// A NAL unit with its start code: a header, then bytes without zeros, the first with the top bit set, so that it
/// reads as a slice that begins with macroblock 0.
func nal(_ header: UInt8, _ count: Int, using random: inout SeededGenerator) -> [UInt8] {
  [0, 0, 0, 1, header] + (1..<max(count, 2)).map { $0 == 1 ? 0x88 : UInt8.random(in: 1...255, using: &random) }
}

/// A small lesson that encodes fast.
func smallLesson(_ encoding: MediaEncoding = .h264, _ change: (inout GeneratedLesson.Settings) -> Void = { _ in })
  throws -> GeneratedLesson
{
  var settings = GeneratedLesson.Settings()
  settings.width = 640
  settings.height = 360
  settings.bitsPerSecond = 600_000
  settings.encoding = encoding
  settings.speech = []
  change(&settings)
  return try GeneratedLesson(settings)
}

/// Video and sound of a lesson in the order of their times.
func units(of lesson: GeneratedLesson, seconds: Double) throws -> [EncodedUnit] {
  var all: [EncodedUnit] = []
  var audio = try lesson.nextAudio()
  let count = Int(seconds * Double(lesson.settings.framesPerSecond))
  for number in 0..<count {
    let video = try lesson.nextVideo(stripValue: UInt64(number))
    while audio.presentationMicroseconds <= video.presentationMicroseconds {
      all.append(audio)
      audio = try lesson.nextAudio()
    }
    all.append(video)
  }
  while audio.presentationMicroseconds < Int64(seconds * 1_000_000) {
    all.append(audio)
    audio = try lesson.nextAudio()
  }
  return all
}

/// What Debian's `ffprobe` says about a file, as lines of `key=value`.
func probe(_ path: String, _ entries: String) throws -> [String] {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "default=noprint_wrappers=1", path]
  let output = Pipe()
  process.standardOutput = output
  process.standardError = output
  try process.run()
  let data = try output.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  try #require(process.terminationStatus == 0, "ffprobe: \(String(decoding: data, as: UTF8.self))")
  return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
}

/// Names of the boxes at a file's top level (ISO/IEC 14496-12 §4.2).
func topLevelBoxes(_ path: String) throws -> [String] {
  let bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
  var names: [String] = []
  var offset = 0
  while offset + 8 <= bytes.count {
    let size = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    names.append(String(decoding: bytes[offset + 4..<offset + 8], as: UTF8.self))
    guard size >= 8 else { break }
    offset += size
  }
  return names
}
