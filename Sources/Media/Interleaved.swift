/// Samples of all channels in turns, as bytes.
enum Interleaved {
    /// As they are.
    static func floats(_ block: [[Float]]) -> [UInt8] { interleave(block) { $0 } }

    /// Integers of 24 bits in the upper bits of 32.
    static func integers(_ block: [[Float]]) -> [UInt8] { interleave(block) { integer($0) &<< 8 } }

    /// Integers of 24 bits in three bytes, the lowest first.
    static func packedIntegers(_ block: [[Float]]) -> [UInt8] {
        let channels = block.count
        let count = block[0].count
        let length = 3 * channels * count
        // Four bytes are stored for each, in order, so that each ends what the one before it has stored too much.
        return [UInt8](unsafeUninitializedCapacity: length + 1) { bytes, initialized in
            let place = UnsafeMutableRawPointer(bytes.baseAddress!)
            if channels == 2 {
                block[0].withUnsafeBufferPointer { left in
                    block[1].withUnsafeBufferPointer { right in
                        for index in 0..<count {
                            let pair = place + 6 &* index
                            pair.storeBytes(of: integer(left[index]), as: Int32.self)
                            (pair + 3).storeBytes(of: integer(right[index]), as: Int32.self)
                        }
                    }
                }
            } else {
                for index in 0..<count {
                    for channel in 0..<channels {
                        (place + 3 &* (index &* channels &+ channel))
                            .storeBytes(of: integer(block[channel][index]), as: Int32.self)
                    }
                }
            }
            initialized = length
        }
    }

    /// An integer of 24 bits: rounded to the nearest, to the even one of two, and cut at full scale.
    @inline(__always)
    private static func integer(_ value: Float) -> Int32 {
        let scaled = min(max(value * 0x1p23, -0x1p23), 0x1p23 - 1)
        // The lowest bits of a float from 2²³ to 2²⁴ are the integer: no call, no branch, so that the loop is one
        // of vector instructions.
        let magnitude = Int32(
            bitPattern: (abs(scaled) + 0x1p23).bitPattern &- (0x1p23 as Float).bitPattern)
        let sign = Int32(bitPattern: scaled.bitPattern) >> 31
        return (magnitude ^ sign) &- sign
    }

    @inline(__always)
    private static func interleave<Value: BitwiseCopyable>(
        _ block: [[Float]], _ convert: (Float) -> Value
    ) -> [UInt8] {
        let channels = block.count
        let count = block[0].count
        return [UInt8](unsafeUninitializedCapacity: channels * count * 4) { bytes, initialized in
            let values = UnsafeMutableRawPointer(bytes.baseAddress!).bindMemory(
                to: Value.self, capacity: channels * count)
            for (channel, samples) in block.enumerated() {
                samples.withUnsafeBufferPointer { samples in
                    let from = samples.baseAddress!
                    for index in 0..<count {
                        values[index &* channels &+ channel] = convert(from[index])
                    }
                }
            }
            initialized = channels * count * 4
        }
    }

    /// Makes what is no number, or infinite, 0, and cuts values beyond ±64 there.
    static func makeNumbers(_ samples: UnsafeMutablePointer<Float>, _ count: Int) {
        let raw = UnsafeMutableRawPointer(samples)
        let limit = SIMD8<Float>(repeating: 64)
        var index = 0
        while index + 8 <= count {
            var values = (raw + 4 * index).loadUnaligned(as: SIMD8<Float>.self)
            // A number minus itself is 0, and nothing else is.
            values.replace(with: 0, where: (values - values) .!= 0)
            // `clamp` is a call that goes value by value.
            values.replace(with: -limit, where: values .< -limit)
            values.replace(with: limit, where: values .> limit)
            (raw + 4 * index).storeBytes(of: values, as: SIMD8<Float>.self)
            index += 8
        }
        for index in index..<count {
            let value = samples[index]
            samples[index] = value.isFinite ? min(max(value, -64), 64) : 0
        }
    }

    /// `[channel][sample]` of samples in turns.
    static func planar(_ samples: [Float], channels: Int) -> [[Float]] {
        if channels == 1 { return [samples] }
        let count = samples.count / channels
        return samples.withUnsafeBufferPointer { samples in
            (0..<channels).map { channel in
                [Float](unsafeUninitializedCapacity: count) { row, initialized in
                    let from = samples.baseAddress! + channel
                    let to = row.baseAddress!
                    if channels == 2 {
                        // A constant stride, so that the loop is one of vector instructions.
                        for index in 0..<count { to[index] = from[2 &* index] }
                    } else {
                        for index in 0..<count { to[index] = from[channels &* index] }
                    }
                    initialized = count
                }
            }
        }
    }
}
