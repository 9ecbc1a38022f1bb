import DSP
import Separation
import TestSupport
import Testing

/// What masks and places make of two stems.
@Suite struct SpatialFilterTests {
    private static let shape = ShortTimeShape(size: 256, hop: 1024)
    private static let frames = 400
    private typealias Spectrum = [[[Float]]]

    /// Two stems of noise, by channel and frame, and how much of each frame is the first one's.
    private struct Mixture {
        var stems: [Spectrum] = []
        var shares: [Float] = []

        /// - Parameter places: The gains of each stem in both channels.
        init(places: [[Float]], share: () -> Float) {
            let length = SpatialFilterTests.shape.frameLength
            stems = places.map { _ in [[], []] }
            for _ in 0..<SpatialFilterTests.frames {
                let own = share()
                shares.append(own)
                for (stem, gains) in places.enumerated() {
                    let level = (stem == 0 ? own : 1 - own).squareRoot()
                    let noise = (0..<length).map { _ in level * Float.random(in: -1...1) }
                    for channel in 0..<2 {
                        stems[stem][channel].append(noise.map { $0 * gains[channel] })
                    }
                }
            }
        }

        var whole: Spectrum {
            zip(stems[0], stems[1]).map { zip($0, $1).map { zip($0, $1).map { $0 + $1 } } }
        }

        /// The first stem by its share alone.
        var masked: Spectrum {
            whole.map { zip($0, shares).map { frame, share in frame.map { $0 * share } } }
        }
    }

    private func divided(_ mixture: Mixture, atOnce: Int = .max) -> [Spectrum] {
        let shape = Self.shape
        let filter = SpatialFilter(
            shape, sampleRate: 44_100, bins: shape.bins - 20, stems: 2, wanted: [0, 1])
        let whole = mixture.whole
        let rows = (0..<2).map { _ in FrameRing(length: 2 * (shape.bins - 20)) }
        let spectra = whole.map { _ in FrameRing(length: shape.frameLength) }
        for (frame, share) in mixture.shares.enumerated() {
            for channel in 0..<2 {
                let row = rows[channel].append()
                for bin in 0..<shape.bins - 20 {
                    row[bin] = share
                    row[shape.bins - 20 + bin] = 1 - share
                }
                spectra[channel].append()
                    .update(from: whole[channel][frame], count: shape.frameLength)
            }
            if (frame + 1) % atOnce == 0 { filter.advance(rows, spectra, isLast: false) }
        }
        filter.advance(rows, spectra, isLast: true)
        return filter.results.map { stem in
            stem!.map { ring in
                (0..<ring.end).map {
                    Array(UnsafeBufferPointer(start: ring[$0], count: 2 * shape.bins))
                }
            }
        }
    }

    private func error(_ a: Spectrum, _ b: Spectrum) -> Double {
        let flat = { (spectrum: Spectrum) in
            spectrum.map { $0.flatMap { $0.prefix(2 * Self.shape.bins) } }
        }
        return difference(flat(a), flat(b))
    }

    @Test func whatStandsApartIsDivided() {
        let mixture = Mixture(places: [[0.9, 0.3], [0.4, 0.8]]) { .random(in: 0.02...0.98) }
        let found = divided(mixture)
        let byMask = error(mixture.masked, mixture.stems[0])
        let byPlace = error(found[0], mixture.stems[0])
        print("Two places: \(byPlace) dB, by masks alone \(byMask) dB")
        #expect(byPlace < byMask - 4)
        let sum = zip(found[0], found[1]).map { zip($0, $1).map { zip($0, $1).map { $0 + $1 } } }
        #expect(error(sum, mixture.whole) < -90)
    }

    @Test func inOnePlaceMasksDecide() {
        let mixture = Mixture(places: [[0.7, 0.7], [0.7, 0.7]]) { .random(in: 0.02...0.98) }
        let found = divided(mixture)
        #expect(error(found[0], mixture.masked) < -90)
        #expect(found[0][0] == found[0][1])
    }

    /// Of a stem that is hardly there masks do not say where it stands, only what they mistake for it: here something soft in
    /// another place than all else.
    @Test func whatIsHardlyThereIsNotRaised() {
        var mixture = Mixture(places: [[0, 0], [0.9, 0.2]]) { 0 }
        for frame in stride(from: 1, to: Self.frames, by: 2) {
            mixture.shares[frame] = 0.1
            mixture.stems[1][0][frame] = mixture.stems[1][0][frame].map { 0.01 * $0 }
            mixture.stems[1][1][frame] = mixture.stems[1][1][frame].map { 0.2 * $0 }
        }
        #expect(error(divided(mixture)[0], mixture.masked) < -6)
    }

    @Test func nothingDependsOnHowFramesCome() {
        let mixture = Mixture(places: [[0.9, 0.3], [0.4, 0.8]]) { .random(in: 0.02...0.98) }
        let whole = divided(mixture)
        #expect(whole[0][0].count == Self.frames)
        for atOnce in [1, 130] { #expect(divided(mixture, atOnce: atOnce) == whole) }
    }

    @Test func silenceStaysSilent() {
        var mixture = Mixture(places: [[0.9, 0.3], [0.4, 0.8]]) { 0.5 }
        mixture.stems = mixture.stems.map { $0.map { $0.map { $0.map { _ in 0 } } } }
        let found = divided(mixture)
        #expect(found[1][1].count == Self.frames)
        #expect(found.joined().joined().joined().allSatisfy { $0 == 0 })
    }
}
