import Inference

/// Which networks answer a request.
struct SeparationPlan {
    typealias Network = LazyNetwork<CompiledNetwork>

    /// Divides the mixture.
    let base: Network
    /// Networks besides the base whose opinions are fused with its own.
    let others: [Network]
    let fusion: Fusion?
    /// Networks that divide stems of the base further.
    let divisions: [Network]
    /// Where each stem of the request comes from, in its order.
    let leaves: [Leaf]
    /// Prefer less bleed over more of the stem.
    let clearCut: Bool

    /// A stem: the sum of these outputs' masks.
    struct Leaf {
        /// Index into `divisions`; `nil`: of the base.
        let division: Int?
        let outputs: [Int]
    }

    /// Takes the base that needs the fewest divisions to serve all stems, and among those the one with the most stems.
    /// - Throws: ``ModelError/notInstalled(stems:)``.
    init(
        _ stems: [String], clearCut: Bool, _ networks: [Network], _ fusion: Fusion?
    ) throws(ModelError) {
        let candidates = networks.filter(\.manifest.dividesMixture).compactMap { base in
            SeparationPlan.divisions(of: base, for: stems, networks).map { (base, $0) }
        }
        let best = candidates.max { a, b in
            (-a.1.count, a.0.manifest.stems.count) < (-b.1.count, b.0.manifest.stems.count)
        }
        guard let (base, divisions) = best else {
            let known = Set(networks.flatMap(\.manifest.offered))
            let unknown = stems.filter { !known.contains($0) }
            throw .notInstalled(stems: unknown.isEmpty ? stems : unknown)
        }
        self.clearCut = clearCut
        self.base = base
        self.divisions = divisions
        leaves = stems.map { stem in
            if let outputs = base.manifest.outputs(of: stem) {
                return Leaf(division: nil, outputs: outputs)
            }
            let index = divisions.firstIndex { $0.manifest.outputs(of: stem) != nil }!
            return Leaf(division: index, outputs: divisions[index].manifest.outputs(of: stem)!)
        }
        if let fusion, let others = SeparationPlan.others(than: base, in: fusion, networks) {
            self.others = others
            self.fusion = fusion
        } else {
            others = []
            self.fusion = nil
        }
    }

    /// One output of a network that divides a voice; `nil` where it has no such output.
    init?(_ output: String, ofVoiceBy network: Network) {
        guard let index = network.manifest.stems.firstIndex(of: output) else { return nil }
        base = network
        clearCut = false
        others = []
        fusion = nil
        divisions = []
        leaves = [Leaf(division: nil, outputs: [index])]
    }

    var networks: [Network] { [base] + others + divisions }

    /// The lowest bins of a mask, those that a network sees and one more. All above have the mask of the last.
    var distinctBins: Int {
        min(networks.map(\.manifest.stft.bins).max()! + 1, base.manifest.stft.shape.bins)
    }

    /// The output of the base that a network divides further.
    func output(dividedBy network: Network) -> Int {
        base.manifest.stems.firstIndex(of: network.manifest.input!)!
    }

    /// The outputs of the base that a stem is, or is a part of.
    func undivided(_ leaf: Leaf) -> [Int] {
        leaf.division.map { [output(dividedBy: divisions[$0])] } ?? leaf.outputs
    }

    /// What serves the stems that the base does not; `nil` where nothing does.
    private static func divisions(
        of base: Network, for stems: [String], _ networks: [Network]
    ) -> [Network]? {
        let candidates = networks.filter { $0.manifest.divides(base.manifest) }
        var found: [Network] = []
        for stem in stems where base.manifest.outputs(of: stem) == nil {
            guard let network = candidates.first(where: { $0.manifest.outputs(of: stem) != nil })
            else { return nil }
            if !found.contains(where: { $0 === network }) { found.append(network) }
        }
        return found
    }

    /// The other networks of a fusion that the base takes part in; `nil` where it does not or one is missing.
    private static func others(
        than base: Network, in fusion: Fusion, _ networks: [Network]
    ) -> [Network]? {
        let grid = base.manifest
        guard fusion.packs.contains(grid.name), grid.serves[fusion.stem] != nil,
            fusion.grid.sampleRate == grid.sampleRate, fusion.grid.size == grid.stft.size,
            fusion.grid.hop == grid.stft.hop
        else { return nil }
        let others = networks.filter { network in
            let manifest = network.manifest
            return manifest.name != grid.name && fusion.packs.contains(manifest.name)
                && manifest.dividesMixture && manifest.serves[fusion.stem] != nil
                && manifest.sampleRate == grid.sampleRate
                && manifest.stft.shape == grid.stft.shape
        }
        return others.count == fusion.packs.count - 1 ? others : nil
    }
}
