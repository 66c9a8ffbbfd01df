"""How many requests and entries a second the REST API answers: against the same calls of `Model.tag` in process.

usage: python bench/service.py [--runs N] [--seconds S]

A server is started with uvicorn on the loopback interface, one process, with the shipped model and no labels. Requests are JSON
over connections that stay open, from one client or from four at once. In process the same entries, read already, are tagged in
calls of the same size, and, as a second peer, read from the same bytes and written as JSON Lines. The ways alternate; medians
are compared. The entries are the 2,000 of ../shared/listing/rendered.txt, or those of labels/ where that is not here.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path

import tagger
from tagger.entry import Entry
from tagger.formats import json_lines as jsonl
from tagger.formats.format import WriteOptions
from tagger.formats.registry import read_files

ROOT = Path(__file__).parent.parent
RENDERED = ROOT.parent / "shared" / "listing" / "rendered.txt"
SIZES = (1, 25, 500)  # entries of a request
CLIENTS = 4


def serve_api(listening: int) -> None:
    """Serve the API on a socket that listens already, given by its file number."""
    import uvicorn
    from fastapi import FastAPI

    from tagger.server.api import make_api

    model = tagger.load(ROOT / "models" / "topics.safetensors")
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(make_api(lambda: model))
    # Not uvicorn's --fd, which takes every socket for a Unix one and so leaves the delay of small packets on.
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[socket.socket(fileno=listening)])


@contextmanager
def running_server() -> Iterator[int]:
    """The port of a server in a process of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)  # whoever comes before the server is up waits
        command = [sys.executable, "-c", "import service, sys; service.serve_api(int(sys.argv[1]))", str(listener.fileno())]
        with subprocess.Popen(command, pass_fds=[listener.fileno()], cwd=Path(__file__).parent) as process:
            try:
                yield listener.getsockname()[1]
            finally:
                process.terminate()


def calls_per_second(call: Callable[[int], object], seconds: float) -> float:
    """How many calls are made in a second; each is given its number, from 0."""
    n, start = 0, time.perf_counter()
    while (taken := time.perf_counter() - start) < seconds or not n:
        call(n)
        n += 1
    return n / taken


def requests_per_second(port: int, bodies: Sequence[bytes], seconds: float, clients: int) -> float:
    """How many requests a second are answered."""

    def client(first: int) -> float:
        connection = HTTPConnection("127.0.0.1", port)

        def call(n: int) -> None:
            connection.request("POST", "/v1/tag", bodies[(first + n) % len(bodies)], {"content-type": "application/json"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise SystemExit(f"status {answer.status}: {answer.read().decode()}")
            answer.read()

        return calls_per_second(call, seconds)

    with ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(client, range(clients)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="that each way is called for in a run")
    arguments = parser.parse_args()
    files = [RENDERED] if RENDERED.exists() else sorted((ROOT / "labels" / "entries").glob("*.txt"))
    entries: Sequence[Entry] = read_files(files, 2026).entries
    model = tagger.load(ROOT / "models" / "topics.safetensors")
    print(f"{len(entries)} entries\n")
    print("| entries a request | way | requests a second | entries a second | in-process `Model.tag` against it |")
    print("|---|---|---|---|---|")
    with running_server() as port:
        for size in SIZES:
            batches = [entries[first : first + size] for first in range(0, len(entries) - size + 1, size)]
            records = [[jsonl.entry_record(entry) for entry in batch] for batch in batches]
            bodies = [json.dumps({"entries": batch}).encode() for batch in records]

            def tag(n: int, batches: Sequence[Sequence[Entry]] = batches) -> object:
                return model.tag(batches[n % len(batches)])

            def read_tag_write(n: int, bodies: Sequence[bytes] = bodies) -> object:
                parsed = jsonl.entries_from_records(
                    enumerate(json.loads(bodies[n % len(bodies)])["entries"], 1), "entries"
                ).require_entries()
                return jsonl.write_json_lines_tags(model.tag(parsed), WriteOptions())

            ways: dict[str, Callable[[], float]] = {
                "in process: `Model.tag`": partial(calls_per_second, tag, arguments.seconds),
                "in process: read, tagged, written": partial(calls_per_second, read_tag_write, arguments.seconds),
                "HTTP, one client": partial(requests_per_second, port, bodies, arguments.seconds, 1),
                f"HTTP, {CLIENTS} clients at once": partial(requests_per_second, port, bodies, arguments.seconds, CLIENTS),
            }
            rates: dict[str, list[float]] = {name: [] for name in ways}
            for run, (name, way) in zip(range((arguments.runs + 1) * len(ways)), cycle(ways.items()), strict=False):
                rate = way()
                if run >= len(ways):  # the first time round warms up
                    rates[name].append(rate)
            median = {name: statistics.median(of_way) for name, of_way in rates.items()}
            fastest = median["in process: `Model.tag`"]
            for name, rate in median.items():
                print(f"| {size} | {name} | {rate:,.0f} | {rate * size:,.0f} | {fastest / rate:.2f} |", flush=True)


if __name__ == "__main__":
    main()
