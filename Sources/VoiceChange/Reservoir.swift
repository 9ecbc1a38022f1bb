/// A sample of fixed size, spread evenly over all that came in.
///
/// Algorithm R: J. Vitter, *Random sampling with a reservoir*, ACM Transactions on Mathematical Software 11 (1), 1985;
/// its random numbers are a function of the position, so the same input gives the same sample.
struct Reservoir<Element> {
    let limit: Int
    private(set) var elements: [Element] = []
    private var seen: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    mutating func add(_ element: Element) {
        seen += 1
        if elements.count < limit {
            elements.append(element)
            return
        }
        let place = Int(Noise.hash(seen) % seen)
        if place < limit { elements[place] = element }
    }
}
