import Crypto
import Foundation
import Tasks

/// Makes and reads download links, which need no key because they are signed.
///
/// A link says by itself what it leads to, so that a download asks no database.
package struct LinkSigner: Sendable {
    private let key: SymmetricKey
    /// Seconds.
    private let lifetime: Int

    package init(secret: [UInt8], lifetime: Int) {
        key = SymmetricKey(data: secret)
        self.lifetime = lifetime
    }

    /// What a link leads to.
    package struct Target: Sendable, Hashable {
        package let blob: BlobKey
        package let name: String
        package let contentType: String
    }

    package enum Refusal: Error, Hashable {
        case badSignature, expired
    }

    /// The path and query of a link to a track, good for the lifetime at least.
    ///
    /// The expiry is rounded up, so that clients that ask again soon get the same address, and
    /// caches and resumed downloads work.
    package func path(to track: Track, now: Date) -> String {
        let step = max(1, lifetime / 24)
        let expires = (Int(now.timeIntervalSince1970) / step + 1) * step + lifetime
        let target = Target(blob: track.blob, name: track.name, contentType: track.contentType)
        let signature = HMAC<SHA256>.authenticationCode(
            for: Self.message(target, expires: expires), using: key)
        let digits = Hex.text(signature)
        let name = ContentDisposition.percentEncoded(track.name, keeping: "-._~")
        let type = ContentDisposition.percentEncoded(track.contentType, keeping: "-._~")
        return "/download/\(track.blob.rawValue)/\(name)"
            + "?type=\(type)&expires=\(expires)&signature=\(digits)"
    }

    /// Whether what a client sent is a link of ours that is still good.
    package func verify(
        _ target: Target, expires: String, signature: String, now: Date
    ) throws(Refusal) {
        guard let expires = Int(expires), let code = Self.bytes(hex: signature),
            HMAC<SHA256>.isValidAuthenticationCode(
                code, authenticating: Self.message(target, expires: expires), using: key)
        else { throw .badSignature }
        guard now.timeIntervalSince1970 < Double(expires) else { throw .expired }
    }

    /// What is signed. JSON, because no field can then run into the next.
    private static func message(_ target: Target, expires: Int) -> [UInt8] {
        let fields: JSON = [
            "download", .string(target.blob.rawValue), .string(target.name),
            .string(target.contentType), .integer(Int64(expires)),
        ]
        return fields.utf8
    }

    private static func bytes(hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        let bytes = stride(from: 0, to: 64, by: 2).compactMap { position in
            UInt8(String(decoding: digits[position..<position + 2], as: UTF8.self), radix: 16)
        }
        return bytes.count == 32 ? bytes : nil
    }
}
