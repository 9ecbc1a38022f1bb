// swift-tools-version: 6.1
import Foundation
import PackageDescription

// CI sets PARTITA_STRICT=1: warnings in our own targets become errors.
let strict = ProcessInfo.processInfo.environment["PARTITA_STRICT"] == "1"
let settings: [SwiftSetting] =
    [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]
    + (strict ? [.unsafeFlags(["-warnings-as-errors"])] : [])

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "partita",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "partita", targets: ["partita"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.4"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: [.defaults, "YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", "4.5.2"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // C libraries: module maps and thin shims, nothing else.
        .systemLibrary(
            name: "CTransforms", pkgConfig: "libavutil", providers: [.apt(["libavutil-dev"])]),
        .systemLibrary(name: "CResampler", pkgConfig: "soxr", providers: [.apt(["libsoxr-dev"])]),
        .target(name: "COpenVINO", linkerSettings: [.linkedLibrary("dl")]),

        // The engine.
        room("DSP", ["CTransforms", "CResampler"]),
        room(
            "Inference", ["DSP", "COpenVINO", .product(name: "Crypto", package: "swift-crypto")]),
        room("Separation", ["DSP", "Inference"]),
        room(
            "VoiceChange",
            ["DSP", "Inference", .product(name: "Crypto", package: "swift-crypto")]),
        room(
            "Media",
            [
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),

        // The service.
        room("Tasks", [.product(name: "Crypto", package: "swift-crypto")]),
        room("SQLiteStore", ["Tasks", .product(name: "GRDB", package: "GRDB.swift")]),
        room("FileBlobs", ["Tasks"]),
        room(
            "HTTPAPI",
            [
                "Tasks",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        room(
            "Worker",
            [
                "DSP", "Inference", "Media", "Separation", "Tasks", "VoiceChange",
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        room(
            "Webhooks",
            [
                "Tasks",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "partita",
            dependencies: [
                "FileBlobs", "HTTPAPI", "Inference", "Media", "Separation", "SQLiteStore", "Tasks",
                "VoiceChange", "Webhooks", "Worker",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),

        // Tests sit beside what they test, by target.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        tests("DSPTests", ["DSP"]),
        tests(
            "SeparationTests",
            [
                "Inference", "Separation", "TestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        tests("VoiceChangeTests", ["Inference", "Separation", "VoiceChange", "TestSupport"]),
        tests("MediaTests", ["Media", "TestSupport"]),
        tests("TasksTests", ["Tasks", "SQLiteStore", "FileBlobs", "TestSupport"]),
        tests(
            "HTTPAPITests",
            [
                "HTTPAPI", "Tasks", "SQLiteStore", "FileBlobs", "Media", "Worker",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests(
            "WorkerTests",
            [
                "Worker", "Tasks", "SQLiteStore", "FileBlobs", "Inference", "Media", "Separation",
                "VoiceChange", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests(
            "WebhooksTests",
            [
                "Webhooks", "Tasks", "SQLiteStore", "TestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests("EndToEndTests", ["TestSupport"]),
    ]
)
