import MicroWork

/// `micro-count STEP COUNT`: does a step so many times; for a counter of instructions around it.
@main enum MicroCount {
  static func main() {
    guard CommandLine.arguments.count == 3, let work = MicroWork(rawValue: CommandLine.arguments[1]),
      let count = Int(CommandLine.arguments[2]), count > 0
    else { fatalError("micro-count STEP COUNT") }
    work.prepared()(count)
  }
}
