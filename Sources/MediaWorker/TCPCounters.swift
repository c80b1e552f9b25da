/// Why the worker closed or refused a connection.
public enum TCPRefusal: Int, CaseIterable, Sendable {
  /// The worker, or one address with connections that have shown nothing yet, has as many as it may.
  case workerLimit, addressLimit
  /// No authentic check within the time for it, or its peer has gone.
  case noCheck
  /// A frame of no bytes, or of more than a packet has.
  case badFrame
}

/// What a worker has counted of its TCP connections since it started.
public struct TCPCounters: Sendable {
  /// Open now.
  public var connections = 0
  public var accepted: UInt64 = 0
  /// Indexed by `TCPRefusal.rawValue`.
  public var refused: [UInt64] {
    get { TCPRefusal.allCases.map { refusals[$0.rawValue] } }
    set { for (reason, count) in zip(TCPRefusal.allCases, newValue) { refusals[reason.rawValue] = count } }
  }
  /// Flat, as a snapshot is. Room for more reasons than there are.
  private var refusals = InlineArray<16, UInt64>(repeating: 0)
  /// Frames' lengths included.
  public var bytesReceived: UInt64 = 0
  public var bytesSent: UInt64 = 0
  /// Sealed packets that a connection had no room for, or that was closed meanwhile.
  public var packetsDropped: UInt64 = 0
  public init() {}

  mutating func refuse(_ reason: TCPRefusal) { refusals[reason.rawValue] &+= 1 }
}
