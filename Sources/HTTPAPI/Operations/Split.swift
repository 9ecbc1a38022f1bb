import Foundation
import Hummingbird
import Tasks

/// What every split operation is asked: a source, presets of its kind, and perhaps a key.
struct SplitRequest<Presets: Sendable>: Sendable {
    let source: UUID
    let presets: Presets
    let idempotencyKey: UUID?

    static func rule(_ presets: Rule<Presets>) -> Rule<SplitRequest> {
        .object { object, faults in
            let source = object.required("source_id", .uuid, &faults)
            let presets = object.required("presets", presets, &faults)
            let key = object.optional(
                "idempotency_key", .nullable(.uuid), default: nil, &faults)
            guard let source, let presets, let key else { return nil }
            return SplitRequest(source: source, presets: presets, idempotencyKey: key)
        }
    }
}

extension API {
    /// Where faults of split operations are said to be.
    static let splitRoot: [JSON] = ["body", "split_input"]

    /// `POST /api/v1/split/stem_separator/`.
    func splitStemSeparator(_ request: Request, _ context: APIContext) async throws -> Response {
        let licence = try context.requireLicence()
        let split = try await request.decode(
            SplitRequest.rule(.stemSeparatorPresets), root: Self.splitRoot, context)
        do {
            let task = try await tasks.split(
                source: split.source, presets: split.presets,
                idempotencyKey: split.idempotencyKey, licence: licence)
            return .json(["task_id": .string(task.text)])
        } catch let refusal as SubmissionRefused {
            throw APIError(refusal)
        }
    }
}

extension APIError {
    init(_ refusal: SubmissionRefused) {
        switch refusal {
        case .unknownSource:
            self = .refused(
                "source_not_found",
                "There is no such source file. It may have expired or been deleted; "
                    + "upload it again.")
        case .idempotencyKeyUsed:
            self = .refused("idempotency_key_used", "Idempotency key has already been used.")
        }
    }
}
