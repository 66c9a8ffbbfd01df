"""tagger: topics for the entries of a paper listing.

model = tagger.load()
for tagged in model.tag(tagger.read_listing("new-listing.txt")):
    print(tagged.entry.title, [tag.topic.id for tag in tagged.tags])
"""

from importlib import import_module

TYPE_CHECKING = False  # as in `typing`, which takes a while to import
if TYPE_CHECKING:
    from tagger.batch.plan import plan_batch
    from tagger.batch.settings import BatchSettings
    from tagger.ci.run import run_checks
    from tagger.curation.drift import measure_drift
    from tagger.curation.query import suggest_entries
    from tagger.entry import Entry
    from tagger.errors import LabelsError, ListingError, ModelError, OutputError, Problem, TaggerError, UsageError
    from tagger.formats.registry import read_listing
    from tagger.labels.dataset import Labels, read_labels
    from tagger.model.explain import Explanation, add_reasons, explain_entries
    from tagger.model.model import Model
    from tagger.model.sklearn_export import TopicClassifier
    from tagger.model.storage import load, save_model
    from tagger.reports.pictures import plot_model
    from tagger.server.api import make_api
    from tagger.server.api_body import ApiLimits
    from tagger.source import Source
    from tagger.tags import Reason, Tag, Tagged, TopicReasons, TopicScores
    from tagger.taxonomy import Taxonomy, Topic
    from tagger.text.normalize import entry_text
    from tagger.training.settings import Settings
    from tagger.workspace.retrain import cross_validate_labels
    from tagger.workspace.workspace import Workspace, find_workspace, load_model, require_workspace

__version__ = "0.1.0"

DISTRIBUTION = "paper-tagger"  # what pip installs; `tagger` on the package index is somebody else's

__all__ = [
    "ApiLimits",
    "BatchSettings",
    "Entry",
    "Explanation",
    "Labels",
    "LabelsError",
    "ListingError",
    "Model",
    "ModelError",
    "OutputError",
    "Problem",
    "Reason",
    "Settings",
    "Source",
    "Tag",
    "Tagged",
    "TaggerError",
    "Taxonomy",
    "Topic",
    "TopicClassifier",
    "TopicReasons",
    "TopicScores",
    "UsageError",
    "Workspace",
    "add_reasons",
    "cross_validate_labels",
    "entry_text",
    "explain_entries",
    "find_workspace",
    "load",
    "load_model",
    "make_api",
    "measure_drift",
    "plan_batch",
    "plot_model",
    "read_labels",
    "read_listing",
    "require_workspace",
    "run_checks",
    "save_model",
    "suggest_entries",
]

# A name is imported when it is first asked for: a command must be able to catch Ctrl-C before numpy is imported.
_NAMES = {
    "batch.plan": "plan_batch",
    "batch.settings": "BatchSettings",
    "ci.run": "run_checks",
    "curation.drift": "measure_drift",
    "curation.query": "suggest_entries",
    "entry": "Entry",
    "errors": "LabelsError ListingError ModelError OutputError Problem TaggerError UsageError",
    "formats.registry": "read_listing",
    "labels.dataset": "Labels read_labels",
    "model.explain": "Explanation add_reasons explain_entries",
    "model.model": "Model",
    "model.sklearn_export": "TopicClassifier",
    "model.storage": "load save_model",
    "reports.pictures": "plot_model",
    "server.api": "make_api",
    "server.api_body": "ApiLimits",
    "source": "Source",
    "tags": "Reason Tag Tagged TopicReasons TopicScores",
    "taxonomy": "Taxonomy Topic",
    "text.normalize": "entry_text",
    "training.settings": "Settings",
    "workspace.retrain": "cross_validate_labels",
    "workspace.workspace": "Workspace find_workspace load_model require_workspace",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"tagger.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
