import DSP
import Foundation

/// Divides spectra of two channels by masks and by where stems stand: a multichannel Wiener filter (N. Q. K. Duong, E. Vincent,
/// R. Gribonval: “Under-determined reverberant audio source separation using a full-rank spatial covariance model”, IEEE
/// Transactions on Audio, Speech, and Language Processing 18 (7), 2010).
///
/// In each bin a stem has the power v that masks say, frame by frame, and is spread over the channels (R, of trace 2) as the
/// mixture is where that is the stem, of late and soon: a frame counts by the fourth power of the stem's share. What is then
/// most likely its part of the mixture x is `v·R·(Σ v·R)⁻¹·x`; all parts are the mixture again. Where all stems are spread
/// alike, as in a recording of equal channels, a part is the mixture times the stem's share.
package final class SpatialFilter {
    /// Seconds after which what was heard counts e times less, and seconds that are heard ahead.
    private static let memory = 6.0
    private static let ahead = 3.0
    /// How much of the mixture counts for every stem, as masks confuse some: one that never has much more than 0.02^¼, two
    /// fifths, of a bin is taken to stand where the mixture does.
    private static let confused: Float = 0.02
    /// The share of a power that is taken to come from everywhere alike.
    private static let loading: Float = 3e-4
    /// Nothing is taken for less, as power: the noise of 24 bits in a window of 4096 samples, nearly.
    private static let least: Float = 1e-12

    /// By stem, as far as it is wanted, and channel: the spectra.
    package let results: [[FrameRing]?]
    private let ahead: Int
    private let fade: Float
    private let groups: Int
    private let bins: Int
    /// By group of bins: the mixture, and all stems in a row.
    private let mixture: UnsafeMutableBufferPointer<SpatialCovariance>
    private let stems: UnsafeMutableBufferPointer<SpatialCovariance>
    private let scratch: UnsafeMutableBufferPointer<SpatialCovariance>
    /// By channel, the masks of all stems for one frame: of all bins.
    private let masks: [AlignedBuffer]
    private var heard = 0
    /// Index after the last frame in ``results``.
    private(set) var finished = 0

    /// - Parameters:
    ///   - bins: The lowest bins of a mask; all above have that of the last.
    ///   - stems: How many there are.
    ///   - wanted: Those that results are made of.
    package init(
        _ shape: ShortTimeShape, sampleRate: Int, bins: Int, stems: Int, wanted: Set<Int>
    ) {
        let rate = Double(sampleRate) / Double(shape.hop)
        ahead = Int((Self.ahead * rate).rounded())
        fade = Float(exp(-1 / (Self.memory * rate)))
        groups = shape.frameLength / (2 * ComplexVector.width)
        self.bins = bins
        results = (0..<stems).map { stem in
            guard wanted.contains(stem) else { return nil }
            return (0..<2).map { _ in FrameRing(length: shape.frameLength) }
        }
        mixture = .allocate(capacity: groups)
        self.stems = .allocate(capacity: groups * stems)
        scratch = .allocate(capacity: stems)
        for buffer in [mixture, self.stems, scratch] { buffer.initialize(repeating: .zero) }
        let length = groups * ComplexVector.width
        masks = (0..<2).map { _ in AlignedBuffer(count: length * stems) }
    }

    deinit { for buffer in [mixture, stems, scratch] { buffer.deallocate() } }

    /// Makes what can be made.
    /// - Parameters:
    ///   - rows: By channel, the masks of all stems, one after another.
    ///   - spectra: Of the mixture, by channel.
    ///   - isLast: No frames follow.
    package func advance(_ rows: [FrameRing], _ spectra: [FrameRing], isLast: Bool) {
        while true {
            let isAll = heard == rows[0].end
            if finished + ahead < heard || isAll && isLast && finished < heard {
                expand(finished, of: rows)
                filter(spectra[0][finished], spectra[1][finished])
                finished += 1
            } else if !isAll {
                expand(heard, of: rows)
                hear(spectra[0][heard], spectra[1][heard])
                heard += 1
            } else {
                return
            }
        }
    }

    /// The spectrum of some stems together.
    func sum(_ stems: [Int], frame: Int, channel: Int, into result: AlignedBuffer) {
        for (place, stem) in stems.enumerated() {
            let spectrum = results[stem]![channel]
            if place == 0 {
                result.pointer.update(from: spectrum[frame], count: spectrum.length)
            } else {
                let part = spectrum[frame]
                for index in 0..<spectrum.length { result.pointer[index] += part[index] }
            }
        }
    }

    func drop(before frame: Int) {
        for ring in results.compactMap(\.self).joined() { ring.drop(before: frame) }
    }

    /// Brings the masks of a frame to the shape of spectra.
    private func expand(_ frame: Int, of rows: [FrameRing]) {
        let length = groups * ComplexVector.width
        for (row, mask) in zip(rows, masks) {
            for stem in results.indices {
                let (from, to) = (row[frame] + stem * bins, mask.pointer + stem * length)
                to.update(from: from, count: bins)
                (to + bins).update(repeating: from[bins - 1], count: length - bins)
            }
        }
    }

    private func hear(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>) {
        let (a, b) = (masks[0].pointer.vectors, masks[1].pointer.vectors)
        let fade = SIMD8<Float>(repeating: fade)
        for group in 0..<groups {
            let place = group * 2 * ComplexVector.width
            let now = SpatialCovariance(ComplexVector(x + place), ComplexVector(y + place))
            mixture[group] = mixture[group] * fade
            mixture[group] += now
            let scale = 1 / (now.first + now.second + Self.least)
            for stem in results.indices {
                let index = stem * groups + group
                let share = (a[index] * now.first + b[index] * now.second) * scale
                let square = share * share
                stems[index] = stems[index] * fade
                stems[index] += now * (square * square)
            }
        }
    }

    private func filter(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>) {
        let (a, b) = (masks[0].pointer.vectors, masks[1].pointer.vectors)
        let places = results.map { $0.map { ($0[0].append(), $0[1].append()) } }
        for group in 0..<groups {
            let place = group * 2 * ComplexVector.width
            let (left, right) = (ComplexVector(x + place), ComplexVector(y + place))
            let (first, second) = (left.power, right.power)
            let confused = mixture[group] * SIMD8(repeating: Self.confused)
            var whole = SpatialCovariance.zero
            for stem in results.indices {
                let index = stem * groups + group
                let power = a[index] * first + b[index] * second + Self.least
                var own = stems[index]
                own += confused
                let trace = (own.first + own.second).atLeast(SIMD8(repeating: Self.least))
                own = own * (power * ((2 - 2 * Self.loading) / trace))
                own.first += power * Self.loading
                own.second += power * Self.loading
                scratch[stem] = own
                whole += own
            }
            let (u, v) = whole.solve(left, right)
            for (stem, result) in places.enumerated() {
                guard let result else { continue }
                let own = scratch[stem].times(u, v)
                own.0.store(to: result.0 + place)
                own.1.store(to: result.1 + place)
            }
        }
    }
}
