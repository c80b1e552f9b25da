import ArgumentParser
import ControlAPI
import ControlPlane
import Foundation

struct ResourceExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Take a resource away: its files and its metadata, with a manifest.",
    discussion: """
      A folder, or a ZIP archive where the name ends with .zip: LOM as XML and JSON, Dublin Core, the fields of \
      Chinese collections, and all files. The same resource gives the same bytes each time; the manifest has the \
      SHA-256 of each file.
      """)

  @OptionGroup var resource: ResourceArgument
  @Option(name: .shortAndLong, help: ArgumentHelp("A new folder, or a new file .zip.", valueName: "path"))
  var output: String
  @OptionGroup var control: ControlOptions

  private static let forms = ["collection.json", "dublin-core.xml", "lom.json", "lom.xml"]

  func validate() throws {
    if output == "-" || output.isEmpty { throw ValidationError("--output is a folder or a file") }
  }

  func run() async throws {
    try RemoteAccount.refusePath(output)
    let isArchive = output.lowercased().hasSuffix(".zip")
    guard !FileManager.default.fileExists(atPath: output) else {
      throw Refusal("cli.resource.exists", ["file": output])
    }
    // Whole or not at all: it gets its name when it is finished.
    let folder = output + ".unfinished-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    } catch { throw Refusal("cli.output.unwritable", ["file": output]) }
    let shown = try await control.with { client in
      let shown = try await client.resource(resource.id).row
      try await fetch(shown, client, into: folder)
      return shown
    }
    do {
      if isArchive {
        try ExportArchive.write(folder: folder, to: folder + "/.archive")
        try FileManager.default.moveItem(atPath: folder + "/.archive", toPath: output)
      } else {
        try FileManager.default.moveItem(atPath: folder, toPath: output)
      }
    } catch { throw Refusal("cli.output.unwritable", ["file": output]) }
    Console.line(
      Text.of("cli.resource.exported", in: .ofEnvironment, ["title": TerminalText.line(shown.title), "file": output]))
  }

  private func fetch(_ shown: ResourceReply, _ client: ControlClient, into folder: String) async throws {
    var manifest: [ExportManifest.File] = []
    for form in Self.forms {
      let data = try await client.metadata(resource: shown.id, form: form)
      guard (try? data.write(to: URL(fileURLWithPath: folder + "/" + form))) != nil else {
        throw Refusal("cli.output.unwritable", ["file": output])
      }
      manifest.append(ExportManifest.File(name: form, byteCount: Int64(data.count), sha256: ContentDigest(data).text))
    }
    for file in shown.files ?? [] {
      // A name that a relay gives is no path of ours.
      guard !file.name.isEmpty, !file.name.hasPrefix("."), !file.name.contains("/"),
        !manifest.contains(where: { $0.name == file.name }), file.name != ExportManifest.name
      else { throw Refusal("cli.resource.badFile", ["file": TerminalText.line(file.name)]) }
      let path = folder + "/" + file.name
      guard FileManager.default.createFile(atPath: path, contents: nil),
        let handle = FileHandle(forWritingAtPath: path)
      else { throw Refusal("cli.output.unwritable", ["file": output]) }
      defer { try? handle.close() }
      var digest = ContentDigest()
      try await client.download(resource: shown.id, file: file.id) { block in
        digest.add(block)
        try handle.write(contentsOf: block)
      }
      guard digest.text == file.sha256, digest.count == file.byteCount else {
        throw Refusal("cli.resource.badFile", ["file": TerminalText.line(file.name)])
      }
      manifest.append(ExportManifest.File(name: file.name, byteCount: digest.count, sha256: file.sha256))
    }
    let text = try ExportManifest(resource: shown.id, files: manifest.sorted { $0.name < $1.name }).text
    guard (try? Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + ExportManifest.name))) != nil else {
      throw Refusal("cli.output.unwritable", ["file": output])
    }
  }
}

/// What an export holds: every file but itself, by name.
private struct ExportManifest: Encodable {
  struct File: Encodable {
    var name: String
    var byteCount: Int64
    var sha256: String
  }

  static let name = "manifest.json"

  var schema = "urn:tongke:resource-export:1"
  var resource: String
  var files: [File]

  var text: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
  }
}

/// A folder of files as an archive, in the order of their names.
private enum ExportArchive {
  static func write(folder: String, to path: String) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }.sorted()
    guard FileManager.default.createFile(atPath: path, contents: nil), let out = FileHandle(forWritingAtPath: path)
    else { throw CocoaError(.fileWriteUnknown) }
    defer { try? out.close() }
    var archive = StoredArchive { try out.write(contentsOf: $0) }
    for name in names {
      var sum = CRC32()
      var size: UInt64 = 0
      try blocks(folder + "/" + name) { block in
        sum.add(block)
        size += UInt64(block.count)
      }
      try archive.add(name: name, size: size, checksum: sum.value) { try blocks(folder + "/" + name, $0) }
    }
    try archive.finish()
    try out.synchronize()
  }

  private static func blocks(_ path: String, _ take: (Data) throws -> Void) throws {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    while let block = try file.read(upToCount: 1 << 20), !block.isEmpty { try take(block) }
  }
}
