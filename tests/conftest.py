"""What several tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
from commands import run_as_process, run_in_process
from made_up import draw_labels, write_labels

from tagger.labels.dataset import Labels, read_labels
from tagger.model.model import Model
from tagger.model.storage import save_model
from tagger.training.out_of_fold import OutOfFold
from tagger.training.settings import Settings
from tagger.workspace.retrain import cross_validate_labels

ROOT = Path(__file__).parent.parent

# Examples are the same in every run. `--hypothesis-profile random` draws others each time and says how to draw those again.
# No profile looks at the clock. Examples of one test share its fixtures: no example writes where another reads.
HEALTH = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture]
hypothesis.settings.register_profile("random", deadline=None, database=None, print_blob=True, suppress_health_check=HEALTH)
hypothesis.settings.register_profile("fixed", hypothesis.settings.get_profile("random"), derandomize=True)
hypothesis.settings.load_profile("fixed")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shipped_labels() -> Labels:
    """The labels of the repository. A test that asks for these is about them, and stands in test_shipped_labels.py."""
    return read_labels(ROOT / "labels")


@pytest.fixture(scope="session")
def frozen() -> Path:
    """A small workspace that stays as it is: forty entries of four topics, and of a fifth with too few; not trained."""
    return ROOT / "tests" / "data" / "workspace"


@pytest.fixture(scope="session")
def labels(frozen: Path) -> Labels:
    """Three hundred labelled entries of four topics, made of the words of the small workspace."""
    return draw_labels(read_labels(frozen / "labels"), 300, seed=0)


@pytest.fixture(scope="session")
def cross_validated(labels: Labels) -> tuple[Model, OutOfFold]:
    """The model of `labels`, and the scores of entries that it was not fitted on."""
    return cross_validate_labels(labels, Settings(), 1)


@pytest.fixture(scope="session")
def model(cross_validated: tuple[Model, OutOfFold]) -> Model:
    """The model of `labels`."""
    return cross_validated[0]


@pytest.fixture(scope="session")
def learned(
    labels: Labels, cross_validated: tuple[Model, OutOfFold], frozen: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The workspace of `labels` and their model, with a listing of four new entries. No test writes in it."""
    folder = tmp_path_factory.mktemp("learned")
    write_labels(folder / "labels", labels)
    (folder / "models").mkdir()
    save_model(cross_validated[0], folder / "models" / "topics.safetensors")
    shutil.copytree(frozen / "lists", folder / "lists")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `tag` or `tagger`, in an empty folder unless told; as processes of their own with TAGGER_TESTS=process."""
    start = run_as_process if os.environ.get("TAGGER_TESTS") == "process" else run_in_process

    def call(
        command: str, *arguments: object, cwd: Path = tmp_path, stdin: str | bytes = ""
    ) -> subprocess.CompletedProcess[str]:
        return start(command, [str(each) for each in arguments], cwd, stdin if isinstance(stdin, bytes) else stdin.encode())

    return call


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A new workspace with the tiny example, not trained."""
    from tagger.workspace.scaffold import create_workspace

    create_workspace(tmp_path / "ws")
    return tmp_path / "ws"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The file of a model made by hand: "click" speaks for ctr, "language" for llm and against ctr; rag is not learned."""
    import numpy as np

    from tagger.model.model import Model
    from tagger.model.training_record import TrainingRecord
    from tagger.model.weights import compress_weights
    from tagger.taxonomy import Taxonomy, Topic
    from tagger.text.hashed_vocabulary import build_vocabulary

    terms, written = build_vocabulary(["click", "language", "the"], 1)
    weights = {"click": (4, 0, 0), "language": (-1, 4, 0), "the": (0, 0, 0)}
    model = Model(
        taxonomy=Taxonomy((Topic("ctr", "CTR prediction"), Topic("llm", "Large language models"), Topic("rag", "RAG"))),
        hashes=terms.hashes,
        vocabulary_text=np.frombuffer("\n".join(written).encode(), dtype=np.uint8),
        idf=np.ones(3, dtype=np.float32),
        **compress_weights(np.array([weights[term] for term in written])),
        bias=np.array([-2.0, -2.0, -np.inf]),
        thresholds=np.array([0.5, 0.5, np.inf]),
        out_of_fold_tags=np.zeros((0, 3), dtype=np.uint8),
        out_of_fold_ids=np.zeros((0, 8), dtype=np.uint8),
        training=TrainingRecord(usual_known_share=0.2),
    )
    save_model(model, tmp_path / "tiny.safetensors")
    return tmp_path / "tiny.safetensors"


@pytest.fixture
def place(tmp_path: Path, tiny: Path) -> Path:
    """A workspace with the topics of the model made by hand, three labelled entries and a listing of four."""
    from tagger import Entry

    (tmp_path / "labels/entries").mkdir(parents=True)
    (tmp_path / "labels/topics.toml").write_text(
        "".join(f'[[topic]]\nid = "{id}"\nname = "{id.upper()}"\n\n' for id in ("ctr", "llm", "rag"))
    )
    entries = [Entry("The Click", abstract="The click."), Entry("The Language", abstract="The."), Entry("The", abstract="The.")]
    rows = ["ctr,", "llm,ctr", ","]
    (tmp_path / "labels/labels.csv").write_text(
        "id,title,topics,unsure\n"
        + "".join(sorted(f"{entry.id},{entry.title},{row}\n" for entry, row in zip(entries, rows, strict=True)))
    )
    (tmp_path / "labels/entries/e.txt").write_text(
        "\n".join(f"IRMay 3, 2020\n{entry.title}\tAnn Lee\n{entry.abstract}\n" for entry in entries)
    )
    (tmp_path / "new.txt").write_text(
        "\n".join(
            f"IRMay 3, 2020\n{title}\tAnn Lee\n{abstract}\n"
            for title, abstract in [
                ("The Click Click", "The click, the language."),
                ("Language", "Language."),
                ("Zażółć gęślą", "Jaźń."),
                ("The Click", "The click."),
            ]
        )
    )
    (tmp_path / "models").mkdir()
    tiny.rename(tmp_path / "models/topics.safetensors")
    return tmp_path
