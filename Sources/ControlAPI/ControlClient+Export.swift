import AsyncHTTPClient
public import Foundation
import NIOCore

extension ControlClient {
  /// A resource's metadata in one form, such as `lom.xml`.
  public func metadata(resource id: String, form: String) async throws(ControlError) -> Data {
    var request = ControlRequest(.get, ["resources", id, "metadata"])
    request.query = [("form", form)]
    request.accept = "*/*"
    return try await transport.send(request)
  }

  /// A file of a resource, block by block, however large it is.
  /// - Throws: also what `take` throws, as `.badAnswer`.
  public func download(
    resource id: String, file: String, take: (Data) throws -> Void
  ) async throws(ControlError) {
    var request = ControlRequest(.get, ["resources", id, "files", file])
    request.accept = "*/*"
    let (status, body) = try await transport.open(transport.wire(request))
    do {
      guard status == 200 else {
        var answer = Data()
        for try await part in body where answer.count < 65_536 { answer.append(contentsOf: part.readableBytesView) }
        throw ControlError.refused(ControlTransport.problem(status: status, answer))
      }
      for try await part in body { try take(Data(part.readableBytesView)) }
    } catch let error as ControlError { throw error } catch {
      throw .badAnswer(reason: String("\(error)".prefix(200)))
    }
  }
}
