internal import CLibAV

/// Why media could not be read, made or written; each case carries words for a log, in English.
public enum MediaError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No such file, host or device, or nothing that is known as media.
  case cannotOpen(String)
  /// Neither video nor sound in it.
  case noStream(String)
  /// The installed libraries lack a codec.
  case codecMissing(String)
  case decode(String)
  case encode(String)
  /// The disk is full, or the folder is not ours to write.
  case write(String)
  case unsupported(String)

  public var message: String {
    switch self {
    case .cannotOpen(let words): "cannot open: \(words)"
    case .noStream(let words): "no stream: \(words)"
    case .codecMissing(let words): "codec missing: \(words)"
    case .decode(let words): "cannot decode: \(words)"
    case .encode(let words): "cannot encode: \(words)"
    case .write(let words): "cannot write: \(words)"
    case .unsupported(let words): "not supported: \(words)"
    }
  }

  public var description: String { message }

  /// From a failure of the last call on this thread.
  init(status: Int32) {
    let words = String(cString: tk_media_message())
    switch Int(status) {
    case TK_CANNOT_OPEN: self = .cannotOpen(words)
    case TK_NO_STREAM: self = .noStream(words)
    case TK_CODEC_MISSING: self = .codecMissing(words)
    case TK_ENCODE: self = .encode(words)
    case TK_WRITE: self = .write(words)
    case TK_UNSUPPORTED: self = .unsupported(words)
    default: self = .decode(words)
    }
  }

  static func check(_ status: Int32) throws(MediaError) {
    if status < 0 { throw MediaError(status: status) }
  }
}
