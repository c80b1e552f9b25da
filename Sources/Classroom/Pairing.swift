/// One thing that is wrong with how schools belong together (结对).
public struct PairingFinding: Hashable, Sendable, Codable {
  public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
    /// A teaching point that belongs to no 中心小学.
    case noParent
    /// The one it belongs to is closed, or is none of those there are.
    case parentClosed
    /// The one it belongs to is a teaching point itself.
    case parentIsPoint
    /// A teaching point, or a rural school, that shares a cluster with no school that is open.
    case noPartner
    /// A rural school whose partners are all rural: none is of a town or a city.
    case ruralPartners
    /// A cluster in which nobody leads who is open.
    case noLead
    /// A cluster with fewer than two members that are open.
    case tooSmall
    /// A member of a cluster that is closed.
    case memberClosed
    /// A member of a cluster that is none of the institutions there are.
    case memberUnknown
  }

  public var code: Code
  /// The school or teaching point it is about, or the cluster's member.
  public var institution: Identifier?
  public var cluster: Identifier?
  /// What the institution belongs to, or who took it over, where that is known.
  public var other: Identifier?

  public init(_ code: Code, institution: Identifier? = nil, cluster: Identifier? = nil, other: Identifier? = nil) {
    self.code = code
    self.institution = institution
    self.cluster = cluster
    self.other = other
  }
}

extension Institution {
  /// Whether it is there at a time, UTC milliseconds.
  public func isOpen(at now: Int64) -> Bool { (validFrom ?? .min) <= now && now < (validUntil ?? .max) }
}

/// Whether every teaching point has its school, every rural school a partner, and every cluster a lead.
public enum PairingCheck {
  /// What is wrong at a time (UTC milliseconds): institutions in their order, then clusters in theirs. Institutions
  /// that are closed are told of as members of clusters and as parents alone.
  ///
  /// Cost: one pass over institutions and members.
  public static func findings(
    institutions: some Sequence<Institution>, clusters: some Sequence<Cluster>, at now: Int64
  ) -> [PairingFinding] {
    var order: [Institution] = []
    var known: [Identifier: Institution] = [:]
    for institution in institutions {
      order.append(institution)
      known[institution.id] = institution
    }
    var shared: [Identifier: [Cluster]] = [:]
    var ofClusters: [PairingFinding] = []
    for cluster in clusters {
      for member in cluster.members { shared[member.institution, default: []].append(cluster) }
      ofClusters += findings(of: cluster, known, now)
    }
    var findings: [PairingFinding] = []
    // Members of one cluster are looked through once, not once for each of them.
    var partners: [Identifier: Partners] = [:]
    for institution in order where institution.isOpen(at: now) {
      if institution.kind == .teachingPoint { findings += parent(of: institution, known, now) }
      guard institution.kind == .teachingPoint || institution.setting == .rural else { continue }
      var seen = Partners()
      for cluster in shared[institution.id] ?? [] {
        let all = partners[cluster.id] ?? Partners(cluster, known, now)
        partners[cluster.id] = all
        seen.schools += all.schools - (institution.kind == .school ? 1 : 0)
        seen.towns += all.towns
      }
      if seen.schools == 0 {
        findings.append(PairingFinding(.noPartner, institution: institution.id))
      } else if institution.kind == .school, seen.towns == 0 {
        findings.append(PairingFinding(.ruralPartners, institution: institution.id))
      }
    }
    return findings + ofClusters
  }

  /// How many schools of a cluster are open, and how many of these are of a town or a city.
  private struct Partners {
    var schools = 0
    var towns = 0

    init() {}

    init(_ cluster: Cluster, _ known: [Identifier: Institution], _ now: Int64) {
      for member in cluster.members {
        guard let school = known[member.institution], school.kind == .school, school.isOpen(at: now) else { continue }
        schools += 1
        if school.setting != .rural { towns += 1 }
      }
    }
  }

  private static func parent(
    of point: Institution, _ known: [Identifier: Institution], _ now: Int64
  ) -> [PairingFinding] {
    guard let id = point.parent else { return [PairingFinding(.noParent, institution: point.id)] }
    guard let parent = known[id], parent.isOpen(at: now) else {
      return [PairingFinding(.parentClosed, institution: point.id, other: id)]
    }
    guard parent.kind == .school else { return [PairingFinding(.parentIsPoint, institution: point.id, other: id)] }
    return []
  }

  private static func findings(
    of cluster: Cluster, _ known: [Identifier: Institution], _ now: Int64
  ) -> [PairingFinding] {
    var findings: [PairingFinding] = []
    var open = 0
    var leads = 0
    for member in cluster.members {
      guard let institution = known[member.institution] else {
        findings.append(PairingFinding(.memberUnknown, institution: member.institution, cluster: cluster.id))
        continue
      }
      guard institution.isOpen(at: now) else {
        findings.append(
          PairingFinding(
            .memberClosed, institution: institution.id, cluster: cluster.id, other: institution.successor))
        continue
      }
      open += 1
      if member.leads { leads += 1 }
    }
    if leads == 0 { findings.append(PairingFinding(.noLead, cluster: cluster.id)) }
    if open < 2 { findings.append(PairingFinding(.tooSmall, cluster: cluster.id)) }
    return findings
  }
}
