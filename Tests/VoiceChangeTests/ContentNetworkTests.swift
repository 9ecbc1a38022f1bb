import Foundation
import Inference
import Separation
import TestSupport
import Testing
import VoiceChange

@Suite struct ContentNetworkTests {
    private static let pack = Repository.root.appendingPathComponent("Models/content")

    /// What a manifest says of its network must be true, and fit the engine.
    @Test(arguments: [
        ("coefficients", 39), ("features", 64), ("hop_milliseconds", 5), ("block_frames", 128),
        ("block_frames", 32), ("reach", -1),
    ])
    func packsThatDoNotFitAreRefused(_ key: String, _ value: Int) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.file("content"), withIntermediateDirectories: false)
        try folder.link("content/model.onnx", to: Self.pack.appendingPathComponent("model.onnx"))
        let data = try Data(contentsOf: Self.pack.appendingPathComponent("model.json"))
        var manifest = try #require(
            JSONSerialization.jsonObject(with: data) as? [String: Any])
        func load() throws -> ContentNetwork? {
            try folder.write(
                "content/model.json", JSONSerialization.data(withJSONObject: manifest))
            let library = ModelLibrary(directories: [folder.path], cache: nil)
            return try library.content.map {
                try ContentNetwork(
                    $0, InferenceRuntime(library: Repository.runtime), threads: 1, cache: nil)
            }
        }
        #expect(try load() != nil)
        manifest[key] = value
        do {
            #expect(try load() == nil)
        } catch ModelError.refused {}
    }
}
