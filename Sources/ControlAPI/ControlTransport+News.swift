import AsyncHTTPClient
public import Foundation
import NIOCore

/// One server-sent event.
public struct ControlNews: Sendable, Hashable {
  /// Such as `state` or `bye`.
  public var name: String
  /// JSON.
  public var data: Data

  /// The text of a field of the data; nil where it has none.
  public func text(_ field: String) -> String? {
    let fields: [String: ControlText]? = try? ControlTransport.decode(data)
    return fields?[field]?.text
  }
}

/// A value of an event that is a text, or another that is not looked at.
private struct ControlText: Decodable {
  var text: String?

  init(from decoder: any Decoder) throws {
    text = try? decoder.singleValueContainer().decode(String.self)
  }
}

extension ControlTransport {
  /// Bytes of one event; a longer one ends the stream.
  static let newsByteLimit = 65_536

  func news(_ request: ControlRequest) async throws(ControlError) -> AsyncStream<ControlNews> {
    let (status, body) = try await open(wire(request))
    guard status == 200 else {
      let data = (try? await body.collect(upTo: Self.newsByteLimit)).map { Data($0.readableBytesView) } ?? Data()
      throw .refused(Self.problem(status: status, data))
    }
    // One that nobody reads in time loses the oldest: what counts is how the lesson stands now.
    let (stream, continuation) = AsyncStream.makeStream(of: ControlNews.self, bufferingPolicy: .bufferingNewest(64))
    let task = Task {
      var reader = NewsReader()
      do {
        for try await part in body {
          for news in reader.take(part.readableBytesView) { continuation.yield(news) }
          if reader.isTooLong { break }
        }
      } catch {}
      continuation.finish()
    }
    continuation.onTermination = { _ in task.cancel() }
    return stream
  }
}

/// Cuts a stream into events (WHATWG HTML §9.2.6), as far as this interface uses them.
package struct NewsReader {
  private var line: [UInt8] = []
  private var name = ""
  private var data: [UInt8] = []
  package private(set) var isTooLong = false

  package init() {}

  package mutating func take(_ bytes: some Sequence<UInt8>) -> [ControlNews] {
    var news: [ControlNews] = []
    for byte in bytes where !isTooLong {
      guard byte == UInt8(ascii: "\n") else {
        if byte != UInt8(ascii: "\r") { line.append(byte) }
        isTooLong = line.count + data.count > ControlTransport.newsByteLimit
        continue
      }
      if let event = endLine() { news.append(event) }
    }
    return news
  }

  private mutating func endLine() -> ControlNews? {
    defer { line.removeAll(keepingCapacity: true) }
    guard !line.isEmpty else {
      defer { (name, data) = ("", []) }
      return data.isEmpty ? nil : ControlNews(name: name.isEmpty ? "message" : name, data: Data(data))
    }
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    var value = line[(colon + 1)...]
    if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    switch String(decoding: line[..<colon], as: UTF8.self) {
    case "event": name = String(decoding: value, as: UTF8.self)
    case "data": data += (data.isEmpty ? [] : [UInt8(ascii: "\n")]) + value
    default: break
    }
    return nil
  }
}
