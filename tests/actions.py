"""A small runner of GitHub workflows: the `run:` steps of a job and of this repository's action, as GitHub runs them.

It knows what the workflows here use: expressions of names, texts, always(), ==, !=, && and ||; `if:`; `env:`;
`working-directory:`; `with:`; outputs and the summary; an artifact of one file. Checking out is left to the test, which has a
clone. The step that installs the action is replaced, since tests have no network: the command that it would install is a link
to the one that is tested.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
SHELL = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]


@dataclass
class Job:
    """What became of a job."""

    ok: bool = True
    log: str = ""
    summary: str = ""
    steps: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)  # by id: {"outputs": {...}}
    artifacts: dict[str, str] = field(default_factory=dict)  # by name
    ran: list[str] = field(default_factory=list)  # names of the steps that were not skipped

    @property
    def annotations(self) -> list[str]:
        """The commands that GitHub would obey: those outside of ::stop-commands::."""
        found, token = [], None
        for line in self.log.splitlines():
            if token is not None:
                token = None if line == f"::{token}::" else token
            elif line.startswith("::stop-commands::"):
                token = line.removeprefix("::stop-commands::")
            elif line.lstrip().startswith("::"):
                found.append(line)
        return found


def load(path: Path) -> dict[str, Any]:
    """A workflow or an action. YAML takes the key `on` for a truth value; it is not needed here."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


class Runner:
    """Runs jobs in a clone."""

    def __init__(self, clone: Path, temp: Path, event: dict[str, Any], **variables: str) -> None:
        self.clone, self.temp, self.event = clone, temp, event
        temp.mkdir(exist_ok=True)
        (temp / "event.json").write_text(json.dumps(event))
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(temp),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": str(temp / "event.json"),
            "GITHUB_REF_NAME": "main",
            "GITHUB_WORKSPACE": str(clone),
            "RUNNER_TEMP": str(temp),
            **variables,
        }

    def workflow(self, path: Path) -> Job:
        """The one job of a workflow."""
        (job,) = load(path)["jobs"].values()
        done = Job()
        self._steps(job["steps"], {}, done)
        return done

    def action(self, inputs: dict[str, str]) -> Job:
        """This repository's action alone."""
        done = Job()
        self._steps([{"uses": "__OWNER__/tagger@v0.1.0", "id": "tagger", "with": inputs}], {}, done)
        return done

    def _steps(self, steps: list[dict[str, Any]], inputs: dict[str, str], done: Job, action: Path | None = None) -> None:
        for step in steps:
            contexts = {
                "github": {"event": self.event, "ref_name": "main", "token": "token"},
                "inputs": inputs,
                "steps": done.steps,
                "runner": {"temp": str(self.temp)},
                "always()": True,
            }
            condition = str(step.get("if", "'true'"))
            if not (done.ok or "always()" in condition) or not evaluate(condition, contexts):
                continue
            done.ran.append(step.get("name", step.get("uses", "")))
            given = {key: filled(str(value), contexts) for key, value in step.get("with", {}).items()}
            if re.search(r'pip"? install', step.get("run", "")):
                (self.temp / "tagger/bin").mkdir(parents=True, exist_ok=True)
                if not (self.temp / "tagger/bin/tagger").exists():
                    (self.temp / "tagger/bin/tagger").symlink_to(BIN / "tagger")
            elif "run" in step:
                self._run(step, contexts, done, action)
            elif step["uses"] == "actions/upload-artifact@v4":
                if Path(given["path"]).exists():
                    done.artifacts[given["name"]] = Path(given["path"]).read_text(encoding="utf-8")
                    done.steps[step["id"]] = {"outputs": {"artifact-url": "https://host.invalid/artifacts/1"}}
            elif not step["uses"].startswith("actions/checkout@"):
                self._action(step, given, done)

    def _action(self, step: dict[str, Any], given: dict[str, str], done: Job) -> None:
        assert step["uses"].startswith("__OWNER__/tagger@"), step["uses"]
        action = load(ROOT / "action.yml")
        assert given.keys() <= action["inputs"].keys()
        inputs = {name: given.get(name, about.get("default", "")) for name, about in action["inputs"].items()}
        inner = Job()
        self._steps(action["runs"]["steps"], inputs, inner, ROOT)
        contexts = {"steps": inner.steps}
        outputs = {name: filled(about["value"], contexts) for name, about in action["outputs"].items()}
        done.artifacts |= inner.artifacts
        done.ok, done.log, done.summary = inner.ok, done.log + inner.log, done.summary + inner.summary
        done.steps[step.get("id", "")] = {"outputs": outputs}

    def _run(self, step: dict[str, Any], contexts: dict[str, Any], done: Job, action: Path | None) -> None:
        files = {name: self.temp / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.write_text("")
        script = self.temp / "script.sh"
        script.write_text(step["run"])
        environment = self.environment | {name: str(path) for name, path in files.items()}
        environment |= {name: filled(str(value), contexts) for name, value in step.get("env", {}).items()}
        if action is not None:
            environment["GITHUB_ACTION_PATH"] = str(action)
        folder = self.clone / filled(step.get("working-directory", "."), contexts)
        ran = subprocess.run(
            [*SHELL, script], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        done.log += ran.stdout
        done.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        lines = files["GITHUB_OUTPUT"].read_text().splitlines()
        done.steps[step.get("id", "")] = {"outputs": dict(line.split("=", 1) for line in lines)}
        done.ok = done.ok and ran.returncode == 0


def filled(text: str, contexts: dict[str, Any]) -> str:
    """A text with its expressions replaced by what they give."""
    return re.sub(r"\$\{\{(.+?)\}\}", lambda match: str(evaluate(match[1], contexts) or ""), text)


def evaluate(expression: str, contexts: dict[str, Any]) -> Any:
    """What an expression gives; None for a name that stands for nothing."""
    expression = expression.strip()
    for sign in ("||", "&&", "==", "!="):
        if sign in expression:
            left, right = (evaluate(side, contexts) for side in expression.split(sign, 1))
            return {"||": left or right, "&&": left and right, "==": left == right, "!=": left != right}[sign]
    if expression.startswith("'"):
        return expression.strip("'")
    found: Any = contexts
    for name in expression.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
