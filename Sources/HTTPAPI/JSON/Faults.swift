/// One thing that is wrong with a body, in the form that Pydantic v2 gives it.
package struct Fault: Sendable, Hashable {
    /// Names and list positions from the root, which is called `body`.
    package let location: [JSON]
    package let message: String
    package let type: String

    var json: JSON {
        ["loc": .array(location), "msg": .string(message), "type": .string(type)]
    }
}

/// A body that is refused with all of its faults.
package struct InvalidBody: Error, Sendable, Hashable {
    package let faults: [Fault]
}

/// Collects faults while a body is read, so that a client hears of all of them at once.
package struct Faults {
    package private(set) var list: [Fault] = []

    mutating func add(_ type: String, _ message: String, at location: [JSON]) {
        list.append(Fault(location: location, message: message, type: type))
    }
}

/// How one kind of value is read from JSON.
package struct Rule<Value>: Sendable {
    /// The value, or `nil` after a fault has been recorded.
    let read: @Sendable (_ json: JSON, _ location: [JSON], _ faults: inout Faults) -> Value?

    /// Reads a whole body.
    ///
    /// - Parameter root: What the location of every fault starts with.
    /// - Throws: ``InvalidBody``.
    package func read(_ json: JSON, root: [JSON]) throws(InvalidBody) -> Value {
        var faults = Faults()
        let value = read(json, root, &faults)
        guard let value, faults.list.isEmpty else { throw InvalidBody(faults: faults.list) }
        return value
    }
}

/// The members of an object that is being read. Members that nobody asks for are ignored.
package struct ObjectReader {
    let json: JSON
    let location: [JSON]

    /// A member that must be there.
    func required<Value>(
        _ name: String, _ rule: Rule<Value>, _ faults: inout Faults
    ) -> Value? {
        guard let value = json[name] else {
            faults.add("missing", "Field required", at: location + [.string(name)])
            return nil
        }
        return rule.read(value, location + [.string(name)], &faults)
    }

    /// A member with a default.
    func optional<Value>(
        _ name: String, _ rule: Rule<Value>, default: Value, _ faults: inout Faults
    ) -> Value? {
        guard let value = json[name] else { return `default` }
        return rule.read(value, location + [.string(name)], &faults)
    }
}
