import Foundation

/// An element with a text, or with others in it, written as XML or as JSON; an empty one is not written at all.
struct MetadataTree {
  var name: String
  var attributes: [(name: String, value: String)] = []
  var text = ""
  var children: [MetadataTree] = []

  init(_ name: String, _ text: String, _ attributes: [(name: String, value: String)] = []) {
    self.name = name
    self.text = text
    self.attributes = attributes
  }

  init(_ name: String, _ attributes: [(name: String, value: String)] = [], _ children: [MetadataTree]) {
    self.name = name
    self.attributes = attributes
    self.children = children
  }

  private var isEmpty: Bool { text.isEmpty && children.allSatisfy(\.isEmpty) }

  // MARK: XML

  /// A document of XML 1.0 in UTF-8, two blanks a level, with a line's end behind it.
  var xml: String {
    var output = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    write(&output, indent: "")
    return output
  }

  private func write(_ output: inout String, indent: String) {
    output += indent + "<" + name
    for attribute in attributes { output += " \(attribute.name)=\"\(Self.escaped(attribute.value))\"" }
    let shown = children.filter { !$0.isEmpty }
    if shown.isEmpty {
      output += text.isEmpty ? "/>\n" : ">" + Self.escaped(text) + "</\(name)>\n"
      return
    }
    output += ">\n"
    for child in shown { child.write(&output, indent: indent + "  ") }
    output += indent + "</\(name)>\n"
  }

  /// What XML 1.0 can hold (§2.2), without markup; a scalar that it cannot becomes U+FFFD.
  static func escaped(_ text: String) -> String {
    var output = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": output += "&amp;"
      case "<": output += "&lt;"
      case ">": output += "&gt;"
      case "\"": output += "&quot;"
      case "\t", "\n", "\r": output += "&#\(scalar.value);"
      default: output.unicodeScalars.append(isAllowed(scalar) ? scalar : "\u{FFFD}")
      }
    }
    return output
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    (0x20...0xD7FF).contains(scalar.value) || (0xE000...0xFFFD).contains(scalar.value)
      || (0x10000...0x10FFFF).contains(scalar.value)
  }

  // MARK: JSON

  /// The same as JSON: members by name in order, those of one name as an array, an attribute as a member with `@`.
  var json: String { "{" + Self.string(name) + ":" + value + "}\n" }

  private var value: String {
    let shown = children.filter { !$0.isEmpty }
    if shown.isEmpty, attributes.isEmpty { return Self.string(text) }
    var members: [(String, [String])] = attributes.map { ("@" + $0.name, [Self.string($0.value)]) }
    if shown.isEmpty { members.append(("#", [Self.string(text)])) }
    for child in shown {
      if let index = members.firstIndex(where: { $0.0 == child.name }) {
        members[index].1.append(child.value)
      } else {
        members.append((child.name, [child.value]))
      }
    }
    let texts = members.map { name, values in
      Self.string(name) + ":" + (values.count == 1 ? values[0] : "[" + values.joined(separator: ",") + "]")
    }
    return "{" + texts.joined(separator: ",") + "}"
  }

  static func string(_ text: String) -> String {
    var output = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F || (0x2028...0x2029).contains(scalar.value) {
          let digits = String(scalar.value, radix: 16)
          output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          output.unicodeScalars.append(scalar)
        }
      }
    }
    return output + "\""
  }
}
