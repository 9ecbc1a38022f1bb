/// Builds the schemas of the document. The names are those of JSON Schema.
enum Schema {
    /// Where a schema stands that has a name.
    static func ref(_ name: String) -> JSON {
        ["$ref": .string("#/components/schemas/\(name)")]
    }

    static func type(_ name: String, _ description: String? = nil, _ more: JSON = [:]) -> JSON {
        JSON(["type": .string(name)], more).described(description)
    }

    static func string(_ description: String? = nil, _ more: JSON = [:]) -> JSON {
        type("string", description, more)
    }

    static func integer(_ description: String? = nil, _ more: JSON = [:]) -> JSON {
        type("integer", description, more)
    }

    static func boolean(_ description: String, default value: Bool? = nil) -> JSON {
        type("boolean", description, value.map { ["default": .bool($0)] } ?? [:])
    }

    /// A version 4 UUID, as the original calls the format.
    static func uuid(_ description: String? = nil) -> JSON {
        // The format is the original's word, which no registry has; the pattern says it to everybody.
        string(
            description,
            [
                "format": "uuid4",
                "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
            ])
    }

    /// One value only.
    static func const(_ value: String, _ description: String? = nil, default: Bool = false) -> JSON
    {
        string(
            description,
            JSON(["const": .string(value)], `default` ? ["default": .string(value)] : [:]))
    }

    /// The names of an enumeration.
    static func names<Name: RawRepresentable<String>>(
        _ names: [Name], _ description: String? = nil
    ) -> JSON {
        string(description, ["enum": .array(names.map { .string($0.rawValue) })])
    }

    static func array(_ items: JSON, _ description: String? = nil, _ more: JSON = [:]) -> JSON {
        JSON(["type": "array", "items": items], more).described(description)
    }

    /// A schema that a name stands for, with a default.
    static func named(_ name: String, default value: JSON, _ description: String) -> JSON {
        JSON(["allOf": [ref(name)], "default": value]).described(description)
    }

    /// A schema or `null`.
    static func nullable(
        _ schema: JSON, default value: JSON? = nil, _ description: String? = nil
    ) -> JSON {
        JSON(["anyOf": [schema, ["type": "null"]]], value.map { ["default": $0] } ?? [:])
            .described(description)
    }

    /// One of several, told apart by the value of a property.
    static func oneOf(_ property: String, _ mapping: [(value: String, schema: String)]) -> JSON {
        [
            "oneOf": .array(mapping.map { ref($0.schema) }),
            "discriminator": [
                "propertyName": .string(property),
                "mapping": .object(
                    mapping.map { .init($0.value, .string("#/components/schemas/\($0.schema)")) }),
            ],
        ]
    }

    static func object(
        _ properties: [JSON.Member], required: [String] = [], _ description: String? = nil
    ) -> JSON {
        JSON(
            ["type": "object", "properties": .object(properties)],
            required.isEmpty ? [:] : ["required": .array(required.map { .string($0) })]
        ).described(description)
    }
}

extension JSON {
    /// The members of several objects in one.
    init(_ objects: JSON...) {
        self = .object(
            objects.flatMap { object in
                guard case .object(let members) = object else { return [Member]() }
                return members
            })
    }

    func described(_ description: String?) -> JSON {
        guard let description else { return self }
        return JSON(self, ["description": .string(description)])
    }

    /// Marks what the original API does not have.
    var addition: JSON { JSON(self, ["x-partita-addition": true]) }
}
