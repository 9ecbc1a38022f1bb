import DSP
import Foundation

/// A pack that was built, not yet on disk; ``VoiceLibrary/add(_:to:)`` writes it.
public struct VoicePackContent: Sendable {
    public let manifest: VoiceManifest
    let codebook: Data
}

/// Makes a voice pack of recordings of one speaker: ``begin(recording:sampleRate:pitch:statistics:)``, ``push(_:)`` and
/// ``end()`` for one after the other, then ``finish(_:)``.
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
    /// Entries that codebooks get at most.
    private static let (voicedLimit, unvoicedLimit) = (2400, 1200)
    /// Entries of unvoiced frames, 1 s, without which there is no model of them.
    private static let unvoicedNeeded = 100
    /// Frames of 5 ms from one that is looked at to the next: those of the content network.
    private static let step = 2

    private struct Frame {
        let voiced: Bool
        let frequency: Float
        let cepstrum: [Float]
        let aperiodicity: [Float]
    }

    private struct Recording {
        let name: String
        let frames: VoiceFrames
        let frame: VoiceFrame
        let mel: MelCepstrum
        let content: ContentStream?
        let spectrum: LongTermSpectrumMeter
        var check: RecordingCheck
        /// Frames whose content is not known yet.
        var unheard: [Frame] = []
    }

    private let network: ContentNetwork

    private var collector: StatisticsCollector
    private var voiced = TimbreModelCollector(limit: voicedLimit)
    private var unvoiced = TimbreModelCollector(limit: unvoicedLimit)
    private var energies: [Double] = []
    private var seconds = 0.0
    private var recording: Recording?
    private let character: VoiceCharacter
    private let pitchFactor: Float
    private let breath: Float
    private let warp: [[Float]]?
    private let offset: [Float]

    /// - Parameters:
    ///   - network: What tells what is said in the recordings.
    ///   - character: What the voice is made to be; by default what it is.
    public init(_ network: ContentNetwork, character: VoiceCharacter = VoiceCharacter()) {
        self.network = network
        self.character = character
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
    ///   - statistics: What a ``VoiceSurvey`` of it found; nil: no voice. ``end()`` will tell why then.
    /// - Throws: ``VoiceError/transform(size:)``, `ModelError`.
    public func begin(
        recording name: String, sampleRate: Int, pitch: PitchTrack, statistics: VoiceStatistics?
    ) throws {
        let shape = VoiceShape(sampleRate: sampleRate)
        recording = Recording(
            name: name, frames: try VoiceFrames(shape, pitch: pitch, step: Self.step),
            frame: VoiceFrame(shape), mel: MelCepstrum(shape),
            content: try statistics.map { try ContentStream(network, $0) },
            spectrum: try LongTermSpectrumMeter(shape),
            check: RecordingCheck(secondsPerFrame: Self.secondsPerFrame))
    }

    /// Takes the next mono samples of the recording.
    /// - Throws: `ModelError`.
    public func push(_ samples: [Float]) throws {
        guard let recording else { preconditionFailure("no recording was begun") }
        try samples.withUnsafeBufferPointer { samples in
            self.recording!.check.add(samples)
            recording.spectrum.add(samples)
            try recording.frames.push(samples, frame: recording.frame) { try add($1) }
        }
    }

    /// Ends the recording.
    /// - Throws: ``VoiceError``: it is silent, clipped, or not a voice. No pack can be made then. `ModelError`.
    public func end() throws {
        guard let recording else { preconditionFailure("no recording was begun") }
        try recording.frames.finish(frame: recording.frame) { try add($1) }
        hear(try recording.content?.finish() ?? [])
        add(recording.spectrum.energies)
        let check = self.recording!.check
        self.recording = nil
        try check.judge(recording: recording.name)
        seconds += check.seconds
    }

    private func add(_ frame: VoiceFrame) throws {
        let own = recording!.mel.analyze(frame.envelope)
        let voiced = frame.frequency > 0 && !frame.isSilent
        recording!.check.add(level: frame.level, voiced: voiced)
        guard let content = recording!.content else { return }
        recording!.unheard.append(
            Frame(
                voiced: voiced, frequency: frame.frequency * pitchFactor,
                cepstrum: zip(warp?.applied(to: own) ?? own, offset).map { $0 + $1 },
                aperiodicity: frame.aperiodicity.map { min(0, max(-60, $0 + breath)) }))
        // What is said is told by the voice as it is, whatever it is made to be.
        hear(try content.push(cepstrum: own, isVoiced: voiced))
    }

    /// Adds the energies of a recording in bands that all of them have.
    private func add(_ energies: [Double]) {
        self.energies =
            self.energies.isEmpty ? energies : zip(self.energies, energies).map { $0 + $1 }
    }

    /// Takes in what is said in the next frames.
    private func hear(_ contents: [Content]) {
        for (content, frame) in zip(contents, recording!.unheard) {
            if !frame.voiced {
                guard collector.counts(unvoiced: frame.cepstrum) else { continue }
                unvoiced.add(
                    content, cepstrum: frame.cepstrum, aperiodicity: frame.aperiodicity)
            } else if collector.add(
                frequency: frame.frequency, cepstrum: frame.cepstrum,
                aperiodicity: frame.aperiodicity)
            {
                voiced.add(content, cepstrum: frame.cepstrum, aperiodicity: frame.aperiodicity)
            }
        }
        recording!.unheard.removeFirst(contents.count)
    }

    /// Makes the pack.
    /// - Throws: ``VoiceError/tooShort(seconds:needed:)``, ``VoiceError/noVoice``, ``VoiceError/badID(_:)``.
    public func finish(_ description: Description) throws(VoiceError) -> VoicePackContent {
        guard VoiceManifest.isID(description.id) else { throw .badID(description.id) }
        guard let statistics = collector.statistics(),
            let spectrum = LongTermSpectrum(powers: energies)
        else { throw .noVoice }
        guard seconds >= Self.secondsNeeded else {
            throw .tooShort(seconds: seconds, needed: Self.secondsNeeded)
        }
        let hasUnvoiced = unvoiced.entryCount >= Self.unvoicedNeeded
        let codebook = Self.data(voiced.numbers() + (hasUnvoiced ? unvoiced.numbers() : []))
        let manifest = VoiceManifest(
            format: VoiceManifest.format, kind: VoiceManifest.kind, id: description.id,
            name: description.name,
            description: description.text, created: description.created,
            license: description.license, sources: description.sources,
            sha256: Voice.hash(codebook), content: network.sha256, entries: voiced.entryCount,
            unvoiced: hasUnvoiced
                ? .init(entries: unvoiced.entryCount, spread: unvoiced.spread) : nil,
            statistics: statistics,
            spectrum: character.spectrum(
                spectrum, fundamental: statistics.medianFrequency))
        return VoicePackContent(manifest: manifest, codebook: codebook)
    }

    /// Numbers as `codebook.bin` has them.
    private static func data(_ numbers: [Float]) -> Data {
        var data = Data(capacity: numbers.count * 2)
        for number in numbers {
            let bits = Float16(max(-999, min(999, number))).bitPattern
            data.append(UInt8(truncatingIfNeeded: bits))
            data.append(UInt8(truncatingIfNeeded: bits >> 8))
        }
        return data
    }
}
