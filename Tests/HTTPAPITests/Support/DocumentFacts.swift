import HTTPAPI

/// The facts of an OpenAPI document: where each stands, and what it says. No prose.
struct DocumentFacts {
    private(set) var facts: [String: String] = [:]
    private let document: JSON

    init(_ document: JSON) {
        self.document = document
        for (path, item) in members(document["paths"]) {
            for (method, operation) in members(item) {
                add(operation, at: "\(method) \(path)")
            }
        }
    }

    private func members(_ json: JSON?) -> [(name: String, value: JSON)] {
        guard case .object(let members) = json else { return [] }
        return members.map { ($0.name, $0.value) }
    }

    private func elements(_ json: JSON?) -> [JSON] {
        guard case .array(let elements) = json else { return [] }
        return elements
    }

    private mutating func add(_ operation: JSON, at place: String) {
        facts["\(place) > operationId"] = operation["operationId"].map(text)
        facts["\(place) > security"] = operation["security"].map(text)
        for parameter in elements(operation["parameters"]) {
            let name = "\(place) > parameter \(parameter["name"]?.stringValue ?? "?")"
            for key in ["in", "required"] { facts["\(name) > \(key)"] = parameter[key].map(text) }
            addSchema(parameter["schema"] ?? .null, at: name)
        }
        if let body = operation["requestBody"] {
            facts["\(place) > body > required"] = body["required"].map(text)
            addContent(body, at: "\(place) > body")
        }
        for (status, response) in members(operation["responses"]) {
            addContent(response, at: "\(place) > \(status)")
        }
    }

    private mutating func addContent(_ holder: JSON, at place: String) {
        facts[place] = "documented"
        for (type, media) in members(holder["content"]) {
            addSchema(media["schema"] ?? .null, at: "\(place) > \(type)")
        }
    }

    private mutating func addSchema(_ schema: JSON, at place: String) {
        for (key, value) in members(schema) {
            switch key {
            case "$ref":
                let name = value.stringValue?.split(separator: "/").last.map(String.init) ?? ""
                let named = document["components"]?["schemas"]?[name]
                facts["\(place) > unresolved \(name)"] = named == nil ? "yes" : nil
                addSchema(named ?? .null, at: place)
            case "description", "title", "example", "examples", "x-partita-addition": break
            case "properties":
                for (name, property) in members(value) {
                    facts["\(place).\(name)"] = "property"
                    addSchema(property, at: "\(place).\(name)")
                }
            case "allOf":
                // Here only a way to set something beside a reference.
                for part in elements(value) { addSchema(part, at: place) }
            case "anyOf", "oneOf":
                for (position, part) in elements(value).enumerated() {
                    addSchema(part, at: "\(place) > \(key) \(position)")
                }
            case "items": addSchema(value, at: "\(place)[]")
            case "additionalProperties" where members(value).count > 0:
                addSchema(value, at: "\(place){}")
            case "enum", "required":
                // Without order.
                for element in elements(value) {
                    facts["\(place) > \(key) > \(text(element))"] = "listed"
                }
            case "discriminator":
                facts["\(place) > discriminator"] = value["propertyName"].map(text)
            default: facts["\(place) > \(key)"] = text(value)
            }
        }
    }

    /// 1 and 1.0 are the same.
    private func text(_ json: JSON) -> String {
        if case .integer(let value) = json { return String(Double(value)) }
        return String(decoding: json.utf8, as: UTF8.self)
    }
}
