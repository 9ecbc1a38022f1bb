import Foundation
import Tasks

// The messages are those of Pydantic v2, word for word: clients show them, and some look into them.

// Unlike Pydantic, nothing is converted: `"true"` is no boolean, as the schema says.

extension Rule where Value == Bool {
    static var bool: Self {
        Rule { json, location, faults in
            switch json {
            case .bool(let value): return value
            case .string:
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

extension Rule where Value == String {
    static var string: Self {
        Rule { json, location, faults in
            if let text = json.stringValue { return text }
            faults.add("string_type", "Input should be a valid string", at: location)
            return nil
        }
    }

    /// One of the texts that a schema lists in place.
    static func literal(of names: [String]) -> Self {
        Rule { json, location, faults in
            if let name = json.stringValue, names.contains(name) { return name }
            let list = alternatives(names.map { "'\($0)'" })
            faults.add("literal_error", "Input should be \(list)", at: location)
            return nil
        }
    }

    static var callbackURL: Self {
        Rule { json, location, faults in
            guard let text = string.read(json, location, &faults) else { return nil }
            if CallbackURL.isValid(text) { return text }
            faults.add(
                "url_parsing",
                "Input should be a valid URL: http:// or https://, a host, and no credentials",
                at: location)
            return nil
        }
    }
}

extension Rule where Value == Double {
    /// A number within bounds.
    static func number(in range: ClosedRange<Double>) -> Self {
        Rule { json, location, faults in
            let value: Double
            switch json {
            case .integer(let number): value = Double(number)
            case .number(let number): value = number
            case .string(let text) where Double(text) == nil:
                faults.add(
                    "float_parsing",
                    "Input should be a valid number, unable to parse string as a number",
                    at: location)
                return nil
            default:
                faults.add("float_type", "Input should be a valid number", at: location)
                return nil
            }
            if range.contains(value) { return value }
            let isLow = value < range.lowerBound
            let bound = isLow ? range.lowerBound : range.upperBound
            faults.add(
                isLow ? "greater_than_equal" : "less_than_equal",
                "Input should be \(isLow ? "greater" : "less") than or equal to "
                    + bound.formatted(.number.grouping(.never).locale(Locale(identifier: "en_US"))),
                at: location)
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
            let list = alternatives(Value.allCases.map { "'\($0.rawValue)'" })
            faults.add(type, "Input should be \(list)", at: location)
            return nil
        }
    }
}

extension Rule where Value: RawRepresentable<Int> & CaseIterable & Sendable {
    /// One of the numbers of an enumeration.
    static var number: Self {
        Rule { json, location, faults in
            let number: Int? =
                switch json {
                case .integer(let value): Int(value)
                case .number(let value): Int(exactly: value)
                default: nil
                }
            if let value = number.flatMap(Value.init(rawValue:)) { return value }
            let list = alternatives(Value.allCases.map { "\($0.rawValue)" })
            faults.add("enum", "Input should be \(list)", at: location)
            return nil
        }
    }
}

/// `a, b or c`
private func alternatives(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.joined() }
    return names.dropLast().joined(separator: ", ") + " or " + last
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
