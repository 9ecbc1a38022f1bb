import DSP
import Foundation

/// A pack that was built, not yet on disk; ``VoiceLibrary/add(_:to:)`` writes it.
public struct VoicePackContent: Sendable {
    public let manifest: VoiceManifest
    let codebook: Data
}

/// Makes a voice pack of recordings of one speaker: ``begin(recording:sampleRate:pitch:)``, ``push(_:)`` and ``end()``
/// for one after the other, then ``finish(_:)``.
///
/// Memory does not grow with the recordings: of all frames, a sample of fixed size is kept that is spread evenly over
/// them. The same recordings in the same order make the same pack.
public final class VoicePackBuilder {
    /// Who the voice is.
    public struct Description: Sendable {
        public var id: String
        public var name: String
        public var text: String
        /// Unix seconds.
        public var created: Int
        /// The license that owns the pack; nil: everybody's.
        public var license: String?
        public var sources: [VoiceManifest.Source]

        public init(
            id: String, name: String, text: String = "", created: Int, license: String? = nil,
            sources: [VoiceManifest.Source] = []
        ) {
            self.id = id
            self.name = name
            self.text = text
            self.created = created
            self.license = license
            self.sources = sources
        }
    }

    /// Seconds of voice, short pauses included, that a pack needs: what a recording of 30 s holds.
    public static let secondsNeeded = 22.0
    /// Entries that a codebook gets at most.
    private static let entryLimit = 2400
    /// Frames of 5 ms from one that is looked at to the next: half of the distance of a frame's context.
    private static let step = 3

    private struct Frame {
        var voiced: Bool
        var frequency: Float
        var cepstrum: [Float]
        var aperiodicity: [Float]
    }

    private struct Entry {
        var frame: Frame
        var before: [Float]
        var after: [Float]
    }

    private struct Recording {
        let name: String
        let frames: VoiceFrames
        let frame: VoiceFrame
        let mel: MelCepstrum
        var check: RecordingCheck
        /// The last five frames: context, frame and context.
        var recent: [Frame] = []
    }

    private var collector: StatisticsCollector
    private var entries = Reservoir<Entry>(limit: entryLimit)
    private var seconds = 0.0
    private var recording: Recording?
    private let pitchFactor: Float
    private let breath: Float
    private let warp: [[Float]]?
    private let offset: [Float]

    /// - Parameter character: What the voice is made to be; by default what it is.
    public init(character: VoiceCharacter = VoiceCharacter()) {
        pitchFactor = Float(exp2(character.pitch / 12))
        breath = Float(character.breath)
        (warp, offset) = character.cepstra()
        collector = StatisticsCollector(secondsPerFrame: Self.secondsPerFrame)
    }

    private static let secondsPerFrame = 0.005 * Double(step)

    /// Begins a recording.
    /// - Parameters:
    ///   - name: What a refusal calls it.
    ///   - sampleRate: Hertz, from 8000 on.
    ///   - pitch: Of the whole recording.
    /// - Throws: ``VoiceError/transform(size:)``.
    public func begin(recording name: String, sampleRate: Int, pitch: PitchTrack)
        throws(VoiceError)
    {
        let shape = VoiceShape(sampleRate: sampleRate)
        recording = Recording(
            name: name, frames: try VoiceFrames(shape, pitch: pitch, step: Self.step),
            frame: VoiceFrame(shape), mel: MelCepstrum(shape),
            check: RecordingCheck(secondsPerFrame: Self.secondsPerFrame))
    }

    /// Takes the next mono samples of the recording.
    public func push(_ samples: [Float]) {
        guard let recording else { preconditionFailure("no recording was begun") }
        samples.withUnsafeBufferPointer { samples in
            self.recording!.check.add(samples)
            recording.frames.push(samples, frame: recording.frame) { add($1) }
        }
    }

    /// Ends the recording.
    /// - Throws: ``VoiceError``: it is silent, clipped, or not a voice. No pack can be made then.
    public func end() throws(VoiceError) {
        guard let recording else { preconditionFailure("no recording was begun") }
        recording.frames.finish(frame: recording.frame) { add($1) }
        let check = self.recording!.check
        self.recording = nil
        try check.judge(recording: recording.name)
        seconds += check.seconds
    }

    private func add(_ frame: VoiceFrame) {
        let own = recording!.mel.analyze(frame.envelope)
        let cepstrum = zip(warp?.applied(to: own) ?? own, offset).map { $0 + $1 }
        let voiced = frame.frequency > 0 && !frame.isSilent
        recording!.check.add(level: frame.level, voiced: voiced)
        recording!.recent.append(
            Frame(
                voiced: voiced, frequency: frame.frequency * pitchFactor, cepstrum: cepstrum,
                aperiodicity: frame.aperiodicity.map { min(0, max(-60, $0 + breath)) }))
        guard recording!.recent.count == 5 else { return }
        let recent = recording!.recent
        recording!.recent.removeFirst()
        let middle = recent[2]
        guard middle.voiced,
            collector.add(
                frequency: middle.frequency, cepstrum: middle.cepstrum,
                aperiodicity: middle.aperiodicity)
        else { return }
        entries.add(
            Entry(frame: middle, before: recent[0].cepstrum, after: recent[4].cepstrum))
    }

    /// Makes the pack.
    /// - Throws: ``VoiceError/tooShort(seconds:needed:)``, ``VoiceError/noVoice``, ``VoiceError/badID(_:)``.
    public func finish(_ description: Description) throws(VoiceError) -> VoicePackContent {
        guard VoiceManifest.isID(description.id) else { throw .badID(description.id) }
        guard let statistics = collector.statistics() else { throw .noVoice }
        guard seconds >= Self.secondsNeeded else {
            throw .tooShort(seconds: seconds, needed: Self.secondsNeeded)
        }
        let codebook = codebook(statistics)
        let manifest = VoiceManifest(
            format: 1, kind: "codebook", id: description.id, name: description.name,
            description: description.text, created: description.created,
            license: description.license, sources: description.sources,
            sha256: Voice.hash(codebook), entries: entries.elements.count,
            statistics: statistics)
        return VoicePackContent(manifest: manifest, codebook: codebook)
    }

    /// The entries as `codebook.bin` has them.
    private func codebook(_ statistics: VoiceStatistics) -> Data {
        var data = Data(capacity: entries.elements.count * TimbreCodebook.entryWidth * 2)
        func append(_ value: Float) {
            let bits = Float16(max(-999, min(999, value))).bitPattern
            data.append(UInt8(truncatingIfNeeded: bits))
            data.append(UInt8(truncatingIfNeeded: bits >> 8))
        }
        for entry in entries.elements {
            let features = TimbreCodebook.features(
                of: entry.frame.cepstrum, before: entry.before, after: entry.after, statistics)
            for vector in features { for lane in vector.indices { append(vector[lane]) } }
            append(0)
            for value in entry.frame.cepstrum.dropFirst() { append(value) }
            let bands = entry.frame.aperiodicity
            for band in 0..<VoiceStatistics.bands {
                append(bands.isEmpty ? 0 : bands[min(band, bands.count - 1)])
            }
        }
        return data
    }
}
