"""What a release promises: one version, one name, links that work where the package is shown, a stable front."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from importlib.metadata import distribution, metadata
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import tagger


@pytest.fixture(scope="module")
def build_hook(root: Path) -> ModuleType:
    """The module hatch_build.py; hatchling itself is not needed."""
    interface = ModuleType("hatchling.metadata.plugin.interface")
    interface.MetadataHookInterface = object  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location("hatch_build", root / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("hatchling", "hatchling.metadata", "hatchling.metadata.plugin"):
            patch.setitem(sys.modules, name, ModuleType(name))
        patch.setitem(sys.modules, "hatchling.metadata.plugin.interface", interface)
        spec.loader.exec_module(module)
    return module


def test_the_version_is_the_same_everywhere(root: Path) -> None:
    version = tagger.__version__
    assert distribution(tagger.DISTRIBUTION).version == version
    assert yaml.safe_load((root / "CITATION.cff").read_text())["version"] == version
    assert f"rev: v{version}\n" in (root / "docs/hooks.md").read_text()
    assert f'"version": "{version}"' in (root / "docs/api.md").read_text()
    assert f"## {version} " in (root / "CHANGELOG.md").read_text()
    for workflow in (root / "examples/workflows").glob("*.yml"):
        named = re.findall(r"tagger@v([\d.]+\d)", workflow.read_text())
        assert named == [version], workflow.name


def test_the_distribution_has_one_name(root: Path) -> None:
    assert metadata("paper-tagger")["Name"] == tagger.DISTRIBUTION == "paper-tagger"
    for path in [root / "README.md", root / "action.yml", *root.glob("docs/*.md"), *root.rglob("tagger/**/*.py")]:
        other = re.findall(r"(?<![\w-])tagger\[\w+\]|pip install '?tagger\b", path.read_text())
        assert not other, f"{path.name}: `tagger` on the package index is another project"


def test_every_public_name_is_importable_and_has_a_docstring() -> None:
    for name in tagger.__all__:
        assert getattr(tagger, name).__doc__, name


def test_a_type_checker_sees_the_names_that_are_loaded_when_asked_for(root: Path) -> None:
    tree = ast.parse((root / "tagger/__init__.py").read_text())
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == {*tagger.__all__}
    assert (root / "tagger/py.typed").exists()


def test_links_of_the_readme_lead_into_the_repository(build_hook: ModuleType) -> None:
    text = "![a picture](docs/tag.svg) [docs](docs/labels.md#unsure) [site](https://example.org) [here](#set-up)"
    assert build_hook.absolute_links(text, "") == text
    assert build_hook.absolute_links(text, "https://host.example/ann/tagger") == (
        "![a picture](https://host.example/ann/tagger/raw/main/docs/tag.svg) "
        "[docs](https://host.example/ann/tagger/blob/main/docs/labels.md#unsure) [site](https://example.org) [here](#set-up)"
    )


def test_the_address_of_the_repository_stands_in_one_place(build_hook: ModuleType, root: Path) -> None:
    hook = build_hook.CustomMetadataHook()
    hook.root = str(root)
    for address, urls in (
        ("", {}),
        (
            "https://host.example/ann/tagger/",
            {
                "Repository": "https://host.example/ann/tagger",
                "Changelog": "https://host.example/ann/tagger/blob/main/CHANGELOG.md",
            },
        ),
    ):
        hook.config = {"repository": address}
        fields: dict[str, object] = {}
        hook.update(fields)
        assert fields["urls"] == urls
        readme = fields["readme"]
        assert isinstance(readme, dict)
        assert ("](docs/" in readme["text"]) is not bool(address)
