import Benchmark
import MicroWork

let benchmarks: @Sendable () -> Void = {
  for work in MicroWork.allCases {
    Benchmark(
      work.rawValue,
      configuration: .init(
        metrics: [.wallClock, .cpuTotal, .throughput, .instructions], scalingFactor: .kilo,
        maxDuration: .seconds(3))
    ) { benchmark in
      let step = work.prepared()
      benchmark.startMeasurement()
      step(benchmark.scaledIterations.count)
      benchmark.stopMeasurement()
    }
  }
}
