// Goal: identifiers made of names are those that everybody else makes of them. Method: the vector of RFC 9562 A.4.
import Classroom
import Reporting
import Testing

@Suite struct NamedIdentifierTests {
  @Test func isTheStandardsVector() throws {
    let domainNames = try #require(Identifier("6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
    let made = Identifier(namespace: domainNames, name: "www.example.com")
    #expect("\(made)" == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
    #expect(made != Identifier(namespace: domainNames, name: "www.example.org"))
    #expect(made != Identifier(namespace: made, name: "www.example.com"))
  }
}
