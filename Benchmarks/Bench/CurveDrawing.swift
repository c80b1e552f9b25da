import Foundation

/// Microseconds a packet over receivers, as an SVG that reads on light and on dark ground.
struct CurveDrawing {
  private struct Line {
    var name: String
    var color: String
    var points: [(receivers: Double, microseconds: Double)]
  }

  private static let width = 720.0
  private static let height = 400.0
  private static let left = 60.0
  private static let right = 130.0
  private static let top = 40.0
  private static let bottom = 50.0

  private let lines: [Line]
  private let counts: [Int]
  private let ceiling: Double

  init(_ results: [FanoutResult]) {
    func line(_ name: String, _ color: String, _ value: (FanoutResult) -> Double) -> Line {
      Line(name: name, color: color, points: results.map { (Double($0.receivers), value($0)) })
    }
    lines = [
      line("a call for each", "#8a8a8a", \.sendEachMicroseconds), line("relay", "#c2410c", \.relayMicroseconds),
      line("baseline", "#2f7fb8", \.baselineMicroseconds),
    ]
    counts = results.map(\.receivers)
    let highest = lines.flatMap(\.points).map(\.microseconds).max() ?? 1
    ceiling = max(highest * 1.1, 1).rounded(.up)
  }

  /// Receivers lie on a logarithmic scale.
  private func x(_ receivers: Double) -> Double {
    let from = log10(Double(counts.min() ?? 1))
    let to = max(log10(Double(counts.max() ?? 10)), from + 0.1)
    return Self.left + (log10(receivers) - from) / (to - from) * (Self.width - Self.left - Self.right)
  }

  private func y(_ microseconds: Double) -> Double {
    Self.height - Self.bottom - microseconds / ceiling * (Self.height - Self.top - Self.bottom)
  }

  private static func text(_ value: Double) -> String { String(format: "%.1f", value) }

  var text: String {
    var svg = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" \
      font-family="sans-serif" font-size="12" role="img" aria-label="Processor time of a forwarded packet">
      <style>
      text { fill: #333 } .grid { stroke: #999; stroke-opacity: 0.3 }
      @media (prefers-color-scheme: dark) { text { fill: #ccc } }
      </style>
      <text x="\(Int(Self.left))" y="22" font-size="14">Processor time of a forwarded packet, µs</text>

      """
    svg += grid
    for line in lines { svg += drawn(line) }
    svg += labels
    return svg + "</svg>\n"
  }

  private var grid: String {
    var svg = ""
    let step = ceiling <= 6 ? 1.0 : 2.0
    for value in stride(from: 0, through: ceiling, by: step) {
      let place = Self.text(y(value))
      svg += "<line class=\"grid\" x1=\"\(Int(Self.left))\" x2=\"\(Int(Self.width - Self.right))\" "
      svg += "y1=\"\(place)\" y2=\"\(place)\"/>\n"
      svg +=
        "<text x=\"\(Int(Self.left) - 8)\" y=\"\(Self.text(y(value) + 4))\" text-anchor=\"end\">\(Int(value))</text>\n"
    }
    for count in counts {
      let place = Self.text(x(Double(count)))
      svg +=
        "<text x=\"\(place)\" y=\"\(Int(Self.height - Self.bottom) + 20)\" text-anchor=\"middle\">\(count)</text>\n"
    }
    let middle = Int((Self.left + Self.width - Self.right) / 2)
    return svg + "<text x=\"\(middle)\" y=\"\(Int(Self.height) - 8)\" text-anchor=\"middle\">receivers</text>\n"
  }

  private func drawn(_ line: Line) -> String {
    let places = line.points.map { "\(Self.text(x($0.receivers))),\(Self.text(y($0.microseconds)))" }
    var svg = "<polyline fill=\"none\" stroke=\"\(line.color)\" stroke-width=\"2\" "
    svg += "points=\"\(places.joined(separator: " "))\"/>\n"
    for point in line.points {
      svg += "<circle cx=\"\(Self.text(x(point.receivers)))\" cy=\"\(Self.text(y(point.microseconds)))\" r=\"3\" "
      svg += "fill=\"\(line.color)\"><title>\(line.name), \(Int(point.receivers)): "
      svg += String(format: "%.2f µs", point.microseconds) + "</title></circle>\n"
    }
    return svg
  }

  /// Names at the ends of the lines, moved apart where they would lie on each other.
  private var labels: String {
    var svg = ""
    var last = -Double.infinity
    let ends = lines.compactMap { line in line.points.last.map { (line, y($0.microseconds)) } }
    for (line, place) in ends.sorted(by: { $0.1 < $1.1 }) {
      let at = max(place + 4, last + 15)
      last = at
      svg += "<text x=\"\(Int(Self.width - Self.right) + 10)\" y=\"\(Self.text(at))\" "
      svg += "style=\"fill: \(line.color)\">\(line.name)</text>\n"
    }
    return svg
  }
}
