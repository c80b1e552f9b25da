import Foundation

/// A text file of certificates and keys that is replaced as a whole or not at all.
struct PEMFile {
  /// No certificate chain comes near it.
  static let byteLimit = 1 << 20
  let path: String

  /// The text; nil when there is no such file.
  /// - Throws: `unreadable` when there is one that cannot be read or is over 1 MiB.
  func read() throws(ServerCertificateError) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw ServerCertificateError(.unreadable, file: path)
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard let data = try? handle.read(upToCount: Self.byteLimit + 1) ?? Data(), data.count <= Self.byteLimit
    else { throw ServerCertificateError(.unreadable, file: path) }
    return String(decoding: data, as: UTF8.self)
  }

  /// Writes beside the file, syncs and renames, so that a crash leaves the old text or the new one.
  func write(_ text: String, mode: mode_t = 0o600) throws(ServerCertificateError) {
    let partial = path + ".partial"
    unlink(partial)
    let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw ServerCertificateError(.unwritable, file: path) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try handle.write(contentsOf: Data(text.utf8))
      try handle.synchronize()
      try handle.close()
    } catch { throw ServerCertificateError(.unwritable, file: path) }
    guard rename(partial, path) == 0 else { throw ServerCertificateError(.unwritable, file: path) }
    let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }

  /// Parts a file that holds one certificate and its key, in any order; nil when it holds anything else.
  static func pair(_ text: String) -> (certificatePEM: String, privateKeyPEM: String)? {
    let blocks = text.components(separatedBy: "-----BEGIN ").dropFirst().map { "-----BEGIN " + $0 }
    guard blocks.count == 2, let certificate = blocks.first(where: { $0.hasPrefix("-----BEGIN CERTIFICATE-----") }),
      let key = blocks.first(where: { $0.hasPrefix("-----BEGIN ") && $0.contains("PRIVATE KEY-----") })
    else { return nil }
    return (certificate, key)
  }
}
