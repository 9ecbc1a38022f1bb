import AsyncAlgorithms
import Foundation
import Media
import Separation

/// Decodes and separates a job's input, and hands on what is separated; each beside the others, joined by bounded queues.
struct SeparationPipeline: Sendable {
    /// What is handed on.
    typealias Blocks = AsyncBufferSequence<AsyncChannel<SeparatedBlock>>

    /// Seconds in which the engine had nothing to do.
    struct Waits: Sendable {
        /// As no samples had been decoded.
        var decode = 0.0
        /// As what it had separated was not taken.
        var encode = 0.0
    }

    let input: JobInput
    private let tools: MediaTools
    private let separator: Separator
    private let inferenceBefore: Double
    private let engine: EngineActor

    /// Reads the file once, and loads the networks that it needs beside that.
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
                channels: input.info.channels, meanSquare: input.survey.meanSquare))
        self.tools = tools
        self.separator = separator
        self.input = input
        self.engine = engine
    }

    /// Where the time of the engine went.
    var seconds: StageSeconds { get async { await engine.seconds } }

    /// Seconds of the clock in which at least one network of the separation ran.
    var inferenceSeconds: Double { separator.inferenceSeconds - inferenceBefore }

    private enum Part<Value: Sendable>: Sendable {
        case decoded
        case separated(Waits)
        case consumed(Value)
    }

    /// Does it, once.
    /// - Parameter consume: Takes all blocks.
    /// - Throws: `MediaError`, `ModelError`, `CancellationError`, or what `consume` throws.
    func run<Value: Sendable>(
        _ consume: @escaping @Sendable (Blocks) async throws -> Value
    ) async throws -> (Value, Waits) {
        let decoded = AsyncChannel<[[Float]]>()
        let separated = AsyncChannel<SeparatedBlock>()
        return try await withThrowingTaskGroup(of: Part<Value>.self) { group in
            group.addTask {
                defer { decoded.finish() }
                try await tools.decode(input.path, input.info) { await decoded.send($0) }
                return .decoded
            }
            group.addTask {
                defer { separated.finish() }
                return .separated(try await separate(decoded, into: separated))
            }
            group.addTask {
                .consumed(try await consume(separated.buffer(policy: .bounded(4))))
            }
            var value: Value?
            var waits = Waits()
            for try await part in group {
                switch part {
                case .decoded: break
                case .separated(let found): waits = found
                case .consumed(let found): value = found
                }
            }
            return (value!, waits)
        }
    }

    private func separate(
        _ decoded: AsyncChannel<[[Float]]>, into separated: AsyncChannel<SeparatedBlock>
    ) async throws -> Waits {
        var waits = Waits()
        func send(_ blocks: [SeparatedBlock]) async {
            let began = ContinuousClock.now
            for block in blocks { await separated.send(block) }
            waits.encode += began.secondsAgo
        }
        var began = ContinuousClock.now
        for await block in decoded.buffer(policy: .bounded(4)) {
            waits.decode += began.secondsAgo
            try Task.checkCancellation()
            await send(try await engine.push(block))
            began = .now
        }
        try Task.checkCancellation()
        while true {
            let blocks = try await engine.finish()
            if blocks.isEmpty { return waits }
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
