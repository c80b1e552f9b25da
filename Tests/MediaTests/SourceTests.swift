import Foundation
import Media
import Testing

@Suite struct SourceTests {
  private func all(_ source: MediaSource, limit: Int = 100_000) throws -> [EncodedUnit] {
    var units: [EncodedUnit] = []
    while units.count < limit, let unit = try source.next() { units.append(unit) }
    return units
  }

  private func strips(_ units: [EncodedUnit], _ encoding: MediaEncoding = .h264) throws -> [UInt64?] {
    let decoder = try PictureDecoder(encoding: encoding)
    return units.filter { $0.encoding == encoding }.flatMap { decoder.decode($0).map(\.strip) }
  }

  @Test func h264PassesAndAACBecomesOpus() throws {
    let folder = try Folder()
    try smallLesson().writeMP4(to: folder.file("a.mp4"), seconds: 5)
    let source = try MediaSource(url: folder.file("a.mp4"))
    #expect(source.video == .h264 && source.hasAudio && !source.reencodesVideo && source.reencodesAudio)
    let units = try all(source)
    let video = units.filter { $0.encoding == .h264 }
    #expect(video.map(\.presentationMicroseconds) == (0..<125).map { Int64($0) * 40_000 })
    #expect(video.first?.isKeyFrame == true)
    #expect(try strips(units) == (0..<125).map { UInt64($0) })
    let sound = units.filter { $0.encoding == .opus }
    #expect((245...250).contains(sound.count))
    #expect(units.map(\.presentationMicroseconds) == units.map(\.presentationMicroseconds).sorted())
    // In step, by writing what came out and reading it back.
    let writer = try LessonFileWriter(path: folder.file("b.mp4"), container: .mp4, hasVideo: true, hasAudio: true)
    for unit in units { try writer.write(unit) }
    _ = try writer.finish()
    let report = try MediaReport(decoding: folder.file("b.mp4"))
    #expect(report.beeps.count == 2)
    #expect(abs(try #require(report.audioVideoOffsetMilliseconds)) <= 20)
  }

  @Test func bFramesAreEncodedAgainWithout() throws {
    let folder = try Folder()
    try smallLesson { $0.hasBFrames = true }.writeMP4(to: folder.file("a.mp4"), seconds: 3)
    let source = try MediaSource(url: folder.file("a.mp4"))
    #expect(source.video == .h264 && source.reencodesVideo)
    source.requestKeyFrame()
    let units = try all(source).filter { $0.encoding == .h264 }
    #expect(units.count == 75 && units[0].isKeyFrame)
    #expect(units.map(\.presentationMicroseconds) == units.map(\.presentationMicroseconds).sorted())
    #expect(try strips(units) == (0..<75).map { UInt64($0) })
    let plain = Data(units.flatMap(\.bytes))
    try plain.write(to: URL(filePath: folder.file("a.h264")))
    #expect(try probe(folder.file("a.h264"), "stream=has_b_frames,profile").sorted().contains("has_b_frames=0"))
  }

  @Test func vp8AndOpusPass() throws {
    let folder = try Folder()
    let made = try units(of: smallLesson(.vp8), seconds: 3)
    let writer = try LessonFileWriter(path: folder.file("a.webm"), container: .webm, hasVideo: true, hasAudio: true)
    for unit in made { try writer.write(unit) }
    _ = try writer.finish()
    let source = try MediaSource(url: folder.file("a.webm"))
    #expect(source.video == .vp8 && !source.reencodesVideo && !source.reencodesAudio)
    let read = try all(source)
    #expect(Set(read.map(\.bytes)) == Set(made.map(\.bytes)) && read.count == made.count)
  }

  @Test func aLoopGoesOnInTime() throws {
    let folder = try Folder()
    try smallLesson().writeMP4(to: folder.file("a.mp4"), seconds: 2)
    let source = try MediaSource(url: folder.file("a.mp4"), loops: true)
    let units = try all(source, limit: 500)
    let video = units.filter { $0.encoding == .h264 }
    #expect(units.count == 500 && video.count > 150)
    let distances = zip(video, video.dropFirst()).map { $1.presentationMicroseconds - $0.presentationMicroseconds }
    #expect(distances.allSatisfy { (1_000...120_000).contains($0) })
    #expect(try strips(units) == (0..<video.count).map { UInt64($0 % 50) })
  }

  @Test func missingAndGarbageFilesAreTypedErrors() throws {
    let folder = try Folder()
    func isCannotOpen(_ error: any Error) -> Bool { if case MediaError.cannotOpen = error { true } else { false } }
    #expect { try MediaSource(url: folder.file("none.mp4")) } throws: { isCannotOpen($0) }
    #expect { try MediaReport(decoding: folder.file("none.mp4")) } throws: { isCannotOpen($0) }
    #expect { try writePoster(from: folder.file("none.mp4"), to: folder.file("a.jpg")) } throws: { isCannotOpen($0) }
    var random = SeededGenerator(seed: 9)
    try Data(random.bytes(50_000)).write(to: URL(filePath: folder.file("garbage")))
    #expect(throws: MediaError.self) { try MediaSource(url: folder.file("garbage")) }
    #expect(throws: MediaError.self) { try MediaReport(decoding: folder.file("garbage")) }
    try Data().write(to: URL(filePath: folder.file("empty")))
    #expect(throws: MediaError.self) { try MediaSource(url: folder.file("empty")) }
    try Data("plain words, no media".utf8).write(to: URL(filePath: folder.file("words.txt")))
    #expect(throws: MediaError.self) { try MediaSource(url: folder.file("words.txt")) }
  }

  @Test func brokenFilesNeverTrap() throws {
    let folder = try Folder()
    var small: [String] = []
    for hasBFrames in [false, true] {
      let lesson = try smallLesson {
        $0.width = 160
        $0.height = 90
        $0.bitsPerSecond = 60_000
        $0.hasBFrames = hasBFrames
      }
      small.append(folder.file("\(hasBFrames).mp4"))
      try lesson.writeMP4(to: small.last!, seconds: 0.5)
    }
    var random = SeededGenerator(seed: 10)
    for path in small {
      let bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
      #expect(bytes.withUnsafeBytes { countUnits(ofMedia: $0, unitLimit: 1_000) } > 20)
      for cut in stride(from: 0, to: bytes.count, by: bytes.count / 60) {
        #expect(bytes[..<cut].withUnsafeBytes { countUnits(ofMedia: $0, unitLimit: 1_000) } < 1_000)
      }
      for _ in 0..<60 {
        var broken = bytes
        for _ in 0..<Int.random(in: 1...30, using: &random) {
          broken[Int.random(in: 0..<broken.count, using: &random)] = .random(in: 0...255, using: &random)
        }
        #expect(broken.withUnsafeBytes { countUnits(ofMedia: $0, unitLimit: 1_000) } <= 1_000)
      }
    }
    // Bytes that name other files open none of them.
    let list = "ffconcat version 1.0\nfile '\(small[0])'\n"
    #expect(Array(list.utf8).withUnsafeBytes { countUnits(ofMedia: $0, unitLimit: 10) } == 0)
  }

  @Test(.timeLimit(.minutes(1)), arguments: [false, true])
  func aLiveTransportStreamComesInStep(hasBFrames: Bool) throws {
    let folder = try Folder()
    try smallLesson { $0.hasBFrames = hasBFrames }.writeMP4(to: folder.file("a.mp4"), seconds: 4)
    let url = "tcp://127.0.0.1:\(try freePort())"
    let server = Process()
    server.executableURL = URL(filePath: "/usr/bin/env")
    server.arguments = [
      "ffmpeg", "-v", "quiet", "-nostdin", "-re", "-i", folder.file("a.mp4"), "-c", "copy", "-f", "mpegts",
      url + "?listen=1&listen_timeout=20000",
    ]
    try server.run()
    defer { server.terminate() }
    var opened: MediaSource?
    for _ in 0..<200 where opened == nil {
      opened = try? MediaSource(url: url)
      if opened == nil { Thread.sleep(forTimeInterval: 0.05) }
    }
    let source = try #require(opened)
    #expect(source.reencodesVideo == hasBFrames && source.reencodesAudio)
    let units = try all(source)
    // A receiver may join a little late, and never sees what was before.
    let read = try strips(units).compactMap(\.self)
    #expect(read.count > 45 && read.count == units.count { $0.encoding == .h264 })
    #expect(read.last == 99 && read == Array(read[0]...99))
    let writer = try LessonFileWriter(path: folder.file("b.mp4"), container: .mp4, hasVideo: true, hasAudio: true)
    for unit in units { try writer.write(unit) }
    _ = try writer.finish()
    #expect(abs(try #require(MediaReport(decoding: folder.file("b.mp4")).audioVideoOffsetMilliseconds)) <= 25)
  }

  /// A port of the loopback that was free just now.
  private func freePort() throws -> UInt16 {
    try Listener().port
  }

  @Test(.timeLimit(.minutes(1))) func aSignalEndsABlockedOpen() async throws {
    // A server that accepts and says nothing: the listener's backlog is enough for that.
    let listener = try Listener()
    let url = "http://127.0.0.1:\(listener.port)/silent.mp4"
    let stop = StopSignal()
    let opening = Task.detached { () -> Bool in
      do {
        _ = try MediaSource(url: url, stop: stop)
        return false
      } catch { return true }
    }
    try await Task.sleep(for: .milliseconds(200))
    stop.raise()
    #expect(await opening.value)
    withExtendedLifetime(listener) {}
  }
}

/// A listening socket on the loopback that never accepts.
private final class Listener {
  let port: UInt16
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = descriptor
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && getsockname(listener, $0, &size) == 0 && listen(listener, 4) == 0
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    try #require(isListening)
  }

  deinit { close(descriptor) }
}
