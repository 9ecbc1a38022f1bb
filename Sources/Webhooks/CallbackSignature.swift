import Crypto
import Foundation

/// How a receiver knows that a callback is from its server: the time and the body are signed with a secret
/// that both know, SHA-256 of the licence's key in lower-case hex.
package enum CallbackSignature {
    /// The value of the header `Partita-Signature`: `t=<epoch seconds>,v1=<hex>`, where the signature is
    /// HMAC-SHA-256 over the seconds, a full stop and the body.
    package static func header(body: [UInt8], secret: String, now: Date) -> String {
        let time = Int(now.timeIntervalSince1970)
        var code = HMAC<SHA256>(key: SymmetricKey(data: Data(secret.utf8)))
        code.update(data: Data("\(time).".utf8))
        code.update(data: body)
        let hex = code.finalize().map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        return "t=\(time),v1=\(hex)"
    }
}
