/// Accounts, sessions and devices.
extension ControlClient {
  /// The accounts that the caller may see, page after page.
  /// - Parameters:
  ///   - institution: number of the school; nil for everywhere.
  ///   - all: persons without a role too.
  public func accounts(
    institution: String? = nil, all: Bool = false, atMost limit: Int
  ) async throws(ControlError) -> AccountList {
    var list = AccountList(accounts: [])
    repeat {
      let page: AccountList = try await get(
        ["accounts"],
        [
          ("institution", institution), ("all", all ? "1" : nil),
          ("limit", String(min(200, limit - list.accounts.count))), ("cursor", list.next),
        ])
      list.accounts += page.accounts.prefix(limit - list.accounts.count)
      // A server that goes on with the same page is not followed.
      guard page.next != list.next else { break }
      list.next = page.next
    } while list.next != nil && list.accounts.count < limit
    return list
  }

  /// - Parameter person: an identifier, or a school's number and a staff number, such as `P07/001`; `/001` at a bureau.
  public func account(_ person: String) async throws(ControlError) -> AccountReply {
    try await get(["accounts", person])
  }

  public func addAccount(_ account: AccountRequest) async throws(ControlError) -> AccountReply {
    try await post(["accounts"], account)
  }

  public func grant(_ grant: GrantRequest, to person: String) async throws(ControlError) -> AccountReply {
    try await post(["accounts", person, "grants"], grant)
  }

  public func takeBack(grant: String, of person: String) async throws(ControlError) {
    try await delete(["accounts", person, "grants", grant])
  }

  /// Ends every token of a person.
  public func endSessions(of person: String) async throws(ControlError) {
    try await delete(["accounts", person, "sessions"])
  }

  public func signInLink(for person: String) async throws(ControlError) -> LinkReply {
    try await post(["accounts", person, "links"])
  }

  public func lock(_ person: String) async throws(ControlError) -> AccountReply {
    try await post(["accounts", person, "lock"])
  }

  public func unlock(_ person: String) async throws(ControlError) -> AccountReply {
    try await post(["accounts", person, "unlock"])
  }

  public func removeSecondFactor(of person: String) async throws(ControlError) {
    try await delete(["accounts", person, "second-factor"])
  }

  public func bind(_ identity: IdentityReply, to person: String) async throws(ControlError) -> AccountReply {
    try await post(["accounts", person, "identity"], identity)
  }

  public func unbind(_ person: String) async throws(ControlError) {
    try await delete(["accounts", person, "identity"])
  }

  // MARK: Sessions

  /// - Throws: `.refused` of type `…:secondFactorNeeded` where the digits are asked for.
  public func signIn(_ request: SignInRequest) async throws(ControlError) -> SessionReply {
    try await post(["sign-in"], request)
  }

  public func session() async throws(ControlError) -> SessionReply { try await get(["session"]) }

  /// The session's next token.
  public func refreshSession() async throws(ControlError) -> SessionReply { try await post(["session", "refresh"]) }

  public func signOut() async throws(ControlError) { try await delete(["session"]) }

  /// Begins a second factor of one's own.
  public func startSecondFactor() async throws(ControlError) -> SecondFactorReply {
    try await post(["session", "second-factor"])
  }

  /// - Parameter code: 6 digits of the app that took the secret.
  public func confirmSecondFactor(_ code: String) async throws(ControlError) -> SessionReply {
    try await post(["session", "second-factor", "confirmation"], ["code": code])
  }

  // MARK: Devices

  /// - Parameters:
  ///   - room: the room's number.
  ///   - kind: `digits` or `link`.
  public func deviceCode(room: String, kind: String) async throws(ControlError) -> DeviceCodeReply {
    try await post(["rooms", room, "device-codes"], ["kind": kind])
  }

  public func devices(room: String? = nil) async throws(ControlError) -> [DeviceReply] {
    try await get(["devices"], [("room", room)])
  }

  public func revoke(device: String) async throws(ControlError) { try await delete(["devices", device]) }
}
