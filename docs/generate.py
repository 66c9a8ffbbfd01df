"""Make the generated parts of the documentation: outputs of commands, the help of every command, the picture.

usage: python docs/generate.py [--check]

In README.md and docs/*.md a line `<!-- output: COMMAND -->` is followed by a fenced block, which is replaced by what the
command prints when run in the repository. After a line `<!-- screen: FILE KEYS -->` it is replaced by what `tagger label
FILE` shows on a terminal of 80x24 after these keys, which save nothing. After a line `<!-- session: COMMAND -->` it is
replaced by what a terminal shows; the commands of a page are run by bash, one after the other, in a copy of examples/,
labels/ and models/, so that they may write; a `cd` lasts, as on a terminal. Where they use $TAGGER, it is the address of a
server that uvicorn runs in that copy meanwhile, with the page's Python as service.py. A line `<!-- formats -->` is followed
by the table of formats, from the registry. docs/cli.md is written whole. --check
writes nothing and exits 1, naming the files, if anything would change.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
_HOSTS = ("GITHUB_", "GITLAB_", "CI", "GIT_")  # the pages are the same wherever they are made
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(_HOSTS)},
    "COLUMNS": "100",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "PATH": f"{BIN}:{os.environ['PATH']}",
    **{f"GIT_{who}_{what}": "ann@example.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
_BLOCK = re.compile(
    r"(<!-- (?P<kind>output|session|screen): (?P<command>.+?) -->\n```[a-z]*\n).*?(?P<end>^```$)", re.DOTALL | re.MULTILINE
)
_FORMATS = re.compile(r"(<!-- formats -->\n).*?\n(?=\n)", re.DOTALL)


def run(command: str) -> str:
    """What a command prints to standard output."""
    program, *arguments = shlex.split(command)
    done = subprocess.run([BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        raise SystemExit(f"{command}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


@contextmanager
def served(program: str, folder: Path) -> Iterator[str]:
    """The address of a server that runs a page's Python."""
    (folder / "service.py").write_text(program, encoding="utf-8")
    command = [BIN / "uvicorn", "service:app", "--port", "0", "--no-access-log"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        try:
            said = []
            for line in process.stderr or ():
                said.append(line)
                if found := re.search(r"running on (http://\S+)", line):
                    yield found[1]
                    return
            raise SystemExit(f"no server came up:\n{''.join(said)}")
        finally:
            process.terminate()


def shown(command: str, folder: Path, environment: dict[str, str]) -> tuple[str, Path]:
    """What a terminal shows of a command and of its exit status, if that is not 0; and the folder that it ends in."""
    with tempfile.NamedTemporaryFile("r") as end:
        shell = ["bash", "-c", f"{{ {command}; }} 2>&1; status=$?; pwd > {end.name}; exit $status"]
        done = subprocess.run(shell, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment)
        text = f"$ {command}\n{done.stdout}" + (f"(exit status {done.returncode})\n" if done.returncode else "")
        return text, Path(end.read().rstrip("\n"))


def screen(arguments: str) -> str:
    """What `tagger label FILE` shows on a terminal of 80x24 after some keys."""
    import tagger
    from tagger.cli.label_screen import render_screen
    from tagger.curation.session import find_telling_positions, start_session
    from tagger.curation.session_keys import press_key
    from tagger.workspace.workspace import Workspace

    file, *keys = shlex.split(arguments)
    model = tagger.load(ROOT / "models" / "topics.safetensors")
    hand = Workspace(ROOT).read_hand_labels()
    state = start_session(tagger.read_listing(ROOT / file), hand.taxonomy, hand.rows, model)
    for key in keys:
        state, _ = press_key(state, key)
    lines, _ = render_screen(state, find_telling_positions(model, state.entries[state.current or 0]), 80, 24)
    return "".join(line.plain.rstrip() + "\n" for line in lines)


def with_outputs(text: str) -> str:
    """A page with every block under an `output:` or `session:` comment made anew."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, environment = Path(name), ENVIRONMENT
        if "<!-- session: " in text:
            for part in ("examples", "labels", "models"):
                shutil.copytree(ROOT / part, folder / part)
        if "$TAGGER/" in text:
            (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
            environment = ENVIRONMENT | {"NO_PROXY": "*", "TAGGER": stack.enter_context(served(program, folder))}

        def made(match: re.Match[str]) -> str:
            nonlocal folder
            if match["kind"] == "output":
                return match[1] + run(match["command"]) + match["end"]
            if match["kind"] == "screen":
                return match[1] + screen(match["command"]) + match["end"]
            output, folder = shown(match["command"], folder, environment)
            return match[1] + output + match["end"]

        return _FORMATS.sub(lambda match: match[1] + format_table(), _BLOCK.sub(made, text))


def format_table() -> str:
    """The formats of the registry as a table in Markdown."""
    from tagger.formats.format import ListingFormat, TextFormat
    from tagger.formats.markdown import markdown_table
    from tagger.formats.registry import FORMATS

    header = ["", "`--format`", "ending", "media type", "listings are read in it", "one file for many listings"]
    rows = [
        [
            format.title,
            f"`{format.name}`" if isinstance(format, TextFormat) else "",
            ", ".join(f"`{ending}`" for ending in format.endings),
            ", ".join(f"`{media_type}`" for media_type in format.media_types),
            "yes" if isinstance(format, ListingFormat) else "",
            "yes" if format.names_listings else "",
        ]
        for format in FORMATS
    ]
    return markdown_table(header, rows)


def command_line_page() -> str:
    """The help of every command."""
    verbs = re.findall(r"^  (\w+)  +", run("tagger --help").split("Commands:")[1], re.MULTILINE)
    parts = [
        "# The command line\n\nGenerated by `docs/generate.py` from the programs themselves.\n\n"
        "Standard output carries results only; warnings, progress and summaries go to standard error. "
        "Exit status: 0 done; 1 a check or a gate said no; 2 bad usage or bad input; 130 interrupted.\n"
    ]
    commands = ["tag", "tagger", *(f"tagger {verb}" for verb in verbs if verb != "tag")]
    return "".join([*parts, *(f"\n## {command}\n\n```text\n{run(f'{command} --help')}```\n" for command in commands)])


def picture() -> str:
    """An SVG of `tag` at work on the example, as a terminal shows it."""
    from rich.console import Console
    from rich.terminal_theme import MONOKAI
    from rich.text import Text

    import tagger
    from tagger.formats.format import WriteOptions
    from tagger.formats.table import write_table

    model = tagger.load(ROOT / "models" / "topics.safetensors")
    entries = tagger.read_listing(ROOT / "examples" / "new-listing.txt")
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ tag examples/new-listing.txt", style="bold"))
    console.print(Text.from_ansi(write_table(model.tag(entries), WriteOptions(width=100))))
    svg = console.export_svg(title="tag", theme=MONOKAI, unique_id="tagger")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # no font is fetched from elsewhere
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def pages() -> dict[Path, str]:
    """Every file that is generated, whole or in part, with what it should hold."""
    written = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
    found = {path: with_outputs(path.read_text(encoding="utf-8")) for path in written}
    return found | {ROOT / "docs" / "cli.md": command_line_page(), ROOT / "docs" / "tag.svg": picture()}


def main() -> int:
    """Write what changed, or with --check name it."""
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)}: not what docs/generate.py makes")
        return 1 if stale else 0
    wanted = pages()
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"written: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
