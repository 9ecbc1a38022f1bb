extension APIDocument {
    /// One source, one task.
    static var splittingPaths: [PathItem] {
        [
            split(
                "stem_separator", id: "split_split_enhanced",
                summary: "Take one stem out of a recording",
                """
                Gives two tracks: the stem, labeled with its name, and everything else, labeled \
                `no_` and the name. With `multivocal` set to `lead_back` the vocals are divided, \
                too: `vocals@0` is the lead, `vocals@1` the backing vocals (missing where there \
                are none), `no_vocals` the instruments and `mix_no_lead` the instruments with the \
                backing vocals.
                """, body: "StemSeparatorSplitParameters"),
            split(
                "demuser", id: "split_split_demuser",
                summary: "Take the music out from under a voice",
                """
                For speech with music in the background. Tracks: `music`, and `no_music` with the \
                voice.
                """,
                body: "DemuserSplitParameters"),
            split(
                "voice_clean", id: "split_split_voice_clean",
                summary: "Take the noise away from a voice",
                "For speech with noise around it. Tracks: `voice`, and `no_voice` with the noise.",
                body: "VoiceCleanSplitParameters"),
            split(
                "multistem", id: "split_split_multistem",
                summary: "Take several stems out of a recording at once",
                """
                Gives one track for each stem, and `no_multistem` with what is left. Every stem \
                costs the minutes of the recording, so two stems of a minute cost two minutes.
                """, body: "MultistemSplitParameters"),
        ]
    }

    /// Many sources, a task for each.
    static var batchPaths: [PathItem] {
        [
            batch(
                "stem_separator", id: "batch_split_split_batch_enhanced",
                summary: "Take one stem out of each of many recordings",
                body: "BatchStemSeparatorSplitParameters"),
            batch(
                "demuser", id: "batch_split_split_batch_demuser",
                summary: "Take the music out from under many voices",
                body: "BatchDemuserSplitParameters"),
            batch(
                "voice_clean", id: "batch_split_split_batch_voice_clean",
                summary: "Take the noise away from many voices",
                body: "BatchVoiceCleanSplitParameters"),
        ]
    }

    private static func split(
        _ name: String, id: String, summary: String, _ description: String, body: String
    ) -> PathItem {
        PathItem(
            Operation(
                path: "/api/v1/split/\(name)/", id: id, tag: "Stem Separation", summary: summary,
                description: description, body: body, answer: .json("Task"),
                failures: SharedResponse.withBody))
    }

    private static func batch(
        _ name: String, id: String, summary: String, body: String
    ) -> PathItem {
        PathItem(
            Operation(
                path: "/api/v1/split/batch/\(name)/", id: id, tag: "Batch Stem Separation",
                summary: summary,
                description: """
                    Does for each item what `split/\(name)/` does. Items stand for themselves: one \
                    that is refused has `status` `error` in its place, and the others go on. The \
                    results have the order of the items.
                    """,
                body: body, answer: .json("BatchTasksResponse"),
                failures: [.batchRefused, .forbidden, .tooLarge, .invalid, .tooMany, .failed]))
    }
}
