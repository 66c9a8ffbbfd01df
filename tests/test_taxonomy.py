from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taxonomies import FAMILY, many_topics, toml

from tagger import LabelsError, Topic
from tagger.labels.dataset import read_labels
from tagger.taxonomy import Gate, Taxonomy, read_taxonomy


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "expected one [[topic]] table for each topic"),
        ("[[topic]]\nid = 'a'\n", ":1: a topic needs 'name'"),
        ("\n[[topic]]\nid = 'A b'\nname = 'x'\n", ":2: expected an id of small letters, digits and dashes, found 'A b'"),
        (
            "[[topic]]\nid = 'a'\nname = 'x'\ncolour = 'red'\n",
            ":1: unknown key 'colour'; a topic has id, name, definition, parent, floor",
        ),
        ("[[topic]]\nid='a'\nname='x'\n[[topic]]\nid='a'\nname='y'\n", ":4: a second topic with the id 'a'"),
        ("[[topic]]\nid='a'\nname='x'\nparent='b'\n", ":1: the parent 'b' of topic 'a' is no topic"),
        ("[[topic]]\nid='a'\nname='x'\nparent='a'\n", ":1: topic 'a' is its own ancestor"),
        ("\n[[topic]\n", ":2: expected TOML:"),
        ("[[topic]]\nid = 3\nname = 'x'\n", ":1: expected text for 'id', found 3"),
        ("[[topic]]\nid='a'\nname='x'\nfloor=8\n", ":1: expected a number from 0 to 1 for 'floor', found 8"),
        ("[[topic]]\nid='a'\nname='x'\nfloor=true\n", ":1: expected a number from 0 to 1 for 'floor', found True"),
        ("gate=1\n[[topic]]\nid='a'\nname='x'\n", ":1: expected a table [gate] with calibration_error, found 1"),
        ("[[topic]]\nid='a'\nname='x'\n[gate]\nf1=1\n", ":4: unknown key 'f1'; [gate] has calibration_error"),
        (
            "[[topic]]\nid='a'\nname='x'\n[gate]\ncalibration_error=nan\n",
            ":4: expected a number from 0 to 1 for 'calibration_error', found nan",
        ),
    ],
)
def test_what_is_wrong_with_topics(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "topics.toml").write_text(text)
    with pytest.raises(LabelsError) as caught:
        read_taxonomy(tmp_path / "topics.toml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text, message",
    [
        (toml("a precision=90"), ":1: expected a number above 0 and below 1 for 'precision', found 90"),
        (toml("a precision=1"), ":1: expected a number above 0 and below 1 for 'precision', found 1"),
        (toml("a precision=0.0"), ":1: expected a number above 0 and below 1 for 'precision', found 0.0"),
        (toml("a precision=true"), ":1: expected a number above 0 and below 1 for 'precision', found True"),
        (toml("a precision='high'"), ":1: expected a number above 0 and below 1 for 'precision', found 'high'"),
        (toml("a excludes='b'", "b"), ":1: expected a list of topic ids for 'excludes', found 'b'"),
        (toml("a excludes=[3]", "b"), ":1: expected a list of topic ids for 'excludes', found [3]"),
        (toml("a", "b excludes=['a','x']"), ":5: topic 'b' excludes 'x', which is no topic"),
        (toml("a excludes=['a']"), ":1: topic 'a' excludes itself"),
        (toml("a", "b parent='a'", "c parent='b'\nexcludes=['a']"), ":9: topic 'c' excludes 'a', which it implies"),
        (toml("a excludes=['c']", "b parent='a'", "c parent='b'"), ":1: topic 'a' excludes 'c', which implies it"),
        ("entry=1\n" + toml("a"), ":1: expected a table [entry] with at_most, found 1"),
        (toml("a") + "[entry]\nmost=1\n", ":5: unknown key 'most'; [entry] has at_most"),
        (toml("a") + "[entry]\nat_most=0\n", ":5: expected a whole number from 1 for 'at_most', found 0"),
        (toml("a") + "[entry]\nat_most=2.0\n", ":5: expected a whole number from 1 for 'at_most', found 2.0"),
        (toml("a") + "[entry]\nat_most=true\n", ":5: expected a whole number from 1 for 'at_most', found True"),
        (
            toml("a", "b parent='a'", "c parent='b'") + "[entry]\nat_most=2\n",
            ":9: topic 'c' and those that it implies are 3 topics, and an entry has at most 2",
        ),
        (toml("a") + "[other]\n", "expected one [[topic]] table for each topic, perhaps one [gate] and one [entry], and"),
        (toml("a parents='b'"), "unknown key 'parents'; a topic has id, name, definition, parent, floor, precision, excludes"),
    ],
)
def test_what_is_wrong_with_rules(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "topics.toml").write_text(text)
    with pytest.raises(LabelsError) as caught:
        read_taxonomy(tmp_path / "topics.toml")
    assert message in str(caught.value)


def test_rules_are_read(tmp_path: Path) -> None:
    path = tmp_path / "topics.toml"
    path.write_text(toml("a precision=0.9", "b excludes=['a']\nparent='c'\nfloor=0.5", "c") + "[entry]\nat_most=2\n")
    topics = Topic("a", "a", precision=0.9), Topic("b", "b", parent="c", excludes=("a",)), Topic("c", "c")
    assert read_taxonomy(path) == Taxonomy(topics, max_topics=2)
    assert read_taxonomy(path).gate == Gate({"b": 0.5})
    path.write_text(toml("a"))
    assert read_taxonomy(path) == Taxonomy((Topic("a", "a"),))


def test_excluding_goes_both_ways_and_down() -> None:
    assert {id: "".join(sorted(others)) for id, others in FAMILY.incompatible.items()} == {
        "a": "d",
        "b": "df",
        "c": "df",
        "d": "abc",
        "e": "",
        "f": "bc",
    }


def test_floors_are_read_and_are_nothing_that_training_sees(workspace: Path) -> None:
    before, path = read_labels(workspace / "labels"), workspace / "labels" / "topics.toml"
    assert read_taxonomy(path).gate == Gate()
    path.write_text("[gate]\ncalibration_error = 0.2\n" + path.read_text() + "floor = 1\n")
    assert read_taxonomy(path).gate == Gate({before.topics[-1].id: 1.0}, 0.2)
    after = read_labels(workspace / "labels")
    assert (after.topics, after.hash()) == (before.topics, before.hash())


ids = tuple("abcdefgh")


@st.composite
def taxonomies(draw: st.DrawFn) -> Taxonomy:
    """Up to eight topics in any order, with any parents that make no circle, and any exclusions."""
    topics = [
        Topic(
            id,
            id.upper(),
            parent=draw(st.sampled_from([None, *ids[:n], "unknown"])),
            excludes=tuple(draw(st.sets(st.sampled_from([*ids[:n], "unknown"]), max_size=2))),
        )
        for n, id in enumerate(ids[: draw(st.integers(0, 8))])
    ]
    return Taxonomy(tuple(draw(st.permutations(topics))))


@given(taxonomies())
def test_what_follows_is_what_the_topics_say(taxonomy: Taxonomy) -> None:
    topics = {topic.id: topic for topic in taxonomy.topics}
    assert [taxonomy.ids[taxonomy.column[id]] for id in taxonomy.ids] == [topic.id for topic in taxonomy.topics]
    for id, topic in topics.items():
        parent = topic.parent if topic.parent in topics else None
        assert taxonomy.ancestors[id] == (() if parent is None else (parent, *taxonomy.ancestors[parent]))
        assert taxonomy.descendants[id] == tuple(other for other in taxonomy.ids if id in taxonomy.ancestors[other])
        assert taxonomy.incompatible[id] == {
            other
            for other in topics
            for up in (id, *taxonomy.ancestors[id])
            for other_up in (other, *taxonomy.ancestors[other])
            if other_up in topics[up].excludes or up in topics[other_up].excludes
        }
        column = taxonomy.column[id]
        assert [taxonomy.ids[up] for up in taxonomy.ancestor_columns.get(column, ())] == [*taxonomy.ancestors[id]]
        assert {taxonomy.ids[other] for other in taxonomy.incompatible_columns.get(column, ())} == taxonomy.incompatible[id]
    pairs = {(taxonomy.ids[one], taxonomy.ids[other]) for one, other in taxonomy.excluded_columns}
    assert pairs == {(id, other) for id, topic in topics.items() for other in topic.excludes if other in topics}


def test_a_tag_depends_on_others_where_topics_say_so_or_are_limited() -> None:
    plain = Taxonomy((Topic("a", "A"), Topic("b", "B")))
    assert not plain.has_constraints
    assert not Taxonomy().has_constraints
    assert replace(plain, max_topics=1).has_constraints
    assert Taxonomy((Topic("a", "A"), Topic("b", "B", parent="a"))).has_constraints
    assert Taxonomy((Topic("a", "A"), Topic("b", "B", excludes=("a",)))).has_constraints


def test_equal_taxonomies_are_equal_and_hash_alike() -> None:
    again = Taxonomy(tuple(replace(topic) for topic in FAMILY.topics))
    assert again == FAMILY
    assert hash(again) == hash(FAMILY)
    assert {FAMILY: 1}[again] == 1
    assert replace(FAMILY, gate=Gate({"a": 0.5})) == FAMILY, "a gate does not change what topics mean"
    for other in (
        replace(FAMILY, max_topics=3),
        Taxonomy(FAMILY.topics[:5]),
        Taxonomy(FAMILY.topics[::-1]),
        Taxonomy((replace(FAMILY.topics[0], definition="All of it"), *FAMILY.topics[1:])),
    ):
        assert other != FAMILY


def test_topics_and_gates_are_values() -> None:
    topic, gate = Topic("a", "A", "All", "b", ("c",), 0.9), Gate({"a": 0.5}, 0.1)
    for value in (topic, gate):
        assert pickle.loads(pickle.dumps(value)) == value
        assert hash(replace(value)) == hash(value)
    assert Topic("a", " A\n B ", excludes=["c"]) == Topic("a", "A B", excludes=("c",))  # type: ignore[arg-type]
    assert replace(gate, floors={}) != gate
    for change in ({"name": "B"}, {"parent": None}, {"excludes": ()}, {"precision": None}):
        assert replace(topic, **change) != topic


def test_a_pickled_taxonomy_holds_nothing_that_follows_from_it() -> None:
    taxonomy = replace(FAMILY, max_topics=4, gate=Gate({"a": 0.5}))
    fresh = pickle.dumps(taxonomy)
    assert taxonomy.incompatible["a"]
    assert taxonomy.incompatible_columns
    assert taxonomy.ancestor_columns
    assert pickle.dumps(taxonomy) == fresh
    again = pickle.loads(fresh)
    assert (again, again.gate) == (taxonomy, taxonomy.gate)
    assert again.incompatible == taxonomy.incompatible


def test_hundreds_of_topics_are_read_as_they_are(tmp_path: Path) -> None:
    taxonomy = many_topics(100, max_topics=7)
    tables = [
        f"[[topic]]\nid = '{topic.id}'\nname = '{topic.name}'\n"
        + (f"parent = '{topic.parent}'\n" if topic.parent else "")
        + (f"excludes = {[*topic.excludes]}\n" if topic.excludes else "")
        for topic in taxonomy.topics
    ]
    path = tmp_path / "topics.toml"
    path.write_text("[entry]\nat_most = 7\n\n" + "\n".join(tables))
    assert read_taxonomy(path) == taxonomy
    path.write_text("\n".join(tables).replace("excludes = ['q99']", "excludes = ['q9x9', 'p99']"))
    with pytest.raises(LabelsError) as caught:
        read_taxonomy(path)
    line = path.read_text().splitlines().index("id = 'x99'")
    assert str(caught.value).splitlines() == [
        f"{path}:{line}: topic 'x99' excludes 'q9x9', which is no topic",
        f"{path}:{line}: topic 'x99' excludes 'p99', which it implies as its parent or above",
        f"{path}: 2 to correct",
    ]
