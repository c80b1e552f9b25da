// Goal: the machine's cameras, microphones and speakers are found as Linux lists them, whatever else stands there.
// Method: folders made up like /dev, /proc and /sys; the shipped profile's file against the one that is built in.
import Classroom
import ControlPlane
import Foundation
import Testing

@Suite struct RoomDevicesTests {
  private func write(_ scratch: ScratchFolder, _ path: String, _ text: String) throws {
    let file = scratch.path + "/" + path
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: file, atomically: true, encoding: .utf8)
  }

  @Test func devicesAreFound() throws {
    let scratch = try ScratchFolder()
    #expect(RoomDevices(root: scratch.path) == RoomDevices(root: scratch.path + "/nothing"))
    for (node, name, index) in [
      ("video0", "HD Webcam\n", "0\n"), ("video1", "HD Webcam\n", "1\n"), ("video10", "全景\n", "0\n"),
    ] {
      try write(scratch, "sys/class/video4linux/\(node)/name", name)
      try write(scratch, "sys/class/video4linux/\(node)/index", index)
      try write(scratch, "dev/\(node)", "")
    }
    // Without a device file it cannot be opened; a tuner is no camera.
    try write(scratch, "sys/class/video4linux/video2/name", "gone")
    try write(scratch, "sys/class/video4linux/vbi0/name", "tuner")
    try write(
      scratch, "proc/asound/pcm",
      """
      00-00: ALC256 Analog : ALC256 Analog : playback 1 : capture 1
      00-03: HDMI 0 : HDMI 0 : playback 1
      01-00: USB\u{1B}[31m Audio : USB Audio : capture 1
      02-00: Loopback PCM : Loopback PCM : playback 8 : capture 8
      nonsense
      """)
    let devices = RoomDevices(root: scratch.path)
    #expect(devices.cameras == ["HD Webcam", "全景"])
    #expect(devices.microphones.count == 2 && devices.microphones[0] == "ALC256 Analog")
    #expect(!devices.microphones[1].unicodeScalars.contains { $0.value < 0x20 })
    #expect(devices.speakers == ["ALC256 Analog", "HDMI 0"])
  }

  @Test func resentSegmentsAreCountedBetweenTwoReadings() throws {
    let scratch = try ScratchFolder()
    func reading(_ sent: String, _ again: String) throws -> ResentSegments? {
      try write(
        scratch, "proc/net/snmp",
        "Ip: Forwarding\nIp: 1\nTcp: RtoMin InSegs OutSegs RetransSegs\nTcp: 200 9 \(sent) \(again)\nUdp: In\nUdp: 1\n"
      )
      return ResentSegments(root: scratch.path)
    }
    #expect(ResentSegments(root: scratch.path + "/nothing") == nil)
    let first = try #require(try reading("1000", "10"))
    #expect(first.sent == 1_000 && first.again == 10)
    #expect(try reading("3000", "30")?.permille(since: first) == 10)
    #expect(try reading("3000", "10")?.permille(since: first) == 0)
    #expect(try reading("1050", "11")?.permille(since: first) == nil, "too few to tell")
    #expect(try reading("900", "5")?.permille(since: first) == nil, "counters that went back")
    #expect(try reading("x", "10") == nil)
    try write(scratch, "proc/net/snmp", "Tcp: OutSegs\n")
    #expect(ResentSegments(root: scratch.path) == nil)
  }

  @Test func theShippedProfileIsTheOneThatIsBuiltIn() throws {
    let yaml = try String(contentsOf: projectRoot.appending(path: "Configs/acceptance.yaml"), encoding: .utf8)
    #expect(try AcceptanceProfile(yaml: yaml) == .standard)
    #expect(try RelayConfiguration(yaml: "acceptance: /etc/a.yaml").acceptance == "/etc/a.yaml")
    #expect(try RelayConfiguration(yaml: "acceptance: standard").acceptance == nil)
  }

  @Test(arguments: [
    ("", ConfigurationError.Reason.notAMapping, 1), ("version: 0\nname: a\ntestDays: 1\n", .wrongValue, 1),
    ("version: 1\nname: a\ntestDays: 367\nreceiving: {}\nleading: {}\n", .wrongValue, 3),
    ("version: 1\nname: a\ntestDays: 1\nreceiving: {camera: 1}\nleading: {}\n", .unknownKey, 4),
    ("version: 1\nname: a\ntestDays: 1\nreceiving:\n  codecs: [opus, OPUS]\nleading: {}\n", .wrongValue, 5),
    ("version: 1\nname: a\ntestDays: 1\nreceiving:\n  loss: -1\nleading: {}\n", .wrongValue, 5),
  ])
  func mistakesAreToldWithTheirLine(_ yaml: String, _ reason: ConfigurationError.Reason, _ line: Int) {
    let error = #expect(throws: ConfigurationError.self) { try AcceptanceProfile(yaml: yaml) }
    #expect(error?.reason == reason && error?.line == line, "\(String(describing: error))")
  }

  @Test func whatIsLeftOutIsNotAskedFor() throws {
    let yaml =
      "version: 7\nname: 县标准\ntestDays: 90\nreceiving: {downlink: 1000}\nleading: {uplink: 9000, codecs: [H264]}\n"
    let profile = try AcceptanceProfile(yaml: yaml)
    #expect(profile.version == 7 && profile.receiving.cameras == 0 && profile.leading.codecs == ["h264"])
    #expect(profile.check(nil, for: .receiving, now: 0).map(\.requirement) == [.recentTest, .downlink])
  }
}
