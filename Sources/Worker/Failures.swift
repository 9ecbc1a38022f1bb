import Inference
import Media
import Tasks
import VoiceChange

extension TaskFailure {
    /// What a client is told of an error that trying again cannot help; `nil` for any other.
    init?(final error: any Error) {
        switch error {
        case let failure as TaskFailure: self = failure
        case let error as MediaError where error.isFinal:
            self.init(code: error.code, detail: error.description)
        case let error as ModelError where error.isNotInstalled:
            self.init(code: "not_installed", detail: error.description)
        case VoiceError.noVoice:
            // The words of the published API.
            self.init(
                code: "inference_error",
                detail: "Unable to detect voice/vocals in the uploaded files")
        case VoiceError.unknown(let id) where VoicePack.named.contains { $0.id == id }:
            self.init(
                code: "not_installed", detail: "The voice \(id) is not installed on this server.")
        case let error as VoiceError:
            switch error {
            case .unknown, .refused: self.init(code: error.code, detail: error.description)
            default: return nil
            }
        default: return nil
        }
    }

    /// What a client is told of an error that may pass, should it have come at every attempt.
    init(passing error: any Error) {
        switch error {
        case let error as MediaError: self.init(code: error.code, detail: error.description)
        case let error as ModelError:
            self.init(code: "inference_error", detail: error.description)
        default:
            self.init(
                code: "internal_error", detail: "The task failed because of a fault in the server.")
        }
    }
}
