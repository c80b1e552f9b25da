import Classroom
import ControlPlane
import Crypto
import Foundation
import Ledger
import Synchronization

/// A ledger with a school and a room, a desk over it, and a clock that the test sets.
final class AccessFolder: Sendable {
  static let county = "冷水滩区"
  let scratch: ScratchFolder
  let store: LedgerStore
  let tokens: TokenIssuer
  let school = Identifier(high: 1, low: 1)
  let room = Identifier(high: 2, low: 1)
  let person = Identifier(high: 3, low: 1)
  private let time: Time

  private final class Time: Sendable {
    let value = Mutex<Int64>(1_800_000_000_000)
  }

  init() throws {
    scratch = try ScratchFolder()
    let time = Time()
    self.time = time
    let clock: @Sendable () -> Int64 = { time.value.withLock { $0 } }
    store = try LedgerStore(path: scratch.path + "/ledger.sqlite", clock: clock)
    tokens = try TokenIssuer(store: store, clock: clock)
    try store.upsert(Institution(id: school, kind: .school, name: "中心小学", region: Self.county))
    try store.upsert(Room(id: room, institution: school, number: "P01-1", name: "多媒体教室"))
  }

  var now: Int64 { time.value.withLock { $0 } }
  func advance(seconds: Int64) { time.value.withLock { $0 += seconds * 1_000 } }

  func desk(_ change: (inout AccessPolicy) -> Void = { _ in }) -> AccessDesk {
    var policy = AccessPolicy()
    change(&policy)
    return AccessDesk(store: store, tokens: tokens, policy: policy) { [time] in time.value.withLock { $0 } }
  }

  /// Gives the person a role without asking anybody.
  func give(_ role: Role, _ scope: Scope, number: UInt64 = 1) throws {
    try store.give(HeldGrant(id: Identifier(high: 9, low: number), subject: person, grant: Grant(role, scope)))
  }

  func claims(_ role: Role = .leadTeacher, _ scope: Scope? = nil, seconds: Int64 = 3_600) -> AccessClaims {
    AccessClaims(
      subject: person, grants: [Grant(role, scope ?? .school(school))], expires: now / 1_000 + seconds, now: now)
  }
}

/// What went wrong, by its kind; nil when nothing did, or something that is no refusal.
func refusal(_ body: () throws -> Void) -> Problem.Kind? {
  do { try body() } catch { return (error as? Problem)?.kind }
  return nil
}

/// A token made outside, part by part.
func forge(header: String, payload: String, key: Curve25519.Signing.PrivateKey? = nil, signature: String = "")
  -> String
{
  func encode(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
  let signed = encode(Data(header.utf8)) + "." + encode(Data(payload.utf8))
  guard let key, let made = try? key.signature(for: Data(signed.utf8)) else { return signed + "." + signature }
  return signed + "." + encode(made)
}
