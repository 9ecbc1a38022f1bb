"""Command line: python -m training build | run | export | fuse | evaluate."""

import argparse

PACKS = ("music-core", "music-instruments", "vocals-lead", "dry")


def main() -> None:
    parser = argparse.ArgumentParser(prog="training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="render training songs and prepare recordings")
    build.add_argument("--minutes", type=float, default=60, help="of synthetic songs")
    build.add_argument("--wall-minutes", type=float, default=20)
    build.add_argument("--ensemble", action="store_true", help="songs of pitched instruments alone, for music-instruments")
    build.add_argument("--voices", action="store_true", help="lanes and choirs, for vocals-lead and dry")
    build.add_argument("--heard", action="store_true", help="vocals as the packs find them in songs with choirs, for vocals-lead: after the two others")
    build.add_argument("--phones", action="store_true", help="speech with known phones, for content")
    build.add_argument("--seconds", type=float, default=40, help="of each song")
    build.add_argument("--recorded", action="store_true", help="recorded notes wherever an instrument has some")
    build.add_argument("--first", type=int, default=0, help="number of the first song, to build in several processes")
    run = commands.add_parser("run", help="train a pack, from its last checkpoint if there is one")
    run.add_argument("pack", choices=(*PACKS, "speech", "content"))
    run.add_argument("--minutes", type=float, default=90, help="wall clock of the whole schedule")
    run.add_argument("--threads", type=int, default=2)
    run.add_argument("--rate", type=float, default=2e-3, help="of learning, until two thirds of the time")
    run.add_argument("--warm", nargs="?", const="", metavar="PACK",
                     help="without a checkpoint, start from the weights of Models/<pack>, or of this other pack")
    export = commands.add_parser("export", help="write Models/<pack> from the last checkpoint")
    export.add_argument("pack", choices=(*PACKS, "content"))
    export.add_argument("--again", action="store_true", help="from the weights of Models/<pack> instead, not for content")
    export.add_argument("--share", type=float, default=1, help="of the checkpoint in the weights, the rest being those of Models/<pack>; not for content")
    fuse = commands.add_parser("fuse", help="learn Models/fusion.json on validation material")
    fuse.add_argument("--threads", type=int, default=1)
    evaluate = commands.add_parser("evaluate", help="print the tables of metrics")
    evaluate.add_argument("pack", choices=(*PACKS, "speech"), nargs="?", default="music-core")
    evaluate.add_argument("--threads", type=int, default=1)
    evaluate.add_argument("--pieces", type=int, help="of the unseen soundfont")
    arguments = parser.parse_args()

    if arguments.command == "build" and arguments.voices:
        from . import voices

        voices.build(arguments.minutes, arguments.wall_minutes, arguments.first)
    elif arguments.command == "build" and arguments.heard:
        from . import heard

        heard.build(arguments.minutes, arguments.wall_minutes, arguments.first)
    elif arguments.command == "build" and arguments.phones:
        from . import content

        content.build()
    elif arguments.command == "build":
        from . import render

        render.build(arguments.minutes, arguments.seconds, arguments.wall_minutes, arguments.ensemble, arguments.first,
                     arguments.recorded)
    elif arguments.command == "run" and arguments.pack == "content":
        from . import content

        content.run(arguments.minutes, arguments.threads)
    elif arguments.command == "export" and arguments.pack == "content":
        from . import content

        content.export()
    elif arguments.command == "run":
        from . import config, export, train

        warm = None if arguments.warm is None else config.PACKS / (arguments.warm or arguments.pack) / "model.onnx"
        start = export.weights_of(warm) if warm else None
        train.run(arguments.pack, arguments.minutes, arguments.threads, start=start, peak=arguments.rate)
    elif arguments.command == "export":
        from . import export as exporter

        if arguments.again:
            exporter.again(arguments.pack)
        else:
            exporter.export(arguments.pack, share=arguments.share)
    elif arguments.command == "fuse":
        from . import fusion

        fusion.learn(arguments.threads)
    elif arguments.pack == "music-core":
        from . import evaluate as evaluator

        evaluator.main(arguments.threads, arguments.pieces or 6)
    elif arguments.pack in ("vocals-lead", "dry"):
        from . import evaluate_voices as evaluator

        evaluator.main(arguments.pack, arguments.threads, arguments.pieces or 40)
    elif arguments.pack == "speech":
        from . import evaluate_speech as evaluator

        evaluator.main(arguments.threads, arguments.pieces or 12)
    else:
        from . import evaluate_instruments as evaluator

        evaluator.main(arguments.threads, arguments.pieces or 14)


if __name__ == "__main__":
    main()
