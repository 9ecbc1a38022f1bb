import Foundation

// The messages are those of Pydantic v2, word for word: clients show them, and some look into them.

extension Rule where Value == Bool {
    /// A boolean, or what Pydantic takes for one.
    static var bool: Self {
        Rule { json, location, faults in
            switch json {
            case .bool(let value): return value
            case .integer(0), .number(0): return false
            case .integer(1), .number(1): return true
            case .string(let text):
                switch text.lowercased() {
                case "true", "t", "yes", "y", "on", "1": return true
                case "false", "f", "no", "n", "off", "0": return false
                default: break
                }
                fallthrough
            case .integer:
                faults.add(
                    "bool_parsing", "Input should be a valid boolean, unable to interpret input",
                    at: location)
            default:
                faults.add("bool_type", "Input should be a valid boolean", at: location)
            }
            return nil
        }
    }
}

extension Rule where Value == UUID {
    /// A UUID. The version is not looked at: an id of another version is just not known.
    static var uuid: Self {
        Rule { json, location, faults in
            guard case .string(let text) = json else {
                faults.add(
                    "uuid_type", "UUID input should be a string, bytes or UUID object",
                    at: location)
                return nil
            }
            switch UUIDText.parse(text) {
            case .success(let id): return id
            case .failure(let problem):
                faults.add(
                    "uuid_parsing", "Input should be a valid UUID, \(problem.message)",
                    at: location)
                return nil
            }
        }
    }
}

extension Rule where Value: RawRepresentable<String> & CaseIterable & Sendable {
    /// One of the names of an enumeration.
    static var oneOf: Self { oneOf(type: "enum") }

    /// One of the names that a schema lists in place.
    static var literal: Self { oneOf(type: "literal_error") }

    private static func oneOf(type: String) -> Self {
        Rule { json, location, faults in
            if let name = json.stringValue, let value = Value(rawValue: name) { return value }
            let names = Value.allCases.map { "'\($0.rawValue)'" }
            let list =
                names.count > 1
                ? names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
                : names.joined()
            faults.add(type, "Input should be \(list)", at: location)
            return nil
        }
    }
}

extension Rule {
    /// A value, or `null`.
    static func nullable<Wrapped>(_ rule: Rule<Wrapped>) -> Self where Value == Wrapped? {
        Rule { json, location, faults in
            if case .null = json { return .some(nil) }
            return rule.read(json, location, &faults).map(Optional.some)
        }
    }

    /// A list.
    static func list<Element>(
        of rule: Rule<Element>, minimum: Int = 0, maximum: Int = .max
    ) -> Self where Value == [Element] {
        Rule { json, location, faults in
            guard case .array(let values) = json else {
                faults.add("list_type", "Input should be a valid list", at: location)
                return nil
            }
            guard (minimum...maximum).contains(values.count) else {
                let isLong = values.count > maximum
                let bound = isLong ? maximum : minimum
                faults.add(
                    isLong ? "too_long" : "too_short",
                    "List should have at \(isLong ? "most" : "least") \(bound) "
                        + "item\(bound == 1 ? "" : "s") after validation, not \(values.count)",
                    at: location)
                return nil
            }
            var elements: [Element] = []
            for (position, value) in values.enumerated() {
                let element = rule.read(value, location + [.integer(Int64(position))], &faults)
                if let element { elements.append(element) }
            }
            return elements.count == values.count ? elements : nil
        }
    }

    /// An object; `build` asks for its members.
    static func object(
        _ build: @escaping @Sendable (ObjectReader, inout Faults) -> Value?
    ) -> Self {
        Rule { json, location, faults in
            guard case .object = json else {
                faults.add(
                    "model_attributes_type",
                    "Input should be a valid dictionary or object to extract fields from",
                    at: location)
                return nil
            }
            return build(ObjectReader(json: json, location: location), &faults)
        }
    }
}
