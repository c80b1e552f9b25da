import CLinuxIO
import Foundation
import Synchronization

/// The right to be the one relay of a data folder; it ends with the process, or when it is let go.
final class FolderLock: Sendable {
  private let descriptor: Mutex<Int32?>

  /// Throws for a folder that another relay works in.
  init(folder: String) throws(RelayStartError) {
    let taken = tk_lock_file(folder + "/relay.lock")
    guard taken >= 0 else {
      let key = taken == -EWOULDBLOCK ? "serve.folderTaken" : "serve.folderUnlocked"
      let words = taken == -EWOULDBLOCK ? "" : String(cString: strerror(-taken))
      throw RelayStartError { Text.of(key, in: $0, ["folder": folder, "error": words]) }
    }
    descriptor = Mutex(taken)
  }

  func release() {
    descriptor.withLock { descriptor in
      if let held = descriptor { close(held) }
      descriptor = nil
    }
  }

  deinit { release() }
}
