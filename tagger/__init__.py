"""tagger: topics for the entries of a paper listing.

model = tagger.load()
for tagged in model.tag(tagger.read_listing("new-listing.txt")):
    print(tagged.entry.title, [tag.topic.id for tag in tagged.tags])
"""

from importlib import import_module

TYPE_CHECKING = False  # as in `typing`, which takes a while to import
if TYPE_CHECKING:
    from tagger.entry import Entry
    from tagger.errors import LabelsError, ListingError, ModelError, OutputError, Problem, TaggerError, UsageError
    from tagger.formats.registry import read_listing
    from tagger.model.model import Model, load
    from tagger.tags import Reason, Tag, Tagged
    from tagger.taxonomy import Topic

__version__ = "0.1.0"

__all__ = [
    "Entry",
    "LabelsError",
    "ListingError",
    "Model",
    "ModelError",
    "OutputError",
    "Problem",
    "Reason",
    "Tag",
    "Tagged",
    "TaggerError",
    "Topic",
    "UsageError",
    "load",
    "read_listing",
]

# A name is imported when it is first asked for: a command must be able to catch Ctrl-C before numpy is imported.
_NAMES = {
    "entry": "Entry",
    "errors": "LabelsError ListingError ModelError OutputError Problem TaggerError UsageError",
    "formats.registry": "read_listing",
    "model.model": "Model load",
    "tags": "Reason Tag Tagged",
    "taxonomy": "Topic",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"tagger.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
