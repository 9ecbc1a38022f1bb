/// One operation of the document.
struct Operation {
    /// What it answers in the good case.
    enum Answer {
        case json(String)
        case other(JSON)
    }

    var method = "post"
    let path: String
    let id: String
    let tag: String
    let summary: String
    var description: String?
    var parameters: [JSON] = []
    /// The name of the schema of a JSON body.
    var body: String?
    var otherBody: JSON?
    let answer: Answer
    /// Besides the good case.
    var failures: [SharedResponse]
    var needsKey = true
    var isAddition = false

    /// The operation as OpenAPI writes it.
    var json: JSON {
        var content: JSON = [
            "operationId": .string(id), "tags": [.string(tag)], "summary": .string(summary),
        ]
        content = content.described(description)
        if !parameters.isEmpty { content = JSON(content, ["parameters": .array(parameters)]) }
        let requestBody = body.map { SharedResponse.content(Schema.ref($0)) } ?? otherBody
        if let requestBody {
            content = JSON(content, ["requestBody": JSON(requestBody, ["required": true])])
        }
        content = JSON(
            content,
            [
                "responses": .object(responses),
                "security": needsKey ? [["ApiKeyHeaderAuth": []]] : [],
            ])
        return isAddition ? content.addition : content
    }

    private var responses: [JSON.Member] {
        let good: [JSON.Member]
        switch answer {
        case .json(let schema):
            good = [
                .init(
                    "200", SharedResponse.json("Done.", SharedResponse.content(Schema.ref(schema))))
            ]
        case .other(.object(let members)): good = members
        case .other: good = []
        }
        return good + failures.map(\.member)
    }
}

/// The operations of one path.
struct PathItem {
    let path: String
    let operations: [Operation]

    init(_ operations: Operation...) {
        path = operations.first?.path ?? ""
        self.operations = operations
    }

    var member: JSON.Member {
        .init(path, .object(operations.map { .init($0.method, $0.json) }))
    }
}
