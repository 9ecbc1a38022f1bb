import Crypto
import Foundation
import Tasks

/// Makes and reads links to files, which need no key because they are signed.
///
/// A link says by itself what it leads to, so that a download asks no database.
package struct LinkSigner: Sendable {
    private let key: SymmetricKey
    /// Seconds.
    private let lifetime: Int
    /// Clients ask again and again for the same links.
    private let made = RecentCache<Target, (expires: Int, path: String)>(capacity: 4_000)

    package init(secret: [UInt8], lifetime: Int) {
        key = SymmetricKey(data: secret)
        self.lifetime = lifetime
    }

    /// What a link is for: the start of its path.
    package enum Purpose: String, Sendable, Hashable {
        /// To keep: the answer names the file.
        case download
        /// For a page or a player.
        case inline
        /// A playlist, whose link to the stream is signed when it is asked for.
        case playlist
    }

    /// What a link leads to.
    package struct Target: Sendable, Hashable {
        package let purpose: Purpose
        package let blob: BlobKey
        package let name: String
        package let contentType: String

        package init(_ purpose: Purpose, _ blob: BlobKey, name: String, contentType: String) {
            self.purpose = purpose
            self.blob = blob
            self.name = name
            self.contentType = contentType
        }
    }

    package enum Refusal: Error, Hashable {
        case badSignature, expired
    }

    /// The path and query of a link, good for the lifetime at least.
    ///
    /// The expiry is rounded up, so that clients that ask again soon get the same address, and
    /// caches and resumed downloads work.
    package func path(to target: Target, now: Date) -> String {
        let step = max(1, lifetime / 24)
        let expires = (Int(now.timeIntervalSince1970) / step + 1) * step + lifetime
        if let known = made[target], known.expires == expires { return known.path }
        let path = makePath(to: target, expires: expires)
        made.insert((expires, path), for: target)
        return path
    }

    private func makePath(to target: Target, expires: Int) -> String {
        let signature = HMAC<SHA256>.authenticationCode(
            for: Self.message(target, expires: expires), using: key)
        let digits = Hex.text(signature)
        let name = ContentDisposition.percentEncoded(target.name, keeping: "-._~")
        let type = ContentDisposition.percentEncoded(target.contentType, keeping: "-._~")
        return "/\(target.purpose.rawValue)/\(target.blob.rawValue)/\(name)"
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
            .string(target.purpose.rawValue), .string(target.blob.rawValue), .string(target.name),
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
