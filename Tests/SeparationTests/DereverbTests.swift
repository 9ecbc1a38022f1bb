import Foundation
import Separation
import TestSupport
import Testing

/// Voices without their rooms.
@Suite struct DereverbTests {
    @Test func withoutTheModelItIsRefused() throws {
        let separator = try Engine.only(["music-core"])
        let kind = SplitKind.stems(["vocals"], clearCut: false)
        try separator.requireInstalled(kind)
        #expect(throws: SeparationError.notInstalled(stems: ["dry voice"])) {
            try separator.requireInstalled(kind, dereverb: true)
        }
    }
}
