public import Classroom
import Crypto

extension Identifier {
  /// The identifier of a name within a namespace: the same whenever and wherever it is made of them.
  ///
  /// A version 5 UUID: the first 128 bits of SHA-1 over the namespace's 16 bytes and the name's UTF-8
  /// (RFC 9562 §5.5).
  public init(namespace: Identifier, name: String) {
    var hash = Insecure.SHA1()
    hash.update(data: namespace.bytes)
    hash.update(data: Array(name.utf8))
    let digest = Array(hash.finalize())
    func word(_ offset: Int) -> UInt64 { digest[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) } }
    self.init(
      high: word(0) & 0xFFFF_FFFF_FFFF_0FFF | 0x5000, low: word(8) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
  }
}
