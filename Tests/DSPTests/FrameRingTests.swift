import DSP
import Testing

@Suite struct FrameRingTests {
    /// Frames keep their values under their own index, however the queue grows and its start moves.
    @Test func framesAreFoundByTheirIndex() {
        let ring = FrameRing(length: 3)
        var next = 0
        for (added, dropped) in [(16, 0), (1, 5), (40, 30), (100, 90), (7, 160), (500, 170)] {
            for _ in 0..<added {
                let place = ring.append()
                for index in 0..<3 { place[index] = Float(3 * next + index) }
                next += 1
            }
            ring.drop(before: dropped)
            #expect(ring.start == dropped && ring.end == next)
            for frame in ring.start..<ring.end {
                #expect((0..<3).allSatisfy { ring[frame][$0] == Float(3 * frame + $0) })
            }
        }
        ring.drop(before: 10_000)
        #expect(ring.start == next && ring.end == next)
    }
}
