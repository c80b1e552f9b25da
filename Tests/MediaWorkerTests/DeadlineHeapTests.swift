// Goal: deadlines come up in order. Method: against a sorted array, from seeds.
import MediaWorker
import RTCCore
import Testing

@Suite struct DeadlineHeapTests {
  @Test(arguments: UInt64(1)...10) func deadlinesComeUpInOrder(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var heap = DeadlineHeap()
    var model: [Int64] = []
    for now in Int64(0)..<2_000 {
      for _ in 0..<Int.random(in: 0..<4, using: &random) {
        let deadline = now + Int64.random(in: 0..<300, using: &random)
        heap.push(deadline, PeerID(rawValue: UInt64(deadline)))
        model.append(deadline)
      }
      var due: [Int64] = []
      while let entry = heap.pop(until: now) {
        #expect(entry.peer.rawValue == UInt64(entry.deadline))
        due.append(entry.deadline)
      }
      #expect(due == model.filter { $0 <= now }.sorted())
      model.removeAll { $0 <= now }
      #expect(heap.earliest == model.min() && heap.count == model.count)
    }
  }
}
