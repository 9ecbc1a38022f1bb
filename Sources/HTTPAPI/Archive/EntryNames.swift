import Foundation

/// Names of files in archives. The names of tracks come from clients: they are data, never paths.
package enum EntryNames {
    /// Safe on every system that unpacks them, and all different, also where case does not count.
    package static func unique(_ names: [String]) -> [String] {
        var taken: Set<String> = []
        return names.map { name in
            let safe = safe(name)
            let (stem, end) = parts(safe)
            let candidates = sequence(first: 1) { $0 + 1 }.lazy
                .map { $0 == 1 ? safe : "\(stem) (\($0))\(end)" }
            let free = candidates.first { taken.insert($0.lowercased()).inserted }
            return free ?? safe
        }
    }

    /// A name without folders and without what some system gives a meaning to.
    private static func safe(_ name: String) -> String {
        let base = ContentDisposition.baseName(name) ?? "track"
        var scalars = String.UnicodeScalarView()
        scalars.append(
            contentsOf: base.unicodeScalars.map {
                "<>:\"|?*".unicodeScalars.contains($0) ? "_" : $0
            })
        // Windows drops dots at the end of names.
        return String(scalars).trimmingCharacters(in: CharacterSet(charactersIn: ". "))
    }

    /// A name before its extension, and the extension with its dot.
    package static func parts(_ name: String) -> (stem: String, end: String) {
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return (name, "") }
        return (String(name[..<dot]), String(name[dot...]))
    }
}
