"""bin/partita in a copy of the checkout, with stand-ins for the compiler and the downloads."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# What the scripts call of a plain system; the folder of these is all of PATH.
TOOLS = """bash chmod env readlink dirname uname sed head tail sort cat sha256sum cut find mkdir mv rm touch
flock grep id sleep""".split()
SWIFT = """#!/bin/bash
if [[ $1 == --version ]]; then echo "Swift version ${SWIFT_VERSION:-6.3.1} (a stand-in)"; exit; fi
echo "$*" >>"$CALLS"
echo "[3/9] Compiling"
sleep "${SWIFT_SECONDS:-0}"
if [[ -n ${SWIFT_FAILS:-} ]]; then echo "Sources/a.swift:1:2: error: no such thing"; exit 1; fi
mkdir -p .build/release
cat >.build/release/partita <<'END'
#!/bin/bash
printf '<%s>' "$@"
echo " $PARTITA_ROOT"
cat
END
chmod +x .build/release/partita
"""
PYTHON = """#!/bin/bash
[[ $1 == setup/fetch.py ]] || exit 0
echo "$2" >>"$CALLS"
if [[ -n ${FETCH_FAILS:-} && $2 == "$FETCH_FAILS" ]]; then echo "no network"; exit 1; fi
if [[ $2 == runtime ]]; then mkdir -p .deps/openvino; touch .deps/openvino/pin; fi
case $2 in spleeter) pack=spleeter-2stems ;; deepfilternet) pack=deepfilternet3 ;; swift-f0) pack=swift-f0 ;; *) exit 0 ;; esac
mkdir -p .deps/models/$pack; touch .deps/models/$pack/model.json
"""


class WrapperTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = os.path.join(folder.name, "a clone")
        self.path = os.path.join(folder.name, "path")
        self.calls = os.path.join(folder.name, "calls")
        for part in ("bin", "setup", "Models/spleeter-2stems", "Models/deepfilternet3", "Models/swift-f0"):
            shutil.copytree(os.path.join(ROOT, part), os.path.join(self.root, part))
        os.makedirs(os.path.join(self.root, "Sources"))
        for name in ("Package.swift", "Sources/a.swift"):
            open(os.path.join(self.root, name), "w").close()
        os.makedirs(self.path)
        for tool in TOOLS:
            os.symlink(shutil.which(tool), os.path.join(self.path, tool))
        self.stand_in("swift", SWIFT)
        self.stand_in("python3", PYTHON)
        for tool in ("ffmpeg", "ffprobe", "prlimit", "curl", "git", "pkg-config"):
            self.stand_in(tool, "#!/bin/bash\n")

    def stand_in(self, name, text):
        path = os.path.join(self.path, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def start(self, *arguments, program=None, cwd="/", **environment):
        return subprocess.Popen(
            [program or os.path.join(self.root, "bin", "partita"), *arguments], cwd=cwd,
            env={"PATH": self.path, "CALLS": self.calls, **environment}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def partita(self, *arguments, **options):
        process = self.start(*arguments, **options)
        process.out, process.err = process.communicate("from a pipe")
        return process

    def called(self):
        if not os.path.exists(self.calls):
            return []
        with open(self.calls) as file:
            return file.read().split("\n")[:-1]

    def test_first_run_sets_up_and_the_second_only_runs(self):
        first = self.partita("split", "a song.mp3", "")
        self.assertEqual(first.returncode, 0, first.err)
        self.assertEqual(first.out, f"<split><a song.mp3><> {self.root}\nfrom a pipe")
        self.assertIn("compiling", first.err)
        self.assertEqual(sorted(self.called()),
                         ["build -c release --product partita", "deepfilternet", "runtime", "spleeter", "swift-f0"])
        second = self.partita("serve")
        self.assertEqual((second.out, second.err), (f"<serve> {self.root}\nfrom a pipe", ""))
        self.assertEqual(len(self.called()), 5)

    def test_runs_through_a_symbolic_link(self):
        link = os.path.join(self.path, "p")
        os.symlink(os.path.join(self.root, "bin", "partita"), link)
        run = self.partita("x", program=link)
        self.assertEqual(run.out, f"<x> {self.root}\nfrom a pipe", run.err)

    def test_builds_again_when_a_source_is_newer(self):
        self.partita()
        later = time.time() + 5
        os.utime(os.path.join(self.root, "Sources", "a.swift"), (later, later))
        run = self.partita("x")
        self.assertEqual(run.returncode, 0, run.err)
        self.assertEqual(self.called().count("build -c release --product partita"), 2)

    def test_concurrent_first_runs_set_up_once(self):
        runs = [self.start("x", SWIFT_SECONDS="1") for _ in range(3)]
        for run in runs:
            out, err = run.communicate("")
            self.assertEqual((run.returncode, out), (0, f"<x> {self.root}\n"), err)
        self.assertEqual(len(self.called()), 5)

    def test_an_interrupted_set_up_leaves_nothing_running_and_is_taken_up(self):
        run = self.start("x", SWIFT_SECONDS="60")
        while not any(call.startswith("build") for call in self.called()):
            time.sleep(0.05)
        run.terminate()
        run.communicate()
        self.assertEqual(run.returncode, 143)
        began = time.monotonic()
        again = self.partita("x")
        self.assertEqual(again.returncode, 0, again.err)
        self.assertLess(time.monotonic() - began, 20)  # the lock was not held by an orphan

    def test_without_the_open_model_it_runs_and_tries_again_after_an_hour(self):
        first = self.partita("x", FETCH_FAILS="spleeter")
        self.assertEqual(first.out, f"<x> {self.root}\nfrom a pipe")
        self.assertIn("cannot get the open model spleeter: no network", first.err)
        self.assertIn("the other models serve alone", first.err)
        self.assertEqual(self.called().count("deepfilternet"), 1)
        self.partita("x")
        self.assertEqual(self.called().count("spleeter"), 1)
        marker = os.path.join(self.root, ".deps", "without-spleeter")
        os.utime(marker, (time.time() - 4000,) * 2)
        self.partita("x")
        self.assertEqual(self.called().count("spleeter"), 2)
        self.assertFalse(os.path.exists(marker))

    def test_without_the_runtime_it_cannot_go_on(self):
        run = self.partita("x", FETCH_FAILS="runtime")
        self.assertEqual((run.returncode, run.out), (1, ""))
        self.assertIn("cannot get the inference runtime (OpenVINO): no network", run.err)
        self.assertIn(".deps/wheels/", run.err)

    def test_a_failed_build_shows_the_error(self):
        run = self.partita("x", SWIFT_FAILS="1")
        self.assertEqual((run.returncode, run.out), (1, ""))
        self.assertIn("error: no such thing", run.err)
        self.assertIn(".deps/build.log", run.err)

    def test_a_failed_build_returns_when_its_downloads_have_ended(self):
        self.stand_in("python3", """#!/bin/bash
[[ $1 == setup/fetch.py ]] || exit 0
trap 'sleep 0.5; echo ended >>"$CALLS"; exit 1' TERM
echo begun >>"$CALLS"
for ((i = 0; i < 100; i++)); do sleep 0.1; done
""")
        self.stand_in("swift", SWIFT.replace(
            'sleep "${SWIFT_SECONDS:-0}"', 'until grep -q begun "$CALLS"; do sleep 0.02; done'))
        self.assertEqual(self.partita("x", SWIFT_FAILS="1").returncode, 1)
        self.assertEqual(self.called()[-1], "ended")

    def test_no_swift(self):
        os.remove(os.path.join(self.path, "swift"))
        run = self.partita("x")
        self.assertEqual((run.returncode, run.out), (1, ""))
        self.assertIn("Swift 6.1 or newer is needed", run.err)
        self.assertIn("swift.org/install", run.err)

    def test_old_swift(self):
        for version, accepted in (("5.10.1", False), ("6.0.3", False), ("6.1", True), ("6.10", True)):
            run = self.partita("x", SWIFT_VERSION=version)
            self.assertEqual(run.returncode == 0, accepted, version)
            if not accepted:
                self.assertIn("Swift 6.1 or newer is needed", run.err)

    def test_no_apt(self):
        for tool in ("ffmpeg", "ffprobe"):
            os.remove(os.path.join(self.path, tool))
        self.stand_in("pkg-config", "#!/bin/bash\n[[ $2 != soxr ]]\n")
        run = self.partita("x")
        self.assertEqual(run.returncode, 1)
        self.assertIn("there is no apt here; install by hand what Debian calls ffmpeg libsoxr-dev", run.err)

    def test_apt_is_asked_for_what_is_missing_and_its_lists_are_fetched_if_need_be(self):
        os.remove(os.path.join(self.path, "prlimit"))
        self.stand_in("sudo", '#!/bin/bash\nshift\n[[ $1 == true ]] || exec "$@"\n')
        self.stand_in("apt-get", f"""#!/bin/bash
shift 2
echo "apt $*" >>"$CALLS"
if [[ $1 == update ]]; then touch "$CALLS.lists"; exit; fi
[[ -e $CALLS.lists ]] || {{ echo "E: Unable to locate package"; exit 100; }}
printf '#!/bin/bash\\n' >"{self.path}/prlimit"; chmod +x "{self.path}/prlimit"
""")
        run = self.partita("x")
        self.assertEqual(run.returncode, 0, run.err)
        install = "apt install -y --no-install-recommends util-linux"
        self.assertEqual([c for c in self.called() if c.startswith("apt")],
                         [install, "apt update", install])

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root to stop being it")
    def test_not_root(self):
        for tool in ("ffmpeg", "ffprobe"):
            os.remove(os.path.join(self.path, tool))
        self.stand_in("apt-get", "#!/bin/bash\nexit 1\n")
        top = os.path.dirname(self.root)
        subprocess.run(["chmod", "-R", "a+rwX", top], check=True)
        os.symlink(shutil.which("setpriv"), os.path.join(self.path, "setpriv"))
        run = self.partita("--reuid", "65534", os.path.join(self.root, "bin", "partita"),
                           program=os.path.join(self.path, "setpriv"))
        self.assertEqual(run.returncode, 1)
        self.assertIn("run: sudo apt-get install ffmpeg\n", run.err)


if __name__ == "__main__":
    unittest.main()
