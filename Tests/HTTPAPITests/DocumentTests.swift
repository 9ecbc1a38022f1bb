import Foundation
import HTTPAPI
import Testing

/// What the document has and the original does not, by the place of the fact. Everything else must
/// be equal.
private var additions: [(name: String, pattern: Regex<Substring>)] {
    [
        ("operations", #/(?:get|head) .*/#),
        ("pattern of ids", #/post .* > pattern/#),
        ("automatic splitter", #/.*\.splitter > enum > "auto"/#),
        ("both guitars", #/.*\.stem > enum > "guitar"/#),
        ("callbacks", #/.* > body > .*\.callback_url\b.*/#),
        ("kind of echoed presets", #/.* > 200 > .*\.presets > oneOf .*\.(?:task_type|label)\b.*/#),
        (
            "kind of echoed presets is always there",
            #/.* > 200 > .*\.presets > oneOf .* > required > "(?:task_type|label)"/#
        ),
        ("usable voices", #/.*\.packs\[\]\.ready_to_use\b.*/#),
        ("refused items of batches", #/.*\.results\[\] > oneOf 1\.code > anyOf 2\b.*/#),
        ("statuses", #/post \S+ > (?:403|413|422|429|500)\b.*/#),
    ]
}

@Suite struct DocumentTests {
    private func document(_ server: TestServer) async throws -> JSON {
        let reply = try await server.client.send("GET", "/api/v1/openapi.json")
        #expect(reply.status == 200)
        #expect(reply["content-type"] == "application/json")
        return try reply.json
    }

    private func contract() throws -> JSON {
        let path = URL(fileURLWithPath: #filePath)
            .appendingPathComponent("../../Fixtures/contract.json").standardizedFileURL
        return try JSON(parsing: Array(Data(contentsOf: path)))
    }

    @Test func documentHasEveryFactOfTheOriginal() async throws {
        let expected = DocumentFacts(try contract()).facts
        #expect(expected.count > 1000, "the fixture is there")
        try await TestServer.run { server in
            let found = DocumentFacts(try await document(server)).facts
            for (place, value) in expected.sorted(by: { $0.key < $1.key }) {
                #expect(found[place] == value, "\(place)")
            }
        }
    }

    @Test func everythingElseIsAKnownAddition() async throws {
        let expected = DocumentFacts(try contract()).facts
        try await TestServer.run { server in
            let found = DocumentFacts(try await document(server)).facts
            let additions = additions
            var unused = Set(additions.map(\.name))
            for place in found.keys.sorted() where expected[place] == nil {
                let addition = additions.first { place.wholeMatch(of: $0.pattern) != nil }
                #expect(addition != nil, "\(place): \(found[place] ?? "")")
                if let addition { unused.remove(addition.name) }
            }
            #expect(unused.isEmpty)
        }
    }

    /// `METHOD /path/{parameter}`, without a slash at the end.
    private func documented(_ document: JSON) -> Set<String> {
        guard case .object(let paths) = document["paths"] else { return [] }
        let operations = paths.flatMap { path -> [String] in
            guard case .object(let methods) = path.value else { return [] }
            return methods.map { method in
                let parts = path.name.split(separator: "/").map { "/\($0)" }
                return "\(method.name.uppercased()) \(parts.joined())"
            }
        }
        return Set(operations)
    }

    private func registered(_ server: TestServer) -> Set<String> {
        Set(
            server.operations.map { operation in
                let words = operation.split(separator: " ")
                let parts = words[1].split(separator: "/").map { part in
                    part.hasPrefix(":") || part.hasPrefix("{")
                        ? "/{\(part.trimmingCharacters(in: ["{", "}", ":"]))}" : "/\(part)"
                }
                return "\(words[0]) \(parts.joined())"
            })
    }

    @Test func everyRouteIsDocumented() async throws {
        try await TestServer.run { server in
            let routes = registered(server)
            #expect(routes.contains("POST /api/v1/upload"))
            let undocumented = routes.subtracting(documented(try await document(server)))
            #expect(undocumented.isEmpty, "\(undocumented.sorted())")
        }
    }

    @Test func everyDocumentedOperationIsARoute() async throws {
        try await TestServer.run { server in
            let missing = documented(try await document(server)).subtracting(registered(server))
            #expect(missing.isEmpty, "\(missing.sorted())")
        }
    }

    @Test func serverIsWhereItsPublicAddressSays() async throws {
        for (url, path) in [(nil, "/"), ("https://a.example/stems/", "/stems")] {
            try await TestServer.run {
                $0.publicURL = url
            } _: { server in
                guard case .array(let servers) = try await document(server)["servers"] else {
                    Issue.record("no servers")
                    return
                }
                #expect(servers.first?["url"] == .string(path))
            }
        }
    }

    @Test func pageStandsAlone() async throws {
        try await TestServer.run { server in
            let reply = try await server.client.send("GET", "/api/v1/docs/")
            #expect(reply.status == 200)
            #expect(reply["content-type"]?.hasPrefix("text/html") == true)
            let policy = try #require(reply["content-security-policy"])
            #expect(policy.contains("default-src 'none'"))
            #expect(!policy.contains("unsafe"))
            #expect(!reply.text.contains("https://"), "nothing of other servers")
            #expect(!reply.text.contains("style=\""), "the policy would not let it")
            #expect(try await server.client.send("HEAD", "/api/v1/docs").status == 200)
        }
    }

    @Test func onlyTheDocumentIsOpenToAll() async throws {
        try await TestServer.run { server in
            for (path, status) in [
                ("/api/v1/docs/", 405), ("/api/v1/openapi.json", 405),
                ("/api/v1/docs/other", 403), ("/api/v1/openapi.json/check", 403),
                ("/api/v1/check/", 403),
            ] {
                let reply = try await server.client.send("POST", path)
                #expect(reply.status == status, "\(path)")
            }
        }
    }
}
