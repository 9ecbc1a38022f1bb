import Foundation
import Media
import TestSupport

extension MediaTools {
    /// A track that holds the sound of a recording as it was decoded, and all else that a track takes over.
    func copy(
        _ source: URL, as format: TrackFormat? = nil, title: String = "vocals",
        in folder: TemporaryFolder
    ) async throws -> URL {
        let info = try await probe(source.path, tags: true)
        let format = format ?? info.naturalFormat
        let carryover = try await carryover(
            from: source.path, info, to: format, folder: folder.path)
        defer { carryover.cleanUp() }
        let copy = folder.file("\(UUID().uuidString).\(format.fileExtension)")
        let encoder = Encoder(
            self, file: copy.path, format: format, sampleRate: info.sampleRate,
            channels: info.channels, channelLayout: info.channelLayout,
            carryover: carryover.titled(title))
        try await decode(source.path, info) { try await encoder.write($0) }
        try await encoder.finish()
        return copy
    }
}

/// What ffprobe says of a file, a line for each thing.
func facts(_ file: URL, _ arguments: [String]) throws -> [String] {
    let probe = try run(
        "ffprobe", ["-v", "error"] + arguments + ["-of", "compact=p=0:nk=1", file.path])
    return String(decoding: probe.output, as: UTF8.self).split(separator: "\n").map(String.init)
}

/// By how many samples a recording is later than another that sounds like it, where their correlation is largest.
func shift(_ samples: [Float], after reference: [Float]) -> Int {
    let reach = 1500
    let count = min(samples.count, reference.count, 16_000) - 2 * reach
    precondition(count > 10_000, "too short to tell")
    let correlation = samples.withUnsafeBufferPointer { samples in
        reference.withUnsafeBufferPointer { reference in
            (-reach...reach).map { lag in
                var sum = SIMD8<Float>()
                for start in stride(from: reach, to: reach + count - 8, by: 8) {
                    for index in 0..<8 {
                        sum[index] += samples[start + lag + index] * reference[start + index]
                    }
                }
                return sum.sum()
            }
        }
    }
    return correlation.indices.max { correlation[$0] < correlation[$1] }! - reach
}
