/// Runs long work, one piece after another, on a queue of its own, so that nobody's lessons or lists wait for it.
actor WorkQueue {
  private nonisolated let executor: QueueExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(label: String) { executor = QueueExecutor(label: label) }

  func run<T: Sendable>(_ work: @Sendable () throws -> T) rethrows -> T { try work() }
}
