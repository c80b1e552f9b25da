// Goal: the document describes every route the relay has and no other, and refers to nothing that is not in it.
import ControlPlane
import Foundation
import Logging
import Testing

@Suite struct OpenAPITests {
  private static let methods: Set<String> = ["get", "put", "post", "delete", "options", "head", "patch"]

  private func document() throws -> [String: Any] {
    let file = projectRoot.appending(path: "Sources/ControlPlane/Web/openapi.json")
    return try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
  }

  @Test func everyRouteIsDescribedAndEveryDescriptionIsARoute() async throws {
    let folder = try ScratchFolder()
    var configuration = RelayConfiguration()
    configuration.http = ListenAddress(host: "127.0.0.1", port: 0)
    configuration.https = nil
    configuration.udpPort = 0
    configuration.loopbackOnly = true
    configuration.data = folder.path
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let relay = try await Relay.start(configuration: configuration, logger: logger)
    let routes = Set(relay.routes.map { "\($0.method.lowercased()) \($0.path)" })
    await relay.stop()
    let paths = try #require(document()["paths"] as? [String: [String: Any]])
    let described = Set(
      paths.flatMap { path, item in item.keys.filter(Self.methods.contains).map { "\($0) \(path)" } })
    #expect(routes.subtracting(described).sorted() == [], "routes that are not described")
    #expect(described.subtracting(routes).sorted() == [], "descriptions of no route")
  }

  @Test func referencesResolveAndOperationsAreDistinct() throws {
    let document = try document()
    var references: [String] = []
    var operations: [String] = []
    func walk(_ value: Any) {
      if let object = value as? [String: Any] {
        if let reference = object["$ref"] as? String { references.append(reference) }
        if let operation = object["operationId"] as? String {
          operations.append(operation)
          #expect(object["responses"] is [String: Any], "\(operation)")
        }
        object.values.forEach(walk)
      } else if let array = value as? [Any] {
        array.forEach(walk)
      }
    }
    walk(document)
    #expect(references.count > 20)
    for reference in references {
      var target: Any? = document
      for part in reference.dropFirst(2).split(separator: "/") { target = (target as? [String: Any])?[String(part)] }
      #expect(target != nil, "\(reference)")
    }
    #expect(Set(operations).count == operations.count)
  }

  @Test func whatIsFullIsNamed() throws {
    let schemas = try #require((document()["components"] as? [String: Any])?["schemas"] as? [String: [String: Any]])
    let properties = try #require(schemas["Problem"]?["properties"] as? [String: [String: Any]])
    let text = try #require(properties["reason"]?["description"] as? String)
    for shortage in Shortage.allCases { #expect(text.contains("`\(shortage.rawValue)`"), "\(shortage)") }
  }

  @Test func pathParametersAreDeclared() throws {
    let paths = try #require(document()["paths"] as? [String: [String: Any]])
    for (path, item) in paths {
      let named = Set(path.matches(of: /\{([a-z]+)\}/).map { String($0.1) })
      let declared = (item["parameters"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
      #expect(Set(declared) == named, "\(path)")
    }
  }
}
