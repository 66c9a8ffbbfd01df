"""Taxonomies for tests, and the rules that hold for tags by each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tagger.taxonomy import Taxonomy, Topic

# a has the child b and that the child c; d excludes a; e has the child f, which excludes b.
FAMILY = Taxonomy(
    (
        Topic("a", "A"),
        Topic("b", "B", parent="a"),
        Topic("c", "C", parent="b"),
        Topic("d", "D", excludes=("a",)),
        Topic("e", "E"),
        Topic("f", "F", parent="e", excludes=("b",)),
    )
)


def with_at_most(max_topics: int | None) -> Taxonomy:
    return replace(FAMILY, max_topics=max_topics)


def many_topics(n_families: int, max_topics: int | None = None) -> Taxonomy:
    """Families of six topics: p with the children x and y; q with the child v, and that with the child w.

    x excludes q of its family, and p of every second family excludes p of the family before.
    """
    topics: list[Topic] = []
    for n in range(n_families):
        rival = (f"p{n - 1}",) if n % 2 else ()
        topics += [
            Topic(f"x{n}", f"X {n}", parent=f"p{n}", excludes=(f"q{n}",)),
            Topic(f"p{n}", f"P {n}", excludes=rival),
            Topic(f"y{n}", f"Y {n}", parent=f"p{n}"),
            Topic(f"q{n}", f"Q {n}"),
            Topic(f"v{n}", f"V {n}", parent=f"q{n}"),
            Topic(f"w{n}", f"W {n}", parent=f"v{n}"),
        ]
    return Taxonomy(tuple(topics), max_topics)


def toml(*tables: str) -> str:
    return "".join(f"[[topic]]\nid='{id}'\nname='{id}'\n{rest}\n" for id, _, rest in (table.partition(" ") for table in tables))


def assert_rules_hold(tagged: Any, taxonomy: Taxonomy) -> None:
    """That all ancestors of a tag are tags, that no two exclude each other, and that none are too many."""
    for row in tagged:
        has = {id for id, there in zip(taxonomy.ids, row, strict=True) if there}
        assert all(up in has for id in has for up in taxonomy.ancestors[id])
        assert not any(other in has for id in has for other in taxonomy.incompatible[id])
        assert taxonomy.max_topics is None or len(has) <= taxonomy.max_topics
