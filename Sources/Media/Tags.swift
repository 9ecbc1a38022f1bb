import Foundation

/// What a file says about itself, in one word and a value: `artist`, `album`, ….
public struct Tag: Sendable, Hashable {
    public let key: String
    public let value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    /// Whether it goes into tracks. It comes from a file that nobody has looked at, and goes to ffmpeg as an argument, so
    /// nothing in it can end it or begin another; only its length must be bounded (Linux takes 128 KiB).
    var isCopied: Bool {
        let name = key.lowercased().filter { $0 != " " && $0 != "_" && $0 != "-" }
        return !name.isEmpty && key.utf8.count <= 256 && value.utf8.count <= 65_536
            && !key.contains("=") && !(key + value).contains("\0")
            && !Tag.ofTheSource.contains { name.hasPrefix($0) }
    }

    /// Beginnings of names of what is true of the source alone: its loudness, its encoder and its length, its fingerprints,
    /// and private data of programs.
    private static let ofTheSource = [
        "replaygain", "r128", "mp3gain", "itunnorm", "itunessoundcheck", "encod", "software",
        "itunsmpb", "itunpgap", "length", "tlen", "duration", "bps", "numberof", "statistics",
        "md5", "audiomd5", "acoustid", "accuraterip", "majorbrand", "minorversion",
        "compatiblebrands", "id3v2priv", "metadatablockpicture", "timecode",
    ]

    /// The title of a track, from that of its source.
    func titled(_ name: String) -> Tag {
        key.lowercased() == "title" ? Tag(key: key, value: "\(value) (\(name))") : self
    }

    /// All tags together that are copied, in bytes; half of what Linux lets arguments have.
    private static let room = 1 << 20

    /// Those that are copied, in the order of their names.
    static func copied(_ tags: [String: String]) -> [Tag] {
        var room = room
        return tags.map { Tag(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key }
            .filter { tag in
                guard tag.isCopied else { return false }
                room -= tag.key.utf8.count + tag.value.utf8.count
                return room >= 0
            }
    }
}
