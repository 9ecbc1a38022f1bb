import Foundation
import HTTPAPI
import Testing

@Suite struct ValidationTests {
    private static let id = "2fe8f214-1771-4900-9e7e-570f823bd359"
    private static let stems =
        "'vocals', 'drum', 'piano', 'bass', 'electric_guitar', 'acoustic_guitar', "
        + "'synthesizer', 'strings', 'wind' or 'guitar'"

    private static func fault(_ location: [JSON], _ type: String, _ message: String) -> JSON {
        ["loc": .array(["body"] + location), "msg": .string(message), "type": .string(type)]
    }

    private static func split(_ location: JSON..., type: String, _ message: String) -> JSON {
        fault(["split_input"] + location, type, message)
    }

    static let splits: [(body: String, faults: [JSON])] = [
        (
            "{}",
            [
                split("source_id", type: "missing", "Field required"),
                split("presets", type: "missing", "Field required"),
            ]
        ),
        (
            #"{"source_id":"\#(id)","presets":{}}"#,
            [split("presets", "stem", type: "missing", "Field required")]
        ),
        (
            #"""
            {"source_id":"nope","idempotency_key":5,"presets":{"splitter":"x",
             "dereverb_enabled":"maybe","encoder_format":"wma","stem":"voice","multivocal":"duet",
             "extraction_level":null}}
            """#,
            [
                split(
                    "source_id", type: "uuid_parsing",
                    "Input should be a valid UUID, invalid character: expected an optional prefix "
                        + "of `urn:uuid:` followed by [0-9a-fA-F-], found `n` at 1"),
                split(
                    "presets", "splitter", type: "enum",
                    "Input should be 'andromeda', 'perseus', 'orion', 'phoenix', 'lyra', 'lynx' "
                        + "or 'auto'"),
                split(
                    "presets", "dereverb_enabled", type: "bool_parsing",
                    "Input should be a valid boolean, unable to interpret input"),
                split(
                    "presets", "encoder_format", type: "enum",
                    "Input should be 'mp3', 'wav', 'flac', 'aac' or 'ogg'"),
                split("presets", "stem", type: "literal_error", "Input should be \(stems)"),
                split(
                    "presets", "multivocal", type: "literal_error",
                    "Input should be 'lead_back'"),
                split(
                    "presets", "extraction_level", type: "enum",
                    "Input should be 'deep_extraction' or 'clear_cut'"),
                split(
                    "idempotency_key", type: "uuid_type",
                    "UUID input should be a string, bytes or UUID object"),
            ]
        ),
        (
            #"{"source_id":"\#(id)","presets":{"stem":3,"dereverb_enabled":null}}"#,
            [
                split(
                    "presets", "dereverb_enabled", type: "bool_type",
                    "Input should be a valid boolean"),
                split("presets", "stem", type: "literal_error", "Input should be \(stems)"),
            ]
        ),
        (
            #"{"source_id":"\#(id)","presets":[]}"#,
            [
                split(
                    "presets", type: "model_attributes_type",
                    "Input should be a valid dictionary or object to extract fields from")
            ]
        ),
        (
            "[]",
            [
                split(
                    type: "model_attributes_type",
                    "Input should be a valid dictionary or object to extract fields from")
            ]
        ),
        ("", [split(type: "missing", "Field required")]),
        ("null", [split(type: "missing", "Field required")]),
        (#"{"source_id": nope}"#, [fault([14], "json_invalid", "JSON decode error")]),
    ]

    private static let source = #""source_id":"\#(id)""#

    /// Operations besides the two above.
    static let others: [(path: String, body: String, faults: [JSON])] = [
        (
            "/api/v1/change_voice/",
            #"{\#(source),"presets":{"voice_pack_id":7,"accent":1.5,"tonality_reference":"mine"},"callback_url":"ftp://x"}"#,
            [
                fault(
                    ["presets", "voice_pack_id"], "string_type", "Input should be a valid string"),
                fault(
                    ["presets", "accent"], "less_than_equal",
                    "Input should be less than or equal to 1"),
                fault(
                    ["presets", "tonality_reference"], "enum",
                    "Input should be 'source_file' or 'voice_pack'"),
                fault(
                    ["callback_url"], "url_parsing",
                    "Input should be a valid URL: http:// or https://, a host, and no credentials"),
            ]
        ),
        (
            "/api/v1/change_voice/",
            #"{\#(source),"presets":{"accent":-0.1,"dereverb_enabled":1}}"#,
            [
                fault(["presets", "voice_pack_id"], "missing", "Field required"),
                fault(
                    ["presets", "accent"], "greater_than_equal",
                    "Input should be greater than or equal to 0"),
                fault(
                    ["presets", "dereverb_enabled"], "bool_type", "Input should be a valid boolean"
                ),
            ]
        ),
        (
            "/api/v1/change_voice/",
            #"{\#(source),"presets":{"voice_pack_id":"x","accent":"loud"}}"#,
            [
                fault(
                    ["presets", "accent"], "float_parsing",
                    "Input should be a valid number, unable to parse string as a number")
            ]
        ),
        (
            "/api/v1/change_voice/", #"{\#(source),"presets":{"voice_pack_id":"x","accent":null}}"#,
            [fault(["presets", "accent"], "float_type", "Input should be a valid number")]
        ),
        (
            "/api/v1/split/demuser/", #"{\#(source),"presets":{"stem":"voice"}}"#,
            [
                split("presets", "stem", type: "literal_error", "Input should be 'music'")
            ]
        ),
        (
            "/api/v1/split/voice_clean/",
            #"{\#(source),"presets":{"stem":"voice","noise_cancelling_level":3}}"#,
            [
                split(
                    "presets", "noise_cancelling_level", type: "enum",
                    "Input should be 0, 1 or 2")
            ]
        ),
        (
            "/api/v1/split/multistem/", #"{\#(source),"presets":{"stem_list":[]}}"#,
            [
                split(
                    "presets", "stem_list", type: "too_short",
                    "List should have at least 1 item after validation, not 0")
            ]
        ),
        (
            "/api/v1/split/multistem/",
            #"{\#(source),"presets":{"stem_list":["wind"],"extraction_level":"deep"}}"#,
            [
                split(
                    "presets", "stem_list", 0, type: "literal_error",
                    "Input should be 'vocals', 'drum', 'piano', 'bass', 'electric_guitar' or 'acoustic_guitar'"
                ),
                split(
                    "presets", "extraction_level", type: "enum",
                    "Input should be 'deep_extraction' or 'clear_cut'"),
            ]
        ),
        (
            "/api/v1/split/multistem/",
            #"{\#(source),"presets":{"stem_list":["bass","bass","bass","bass","bass","bass","bass"]}}"#,
            [
                split(
                    "presets", "stem_list", type: "too_long",
                    "List should have at most 6 items after validation, not 7")
            ]
        ),
        (
            "/api/v1/split/batch/stem_separator/",
            #"{"items":[{\#(source),"presets":{"stem":"vocals"}},{"presets":{"stem":"x"}}]}"#,
            [
                split("items", 1, "source_id", type: "missing", "Field required"),
                split(
                    "items", 1, "presets", "stem", type: "literal_error",
                    "Input should be \(stems)"),
            ]
        ),
        (
            "/api/v1/split/batch/demuser/", #"{"items":[]}"#,
            [
                split(
                    "items", type: "too_short",
                    "List should have at least 1 item after validation, not 0")
            ]
        ),
        (
            "/api/v1/split/batch/voice_clean/",
            #"{"items":[\#(Array(repeating: #"{\#(source),"presets":{"stem":"voice"}}"#, count: 101).joined(separator: ","))]}"#,
            [
                split(
                    "items", type: "too_long",
                    "List should have at most 100 items after validation, not 101")
            ]
        ),
        (
            "/api/v1/cancel/", #"{"task_ids":"x"}"#,
            [fault(["task_ids"], "list_type", "Input should be a valid list")]
        ),
        ("/api/v1/cancel/", "{}", [fault(["task_ids"], "missing", "Field required")]),
        (
            "/api/v1/delete/", #"{"source_id":"a-b"}"#,
            [
                fault(
                    ["source_id"], "uuid_parsing",
                    "Input should be a valid UUID, invalid group count: expected 5, found 2")
            ]
        ),
        ("/api/v1/delete/", "{}", [fault(["source_id"], "missing", "Field required")]),
    ]

    static let checks: [(body: String, faults: [JSON])] = [
        ("{}", [fault(["task_ids"], "missing", "Field required")]),
        (
            #"{"task_ids":"x"}"#,
            [fault(["task_ids"], "list_type", "Input should be a valid list")]
        ),
        (
            #"{"task_ids":["\#(id)","2fe8f214",7,"2fe8f214-1771-4900-9e7e-570f823bd35"]}"#,
            [
                fault(
                    ["task_ids", 1], "uuid_parsing",
                    "Input should be a valid UUID, invalid length: expected length 32 for simple "
                        + "format, found 8"),
                fault(
                    ["task_ids", 2], "uuid_type",
                    "UUID input should be a string, bytes or UUID object"),
                fault(
                    ["task_ids", 3], "uuid_parsing",
                    "Input should be a valid UUID, invalid group length in group 4: expected 12, "
                        + "found 11"),
            ]
        ),
        (
            #"{"task_ids":[\#(Array(repeating: #""\#(id)""#, count: 201).joined(separator: ","))]}"#,
            [
                fault(
                    ["task_ids"], "too_long",
                    "List should have at most 200 items after validation, not 201")
            ]
        ),
    ]

    @Test(
        arguments: splits.map { ("/api/v1/split/stem_separator/", $0.body, $0.faults) }
            + checks.map { ("/api/v1/check", $0.body, $0.faults) }
            + others.map { ($0.path, $0.body, $0.faults) })
    func everyFaultIsNamedAtOnce(path: String, body: String, faults: [JSON]) async throws {
        try await TestServer.run { server in
            let reply = try await server.post(path, body)
            #expect(reply.status == 422)
            #expect(try reply.json == ["detail": .array(faults)])
        }
    }

    @Test func theSchemasLimitsAreAllowed() async throws {
        try await TestServer.run { server in
            let ids = (0..<200).map { _ in "\"\(UUID().uuidString)\"" }.joined(separator: ",")
            #expect(
                try await server.post("/api/v1/check/", "{\"task_ids\":[\(ids)]}").status == 200)
            let none = try await server.post("/api/v1/check/", #"{"task_ids":[]}"#)
            #expect(none.text == #"{"result":{}}"#)
            let simple = Self.id.replacingOccurrences(of: "-", with: "")
            let spellings = #"["\#(simple)","{\#(Self.id)}","urn:uuid:\#(Self.id)"]"#
            let reply = try await server.post("/api/v1/check/", #"{"task_ids":\#(spellings)}"#)
            #expect(try reply.json["result"]?[Self.id]?["status"] == "server_error")
        }
    }

    @Test func theContentTypeCounts() async throws {
        try await TestServer.run { server in
            func check(_ type: String?) async throws -> Reply {
                try await server.client.send(
                    "POST", "/api/v1/check/",
                    [("X-License-Key", server.key)] + (type.map { [("Content-Type", $0)] } ?? []),
                    body: Array(#"{"task_ids":[]}"#.utf8))
            }
            for type in [nil, "application/json; charset=utf-8", "application/vnd.x+json"] {
                #expect(try await check(type).status == 200)
            }
            let form = try await check("application/x-www-form-urlencoded")
            #expect(form.status == 422)
            #expect(form.text.contains("model_attributes_type"))
        }
    }

    @Test func aBodyWithoutEndIsRefused() async throws {
        try await TestServer.run { server in
            let long = try await server.post(
                "/api/v1/check/", String(repeating: " ", count: 1_100_000))
            #expect(long.status == 413)
            let broken = try await server.client.send(
                "POST", "/api/v1/check/",
                [("X-License-Key", server.key), ("Content-Length", "100")], body: [0x7B],
                halfClose: true)
            #expect(broken.status == 400)
        }
    }
}

@Suite struct JSONTests {
    @Test(arguments: [
        #"{"a":[1,-2.5,true,false,null,"x"],"b":{}}"#, "[]", #""\"\\\n\u0001é😀""#,
        "9223372036854775807", "[[[]]]",
    ])
    func whatIsWrittenIsWhatWasRead(text: String) throws {
        #expect(try String(decoding: JSON(parsing: Array(text.utf8)).utf8, as: UTF8.self) == text)
    }

    @Test func escapesAndNumbersAreRead() throws {
        func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }
        #expect(try parse(#""\u00e9\ud83d\ude00\/\b\ud800x""#) == .string("é😀/\u{8}\u{FFFD}x"))
        #expect(
            try parse(" [ 1e3 , 0.5, -0 , 92233720368547758080] ")
                == [.number(1000), .number(0.5), 0, .number(92233720368547758080)])
        #expect(try parse(#"{"a":1,"a":2}"#)["a"] == 2)
    }

    @Test(arguments: [
        ("", 0), ("{", 1), ("[1,]", 3), ("01", 0), ("1.", 2), ("tru", 0), ("\"a", 0),
        ("\"\n\"", 1), (#""\x""#, 2), ("{\"a\" 1}", 5), ("[1] x", 4), ("é", 0), ("[\"é\" x", 5),
        ("nan", 0), ("-", 0), ("[\u{0}", 1),
    ])
    func whatIsNotJSONIsRefusedWhereItStops(text: String, position: Int) {
        let error = #expect(throws: NotJSON.self) { try JSON(parsing: Array(text.utf8)) }
        #expect(error?.position == position)
    }

    @Test func depthIsLimitedAndBrokenUTF8Refused() {
        #expect(throws: NotJSON.self) {
            try JSON(parsing: [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000))
        }
        #expect(throws: NotJSON.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
    }
}
