package import Classroom
import RTCCore

extension RelayConfiguration {
  /// The standard policy, with as many seats at one time as this relay would let in.
  ///
  /// Each seat is a session: `sessionLimit`, the transports of its workers, and where `admission.uplink` says what it
  /// may send, as many receivers as that carries at the rate the policy asks of their lines. What admission measures,
  /// load of processors and delay, is not known before.
  package func timetablePolicy(workers: Int) -> TimetablePolicy {
    var policy = TimetablePolicy.standard
    policy.relaySeats = min(sessionLimit, max(workers, 1) * CoreConfiguration().peerLimit)
    if let uplink = admission?.uplink, uplink > 0 {
      policy.relaySeats = min(policy.relaySeats, max(1, uplink * 1_000 / policy.siteDownlink))
    }
    return policy
  }
}
