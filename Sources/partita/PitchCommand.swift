import ArgumentParser
import Foundation
import Inference
import Media
import VoiceChange

/// `partita pitch`
struct PitchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pitch",
        abstract: "Prints the pitch of a voice, every 5 ms.",
        discussion: """
            Lines of “seconds,hertz”; 0 hertz where there is no voice with a pitch. Of several channels the mean is \
            listened to. The recording should be of one voice alone: `partita split --stem vocals` makes one of a song. \
            Exit codes: 0 done, 1 failed, 2 wrong usage.
            """)

    @Argument(help: "An audio or video file.")
    var file: String

    func run() async throws {
        let library = Installation.library()
        guard let pack = library.pitch else { throw ModelError.notInstalled(stems: ["pitch"]) }
        let network = try PitchNetwork(
            pack, InferenceRuntime(library: Installation.runtime()), threads: 1,
            cache: library.cache)
        let tools = try MediaTools()
        let info = try await tools.probe(file)
        let printer = try Printer(network, sampleRate: info.sampleRate)
        try await tools.decode(file, info) { try await printer.push($0) }
        try await printer.finish()
    }

    private actor Printer {
        private let tracker: PitchTracker
        private var frame = 0

        init(_ network: PitchNetwork, sampleRate: Int) throws {
            tracker = try PitchTracker(network, sampleRate: sampleRate)
        }

        func push(_ block: [[Float]]) throws {
            let scale = 1 / Float(block.count)
            let mean = block[0].indices.map { index in
                scale * block.reduce(0) { $0 + $1[index] }
            }
            printLines(try mean.withUnsafeBufferPointer { try tracker.push($0) })
        }

        func finish() throws { printLines(try tracker.finish()) }

        private func printLines(_ frequencies: [Float]) {
            guard !frequencies.isEmpty else { return }
            let lines = frequencies.enumerated().map { offset, frequency in
                String(format: "%.3f,%.2f", Double(frame + offset) * 0.005, frequency)
            }
            frame += frequencies.count
            Output.line(lines.joined(separator: "\n"))
        }
    }
}
