// Goal: whoever has no school to belong to, no partner or no lead is told, and nobody else. Method: a small county with
// which nothing is wrong, changed in one thing at a time; the shipped county; random ones against a slow reading.
import Classroom
import Testing

@Suite struct PairingTests {
  private static let now: Int64 = 1_800_000_000_000

  /// A school of a town with a teaching point, and a rural school; one cluster of all three.
  private struct Town {
    var town = Institution(id: Identifier(high: 1, low: 1), number: "T", kind: .school, name: "镇小", setting: .town)
    var rural = Institution(id: Identifier(high: 1, low: 2), number: "R", kind: .school, name: "乡小", setting: .rural)
    var point = Institution(
      id: Identifier(high: 1, low: 3), number: "P", kind: .teachingPoint, name: "点",
      parent: Identifier(high: 1, low: 2), setting: .rural)
    var others: [Institution] = []
    var clusters: [Cluster] = []

    init() {
      clusters = [
        Cluster(
          id: Identifier(high: 2, low: 1), number: "Q1", name: "群",
          members: [
            .init(institution: town.id, leads: true), .init(institution: rural.id, leads: false),
            .init(institution: point.id, leads: false),
          ])
      ]
    }

    func findings(_ change: (inout Town) -> Void = { _ in }) -> [PairingFinding] {
      var town = self
      change(&town)
      return PairingCheck.findings(
        institutions: [town.town, town.rural, town.point] + town.others, clusters: town.clusters, at: PairingTests.now)
    }
  }

  private func codes(_ change: (inout Town) -> Void) -> [PairingFinding.Code] { Town().findings(change).map(\.code) }

  @Test func nothingIsWrongWithAWholeTown() { #expect(Town().findings() == []) }

  @Test func eachFaultIsTold() {
    let town = Town()
    #expect(
      town.findings { $0.point.parent = nil } == [PairingFinding(.noParent, institution: town.point.id)])
    #expect(
      town.findings { $0.point.parent = Identifier(high: 9, low: 9) }
        == [PairingFinding(.parentClosed, institution: town.point.id, other: Identifier(high: 9, low: 9))])
    #expect(codes { $0.clusters[0].members[0].leads = false } == [.noLead])
    #expect(codes { $0.clusters[0].members.remove(at: 0) } == [.noPartner, .noLead])
    #expect(codes { $0.clusters[0].members.remove(at: 1) } == [.noPartner])
    #expect(codes { $0.clusters[0].members.removeLast() } == [.noPartner])
    #expect(codes { $0.clusters = [] } == [.noPartner, .noPartner])
    #expect(
      codes { $0.clusters[0].members.append(.init(institution: Identifier(high: 9, low: 1), leads: false)) }
        == [.memberUnknown])
    #expect(codes { $0.town.setting = .rural } == [.ruralPartners, .ruralPartners])
  }

  @Test func aTeachingPointIsNoPartnerAndNoParent() {
    var point = Town().point
    point.id = Identifier(high: 1, low: 4)
    #expect(
      codes {
        $0.others = [point]
        $0.clusters.append(
          Cluster(
            id: Identifier(high: 2, low: 2), name: "点群",
            members: [.init(institution: point.id, leads: true), .init(institution: $0.point.id, leads: false)]))
      } == [.noPartner])
    #expect(
      codes {
        $0.others = [point]
        $0.clusters[0].members.append(.init(institution: point.id, leads: false))
        $0.point.parent = point.id
      } == [.parentIsPoint])
  }

  @Test func whoIsClosedIsToldAsParentAndMemberAlone() {
    let town = Town()
    let closed = town.findings {
      $0.rural.validUntil = PairingTests.now
      $0.rural.successor = $0.town.id
    }
    #expect(
      closed == [
        PairingFinding(.parentClosed, institution: town.point.id, other: town.rural.id),
        PairingFinding(
          .memberClosed, institution: town.rural.id, cluster: town.clusters[0].id, other: town.town.id),
      ])
    // The day after is not today.
    #expect(codes { $0.rural.validUntil = PairingTests.now + 1 } == [])
    #expect(codes { $0.point.validFrom = PairingTests.now + 1 } == [.memberClosed])
    let lonely = codes {
      $0.rural.validUntil = 1
      $0.point.validUntil = 1
    }
    #expect(lonely == [.memberClosed, .memberClosed, .tooSmall])
  }

  @Test func theShippedCountyIsWhole() throws {
    let base = try SampleCountyFiles().base
    #expect(base.institutions.count == 12 && base.clusters.count == 3)
    #expect(PairingCheck.findings(institutions: base.institutions, clusters: base.clusters, at: Self.now) == [])
  }

  /// Partners by looking through everybody for everybody.
  @Test func partnersAgreeWithASlowReading() {
    var generator = SeededGenerator(seed: 11)
    var told = 0
    for _ in 0..<300 {
      let institutions = (0..<8).map { index in
        Institution(
          id: Identifier(high: 1, low: UInt64(index)), kind: Bool.random(using: &generator) ? .school : .teachingPoint,
          name: "校", parent: nil, setting: [.urban, .town, .rural].randomElement(using: &generator) ?? .rural,
          validUntil: Int.random(in: 0..<5, using: &generator) == 0 ? 1 : nil)
      }
      let clusters = (0..<3).map { index in
        Cluster(
          id: Identifier(high: 2, low: UInt64(index)), name: "群",
          members: institutions.filter { _ in Bool.random(using: &generator) }.map {
            Cluster.Member(institution: $0.id, leads: Bool.random(using: &generator))
          })
      }
      let found = PairingCheck.findings(institutions: institutions, clusters: clusters, at: Self.now)
      for institution in institutions where institution.isOpen(at: Self.now) {
        let partners = institutions.filter { other in
          other.id != institution.id && other.isOpen(at: Self.now) && other.kind == .school
            && clusters.contains { cluster in
              let members = Set(cluster.members.map(\.institution))
              return members.contains(other.id) && members.contains(institution.id)
            }
        }
        let isAsked = institution.kind == .teachingPoint || institution.setting == .rural
        let mine = Set(found.filter { $0.institution == institution.id && $0.cluster == nil }.map(\.code))
        #expect(mine.contains(.noPartner) == (isAsked && partners.isEmpty))
        let isRural =
          institution.kind == .school && institution.setting == .rural && !partners.isEmpty
          && partners.allSatisfy { $0.setting == .rural }
        #expect(mine.contains(.ruralPartners) == isRural)
        told += mine.count
      }
    }
    #expect(told > 100)
  }
}
