import DSP
import Foundation
import TestSupport
import Testing
import VoiceChange

@Suite struct VoiceConverterTests {
    static let male = "eval/solo/smstools_speech-male.flac"
    static let female = "eval/solo/smstools_speech-female.flac"
    static let singing = "eval/solo/vocadito_1_singing.flac"

    /// Semitones between the tracked pitch of a result and that of the recording, frame by frame.
    func moves(_ source: Spoken, _ result: [Float]) throws -> [Double] {
        let again = try Spoken(result, rate: source.rate)
        return zip(source.pitch.frequencies, again.pitch.frequencies).compactMap {
            $0 > 0 && $1 > 0 ? 12 * log2(Double($1 / $0)) : nil
        }
    }

    @Test(arguments: [male, female])
    func speechTakesThePitchOfThePack(_ path: String) throws {
        let source = try Spoken(path)
        let voice = try Packs.kathleen.get()
        let (result, map) = try source.convert(
            to: voice, .init(accent: 0, tonality: .voicePack, isSong: false))
        #expect(result[0].count == source.samples.count)
        let median = try Spoken(result[0], rate: source.rate).survey().statistics.medianFrequency
        let asked = voice.manifest.statistics.medianFrequency
        #expect(abs(12 * log2(median / asked)) < 0.3)
        #expect(!map.isIdentity)
    }

    @Test func songsMoveByWholeSemitonesOrOctaves() throws {
        let source = try Spoken(Self.singing, seconds: 10)
        for (tonality, unit) in [(VoiceSettings.Tonality.voicePack, 1.0), (.sourceFile, 12.0)] {
            let (result, map) = try source.convert(
                to: Packs.kathleen.get(), .init(accent: 1, tonality: tonality, isSong: true))
            #expect(map.shift.remainder(dividingBy: unit) == 0 && map.spread == 1)
            let moved = try moves(source, result[0])
            #expect(moved.count > 300)
            #expect(abs(median(moved) - map.shift) < 0.3)
        }
    }

    @Test(arguments: [VoiceSettings.Tonality.voicePack, .sourceFile])
    func blocksAndTimesDoNotChangeTheResult(_ tonality: VoiceSettings.Tonality) throws {
        let source = try Spoken(Self.male, seconds: 2.5)
        let settings = VoiceSettings(accent: 0.7, tonality: tonality, isSong: false)
        let voice = try Packs.kathleen.get()
        let whole = try source.convert(
            to: voice, settings, block: source.samples.count, channels: [0.7, -0.3])
        for block in [source.samples.count, 441, 10_007] {
            let again = try source.convert(
                to: voice, settings, block: block, channels: [0.7, -0.3])
            let same = again.samples == whole.samples
            #expect(same)
        }
    }

    /// The end of a long recording whose pitch stays takes no more memory than its middle.
    @Test func memoryDoesNotGrowAtTheEnd() throws {
        let source = try Spoken(Self.female)
        let times = 240 * source.rate / source.samples.count
        let pitch = (0..<times).flatMap { _ in source.pitch.frequencies }
        let converter = try VoiceConverter(
            voice: Packs.kathleen.get(),
            settings: .init(accent: 0, tonality: .sourceFile, isSong: false),
            source: source.survey(), pitch: PitchTrack(frequencies: pitch), sampleRate: source.rate)
        #expect(converter.pitchMap.isIdentity)
        func resident() throws -> Int {
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
            return try #require(Int(pages.split(separator: " ")[1])) * 4 / 1024
        }
        for _ in 0..<times { _ = try converter.push([source.samples]) }
        let before = try resident()
        _ = try converter.finish()
        let after = try resident()
        withExtendedLifetime(converter) {}
        print("Resident before the end: \(before) MiB, after: \(after) MiB")
        #expect(after < before + 20)
    }

    /// Where the content network's blocks lie in a recording does not matter.
    @Test func aVoiceThatBeginsLaterSoundsTheSame() throws {
        // A rate at which frames lie at whole samples.
        let source = try Spoken(Self.female, rate: 48_000, seconds: 6)
        let (later, frames) = (38_400, 160)
        let shifted = Spoken(
            samples: [Float](repeating: 0, count: later) + source.samples, rate: source.rate,
            pitch: PitchTrack(
                frequencies: [Float](repeating: 0, count: frames) + source.pitch.frequencies))
        let settings = VoiceSettings(accent: 1, tonality: .sourceFile, isSong: false)
        // A voice as high as this one, so that nothing is made anew, with noise that depends on time.
        let voice = try Packs.kathleen.get()
        let (unshifted, map) = try source.convert(to: voice, settings)
        #expect(map.isIdentity)
        let before = unshifted[0]
        let after = try shifted.convert(to: voice, settings).samples[0]
        // The first frames have silence before them, or nothing.
        let begun = 24_000
        #expect(
            difference([Array(after[(later + begun)...])], [Array(before[begun...])]) < -60)
    }

    /// The pack of a speaker leaves another recording of the same one nearly as it is.
    @Test func theSameSpeakerStaysTheSame() throws {
        let source = try Spoken(Packs.recording("kathleen_en_f", 8), seconds: 12)
        let (result, map) = try source.convert(
            to: Packs.kathleen.get(), .init(accent: 0, tonality: .sourceFile, isSong: false))
        #expect(map.isIdentity)
        let distance = try logSpectralDistance(source.samples, result[0])
        print("identity: log-spectral distance", distance, "dB")
        #expect(distance < 2.5)
        let other = try source.convert(
            to: Packs.flemish.get(), .init(accent: 0, tonality: .sourceFile, isSong: false))
        #expect(try logSpectralDistance(source.samples, other.samples[0]) > 1.4 * distance)
    }

    /// The mean of logarithms is nearer to the pack's than the recording's was. (With an accent, it is the mean of powers that
    /// becomes the same.)
    @Test(arguments: [0.0, 1.0])
    func theTimbreIsThatOfThePack(accent: Double) throws {
        let source = try Spoken(Self.male)
        let voice = try Packs.kathleen.get()
        let (result, _) = try source.convert(
            to: voice, .init(accent: accent, tonality: .voicePack, isSong: false))
        let target = voice.manifest.statistics.mean
        func distance(_ mean: [Float]) -> Float {
            zip(mean, target).dropFirst().reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        let before = try distance(source.survey().statistics.mean)
        let after = try distance(Spoken(result[0], rate: source.rate).survey().statistics.mean)
        #expect(after < (accent == 0 ? 0.3 : 0.4) * before)
    }

    /// Power by bands is that of the pack's speaker; without the equalizer some bands are more than 6 dB off.
    @Test(arguments: [male, female])
    func thePowerIsWhereThePacksIs(_ path: String) throws {
        let source = try Spoken(path)
        let (result, _) = try source.convert(
            to: Packs.kathleen.get(), .init(accent: 1, tonality: .voicePack, isSong: false))
        let speaker = try [0, 1].flatMap {
            try Spoken(Packs.recording("kathleen_en_f", $0)).samples
        }
        let wanted = try octaves(speaker)
        func distance(_ samples: [Float]) throws -> Double {
            zip(try octaves(samples), wanted).map { abs($0 - $1) }.max()!
        }
        let (before, after) = try (distance(source.samples), distance(result[0]))
        print("Power of octaves in", path, "off by", before, "dB before,", after, "after")
        #expect(after < 2)
    }

    /// Decibels in the octaves from 125 Hz to 8 kHz, at 44.1 kHz, of all power between.
    private func octaves(_ samples: [Float]) throws -> [Double] {
        let size = 4096
        let transform = try RealTransform(size: size)
        let window = (0..<size).map { 0.5 - 0.5 * cos(2 * Float.pi * Float($0) / Float(size)) }
        let (input, spectrum) = (AlignedBuffer(count: size), AlignedBuffer(count: size + 16))
        let edges = (0...6).map { Int(125 * exp2(Double($0)) * Double(size) / 44_100) }
        var powers = [Double](repeating: 0, count: 6)
        for start in stride(from: 0, to: samples.count - size, by: size / 2) {
            for index in 0..<size { input.pointer[index] = samples[start + index] * window[index] }
            transform.forward(input.pointer, into: spectrum.pointer)
            for octave in 0..<6 {
                for bin in edges[octave]..<edges[octave + 1] {
                    let (a, b) = (spectrum.pointer[2 * bin], spectrum.pointer[2 * bin + 1])
                    powers[octave] += Double(a * a + b * b)
                }
            }
        }
        let whole = powers.reduce(0, +)
        return powers.map { 10 * log10($0 / whole) }
    }

    /// Consonants are changed as that speaker's own frames without voice are like, not as vowels are.
    @Test func consonantsAreThoseOfThePack() throws {
        let source = try Spoken(Self.male)
        let (result, _) = try source.convert(
            to: Packs.kathleen.get(), .init(accent: 1, tonality: .voicePack, isSong: false))
        func hiss(_ samples: [Float]) throws -> [Double] {
            let frames = try bands(samples)
            let level = frames.map { $0.reduce(0, +) / 12 }
            let loudest = level.max()!
            // Loud frames whose power lies above 4 kHz.
            let hissing = frames.indices.filter {
                level[$0] > loudest - 25 && frames[$0][9...].max()! > frames[$0][..<6].max()!
            }
            return (0..<12).map { band in
                hissing.reduce(0) { $0 + frames[$1][band] - level[$1] } / Double(hissing.count)
            }
        }
        let wanted = try hiss(try Spoken(Packs.recording("kathleen_en_f", 0)).samples)
        func distance(_ samples: [Float]) throws -> Double {
            (zip(try hiss(samples), wanted).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 12)
                .squareRoot()
        }
        let (before, after) = try (distance(source.samples), distance(result[0]))
        print("Hiss is off by", before, "dB before,", after, "after")
        #expect(after < 0.6 * before)
    }

    /// What is looked up varies less than speech; the result does not.
    @Test(arguments: [male, female])
    func itVariesAsThePackDoes(_ path: String) throws {
        let source = try Spoken(path)
        let voice = try Packs.kathleen.get()
        let (result, _) = try source.convert(
            to: voice, .init(accent: 1, tonality: .voicePack, isSong: false))
        let found = try Spoken(result[0], rate: source.rate).survey().statistics.deviation
        // What lies above changes too fast for frames to keep it.
        let ratios = zip(found, voice.manifest.statistics.deviation).map { $0 / $1 }[1..<16]
        let mean = ratios.reduce(0, +) / Float(ratios.count)
        print("Deviation of", path, mean, ratios.map { ($0 * 100).rounded() / 100 })
        #expect(mean > 0.9 && mean < 1.15)
    }

    /// What pulses would sound below their first harmonic is no voice.
    @Test(arguments: [male, female])
    func aMovedVoiceDoesNotRumble(_ path: String) throws {
        let source = try Spoken(path)
        let voice = path == Self.male ? Packs.kathleen : Packs.flemish
        let (result, map) = try source.convert(
            to: voice.get(), .init(accent: 1, tonality: .voicePack, isSong: false))
        #expect(!map.isIdentity)
        let (before, after) = (rumble(source.samples), rumble(result[0]))
        print("Rumble in", path, "before:", before, "dB, after:", after, "dB")
        #expect(after < max(before, -32) + 3)
    }

    /// Decibels below all of what lies between 5 and 38 Hz (at 44.1 kHz), under windows of 4096 samples.
    private func rumble(_ samples: [Float]) -> Double {
        let size = 4096
        let window = (0..<size).map { 0.5 - 0.5 * cos(2 * Double.pi * Double($0) / Double(size)) }
        var (low, all) = (0.0, 0.0)
        for start in stride(from: 0, to: samples.count - size, by: size / 2) {
            let frame = (0..<size).map { window[$0] * Double(samples[start + $0]) }
            all += frame.reduce(0) { $0 + $1 * $1 }
            for bin in 1...3 {
                let turn = 2 * Double.pi * Double(bin) / Double(size)
                var (a, b) = (0.0, 0.0)
                for (index, value) in frame.enumerated() {
                    a += value * cos(turn * Double(index))
                    b += value * sin(turn * Double(index))
                }
                // Of both signs of the frequency.
                low += 2 * (a * a + b * b) / Double(size)
            }
        }
        return 10 * log10(low / all)
    }

    /// What the network does not tell of what is said stays the source's: with all that a pack has to say, the spectrum
    /// still moves as it did.
    @Test func whatIsSaidStaysTheSources() throws {
        let source = try Spoken(Packs.recording("kathleen_en_f", 8), seconds: 12)
        let (result, _) = try source.convert(
            to: Packs.flemish.get(), .init(accent: 1, tonality: .sourceFile, isSong: false))
        let alike = correlation(try bands(source.samples), try bands(result[0]))
        print("Bands that move as before: correlation", alike)
        #expect(alike > 0.8)
    }

    /// Decibels in twelve bands from 500 Hz on, less their mean, `[frame][band]`; of the louder frames, by the first.
    private func bands(_ samples: [Float]) throws -> [[Double]] {
        let size = 1024
        let transform = try RealTransform(size: size)
        let window = (0..<size).map { 0.5 - 0.5 * cos(2 * Float.pi * Float($0) / Float(size)) }
        let (input, spectrum) = (AlignedBuffer(count: size), AlignedBuffer(count: size + 16))
        let edges = (0...12).map { Int(500 * pow(16, Double($0) / 12) * Double(size) / 44_100) }
        return stride(from: 0, to: samples.count - size, by: 441).map { start in
            for index in 0..<size { input.pointer[index] = samples[start + index] * window[index] }
            transform.forward(input.pointer, into: spectrum.pointer)
            return (0..<12).map { band in
                var power: Float = 1e-9
                for bin in edges[band]..<max(edges[band + 1], edges[band] + 1) {
                    let (a, b) = (spectrum.pointer[2 * bin], spectrum.pointer[2 * bin + 1])
                    power += a * a + b * b
                }
                return 10 * log10(Double(power))
            }
        }
    }

    /// Of how bands move in the louder frames of the first, each less its level and each band less its mean.
    private func correlation(_ a: [[Double]], _ b: [[Double]]) -> Double {
        let level = a.map { $0.reduce(0, +) / 12 }
        let loudest = level.max()!
        let frames = level.indices.filter { level[$0] > loudest - 25 }
        func moves(_ x: [[Double]]) -> [Double] {
            let shapes = frames.map { frame in
                x[frame].map { $0 - x[frame].reduce(0, +) / 12 }
            }
            let means = (0..<12).map { band in
                shapes.reduce(0) { $0 + $1[band] } / Double(shapes.count)
            }
            return shapes.flatMap { zip($0, means).map { $0 - $1 } }
        }
        let (x, y) = (moves(a), moves(b))
        func product(_ x: [Double], _ y: [Double]) -> Double {
            zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
        }
        return product(x, y) / (product(x, x) * product(y, y)).squareRoot()
    }

    /// Another voice is not a louder one.
    @Test func loudnessStays() throws {
        let source = try Spoken(Self.female)
        let (result, _) = try source.convert(
            to: Packs.flemish.get(), .init(accent: 1, tonality: .voicePack, isSong: false))
        func level(_ x: [Float]) -> Double {
            10 * log10(x.reduce(0) { $0 + Double($1 * $1) } / Double(x.count))
        }
        #expect(abs(level(result[0]) - level(source.samples)) < 2)
    }

    /// A voice on one side stays there, filtered or made anew.
    @Test(arguments: [VoiceSettings.Tonality.voicePack, .sourceFile])
    func channelsKeepTheirPlaces(_ tonality: VoiceSettings.Tonality) throws {
        let source = try Spoken(Self.male, seconds: 3)
        let settings = VoiceSettings(accent: 1, tonality: tonality, isSong: false)
        let (result, _) = try source.convert(
            to: Packs.kathleen.get(), settings, channels: [0.8, -0.4])
        #expect(difference([result[0].map { -0.5 * $0 }], [result[1]]) < -60)
    }

    @Test func nobodyIsNoVoice() throws {
        let noise = try Spoken(uniformNoise(88_200).map { 0.1 * $0 }, rate: 44_100)
        #expect(throws: VoiceError.noVoice) { try noise.survey() }
        let silence = try Spoken([Float](repeating: 0, count: 44_100), rate: 44_100)
        #expect(throws: VoiceError.noVoice) { try silence.survey() }
    }

    @Test func theMixHoldsAVoiceOfOppositePolarity() {
        var mix = ChannelMix(channels: 2)
        let noise = uniformNoise(1000)
        mix.add([noise, noise.map { -0.5 * $0 }])
        let mono = ChannelMix.mono([noise, noise.map { -0.5 * $0 }], weights: mix.weights)
        #expect(difference([mono.map { $0 / mono[0] * noise[0] }], [noise]) < -80)
        #expect(ChannelMix(channels: 3).weights == [1, 1, 1].map { Float($0) / 3 })
    }
}
