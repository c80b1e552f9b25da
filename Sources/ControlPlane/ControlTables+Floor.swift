public import ControlAPI

extension ControlTables {
  /// What is said of a site: `cli.floor.<word>`.
  private static let words = ["called", "hand", "sending", "connected", "absent", "muted", "banned"]

  /// Keys of the words that the table of a floor puts together.
  package static var floorKeys: [String] {
    words.map { "cli.floor.\($0)" } + ["room", "name", "state", "may"].map { "cli.floor.column.\($0)" }
      + FloorRequest.Medium.allCases.map { "cli.floor.medium.\($0.rawValue)" }
  }

  /// Each site of a lesson: what it does, and what it is let.
  public static func floor(_ floor: FloorReply, in language: Language) -> TextTable {
    func text(_ key: String, _ arguments: [String: String] = [:]) -> String {
      Text.of("cli.floor.\(key)", in: language, arguments)
    }
    func list(_ texts: [String]) -> String { texts.joined(separator: Text.of("control.list", in: language)) }
    var table = TextTable(["room", "name", "state", "may"].map { TextTable.Column(text("column.\($0)")) })
    for site in floor.sites {
      var states: [String] = [text(site.connected ? "connected" : "absent")]
      if site.sending { states.append(text("sending")) }
      if site.called { states.append(text("called")) }
      if let hand = site.hand { states.append(text("hand", ["place": "\(hand)"])) }
      if site.muted { states.append(text("muted")) }
      if site.banned { states.append(text("banned")) }
      let media: [(FloorRequest.Medium, Bool)] = [
        (.video, site.video), (.audio, site.audio), (.screen, site.screen), (.text, site.text),
      ]
      let may = media.filter(\.1).map { text("medium.\($0.0.rawValue)") }
      table.add([site.room, site.name, list(states), list(may)])
    }
    return table
  }
}
