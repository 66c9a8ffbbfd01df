"""A new model in place of the old one: both, or neither, whenever it is killed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tagger import UsageError
from tagger.workspace.promotion import finish_interrupted, previous_model, promote_model, restore_previous_model
from tagger.workspace.workspace import Workspace

KILLED = """
import os, signal, sys
import tempfile  # here, so that no step of its import counts as a step of writing
from pathlib import Path
from tagger.workspace.promotion import promote_model, restore_previous_model
from tagger.workspace.workspace import Workspace

STEPS = {"open", "write", "flush", "fsync", "close", "chmod", "replace", "rename", "unlink", "mkdir", "read"}
moments = last = 0

def moment(frame, event, function):
    "Before and after each step of writing."
    global moments
    if event in ("c_call", "c_return") and function.__name__ in STEPS:
        moments += 1
        if moments == last:
            os.kill(os.getpid(), signal.SIGKILL)

for run in sys.argv[1:]:
    folder, _, number = run.partition(":")
    child = os.fork()
    if not child:
        last = int(number)
        sys.setprofile(moment)
        promote_model(Workspace(Path(folder)), b"new" * 1000, "card of new")
        sys.setprofile(None)
        print(moments, flush=True)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def models(place: Workspace) -> dict[str, str]:
    return {path.name: path.read_text()[:20] for path in sorted((place.folder / "models").iterdir())}


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Two promotions back: a current model and a previous one."""
    made = Workspace(tmp_path / "start")
    promote_model(made, b"older", "card of older")
    promote_model(made, b"old", "card of old")
    return made


def test_the_previous_model_and_its_card_are_kept(place: Workspace) -> None:
    pair = {"topics.md": "card of old", "topics.safetensors": "old"}
    before = {"topics.previous.md": "card of older", "topics.previous.safetensors": "older"}
    assert models(place) == pair | before
    promote_model(place, b"old", "card, reworded")
    assert models(place) == {**pair, **before, "topics.md": "card, reworded"}, "the same model replaces nothing"


def test_a_rollback_of_a_rollback_changes_nothing(place: Workspace) -> None:
    start = models(place)
    restore_previous_model(place)
    assert models(place) == {
        "topics.md": "card of older",
        "topics.previous.md": "card of old",
        "topics.previous.safetensors": "old",
        "topics.safetensors": "older",
    }
    restore_previous_model(place)
    assert models(place) == start


def test_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    promote_model(place, b"first", "card")
    with pytest.raises(UsageError, match="topics.previous.safetensors: not there, so there is no model to go back to"):
        restore_previous_model(place)
    assert not previous_model(place).exists()


def test_killed_at_any_moment_model_and_card_are_the_old_ones_or_the_new_ones(place: Workspace, tmp_path: Path) -> None:
    """Before and after each step of writing."""

    def runs(*moments: int) -> list[int]:
        for moment in moments:
            shutil.copytree(place.folder, tmp_path / f"at{moment}")
        command = [sys.executable, "-c", KILLED, *(f"at{moment}:{moment}" for moment in moments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.stderr == ""
        return [int(line) for line in done.stdout.split()]

    n_moments, status = runs(0)
    old, new = models(place), models(Workspace(tmp_path / "at0"))
    assert status == 0
    assert (new["topics.md"], new["topics.previous.md"], len(new)) == ("card of new", "card of old", 4)
    moments = range(1, n_moments + 1)
    assert runs(*moments) == [-signal.SIGKILL] * n_moments
    sides = []
    for moment in moments:
        killed = Workspace(tmp_path / f"at{moment}")
        now = models(killed)
        assert now["topics.safetensors"] in (old["topics.safetensors"], new["topics.safetensors"]), "whole, at once"
        finish_interrupted(killed)
        assert models(killed) in (old, new), f"after {moment}"
        assert models(killed)["topics.safetensors"] == now["topics.safetensors"], "what was decided stays"
        sides.append(models(killed) == new)
        promote_model(killed, b"new" * 1000, "card of new")
        assert models(killed) == new
    assert sides == sorted(sides), "old before a moment, new after it"
    assert set(sides) == {False, True}
