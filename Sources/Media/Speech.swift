internal import Foundation

/// A teacher's voice for generated lessons.
public enum Speech {
  /// Mono, 48 kHz, about 15 s, spoken once a process by `espeak-ng`; empty when that is not installed.
  public static let synthesized: [Float] = synthesize(
    "同学们好，现在开始上课。请大家翻开课本，我们先读一遍课文，再看屏幕上的例题。读完以后，请教学点的同学举手回答问题。")

  private static func synthesize(_ text: String) -> [Float] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    // Bounded: a synthesizer that hangs must not keep a lesson from starting.
    process.arguments = ["timeout", "10", "espeak-ng", "-v", "cmn", "-s", "150", "--stdout", text]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch { return [] }
    let wave = (try? output.fileHandleForReading.readToEnd()) ?? Data()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? samples(ofWave: [UInt8](wave)) : []
  }

  /// Samples of a mono 16-bit WAV at 48 kHz, whatever its own rate; empty when it is none.
  ///
  /// The length fields are not believed: a synthesizer that writes to a pipe does not know them.
  static func samples(ofWave wave: [UInt8]) -> [Float] {
    guard wave.count > 44, wave.starts(with: Array("RIFF".utf8)), wave[22] == 1, wave[34] == 16 else { return [] }
    let rate = Int(wave[24]) | Int(wave[25]) << 8 | Int(wave[26]) << 16
    guard (8_000...96_000).contains(rate) else { return [] }
    let input = stride(from: 44, to: wave.count - 1, by: 2).map { index in
      Float(Int16(bitPattern: UInt16(wave[index]) | UInt16(wave[index + 1]) << 8)) / 32_768
    }
    guard input.count > 4 else { return [] }
    let count = (input.count - 4) * 48_000 / rate
    return (0..<count).map { index in
      let position = Double(index) * Double(rate) / 48_000
      let place = Int(position)
      return cubic(input[place], input[place + 1], input[place + 2], input[place + 3], Float(position - Double(place)))
    }
  }

  /// Catmull-Rom between the two middle samples.
  private static func cubic(_ a: Float, _ b: Float, _ c: Float, _ d: Float, _ t: Float) -> Float {
    let slope = 0.5 * (c - a)
    let curve = a - 2.5 * b + 2 * c - 0.5 * d
    let twist = 0.5 * (d - a) + 1.5 * (b - c)
    return b + t * (slope + t * (curve + t * twist))
  }
}
