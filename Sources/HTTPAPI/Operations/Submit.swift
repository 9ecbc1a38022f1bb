import Foundation
import Hummingbird
import Tasks

/// What every operation that starts tasks is asked: a source, presets of its kind, perhaps a key and an
/// address that is told of the end.
struct Submission: Sendable {
    let source: UUID
    let presets: Presets
    let idempotencyKey: UUID?
    let callbackURL: String?
}

extension Rule where Value == Submission {
    static func submission(_ presets: Rule<Presets>) -> Self {
        .object { object, faults in
            let source = object.required("source_id", .uuid, &faults)
            let presets = object.required("presets", presets, &faults)
            let key = object.optional(
                "idempotency_key", .nullable(.uuid), default: nil, &faults)
            let callback = object.optional(
                "callback_url", .nullable(.callbackURL), default: nil, &faults)
            guard let source, let presets, let key, let callback else { return nil }
            return Submission(
                source: source, presets: presets, idempotencyKey: key, callbackURL: callback)
        }
    }
}

extension Rule where Value == [Submission] {
    static func batch(of presets: Rule<Presets>) -> Self {
        .object { object, faults in
            object.required(
                "items", .list(of: .submission(presets), minimum: 1, maximum: 100), &faults)
        }
    }
}

extension API {
    /// Where faults of splits are said to be.
    private static let splitRoot: [JSON] = ["body", "split_input"]

    /// `POST /api/v1/split/…/`: starts one task.
    func split(_ presets: Rule<Presets>) -> Route.Handler {
        { request, context in try await start(presets, root: Self.splitRoot, request, context) }
    }

    /// `POST /api/v1/change_voice/`.
    func changeVoice(_ request: Request, _ context: APIContext) async throws -> Response {
        try await start(.voiceChange, root: ["body"], request, context)
    }

    private func start(
        _ presets: Rule<Presets>, root: [JSON], _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let licence = try context.requireLicence()
        let submission = try await request.decode(.submission(presets), root: root, context)
        do {
            let task = try await submit(submission, licence)
            return .json(["task_id": .string(task.text)])
        } catch let refusal as SubmissionRefused {
            throw APIError(refusal)
        }
    }

    /// `POST /api/v1/split/batch/…/`: starts a task for each item, each for itself.
    func splitBatch(_ presets: Rule<Presets>) -> Route.Handler {
        { request, context in
            let licence = try context.requireLicence()
            let items = try await request.decode(
                .batch(of: presets), root: Self.splitRoot, context)
            var results: [JSON] = []
            for item in items {
                results.append(try await result(of: item, licence, context))
            }
            return .json(["results": .array(results)])
        }
    }

    private func result(
        of item: Submission, _ licence: Licence, _ context: APIContext
    ) async throws -> JSON {
        func refused(_ code: String, _ detail: String) -> JSON {
            [
                "status": "error", "error": .string(detail), "code": .string(code),
                "source_id": .string(item.source.text),
            ]
        }
        guard licence.terms.batches else {
            return refused("batch_not_avaliable", "This license does not include batches.")
        }
        do {
            let task = try await submit(item, licence)
            return [
                "status": "success", "task_id": .string(task.text),
                "source_id": .string(item.source.text),
            ]
        } catch SubmissionRefused.licenceRevoked {
            throw APIError(.licenceRevoked)
        } catch let refusal as SubmissionRefused {
            let error = APIError(refusal)
            return refused(error.code ?? "internal_error", error.detail)
        } catch {
            context.logger.error("an item of a batch failed", metadata: ["error": "\(error)"])
            return refused(
                "internal_error",
                "The server made a mistake. Its log tells more under this x-request-id.")
        }
    }

    private func submit(_ submission: Submission, _ licence: Licence) async throws -> UUID {
        try await tasks.submit(
            source: submission.source, presets: submission.presets,
            idempotencyKey: submission.idempotencyKey, callbackURL: submission.callbackURL,
            licence: licence)
    }
}

extension APIError {
    init(_ refusal: SubmissionRefused) {
        switch refusal {
        case .unknownSource:
            self = .sourceNotFound
        case .unknownVoicePack:
            self = .refused(
                "voice_pack_not_found",
                "There is no such voice. voice_packs/list/ names those that there are.")
        case .idempotencyKeyUsed:
            self = .refused("idempotency_key_used", "Idempotency key has already been used.")
        case .exceededDuration(let cost, let available):
            self = .refused(
                "exceeded_duration",
                "The task needs \(Self.minutes(cost)) minutes, and the license has "
                    + "\(Self.minutes(max(0, available))) left.")
        case .tooLong(let limit):
            self = .refused(
                "max_duration",
                "The file is longer than this license allows "
                    + "(\(Self.minutes(Int64(limit * 1000))) minutes).")
        case .tooLarge(let limit):
            self = .exceededSize(limit: limit, of: "license")
        case .licenceRevoked:
            self = .unknownKey
        }
    }

    static var sourceNotFound: APIError {
        .refused(
            "source_not_found",
            "There is no such source file. It may have expired or been deleted; upload it again.")
    }

    /// - Parameter owner: Whose limit it is: `server` or `license`.
    static func exceededSize(limit: Int64, of owner: String) -> APIError {
        .refused(
            "exceeded_size", "The file is larger than this \(owner) allows (\(limit) bytes).")
    }

    /// Minutes with two decimals at most.
    private static func minutes(_ milliseconds: Int64) -> String {
        (Double(milliseconds) / 60_000).formatted(
            .number.precision(.fractionLength(0...2)).locale(Locale(identifier: "en_US")))
    }
}
