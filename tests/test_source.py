from __future__ import annotations

import pickle

from tagger import Problem
from tagger.source import Source


def test_a_source_names_its_line_or_the_whole_file() -> None:
    assert str(Source("a/b.txt", 3)) == "a/b.txt:3"
    assert str(Source("C:/a.txt")) == "C:/a.txt"


def test_sources_and_problems_are_values() -> None:
    source = Source("a.txt", 3)
    problem = Problem(source, "expected a date")
    assert str(problem) == "a.txt:3: expected a date"
    for value in (source, problem):
        assert pickle.loads(pickle.dumps(value)) == value
    assert {source, Source("a.txt", 3), Source("a.txt", 4)} == {source, Source("a.txt", 4)}
    assert len({problem, Problem(Source("a.txt", 3), "expected a date")}) == 1


def test_problems_sort_by_file_and_by_line_as_a_number() -> None:
    problems = [Problem(Source(path, line), "x") for path, line in [("b", 1), ("a", 10), ("a", 9), ("a", 0)]]
    assert [str(problem.source) for problem in sorted(problems)] == ["a", "a:9", "a:10", "b:1"]
