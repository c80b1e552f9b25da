// libFuzzer's way in. Compiled by `tools/fuzz` together with the targets; TONGKE_FUZZ_TARGET names the one to run.
import Glibc

private let chosen: @Sendable (UnsafeRawBufferPointer) -> Void = {
  guard let name = getenv("TONGKE_FUZZ_TARGET").map({ String(cString: $0) }),
    let target = fuzzTargets.first(where: { $0.name == name })
  else {
    print("TONGKE_FUZZ_TARGET names no target")
    exit(2)
  }
  return target.body
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  chosen(UnsafeRawBufferPointer(start: bytes, count: count))
  return 0
}
