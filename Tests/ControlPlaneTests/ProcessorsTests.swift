// Goal: as many workers as processors are given, on ports that exist.
import ControlPlane
import Testing

@Suite struct ProcessorsTests {
  @Test(arguments: [
    ("\t0-3\n", [0, 1, 2, 3]), (" 7", [7]), ("8,0-1", [0, 1, 8]), ("2-1", []), ("", []), ("a,-,1-2-3,5", [5]),
    ("0-99999999999", []), ("1,1,0-1", [0, 1]), ("4095-4096", []),
  ])
  func listsAreRead(_ list: String, _ numbers: [Int]) { #expect(Processors.numbers(in: list) == numbers) }

  @Test func thisProcessHasSome() {
    #expect(!Processors.given().isEmpty)
    #expect(Processors.given(status: "/nowhere") == [0])
  }

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
