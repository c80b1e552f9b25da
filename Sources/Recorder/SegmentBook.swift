import CLinuxIO
import Glibc
import Synchronization

/// Which segments of a volume hold which runs, so that a segment is deleted when all of them are released.
final class SegmentBook: Sendable {
  private struct State {
    /// Of closed and current segments of this recorder, and of older ones once they were read.
    var runs: [UInt32: Set<RunKey>] = [:]
    /// The segment being written, never deleted.
    var current: UInt32?
    /// Handed over for a last sync, not to be deleted yet.
    var closing: Set<UInt32> = []
  }

  private let folder: String
  private let state = Mutex(State())
  /// One release at a time; held while the disk works, so the writer never takes it.
  private let released: Mutex<Set<RunKey>>

  init(folder: String) {
    self.folder = folder
    released = Mutex(ReleaseList.read(folder: folder))
  }

  func begin(_ segment: UInt32) {
    state.withLock {
      $0.runs[segment] = []
      $0.current = segment
    }
  }

  func note(_ run: RunKey) {
    state.withLock {
      if let current = $0.current { $0.runs[current]?.insert(run) }
    }
  }

  /// The current segment takes no more records.
  func close() {
    state.withLock {
      if let current = $0.current { $0.closing.insert(current) }
      $0.current = nil
    }
  }

  func closed(_ segment: UInt32) { state.withLock { _ = $0.closing.remove(segment) } }

  /// The current segment, when it holds runs and none that is still wanted.
  func releasedCurrent() -> UInt32? {
    let released = released.withLock { $0 }
    return state.withLock {
      guard let current = $0.current, let runs = $0.runs[current], !runs.isEmpty else { return nil }
      return runs.isSubset(of: released) ? current : nil
    }
  }

  /// Lets runs go, durably, and deletes the segments that hold no other.
  func release(_ keys: Set<RunKey>) throws(RecorderError) {
    // A typed throw does not pass through `withLock`.
    let result: Result<Void, RecorderError> = released.withLock { known in
      let wanted = known.union(keys)
      do throws(RecorderError) {
        if wanted != known { try ReleaseList.write(wanted, folder: folder) }
        known = wanted
        try prune(&known)
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Deletes what an earlier release could not yet; false when another thread is at it, to be tried again.
  func pruneIfFree() -> Bool {
    released.withLockIfAvailable { try? prune(&$0) } != nil
  }

  private func prune(_ known: inout Set<RunKey>) throws(RecorderError) {
    var present: Set<RunKey> = []
    for segment in try VolumeDisk.segments(in: folder) {
      let runs = self.runs(of: segment)
      let isFree = state.withLock { $0.current != segment && !$0.closing.contains(segment) }
      if isFree, !runs.isEmpty, runs.isSubset(of: known), unlink(folder + "/" + LogFormat.fileName(segment)) == 0 {
        state.withLock { $0.runs[segment] = nil }
      } else {
        present.formUnion(runs)
      }
    }
    // Lines about runs that no segment holds any more are of no use.
    let needed = known.intersection(present)
    guard needed != known else { return }
    // The segments must be gone for good before the list forgets them.
    tk_folder_sync(folder)
    try ReleaseList.write(needed, folder: folder)
    known = needed
  }

  private func runs(of segment: UInt32) -> Set<RunKey> {
    if let runs = state.withLock({ $0.runs[segment] }) { return runs }
    let runs = LessonLog.runs(inSegment: segment, folder: folder)
    return state.withLock {
      // The writer may have begun it meanwhile.
      if let present = $0.runs[segment] { return present }
      $0.runs[segment] = runs
      return runs
    }
  }
}
