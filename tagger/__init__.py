"""tagger: topics for the entries of a paper listing.

model = tagger.load()
for tagged in model.tag(tagger.read_listing("new-listing.txt")):
    print(tagged.entry.title, [tag.topic.id for tag in tagged.tags])
"""

from tagger.entry import Entry
from tagger.errors import LabelsError, ListingError, ModelError, OutputError, Problem, TaggerError, UsageError
from tagger.listing import read_listing
from tagger.model import Model, Reason, Tag, Tagged, load
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
