// Goal: nobody is ever shown a key in place of a sentence. Method: the sources are searched for the keys they use.
import Classroom
import ControlAPI
import ControlPlane
import Foundation
import RTCCore
import Testing

@Suite struct TextCatalogueTests {
  private typealias Catalogue = [String: [String: String]]

  private static func sources(_ suffix: String) throws -> [(name: String, text: String)] {
    let folder = projectRoot.appending(path: "Sources")
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(suffix) }
    return try paths.map { ($0, try String(contentsOf: folder.appending(path: $0), encoding: .utf8)) }
  }

  private static func catalogue() throws -> Catalogue {
    let file = projectRoot.appending(path: "Sources/ControlPlane/Web/text.json")
    return try JSONDecoder().decode(Catalogue.self, from: Data(contentsOf: file))
  }

  private func expectText(_ key: String, _ place: String) {
    for language in Language.allCases {
      #expect(Text.has(key, in: language), "\(key) in \(language.rawValue), used in \(place)")
    }
  }

  @Test func everyKeyWrittenOutInTheSourcesHasAText() throws {
    // A call of Text.of or of a Refusal, whose first argument may stand on the next line.
    let call = /(?:Text\.of\(|Refusal\()\s*"([a-z][A-Za-z0-9.]*)"/
    let choice = /(?:Text\.of\(|Refusal\()\s*[^"()]*\? "([a-z][A-Za-z0-9.]*)" : "([a-z][A-Za-z0-9.]*)"/
    var found = 0
    for source in try Self.sources(".swift") {
      for match in source.text.matches(of: call) {
        expectText(String(match.1), source.name)
        found += 1
      }
      for match in source.text.matches(of: choice) {
        expectText(String(match.1), source.name)
        expectText(String(match.2), source.name)
      }
    }
    #expect(found > 15, "the search finds what it is for")
  }

  @Test func everyKeyThatIsPutTogetherHasAText() {
    for kind in Problem.Kind.allCases {
      expectText("problem.\(kind.rawValue)", "Problem")
      expectText("problem.\(kind.rawValue).do", "Problem")
    }
    for shortage in Shortage.allCases {
      expectText("full.\(shortage.rawValue)", "Shortage")
      expectText("full.\(shortage.rawValue).do", "Shortage")
    }
    for reason in ConfigurationError.Reason.allCases {
      expectText("configuration.\(reason.rawValue)", "Configuration")
    }
    for reason in ServerCertificateError.Reason.allCases {
      expectText("certificate.\(reason.rawValue)", "certificates")
    }
    for name in ControlError.names where name != "refused" { expectText("control.\(name)", "ControlError") }
    for name in ProfileError.names { expectText("profile.\(name)", "ProfileError") }
    for key in ControlTables.keys + ControlTables.floorKeys { expectText(key, "ControlTables") }
    for act in FloorRequest.Act.allCases where act != .grant && act != .raiseHand && act != .lowerHand {
      expectText("cli.floor.done.\(act.rawValue)", "FloorCommands")
    }
    for key in ["muteAll", "unmuteAll", "grant", "withdraw"] { expectText("cli.floor.done.\(key)", "FloorCommands") }
    for key in ["silent", "muted", "noAudio"] { expectText("cli.floor.note.\(key)", "FloorCommands") }
    for key in LessonWatchText.keys { expectText(key, "LessonWatchText") }
    for reason in LessonEnd.Reason.allCases { expectText("page.clock.over.\(reason.rawValue)", "app.js") }
    for key in PlaceTables.keys { expectText(key, "PlaceTables") }
    for key in OutboxTables.keys { expectText(key, "OutboxTables") }
    for key in RecordingTables.keys { expectText(key, "RecordingTables") }
    for key in ResourceTables.keys { expectText(key, "ResourceTables") }
    for key in AccountTables.keys { expectText(key, "AccountTables") }
    for role in Role.allCases { expectText("page.role.\(role.rawValue)", "the page of signing in") }
    for level in Finding.Level.allCases {
      expectText("doctor.level.\(level.rawValue)", "Doctor")
      expectText("doctor.summary.\(level.rawValue)", "Doctor")
    }
  }

  @Test func pagesFindEveryKeyThatTheyName() throws {
    let shown = try JSONDecoder().decode(Catalogue.self, from: Data(Text.ofPages))
    var found = 0
    for source in try Self.sources(".js") + Self.sources(".html") {
      for match in source.text.matches(of: /["'`]((?:page|trust)\.[A-Za-z0-9.]*[A-Za-z0-9])["'`]/) {
        #expect(shown[String(match.1)] != nil, "\(match.1) in \(source.name)")
        found += 1
      }
    }
    #expect(found > 50, "the search finds what it is for")
  }

  @Test func bothLanguagesSayTheSame() throws {
    for (key, texts) in try Self.catalogue() {
      #expect(Set(texts.keys) == Set(Language.allCases.map(\.rawValue)), "\(key)")
      let names = texts.mapValues { text in Set(text.matches(of: /\{([a-zA-Z]+)\}/).map { String($0.1) }) }
      #expect(names["zh-CN"] == names["en"], "\(key) names other arguments in the other language")
      #expect(Set(texts.values.map(\.isEmpty)).count == 1, "\(key) says something in one language only")
      let chinese = texts["zh-CN"] ?? ""
      #expect(chinese != texts["en"] || chinese.unicodeScalars.allSatisfy(\.isASCII), "\(key) is not translated")
    }
  }

  @Test func theFileIsSortedOneEntryALine() throws {
    let file = projectRoot.appending(path: "Sources/ControlPlane/Web/text.json")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    let keys = lines.compactMap { $0.prefixMatch(of: /\s*"([^"]+)": \{/).map { String($0.1) } }
    #expect(keys.count == lines.count - 2)
    #expect(keys == keys.sorted { Array($0.unicodeScalars).lexicographicallyPrecedes(Array($1.unicodeScalars)) })
  }

  @Test func whoeverIsRefusedReadsWhatIsFull() throws {
    for language in Language.allCases {
      for shortage in Shortage.allCases {
        let problem = Problem.full(shortage, retryAfter: 7)
        #expect(problem.retryAfter == 7)
        let texts = problem.texts(in: language)
        #expect(texts.title.contains(Text.of("full.\(shortage.rawValue)", in: language)))
        #expect(!texts.title.contains("{") && !texts.detail.contains("{"), "\(shortage)")
      }
    }
  }

  @Test func textOfFillsInItsArguments() {
    #expect(Text.of("doctor.cipherFast", in: .english, ["microseconds": "0.40"]).contains("0.40"))
    #expect(Text.of("no.such.key", in: .chinese) == "no.such.key")
  }
}
