import AsyncAlgorithms
import Foundation
import Media
import Separation

/// Separates a job's input, and hands on what is separated; both side by side, joined by a bounded queue.
struct SeparationPipeline: Sendable {
    /// What is handed on.
    typealias Blocks = AsyncBufferSequence<AsyncChannel<SeparatedBlock>>

    let input: JobInput
    private let separator: Separator
    private let inferenceBefore: Double
    private let engine: EngineActor

    /// Decodes the file, and loads the networks that it needs beside that.
    /// - Parameters: Those of ``JobInput/init(_:format:folder:_:)``, and what to do.
    /// - Throws: `MediaError`, `ModelError`.
    init(
        _ tools: MediaTools, _ separator: Separator, _ file: String, format: AudioFormat?,
        folder: String, _ kind: SplitKind, dereverb: Bool
    ) async throws {
        try separator.requireInstalled(kind, dereverb: dereverb)
        let engine = EngineActor(separator)
        async let loading: Void = engine.load(kind, dereverb: dereverb)
        let input = try await JobInput(file, format: format, folder: folder, tools)
        try await loading
        inferenceBefore = separator.inferenceSeconds
        try await engine.begin(
            SeparationRequest(
                kind: kind, dereverb: dereverb, sampleRate: input.info.sampleRate,
                channels: input.info.channels, meanSquare: input.audio.meanSquare))
        self.separator = separator
        self.input = input
        self.engine = engine
    }

    /// Where the time of the engine went.
    var seconds: StageSeconds { get async { await engine.seconds } }

    /// Seconds of the clock in which at least one network of the separation ran.
    var inferenceSeconds: Double { separator.inferenceSeconds - inferenceBefore }

    /// Does it, once.
    /// - Parameter consume: Takes all blocks.
    /// - Returns: What `consume` does, and the seconds in which the engine had nothing to do, as what it had separated was
    ///   not taken.
    /// - Throws: `ModelError`, `POSIXError`, `CancellationError`, or what `consume` throws.
    func run<Value: Sendable>(
        _ consume: @escaping @Sendable (Blocks) async throws -> Value
    ) async throws -> (Value, encodeWait: Double) {
        let separated = AsyncChannel<SeparatedBlock>()
        return try await withThrowingTaskGroup(of: Part<Value>.self) { group in
            group.addTask {
                defer { separated.finish() }
                return .separated(wait: try await separate(into: separated))
            }
            group.addTask {
                .consumed(try await consume(separated.buffer(policy: .bounded(4))))
            }
            var value: Value?
            var encodeWait = 0.0
            for try await part in group {
                switch part {
                case .separated(let wait): encodeWait = wait
                case .consumed(let found): value = found
                }
            }
            return (value!, encodeWait)
        }
    }

    private enum Part<Value: Sendable>: Sendable {
        case separated(wait: Double)
        case consumed(Value)
    }

    private func separate(into separated: AsyncChannel<SeparatedBlock>) async throws -> Double {
        var wait = 0.0
        func send(_ blocks: [SeparatedBlock]) async {
            let began = ContinuousClock.now
            for block in blocks { await separated.send(block) }
            wait += began.secondsAgo
        }
        try await input.audio.forEach { await send(try await engine.push($0)) }
        while true {
            try Task.checkCancellation()
            let blocks = try await engine.finish()
            if blocks.isEmpty { return wait }
            await send(blocks)
        }
    }
}

/// Runs the engine on a thread of its own, so that heartbeats never wait for a network.
private actor EngineActor {
    private let queue = EngineQueue()
    private let separator: Separator
    private var stream: (any StemStream)?

    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    init(_ separator: Separator) { self.separator = separator }

    func load(_ kind: SplitKind, dereverb: Bool) throws {
        try separator.load(kind, dereverb: dereverb)
    }
    func begin(_ request: SeparationRequest) throws {
        stream = try separator.makeStream(request)
    }

    var seconds: StageSeconds { stream!.seconds }

    func push(_ block: [[Float]]) throws -> [SeparatedBlock] { try stream!.push(block) }
    func finish() throws -> [SeparatedBlock] { try stream!.finish() }
}

/// A thread for work that keeps a processor busy.
final class EngineQueue: SerialExecutor {
    private let queue = DispatchQueue(label: "partita.engine")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
