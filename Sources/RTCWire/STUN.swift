/// The 96-bit transaction id of a STUN message.
public struct STUNTransaction: Hashable, Sendable {
  public var high: UInt32
  public var low: UInt64
  public init(high: UInt32, low: UInt64) {
    self.high = high
    self.low = low
  }
}

public enum STUNClass: UInt8, Sendable {
  case request = 0
  case indication = 1
  case success = 2
  case error = 3
}

/// Attribute types the relay knows (RFC 8489 §18.3, RFC 8445 §16.1).
public enum STUNAttribute {
  public static let username: UInt16 = 0x0006
  public static let messageIntegrity: UInt16 = 0x0008
  public static let errorCode: UInt16 = 0x0009
  public static let unknownAttributes: UInt16 = 0x000A
  public static let xorMappedAddress: UInt16 = 0x0020
  public static let priority: UInt16 = 0x0024
  public static let useCandidate: UInt16 = 0x0025
  public static let fingerprint: UInt16 = 0x8028
  public static let iceControlled: UInt16 = 0x8029
  public static let iceControlling: UInt16 = 0x802A
}

/// A STUN message read in place (RFC 8489 §5). Integrity is checked elsewhere; the fingerprint here.
public struct STUNMessage {
  public static let magicCookie: UInt32 = 0x2112_A442
  public static let bindingMethod: UInt16 = 1
  private static let attributeLimit = 32

  public let method: UInt16
  public let messageClass: STUNClass
  public let transaction: STUNTransaction
  /// Offset of the MESSAGE-INTEGRITY attribute, nil without one. What follows it, but FINGERPRINT, does not count.
  public let integrityOffset: Int?
  public let unknownRequired: [UInt16]
  private let bytes: UnsafeRawBufferPointer
  private let end: Int

  /// - Throws: `.tooShort`, `.badMagic`, `.badLength`, `.badValue` (wrong fingerprint).
  public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
    guard bytes.count >= 20 else { throw .tooShort }
    let type = bytes.uint16(0)
    guard type & 0xC000 == 0, bytes.uint32(4) == Self.magicCookie else { throw .badMagic }
    let length = Int(bytes.uint16(2))
    guard length % 4 == 0, length + 20 == bytes.count else { throw .badLength }
    method = (type & 0x000F) | (type & 0x00E0) >> 1 | (type & 0x3E00) >> 2
    messageClass = STUNClass(rawValue: UInt8((type & 0x0010) >> 4 | (type & 0x0100) >> 7))!  // two bits: 0…3
    transaction = STUNTransaction(high: bytes.uint32(8), low: bytes.uint64(12))
    self.bytes = bytes
    var offset = 20
    var integrity: Int?
    var unknown: [UInt16] = []
    var effectiveEnd = bytes.count
    var attributes = 0
    while offset < bytes.count {
      guard bytes.count - offset >= 4, attributes < Self.attributeLimit else { throw .badLength }
      attributes += 1
      let kind = bytes.uint16(offset)
      let count = Int(bytes.uint16(offset + 2))
      let next = offset + 4 + (count + 3) / 4 * 4
      guard next <= bytes.count else { throw .badLength }
      if kind == STUNAttribute.fingerprint {
        guard count == 4, next == bytes.count else { throw .badLength }
        let expected = CRC32.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<offset])) ^ 0x5354_554E
        guard bytes.uint32(offset + 4) == expected else { throw .badValue }
      } else if kind == STUNAttribute.messageIntegrity, integrity == nil {
        guard count == 20 else { throw .badLength }
        integrity = offset
        effectiveEnd = offset
      } else if kind < 0x8000, integrity == nil, !Self.known.contains(kind) {
        unknown.append(kind)
      }
      offset = next
    }
    integrityOffset = integrity
    unknownRequired = unknown
    end = effectiveEnd
  }

  private static let known: Set<UInt16> = [
    STUNAttribute.username, STUNAttribute.errorCode, STUNAttribute.unknownAttributes,
    STUNAttribute.xorMappedAddress, STUNAttribute.priority, STUNAttribute.useCandidate, 0x0001,
  ]

  /// The value of an attribute before MESSAGE-INTEGRITY; nil without one.
  public func value(_ attribute: UInt16) -> UnsafeRawBufferPointer? {
    var offset = 20
    while offset + 4 <= end {
      let count = Int(bytes.uint16(offset + 2))
      if bytes.uint16(offset) == attribute { return bytes.part(offset + 4, count) }
      offset += 4 + (count + 3) / 4 * 4
    }
    return nil
  }

  public var username: UnsafeRawBufferPointer? { value(STUNAttribute.username) }
  public var useCandidate: Bool { value(STUNAttribute.useCandidate) != nil }
  public var priority: UInt32? { value(STUNAttribute.priority).flatMap { $0.count == 4 ? $0.uint32(0) : nil } }
  public var controlling: UInt64? { word(STUNAttribute.iceControlling) }
  public var controlled: UInt64? { word(STUNAttribute.iceControlled) }

  private func word(_ attribute: UInt16) -> UInt64? {
    value(attribute).flatMap { $0.count == 8 ? $0.uint64(0) : nil }
  }

  /// 300…699; nil without a well-formed ERROR-CODE.
  public var errorCode: Int? {
    guard let value = value(STUNAttribute.errorCode), value.count >= 4 else { return nil }
    return Int(value[2] & 7) * 100 + Int(value[3] % 100)
  }

  public var xorMappedAddress: SocketAddress? {
    guard let value = value(STUNAttribute.xorMappedAddress), value.count >= 8 else { return nil }
    let port = value.uint16(2) ^ UInt16(Self.magicCookie >> 16)
    if value[1] == 1 { return SocketAddress(ipv4: value.uint32(4) ^ Self.magicCookie, port: port) }
    guard value[1] == 2, value.count == 20 else { return nil }
    let mask = UInt64(Self.magicCookie) << 32 | UInt64(transaction.high)
    return SocketAddress(
      family: .ipv6, high: value.uint64(4) ^ mask, low: value.uint64(12) ^ transaction.low, port: port)
  }

  /// The bytes MESSAGE-INTEGRITY covers and the length field to hash instead of the one on the wire (RFC 8489 §14.5).
  public var integrityInput: (bytes: UnsafeRawBufferPointer, length: UInt16, tag: UnsafeRawBufferPointer)? {
    guard let integrityOffset else { return nil }
    return (
      UnsafeRawBufferPointer(rebasing: bytes[0..<integrityOffset]), UInt16(integrityOffset + 24 - 20),
      UnsafeRawBufferPointer(rebasing: bytes[integrityOffset + 4..<integrityOffset + 24])
    )
  }
}

/// Builds a STUN message; the caller supplies the HMAC.
public struct STUNWriter {
  public private(set) var bytes: [UInt8] = []
  private let transaction: STUNTransaction

  public init(method: UInt16 = STUNMessage.bindingMethod, _ messageClass: STUNClass, transaction: STUNTransaction) {
    self.transaction = transaction
    bytes.reserveCapacity(128)
    let kind = UInt16(messageClass.rawValue)
    let type =
      (method & 0x000F) | (method & 0x0070) << 1 | (method & 0x0F80) << 2 | (kind & 1) << 4 | (kind & 2) << 7
    append16(type)
    append16(0)
    append32(STUNMessage.magicCookie)
    append32(transaction.high)
    append64(transaction.low)
  }

  private mutating func append16(_ value: UInt16) {
    bytes.append(UInt8(value >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value))
  }
  private mutating func append32(_ value: UInt32) {
    append16(UInt16(value >> 16))
    append16(UInt16(truncatingIfNeeded: value))
  }
  private mutating func append64(_ value: UInt64) {
    append32(UInt32(value >> 32))
    append32(UInt32(truncatingIfNeeded: value))
  }

  public mutating func add(_ attribute: UInt16, _ value: [UInt8]) {
    append16(attribute)
    append16(UInt16(value.count))
    bytes += value
    while bytes.count % 4 != 0 { bytes.append(0) }
    setLength(bytes.count - 20)
  }

  public mutating func add(_ attribute: UInt16, word: UInt32) {
    add(attribute, [UInt8(word >> 24), UInt8(word >> 16 & 255), UInt8(word >> 8 & 255), UInt8(word & 255)])
  }

  public mutating func add(_ attribute: UInt16, doubleWord: UInt64) {
    add(attribute, (0..<8).map { UInt8(truncatingIfNeeded: doubleWord >> UInt64(56 - 8 * $0)) })
  }

  public mutating func addErrorCode(_ code: Int, reason: String) {
    add(STUNAttribute.errorCode, [0, 0, UInt8(code / 100), UInt8(code % 100)] + Array(reason.utf8))
  }

  public mutating func addXORMappedAddress(_ address: SocketAddress) {
    let port = address.port ^ UInt16(STUNMessage.magicCookie >> 16)
    var value: [UInt8] = [0, address.family == .ipv4 ? 1 : 2, UInt8(port >> 8), UInt8(port & 255)]
    if address.family == .ipv4 {
      let word = UInt32(address.high >> 32) ^ STUNMessage.magicCookie
      value += (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) }
    } else {
      let high = address.high ^ (UInt64(STUNMessage.magicCookie) << 32 | UInt64(transaction.high))
      let low = address.low ^ transaction.low
      value += (0..<8).map { UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * $0)) }
      value += (0..<8).map { UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * $0)) }
    }
    add(STUNAttribute.xorMappedAddress, value)
  }

  private mutating func setLength(_ length: Int) {
    bytes[2] = UInt8(length >> 8)
    bytes[3] = UInt8(length & 255)
  }

  /// Closes the message with MESSAGE-INTEGRITY over what is there and FINGERPRINT.
  /// - Parameter hmac: HMAC-SHA1 of the bytes it is given, 20 bytes.
  public mutating func finish(hmac: ([UInt8]) -> [UInt8]) {
    setLength(bytes.count - 20 + 24)
    add(STUNAttribute.messageIntegrity, hmac(bytes))
    finishWithoutIntegrity()
  }

  public mutating func finishWithoutIntegrity() {
    setLength(bytes.count - 20 + 8)
    let checksum = bytes.withUnsafeBytes { CRC32.checksum($0) } ^ 0x5354_554E
    add(STUNAttribute.fingerprint, word: checksum)
  }
}

/// CRC-32 of ITU V.42, as FINGERPRINT uses it (RFC 8489 §14.7).
enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { index in
    var value = UInt32(index)
    for _ in 0..<8 { value = value & 1 != 0 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    return value
  }

  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes { value = table[Int((value ^ UInt32(byte)) & 0xFF)] ^ (value >> 8) }
    return ~value
  }
}
