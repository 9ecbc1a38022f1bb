import Foundation

/// How exactly networks compute.
public enum InferencePrecision: Sendable {
    /// With 32 bits, so that processors differ by rounding only.
    case single
    /// With products of bfloat16 where the processor has instructions for them, else with 32 bits.
    case bfloat16

    /// Whichever is faster on this processor.
    ///
    /// With bfloat16 AMD's (Zen 4 and later) do twice as many products, and Intel's many more where they have tiles (AMX).
    /// Without tiles Intel's gain nothing: there networks took 1.6 times as long as with 32 bits.
    public static let fast: InferencePrecision = {
        let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        let words = Set((text ?? "").prefix(8192).split { " \t\n".contains($0) })
        let isFast =
            words.contains("amx_bf16")
            || words.contains("AuthenticAMD") && words.contains("avx512_bf16")
        return isFast ? .bfloat16 : .single
    }()
}
