/// White noise of variance 1 that is a function of the sample's index, so that no block changes it.
enum Noise {
    /// Fills `output` with the samples from `start` on.
    static func fill(_ output: UnsafeMutablePointer<Float>, from start: Int, count: Int) {
        for i in 0..<count {
            let z = hash(UInt64(bitPattern: Int64(start + i)))
            // The sum of four uniform numbers is near enough to a normal one.
            let first = Int32(z & 0xffff) + Int32((z &>> 16) & 0xffff)
            let second = Int32((z &>> 32) & 0xffff) + Int32(z &>> 48)
            output[i] = Float(first + second - 131_070) * (1.7320508 / 65_536)
        }
    }

    /// Bits that look random: the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    @inline(__always)
    static func hash(_ index: UInt64) -> UInt64 {
        var z = index &* 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z &>> 31)
    }
}
