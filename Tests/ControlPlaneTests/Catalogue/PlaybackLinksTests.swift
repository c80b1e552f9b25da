// Goal: a link plays the file it was made for until its time is over, and nothing else. Method: links with every part
// changed, one at a time.
import Classroom
import ControlPlane
import Crypto
import Testing

@Suite struct PlaybackLinksTests {
  private static let resource = Identifier(high: 1, low: 1)
  private static let file = Identifier(high: 1, low: 2)

  private func links() -> PlaybackLinks {
    let key = SymmetricKey(size: .bits256)
    return PlaybackLinks { key }
  }

  private func parts(_ query: String) -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: query.dropFirst().split(separator: "&").map { part in
        let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
        return (sides[0], sides.count > 1 ? sides[1] : "")
      })
  }

  private func read(
    _ links: PlaybackLinks, _ query: [String: String], resource: Identifier = resource, file: Identifier = file,
    now: Int64 = 0
  ) throws -> PlaybackLink? {
    try links.link(resource: resource, file: file, query: { query[$0] }, now: now)
  }

  private func kind(_ body: () throws -> PlaybackLink?) -> Problem.Kind? {
    do {
      _ = try body()
      return nil
    } catch { return (error as? Problem)?.kind }
  }

  @Test func aLinkIsWhatItWasMadeFor() throws {
    let links = links()
    let made = PlaybackLink(
      resource: Self.resource, file: Self.file, name: "00000000000000ff", expires: 100, epoch: 3)
    let query = parts(try links.query(of: made))
    #expect(try read(links, query) == made)
    #expect(try read(links, query, now: 99_999) == made)
    #expect(kind { try read(links, query, now: 100_000) } == .linkExpired)
    #expect(try read(links, [:]) == nil, "without a signature there is no link")
    #expect(kind { try read(links, query, resource: Self.file) } == .badLink)
    #expect(kind { try read(links, query, file: Self.resource) } == .badLink)
    for (name, value) in [
      ("link", "00000000000000fe"), ("expires", "101"), ("expires", "x"), ("epoch", "2"), ("epoch", ""),
      ("signature", String(repeating: "0", count: 64)), ("signature", "zz"), ("link", ""),
    ] {
      var other = query
      other[name] = value
      #expect(kind { try read(links, other) } == .badLink, "\(name)=\(value)")
    }
    var upper = query
    upper["signature"] = query["signature"]?.uppercased()
    if upper != query { #expect(kind { try read(links, upper) } == .badLink, "one spelling alone") }
    #expect(kind { try read(self.links(), query) } == .badLink, "another relay's")
  }
}
