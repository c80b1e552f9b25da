/// A fuzz target: its name, that of its corpus folder as well, and what it does with its bytes.
///
/// A target reads everything a parser offers and never fails by itself: a trap is the only finding. `tools/fuzz` drives
/// it with libFuzzer, `CorpusTests` with the committed corpus. The targets of `XTargets.swift` are in `xTargets`.
typealias FuzzTarget = (name: String, body: @Sendable (UnsafeRawBufferPointer) -> Void)

/// Makes sure that a value that was read is used.
@inline(never) func use<Value>(_ value: Value) {}
