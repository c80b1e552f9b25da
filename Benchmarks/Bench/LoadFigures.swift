import RTCCore

/// What all receivers together have had; differences of two say what a span of time brought.
struct LoadFigures: Sendable {
  var receivers = 0
  var connected = 0
  var failed = 0
  /// RTP of the relay, without duplicates, and of the baseline.
  var packets: UInt64 = 0
  var baselinePackets: UInt64 = 0
  /// Numbers that never came, between each stream's first and highest.
  var missing: Int64 = 0
  var baselineMissing: Int64 = 0
  var duplicates: UInt64 = 0
  var strangers: UInt64 = 0
  /// Packets opened, and those that did not authenticate.
  var opened: UInt64 = 0
  var refused: UInt64 = 0
  var published: UInt64 = 0
  var picturesPublished: UInt64 = 0
  var framesPublished: UInt64 = 0
  /// Processor time of the thread so far.
  var seconds = 0.0
  var keyFramesPublished: UInt64 = 0
  /// Each receiver by itself.
  var peers: [LoadPeerFigures] = []
  /// SRTP profile of the first connected receiver.
  var profile: SRTPProfile?
}

/// What one receiver has had.
struct LoadPeerFigures: Sendable {
  var number: UInt32
  var isFailed: Bool
  var packets: UInt64
  var missing: Int64
}

/// Nanoseconds from departure to the receiver's socket.
struct LoadLatencies: Sendable {
  /// Sound and pictures between key frames.
  var others: [Double] = []
  /// Key frames, which the pacer spreads.
  var keyFrames: [Double] = []
}
