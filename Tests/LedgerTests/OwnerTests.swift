import Foundation
import Ledger
import Testing

@Suite struct OwnerTests {
  private static let stranger: uid_t = 65_534

  private func owner(_ path: String) throws -> uid_t {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.ownerAccountID] as? NSNumber).uint32Value
  }

  /// An operator restores as root what the relay's own user has to open.
  @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
  func whatRootRestoresIsTheRelaysOwn() throws {
    let folder = try LedgerFolder()
    let store = try folder.open()
    try store.backup(to: folder.file("backup.sqlite"))
    try store.close()
    #expect(chown(folder.file(), Self.stranger, Self.stranger) == 0)
    try LedgerStore.restore(from: folder.file("backup.sqlite"), to: folder.file())
    #expect(try owner(folder.file()) == Self.stranger)

    let fresh = folder.path + "/data"
    try FileManager.default.createDirectory(atPath: fresh, withIntermediateDirectories: true)
    #expect(chown(fresh, Self.stranger, Self.stranger) == 0)
    try LedgerStore.restore(from: folder.file("backup.sqlite"), to: fresh + "/ledger.sqlite")
    #expect(try owner(fresh + "/ledger.sqlite") == Self.stranger)
  }
}
