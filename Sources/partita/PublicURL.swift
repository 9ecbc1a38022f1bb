import ArgumentParser
import Foundation

extension Settings {
    /// The address of the server as clients know it.
    func publicURL(_ flag: String?) throws -> String? {
        guard let text = string(flag, "publicUrl") else { return nil }
        let parts = URLComponents(string: text)
        guard let parts, ["http", "https"].contains(parts.scheme?.lowercased()),
            parts.host?.isEmpty == false, parts.query == nil, parts.fragment == nil
        else {
            throw ValidationError(
                "publicUrl is “\(text)”; it must be like https://stems.example.org, or with a path like "
                    + "https://example.org/stems.")
        }
        return text
    }
}
