/// A file made of a lesson for people to use.
public struct ResourceFile: Hashable, Sendable, Codable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    case recording
    /// The audio as it was received, before it was transcoded.
    case originalAudio
    case poster
    /// WebVTT: what stands where in the recording.
    case chapters
    case metadata
  }

  public enum State: String, Sendable, Codable, CaseIterable {
    /// Written, not yet read back.
    case made
    /// Read back whole; the lesson log may go.
    case verified
    case withdrawn
  }

  public var id: Identifier
  public var lesson: Identifier
  public var kind: Kind
  /// Relative to the data folder; no component is `..`, none is empty.
  public var path: String
  /// Such as `video/mp4`.
  public var mediaType: String
  public var byteCount: Int64
  /// SHA-256 of the file, 64 lower-case hexadecimal digits.
  public var sha256: String
  /// 0 for what has no duration.
  public var durationMilliseconds: Int64
  public var state: State
  /// UTC milliseconds.
  public var madeAt: Int64
  /// Whether pupils may be seen in it.
  public var containsFaces: Bool
  /// The class that is seen in it, whose consent it needs; nil where there is none.
  public var schoolClass: Identifier?
  /// Of a recording; nil of other files, and of those made before it was kept.
  public var quality: RecordingQuality?

  public init(
    id: Identifier, lesson: Identifier, kind: Kind, path: String, mediaType: String, byteCount: Int64,
    sha256: String, durationMilliseconds: Int64, state: State, madeAt: Int64, containsFaces: Bool = true,
    schoolClass: Identifier? = nil, quality: RecordingQuality? = nil
  ) {
    self.id = id
    self.lesson = lesson
    self.kind = kind
    self.path = path
    self.mediaType = mediaType
    self.byteCount = byteCount
    self.sha256 = sha256
    self.durationMilliseconds = durationMilliseconds
    self.state = state
    self.madeAt = madeAt
    self.containsFaces = containsFaces
    self.schoolClass = schoolClass
    self.quality = quality
  }

  /// Throws what is wrong with the value by itself.
  public func validate() throws(ClassroomError) {
    try Limits.checkName(path)
    try Limits.checkName(mediaType)
    let components = path.split(separator: "/", omittingEmptySubsequences: false)
    guard components.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { throw .badName }
    guard byteCount >= 0, durationMilliseconds >= 0 else { throw .badRange }
    try Limits.checkInterval(madeAt, nil)
    let isDigest = sha256.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    guard sha256.utf8.count == 64, isDigest else { throw .badCode }
  }
}
