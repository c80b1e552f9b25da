import CLinuxIO
public import Classroom

/// What the importer asks of the system: its table of GB18030, in which Chinese spreadsheets save plain CSV.
public enum ImportDecoding {
  /// UTF-8 of GB18030 (of which GBK and GB2312 are parts); nil for what is none, for a NUL, for more than
  /// `CSVReader.byteLimit` bytes, and where the system's library lacks the table.
  ///
  /// Cost: one pass, and half as much memory again as the text while it runs.
  public static func utf8(ofGB18030 bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count <= CSVReader.byteLimit else { return nil }
    let limit = tk_gb18030_limit(bytes.count)
    var isText = false
    let text = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      let written = bytes.withUnsafeBufferPointer {
        tk_gb18030_to_utf8($0.baseAddress, $0.count, buffer.baseAddress, limit)
      }
      isText = written >= 0
      count = max(0, Int(written))
    }
    return isText ? text : nil
  }
}

extension ImportSheet {
  /// Reads a file in any encoding that Chinese spreadsheets write; `kind` nil lets its header say what it is.
  public init(_ file: [UInt8], kind: SheetKind? = nil) throws(ImportIssue) {
    try self.init(file, kind: kind, decodeGB18030: ImportDecoding.utf8(ofGB18030:))
  }
}
