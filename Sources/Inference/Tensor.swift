import COpenVINO
import DSP

/// An input or output of a network.
public struct Tensor {
    /// What its values are.
    public enum Kind: Sendable {
        /// 32-bit numbers.
        case float
        /// 64-bit integers.
        case integer

        /// As OpenVINO numbers it.
        var rawValue: Int32 {
            switch self {
            case .float: Int32(OV_ELEMENT_F32)
            case .integer: Int32(OV_ELEMENT_I64)
            }
        }

        init?(rawValue: Int32) {
            guard let kind = [Kind.float, .integer].first(where: { $0.rawValue == rawValue }) else {
                return nil
            }
            self = kind
        }
    }

    public let shape: [Int]
    public let kind: Kind
    /// The values; integers have the room of two.
    public let buffer: AlignedBuffer

    /// Zeros.
    public init(shape: [Int]) {
        self.shape = shape
        kind = .float
        buffer = AlignedBuffer(count: shape.reduce(1, *))
    }

    /// - Parameter values: As many as the shape has.
    public init(shape: [Int], _ values: [Float]) {
        self.init(shape: shape)
        precondition(values.count == buffer.count, "the values do not fill the shape")
        buffer.pointer.update(from: values, count: values.count)
    }

    /// - Parameter values: As many as the shape has.
    public init(shape: [Int], _ values: [Int64]) {
        precondition(values.count == shape.reduce(1, *), "the values do not fill the shape")
        self.shape = shape
        kind = .integer
        buffer = AlignedBuffer(count: 2 * values.count)
        values.withUnsafeBytes {
            UnsafeMutableRawPointer(buffer.pointer).copyMemory(
                from: $0.baseAddress!, byteCount: $0.count)
        }
    }
}
