import Foundation

/// What to separate, and what is known of the whole recording beforehand.
public struct SeparationRequest: Sendable {
    public let kind: SplitKind
    /// Hz.
    public let sampleRate: Int
    public let channels: Int
    /// Over all samples of all channels; 0 for silence.
    public let meanSquare: Double

    public init(kind: SplitKind, sampleRate: Int, channels: Int, meanSquare: Double) {
        self.kind = kind
        self.sampleRate = sampleRate
        self.channels = channels
        self.meanSquare = meanSquare
    }
}

/// The engine: the installed networks, loaded and checked once, for any number of recordings.
public final class Separator: Sendable {
    /// Packs that were found but refused when they were loaded, a sentence each.
    public let notes: [String]
    private let networks: [CompiledNetwork]
    private let fusion: Fusion?

    /// Loads every pack of the library.
    /// - Parameters:
    ///   - runtime: The path of `libopenvino_c.so`.
    ///   - threads: Processor cores that inference may use.
    /// - Throws: ``SeparationError/runtimeMissing(reason:)``. A bad pack is refused and noted, and the
    ///   others serve.
    public init(library: ModelLibrary, runtime: String, threads: Int) throws {
        let inference = try InferenceRuntime(library: runtime)
        var networks: [CompiledNetwork] = []
        var notes = library.notes
        for pack in library.packs {
            do throws(SeparationError) {
                try pack.verify()
                let network = try inference.compile(pack, threads: threads, cache: library.cache)
                try Separator.tryOut(network)
                networks.append(network)
            } catch {
                notes.append(error.description)
            }
        }
        self.networks = networks.filter { network in
            let fault = network.manifest.fault(beside: networks.map(\.manifest))
            if let fault {
                notes.append(
                    SeparationError.refused(pack: network.manifest.name, reason: fault).description)
            }
            return fault == nil
        }
        self.notes = notes
        fusion = library.fusion
    }

    /// Stems that can be separated.
    public var stems: [String] { Set(networks.flatMap(\.manifest.offered)).sorted() }

    /// Begins a recording.
    /// - Throws: ``SeparationError/notInstalled(stems:)``.
    public func makeStream(_ request: SeparationRequest) throws -> any StemStream {
        switch request.kind {
        case .stems(let stems, let clearCut):
            try SeparationStream(
                SeparationPlan(stems, clearCut: clearCut, networks, fusion), request)
        }
    }

    /// Runs the network once: on a quiet, even spectrum its masks must be numbers that sum to one.
    private static func tryOut(_ network: CompiledNetwork) throws(SeparationError) {
        let request = try InferenceRequest(network)
        for index in 0..<request.input.count { request.input.pointer[index] = 0.1 }
        try request.run()
        let size = network.outputShape.dropFirst().reduce(1, *)
        for index in 0..<size {
            var sum: Float = 0
            for stem in 0..<network.outputShape[0] {
                sum += request.output.pointer[stem * size + index]
            }
            if !(abs(sum - 1) < 1e-3) {
                throw .refused(
                    pack: network.manifest.name,
                    reason: "its masks sum to \(sum) in a test inference, not to 1")
            }
        }
    }
}
