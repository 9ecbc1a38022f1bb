/// The OpenAPI 3.1 document of this server.
///
/// Written here rather than in a file of its own, so that its enumerations are those that requests
/// are read by. A test holds it against the shapes of the API that it stands in for.
package enum APIDocument {
    /// The whole document.
    ///
    /// - Parameter basePath: What the server's paths are found under, where a proxy puts it
    ///   somewhere else than at the root: `/stems`.
    package static func json(basePath: String = "") -> JSON {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "Partita",
                "version": "1.1.0",
                "summary": "Takes songs apart: stem separation on your own machine.",
                "description": .string(introduction),
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [
                [
                    "url": .string(basePath.isEmpty ? "/" : basePath),
                    "description": "The server that gave you this document",
                ]
            ],
            "tags": .array(tags),
            "paths": .object(
                (commonPaths + splittingPaths + batchPaths + voicePaths + additionPaths)
                    .map(\.member)),
            "components": [
                "schemas": .object(
                    taskSchemas + presetSchemas + echoSchemas + checkSchemas + requestSchemas
                        + voiceSchemas + errorSchemas + additionSchemas),
                "headers": .object(sharedHeaders),
                "securitySchemes": [
                    "ApiKeyHeaderAuth": [
                        "type": "apiKey", "in": "header", "name": "X-License-Key",
                        "description": "The key of a license of this server.",
                    ]
                ],
            ],
        ]
    }

    private static let introduction = """
        Version 1 of the LALAL.AI API as this server speaks it. Partita is not affiliated with \
        LALAL.AI.

        A song goes through five steps: upload it, start a task with the id that comes back, ask \
        `check` until the task is done, fetch the tracks from the links that it gives, and delete \
        the source when nobody needs it any longer. One source can serve many tasks.

        Send a license key in `X-License-Key` with every request under `/api/v1/`, except for this \
        document and its page. Paths answer without their final slash, too. Every response has an \
        `x-request-id`, which the server's log knows.

        What is marked `x-partita-addition` is not part of the original API.
        """

    private static let tags: [JSON] = [
        tag("Common", "Files in, the state of tasks, and what becomes of them."),
        tag("Stem Separation", "One recording into its parts."),
        tag("Batch Stem Separation", "Many recordings with one request."),
        tag("Voice Change", "The same words with another voice."),
        tag("Partita", "What this server has besides the original API."),
    ]

    private static func tag(_ name: String, _ description: String) -> JSON {
        ["name": .string(name), "description": .string(description)]
    }
}
