/// The networks that a change of voice needs.
public struct VoiceNetworks: Sendable {
    public let pitch: PitchNetwork
    public let content: ContentNetwork

    public init(pitch: PitchNetwork, content: ContentNetwork) {
        self.pitch = pitch
        self.content = content
    }
}
