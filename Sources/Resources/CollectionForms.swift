/// The forms in which catalogues take a record.
extension CollectionRecord {
  /// Which form; the raw value names its file.
  public enum Form: String, Hashable, Sendable, CaseIterable {
    /// IEEE 1484.12.1 (GB/T 21365) in the binding of IEEE 1484.12.3.
    case lomXML = "lom.xml"
    case lomJSON = "lom.json"
    /// Dublin Core (ISO 15836).
    case dublinCore = "dublin-core.xml"
    /// 学科 年级 册次 版本 章节 课名 主讲教师 学校
    case collection = "collection.json"

    public var mediaType: String {
      switch self {
      case .lomXML, .dublinCore: "application/xml"
      case .lomJSON, .collection: "application/json"
      }
    }
  }

  public func text(_ form: Form) -> String {
    switch form {
    case .lomXML: lom.xml
    case .lomJSON: lom.json
    case .dublinCore: dublinCore.xml
    case .collection: collection
    }
  }

  // MARK: LOM

  private var lom: MetadataTree {
    MetadataTree(
      "lom", [("xmlns", "http://ltsc.ieee.org/xsd/LOM")],
      [general, lifeCycle, metaMetadata, technical, educational, rights] + classifications)
  }

  private func words(_ name: String, _ text: String) -> MetadataTree {
    MetadataTree(name, [], [MetadataTree("string", text, [("language", Self.language)])])
  }

  private func term(_ name: String, _ value: String) -> MetadataTree {
    MetadataTree(name, [], [MetadataTree("source", "LOMv1.0"), MetadataTree("value", value)])
  }

  private var general: MetadataTree {
    MetadataTree(
      "general", [],
      [
        MetadataTree(
          "identifier", [], [MetadataTree("catalog", "URI"), MetadataTree("entry", "urn:uuid:" + identifier)]),
        words("title", title), MetadataTree("language", Self.language), words("description", summary),
      ] + keywords.map { words("keyword", $0) } + [term("structure", "atomic"), term("aggregationLevel", "2")])
  }

  private var lifeCycle: MetadataTree {
    func contribution(_ role: String, _ card: String) -> MetadataTree? {
      guard !card.isEmpty else { return nil }
      return MetadataTree(
        "contribute", [],
        [
          term("role", role), MetadataTree("entity", card),
          MetadataTree("date", [], [MetadataTree("dateTime", made)]),
        ])
    }
    let contributions = [
      contribution("author", teacher.isEmpty ? "" : Self.card(teacher, of: school)),
      contribution("publisher", school.isEmpty ? "" : Self.card(school, of: school)),
    ]
    return MetadataTree("lifeCycle", [], [term("status", status.rawValue)] + contributions.compactMap(\.self))
  }

  /// A vCard (RFC 6350); line ends of a name would begin another property.
  private static func card(_ name: String, of organisation: String) -> String {
    func escaped(_ text: String) -> String {
      text.map { character in
        switch character {
        case "\\", ",", ";": "\\\(character)"
        default: character.isNewline ? " " : "\(character)"
        }
      }.joined()
    }
    var lines = ["BEGIN:VCARD", "VERSION:4.0", "FN:" + escaped(name)]
    if !organisation.isEmpty { lines.append("ORG:" + escaped(organisation)) }
    return (lines + ["END:VCARD"]).joined(separator: "\n")
  }

  private var metaMetadata: MetadataTree {
    MetadataTree(
      "metaMetadata", [], [MetadataTree("metadataSchema", "LOMv1.0"), MetadataTree("language", Self.language)])
  }

  private var technical: MetadataTree {
    MetadataTree(
      "technical", [],
      mediaTypes.map { MetadataTree("format", $0) } + [MetadataTree("size", "\(bytes)")]
        + files.map { MetadataTree("location", $0.name) }
        + (milliseconds > 0
          ? [MetadataTree("duration", [], [MetadataTree("duration", Self.duration(milliseconds))])] : []))
  }

  private var educational: MetadataTree {
    MetadataTree(
      "educational", [],
      [
        term("interactivityType", "expositive"), term("learningResourceType", "lecture"),
        term("intendedEndUserRole", "learner"), term("context", "school"),
        ageRange.map { words("typicalAgeRange", $0) } ?? MetadataTree("typicalAgeRange", ""),
        MetadataTree("language", Self.language),
      ])
  }

  private var rights: MetadataTree {
    MetadataTree("rights", [], [term("cost", "no"), term("copyrightAndOtherRestrictions", "yes")])
  }

  private var classifications: [MetadataTree] {
    func classification(_ purpose: String, _ source: String, _ entries: [String]) -> MetadataTree? {
      let entries = entries.filter { !$0.isEmpty }
      guard !entries.isEmpty else { return nil }
      let taxa = entries.map { MetadataTree("taxon", [], [words("entry", $0)]) }
      return MetadataTree(
        "classification", [],
        [term("purpose", purpose), MetadataTree("taxonPath", [], [words("source", source)] + taxa)])
    }
    return [
      classification("discipline", "学科", [subject]),
      classification("educational level", "年级", grades.map { "\($0)" }),
      classification("discipline", "教材", [textbook, volume, chapter, lessonName]),
    ].compactMap(\.self)
  }

  // MARK: Dublin Core

  private var dublinCore: MetadataTree {
    let isVideo = mediaTypes.contains { $0.hasPrefix("video/") }
    let elements: [(String, String)] =
      [
        ("title", title), ("creator", teacher), ("subject", subject),
      ] + keywords.map { ("subject", $0) } + [
        ("description", summary), ("publisher", school), ("date", made),
        ("type", isVideo ? "MovingImage" : "Sound"),
      ] + mediaTypes.map { ("format", $0) } + [
        ("identifier", "urn:uuid:" + identifier),
        ("source", [textbook, volume].filter { !$0.isEmpty }.joined(separator: " ")),
        ("language", Self.language), ("coverage", term),
      ]
    return MetadataTree(
      "metadata", [("xmlns:dc", "http://purl.org/dc/elements/1.1/")],
      elements.map { MetadataTree("dc:" + $0.0, $0.1) })
  }

  // MARK: Collection

  private var collection: String {
    let fields: [(String, String)] = [
      ("题名", title), ("学科", subject), ("年级", grades.map { "\($0)" }.joined(separator: ",")), ("册次", volume),
      ("版本", textbook), ("章节", chapter), ("课名", lessonName), ("主讲教师", teacher), ("学校", school),
      ("学期", term), ("关键词", keywords.joined(separator: ",")), ("简介", summary),
      ("时长", "\(milliseconds / 1_000)"), ("标识", identifier),
    ]
    let lines = fields.map { "  " + MetadataTree.string($0.0) + ": " + MetadataTree.string($0.1) }
    return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
  }
}
