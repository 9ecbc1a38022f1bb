import AsyncAlgorithms
import Foundation
import Media
import Separation

/// Decodes a job's input, separates it, and hands on what is separated; all side by side, joined by bounded queues.
struct SeparationPipeline: Sendable {
    /// What is handed on.
    typealias Blocks = AsyncBufferSequence<AsyncChannel<SeparatedBlock>>

    let tools: MediaTools
    let separator: Separator
    /// Whatever ffmpeg reads.
    let file: String
    /// Of the job's tracks; `nil`: that of the source, which for a film is a film.
    let format: AudioFormat?
    /// The job's own.
    let folder: String
    let kind: SplitKind
    let dereverb: Bool

    /// What came of it.
    struct Outcome<Value: Sendable>: Sendable {
        /// All of it is decoded.
        let input: JobInput
        let value: Value
        let seconds: JobSeconds
    }

    /// Does it, once.
    /// - Parameter consume: Takes all blocks.
    /// - Throws: `MediaError`, `ModelError`, `POSIXError`, `CancellationError`, or what `consume` throws.
    func run<Value: Sendable>(
        _ consume: @escaping @Sendable (JobInput, Blocks) async throws -> Value
    ) async throws -> Outcome<Value> {
        try separator.requireInstalled(kind, dereverb: dereverb)
        let engine = EngineActor(separator)
        async let loading: Void = engine.load(kind, dereverb: dereverb)
        let info = try await tools.probe(file, tags: true)
        let audio = try DecodedAudio(tools, file, info, folder: folder)
        async let decoding: Void = audio.decode()
        let input = try await JobInput(file, info, audio, format: format, folder: folder, tools)
        try await loading
        let inferenceBefore = separator.inferenceSeconds
        try await engine.begin(
            SeparationRequest(
                kind: kind, dereverb: dereverb, sampleRate: info.sampleRate, channels: info.channels
            ))
        let (value, encodeWait) = try await separate(input, by: engine, consume)
        try await decoding
        let seconds = JobSeconds(
            decode: audio.decodingTime.seconds, decodeWait: audio.waitingTime.seconds,
            encodeWait: encodeWait,
            inference: separator.inferenceSeconds - inferenceBefore,
            engine: await engine.seconds)
        return Outcome(input: input, value: value, seconds: seconds)
    }

    private enum Part<Value: Sendable>: Sendable {
        case separated(wait: Double)
        case consumed(Value)
    }

    /// - Returns: What `consume` does, and the seconds in which the engine had nothing to do, as what it had separated was
    ///   not taken.
    private func separate<Value: Sendable>(
        _ input: JobInput, by engine: EngineActor,
        _ consume: @escaping @Sendable (JobInput, Blocks) async throws -> Value
    ) async throws -> (Value, encodeWait: Double) {
        let separated = AsyncChannel<SeparatedBlock>()
        return try await withThrowingTaskGroup(of: Part<Value>.self) { group in
            group.addTask {
                let wait = try await push(input.audio, to: engine, separated)
                // Where that fails, it must not look like the end: the group cancels who waits for more.
                separated.finish()
                return .separated(wait: wait)
            }
            group.addTask {
                .consumed(try await consume(input, separated.buffer(policy: .bounded(4))))
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

    private func push(
        _ audio: DecodedAudio, to engine: EngineActor, _ separated: AsyncChannel<SeparatedBlock>
    ) async throws -> Double {
        var wait = 0.0
        func send(_ blocks: [SeparatedBlock]) async {
            let began = ContinuousClock.now
            for block in blocks { await separated.send(block) }
            wait += began.secondsAgo
        }
        try await audio.forEach { await send(try await engine.push($0)) }
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
