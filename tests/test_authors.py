"""Names are facts; the abstracts here are made up around them."""

from __future__ import annotations

import pytest

from tagger.formats.author_names import NameEvidence
from tagger.formats.title_authors import split_byline, split_title_authors


def parted(line: str, abstract: str = "", others: str = "") -> tuple[str, tuple[str, ...], bool, str | None]:
    glued, et_al, affiliation = split_byline(line)
    evidence = NameEvidence.collect([(glued, et_al), *((other, True) for other in others.split("|"))], [abstract])
    found = split_title_authors(glued, et_al, abstract, evidence)
    return found.title, found.authors, et_al, affiliation


@pytest.mark.parametrize(
    "title, authors, abstract",
    [
        (
            "ReLLa: Retrieval for Recommendation",
            "Jianghao Lin, Rong Shan, Chenxu Zhu et al.",
            "ReLLa is a recommendation model.",
        ),
        ("OneReason Technical Report", "OneRec Team, Biao Yang, Boyang Ding et al.", "We report on OneRec and OneReason."),
        ("Graphs in Recommendation", "ChengLei Dai, Julian McAuley", "Graphs help recommendation."),
        ("Modeling Relational Data", "Michael Schlichtkrull, Rianne van den Berg", "Relational data are modelled."),
        ("Urban Mobility Networks", "Huy Q. Vo, İpek Abasıkeleş Turgut", "Urban networks."),
        ("A Study of LLMs", "Yuxin Jiang", "LLMs are studied."),
        ("Pruning for RLHF", "Bo Chen, Wei Li", "Does RLHF need all weights?"),
        ("What Is Said in GPT-4", "Sean MacAvaney, Andrew McCallum", "We ask what is said."),
        ("Fast, Cheap and Good", "John Smith", "It is fast, cheap and good."),
        ("Are We There Yet?", "I-Sheng Fang, K. Gosh Dastidar, Jan Hajič jr et al.", "We are not."),
        ("Evaluating Transformers", "KM Khalid Saifullah, Faiaz Azmain", "Transformers are evaluated."),
        ("Planning through Language Agents", "JieHao Wu, Ziwei Wang, Junjie Sheng et al.", "Language agents plan."),
        ("On Click Models", "Madonna", "Click models."),
        ("Neural Models of LeNet", "Ann LeCun", "LeNet is a neural model."),
        ("Green Functions for PDEs", "Joao Teixeira, Eitan Grinspun", "We solve a PDE."),
        ("Learning to Rank", "danah boyd, Ann Lee", "To rank is to order; learning to rank does it."),
        ("Search at HCMUT", "Long Nguyen, Tho Quan", "Students at HCMUT search."),
    ],
)
def test_title_and_authors(title: str, authors: str, abstract: str) -> None:
    names = tuple(authors.removesuffix(" et al.").split(", "))
    et_al = authors.endswith(" et al.")
    assert parted(title + authors, abstract) == (title, names, et_al, None)
    assert parted(f"{title}{authors} · tencent-ai", abstract) == (title, names, et_al, "tencent-ai")


def test_a_name_that_stands_elsewhere_in_the_listing_decides() -> None:
    line = "Notes on OpenMaxLee Kim, Bo Wu, Cy Ng et al."
    assert parted(line, others="Some TitleAda Lee, Lee Kim, Bo Wu")[:2] == ("Notes on OpenMax", ("Lee Kim", "Bo Wu", "Cy Ng"))
    assert parted(line, others="Some TitleAda Lee, MaxLee Kim, Bo Wu")[:2] == (
        "Notes on Open",
        ("MaxLee Kim", "Bo Wu", "Cy Ng"),
    )


def test_a_dot_in_the_title_is_no_affiliation() -> None:
    assert parted("Alpha · BetaAnn Lee, Bo Wu", "Alpha and Beta.") == ("Alpha · Beta", ("Ann Lee", "Bo Wu"), False, None)


def test_without_any_place_to_cut_all_is_title() -> None:
    assert parted("on nothing at all", "on nothing") == ("on nothing at all", (), False, None)


def test_a_lone_dot_after_a_capital_is_read_somehow() -> None:
    title, authors, *_ = parted("0A .", others="0")
    assert title + ", ".join(authors) == "0A ."


def test_scripts_without_capitals() -> None:
    assert parted("A Survey of Search张三, 李四", "search")[:2] == ("A Survey of Search", ("张三", "李四"))
