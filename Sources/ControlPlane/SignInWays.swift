import Foundation

/// The ways in that lead over somebody else, as configured.
struct SignInWays: Sendable {
  struct OpenID: Sendable {
    var desk: OpenIDDesk
    var name: String
  }

  struct Ticket: Sendable {
    var desk: TicketDesk
    var name: String
    /// Where the platform signs people in.
    var login: String?
  }

  let openID: OpenID?
  let ticket: Ticket?
  private let servers: [OutgoingHTTP]

  init(_ configuration: AccessConfiguration, clock: @escaping @Sendable () -> Int64) throws(RelayStartError) {
    var servers: [OutgoingHTTP] = []
    openID = try configuration.openID.map { settings throws(RelayStartError) in
      let http = OutgoingHTTP(trust: settings.trust)
      servers.append(http)
      let desk = OpenIDDesk(
        settings: OpenIDDesk.Settings(
          issuer: settings.issuer, client: settings.clientID, secret: try settings.secretFile.map(Self.secret),
          scopes: settings.scopes, redirect: (configuration.publicAddress ?? "") + "/sign-in"),
        clock: clock, fetch: { try await http.send($0) })
      return OpenID(desk: desk, name: settings.name)
    }
    ticket = try configuration.ticket.map { settings throws(RelayStartError) in
      let http = OutgoingHTTP(trust: settings.trust)
      servers.append(http)
      let gateway = settings.gateway.hasSuffix("/") ? String(settings.gateway.dropLast()) : settings.gateway
      let desk = TicketDesk(
        settings: TicketDesk.Settings(
          gateway: gateway, appID: settings.appID, appKey: try Self.secret(settings.keyFile),
          system: settings.system),
        clock: clock, fetch: { try await http.send($0) })
      return Ticket(desk: desk, name: settings.name, login: settings.login)
    }
    self.servers = servers
  }

  func shutdown() async { for server in servers { await server.shutdown() } }

  /// The first line of a file, 1…1,024 bytes.
  static func secret(_ file: String) throws(RelayStartError) -> String {
    let data = FileManager.default.contents(atPath: file) ?? Data()
    let line = String(decoding: data.prefix(4_096), as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
    let secret = line.trimmingCharacters(in: .whitespaces)
    guard (1...1_024).contains(secret.utf8.count) else {
      throw RelayStartError { Text.of("serve.secret", in: $0, ["file": file]) }
    }
    return secret
  }
}
