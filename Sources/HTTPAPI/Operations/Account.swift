import Foundation
import Hummingbird
import Tasks

extension API {
    /// `POST /api/v1/delete/`: removes a source and its tracks at once.
    func delete(_ request: Request, _ context: APIContext) async throws -> Response {
        let licence = try context.requireLicence()
        let source = try await request.decode(.deletedSource, root: ["body"], context)
        guard try await tasks.deleteSource(source, licence: licence) else {
            throw APIError.sourceNotFound
        }
        return .json([:])
    }

    /// `POST /api/v1/limits/minutes_left/`.
    func minutesLeft(_ request: Request, _ context: APIContext) async throws -> Response {
        let minutes = try await tasks.minutesLeft(licence: context.requireLicence())
        return .json(["minutes_left": .number(minutes)])
    }

    /// `POST /api/v1/voice_packs/list/`.
    func voicePacks(_ request: Request, _ context: APIContext) async throws -> Response {
        let packs = tasks.voicePacks(licence: try context.requireLicence())
        return .json([
            "packs": .array(
                packs.map { pack in
                    [
                        "pack_id": .string(pack.id), "name": .string(pack.name),
                        "created": .integer(Int64(pack.created.timeIntervalSince1970)),
                        "ready_to_use": .bool(pack.isReady),
                    ]
                })
        ])
    }
}

extension Rule where Value == UUID {
    /// The body of `delete`.
    fileprivate static var deletedSource: Self {
        .object { object, faults in object.required("source_id", .uuid, &faults) }
    }
}
