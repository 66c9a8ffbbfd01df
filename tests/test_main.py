"""Ctrl-C, at any moment from the start of a command on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent

# Python imports a module of this name, if it finds one, before anything else: this one presses Ctrl-C just before a module is
# imported, or as the last thing that Python does.
CUSTOMIZE = """\
import atexit, os, signal, sys

def press():
    os.kill(os.getpid(), signal.SIGINT)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {moment!r}:
            press()

sys.meta_path.insert(0, Finder())
if {moment!r} == "exit":
    atexit.register(press)
"""


def interrupted(folder: Path, moment: str, *command: str, before: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(before + CUSTOMIZE.format(moment=moment))
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        preexec_fn=hearing,  # whoever started the tests may have had Ctrl-C ignored
    )


def hearing() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


STARTING = [
    "tagger.cli",
    "typer",
    "typer.core",
    "tagger.entry",
    "numpy",
    "numpy.linalg",
    "tagger.model.model",
    "tagger.formats.registry",
]


@pytest.mark.parametrize("moment", STARTING)
@pytest.mark.parametrize("command", [("tag", "l.txt"), ("tagger", "batch", "l.txt", "-o", "tags")])
def test_while_a_command_starts(tmp_path: Path, moment: str, command: tuple[str, ...]) -> None:
    (tmp_path / "l.txt").write_text("IRJun 9, 2023\nClicks\tAnn Lee\nA click.\n")
    done = interrupted(tmp_path, moment, *command)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert not (tmp_path / "tags").exists()


@pytest.mark.parametrize(
    "moment, command",
    [
        ("tagger.batch.plan", ("tagger", "batch", "l.txt", "-o", "tags")),
        ("tagger.batch.manifest", ("tagger", "batch", "l.txt", "-o", "tags")),
        ("tagger.training.trainer", ("tagger", "retrain", "-w", "ws")),
        ("sklearn", ("tagger", "retrain", "-w", "ws")),
        ("scipy.optimize", ("tagger", "retrain", "-w", "ws")),
    ],
)
def test_while_a_command_works(tmp_path: Path, moment: str, command: tuple[str, ...]) -> None:
    from tagger.workspace.scaffold import create_workspace

    create_workspace(tmp_path / "ws")
    done = interrupted(tmp_path, moment, *command)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert not (tmp_path / "tags").exists()
    assert not list((tmp_path / "ws/models").iterdir())


def test_when_all_is_done(tmp_path: Path) -> None:
    done = interrupted(tmp_path, "exit", "tagger", "--version")
    assert (done.returncode, done.stderr) == (-signal.SIGINT, ""), "a shell calls it 130"
    assert done.stdout.startswith("tagger ")


def test_who_ignores_it_is_not_interrupted(tmp_path: Path) -> None:
    ignore = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    done = interrupted(tmp_path, "numpy", "tagger", "--version", before=ignore)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_commands_start_there() -> None:
    found = {point.name: point.value for point in entry_points(group="console_scripts") if point.value.startswith("tagger.")}
    assert found == {"tag": "tagger.__main__:tag_main", "tagger": "tagger.__main__:main"}


def test_nothing_that_takes_time_comes_first() -> None:
    program = "import sys; before = {*sys.modules}; import tagger.__main__; print(*sorted({*sys.modules} - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = done.stdout.split()
    assert [name for name in imported if name.startswith("tagger")] == ["tagger", "tagger.__main__"]
    assert not {"typing", "typer", "numpy"} & {*imported}


def test_the_names_of_the_package() -> None:
    import tagger

    for name in tagger.__all__:
        assert getattr(tagger, name).__name__ == name
    assert {*tagger.__all__} <= {*dir(tagger)}
    assert not hasattr(tagger, "nothing")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux lists the threads of a process there")
def test_tag_starts_no_threads(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("IRJun 9, 2023\nClicks\tAnn Lee\nA click.\n")
    program = (
        "import os, sys; import tagger.__main__\n"
        "sys.argv = ['tag', 'l.txt']\n"
        "try: tagger.__main__.tag_main()\n"
        "finally: print(len(os.listdir('/proc/self/task')), 'numpy' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.stdout.splitlines()[-1] == "1 True"
