"""Two programs on one folder at the same time: what holds today. No lock keeps promotions apart yet."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tagger import load, read_listing
from tagger.labels.dataset import read_labels
from tagger.model.storage import model_to_bytes
from tagger.reports.card import model_card
from tagger.training.settings import Settings
from tagger.workspace.promotion import promote_model
from tagger.workspace.retrain import train_from_labels
from tagger.workspace.workspace import Workspace

BIN = Path(sys.executable).parent

# One program stops in the middle of a promotion; the other one promotes or rolls back, whole; then the first one goes on.
_INTERLEAVED = """
import json, os, signal, sys, tempfile
from pathlib import Path
from tagger.errors import OutputError
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
            os.kill(os.getpid(), signal.SIGSTOP)

def attempt(call, *arguments):
    try:
        call(*arguments)
    except OutputError as error:
        return str(error)
    return ""

other = sys.argv[1]
for run in sys.argv[2:]:
    folder, _, number = run.partition(":")
    workspace = Workspace(Path(folder))
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        last = int(number)
        sys.setprofile(moment)
        error = attempt(promote_model, workspace, b"first" * 1000, "card of first")
        sys.setprofile(None)
        os.write(writing, json.dumps([moments, error]).encode())
        os._exit(0)
    os.close(writing)
    _, status = os.waitpid(child, os.WUNTRACED)
    errors = [None, None]
    if os.WIFSTOPPED(status):
        if other == "rollback":
            errors[1] = attempt(restore_previous_model, workspace)
        else:
            errors[1] = attempt(promote_model, workspace, b"second" * 1000, "card of second")
        os.kill(child, signal.SIGCONT)
        os.waitpid(child, 0)
    moments, errors[0] = json.loads(os.read(reading, 65536))
    print(json.dumps({"moments": moments, "errors": errors}), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("other", ["promote", "rollback"])
def test_a_promotion_in_the_middle_of_another_one_leaves_a_model_that_is_whole(tmp_path: Path, other: str) -> None:
    """At twenty seeded moments of the first one. One of the two may be refused; the card may be that of the other model."""
    start = Workspace(tmp_path / "start")
    promote_model(start, b"older" * 1000, "card of older")
    promote_model(start, b"old" * 1000, "card of old")
    whole = {name * 1000 for name in ("older", "old", "first", "second")}

    def interleave(*moments: int) -> list[dict[str, object]]:
        for moment in moments:
            shutil.copytree(start.folder, tmp_path / f"at{moment}")
        command = [sys.executable, "-c", _INTERLEAVED, other, *(f"at{moment}:{moment}" for moment in moments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.stderr == "", "no error but one that says what cannot be done"
        return [json.loads(line) for line in done.stdout.splitlines()]

    ((alone),) = interleave(0)
    assert alone["errors"] == ["", None]
    moments = sorted(random.Random(11).sample(range(1, int(str(alone["moments"])) + 1), 20))
    for moment, result in zip(moments, interleave(*moments), strict=True):
        workspace = Workspace(tmp_path / f"at{moment}")
        errors = result["errors"]
        assert isinstance(errors, list)
        assert "" in errors, "one of them at least does what it is to do"
        refusals = [error for error in errors if error]
        assert all(": cannot be " in error for error in refusals)
        assert workspace.model.read_text() in whole, f"after {moment}"
        promote_model(workspace, b"next" * 1000, "card of next")
        files = {path.name: path.read_text()[:12] for path in workspace.model.parent.iterdir()}
        assert (files["topics.safetensors"], files["topics.md"]) == ("nextnextnext", "card of next"), "the next one heals it"
        assert set(files) == {"topics.safetensors", "topics.md", "topics.previous.safetensors", "topics.previous.md"}


@pytest.mark.slow
def test_two_retrainings_at_once_leave_the_model_that_the_labels_give(workspace: Path) -> None:
    model = train_from_labels(read_labels(workspace / "labels"), Settings(), 1)
    command = [BIN / "tagger", "retrain"]
    programs = [subprocess.Popen(command, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    messages = [program.communicate()[1].decode() for program in programs]
    for program, message in zip(programs, messages, strict=True):
        assert program.returncode in (0, 2)
        assert "Traceback" not in message
    assert 0 in {program.returncode for program in programs}
    made = workspace / "models"
    assert (made / "topics.safetensors").read_bytes() == model_to_bytes(model)
    again = subprocess.run([BIN / "tagger", "retrain", "--check"], cwd=workspace, capture_output=True, text=True)
    assert (again.stdout, again.returncode) == ("models/topics.safetensors is up to date with labels\n", 0)
    promote_model(Workspace(workspace), model_to_bytes(model), model_card(model))
    assert (made / "topics.md").read_text() == model_card(load(made / "topics.safetensors"))


_LABELLER = """
import sys
from pathlib import Path
from tagger import read_listing
from tagger.labels.store import LabelEdit, LabelStore
from tagger.labels.table import LabelRow

folder, listing, start = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = LabelStore(folder)
for entry in read_listing(listing)[start::2]:
    store.save(LabelEdit(entry, None, LabelRow(entry.id, entry.title, ("llm",))))
"""


def test_two_programs_that_label_at_once_lose_no_label(workspace: Path) -> None:
    """Each labels every other entry of one listing. The lock of the folder keeps their saves apart."""
    before = len(read_labels(workspace / "labels").rows)
    listing = workspace / "many.txt"
    listing.write_text(
        "\n".join(f"IRMay {n % 28 + 1}, 2020\nA new title number {n}\tAnn Lee\nWords of number {n}.\n" for n in range(30))
    )
    entries = read_listing(listing)
    assert len(entries) == 30
    programs = [
        subprocess.Popen([sys.executable, "-c", _LABELLER, workspace / "labels", listing, str(start)], stderr=subprocess.PIPE)
        for start in (0, 1)
    ]
    assert [program.communicate()[1].decode() for program in programs] == ["", ""]
    labels = read_labels(workspace / "labels")
    assert len(labels.rows) == before + 30
    topics = {row.id: row.topics for row in labels.rows}
    assert {topics[entry.id] for entry in entries} == {("llm",)}
