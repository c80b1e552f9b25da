// Goal: as many workers as processors are given, on ports that exist.
import ControlPlane
import Testing

@Suite struct WorkerPortsTests {
  @Test func workersAreThoseAskedForOrOneEach() {
    var configuration = RelayConfiguration()
    #expect(configuration.workerCount(processors: 6) == 6)
    #expect(configuration.workerCount(processors: 0) == 1)
    #expect(configuration.workerCount(processors: 500) == 64)
    configuration.workers = 3
    #expect(configuration.workerCount(processors: 6) == 3)
  }

  @Test func aPortOfHTTPIsLeftToIt() {
    var configuration = RelayConfiguration()
    #expect(configuration.mediaTakesTCP(workers: 2))
    configuration.udpPort = 8_442
    #expect(configuration.mediaTakesTCP(workers: 1))
    #expect(configuration.sharedPort(workers: 2) == 8_443)
    #expect(!configuration.mediaTakesTCP(workers: 2))
    configuration.https = nil
    #expect(configuration.mediaTakesTCP(workers: 2))
    configuration.takesTCP = false
    #expect(!configuration.mediaTakesTCP(workers: 2))
  }

  @Test func portsFollowEachOther() {
    var configuration = RelayConfiguration()
    #expect(configuration.mediaPorts(workers: 3) == [8_189, 8_190, 8_191])
    configuration.udpPort = 65_535
    #expect(configuration.mediaPorts(workers: 2) == [65_535])
    configuration.udpPort = 0
    #expect(configuration.mediaPorts(workers: 2).isEmpty)
  }
}
