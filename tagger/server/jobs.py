"""Work that takes its time, in a thread of its own. Nothing here knows the web."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Literal, TypeVar

from tagger.errors import TaggerError, UsageError

__all__ = ["JobRunner", "JobStatus", "Progress"]

Progress = Callable[[int, int], None]  # called with the steps done and all steps
JobState = Literal["idle", "running", "done", "failed"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How far the last job is."""

    name: str  # "" if there was no job
    state: JobState
    done: int  # steps, as the job counts them
    total: int
    error: str  # why it failed
    result: object  # of a job that is done; None for any other


class JobRunner:
    """One job at a time, with its progress and, in the end, its result or what went wrong."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._thread: Thread | None = None
        self._name, self._error, self._decide_first = "", "", ""
        self._done = self._total = 0
        self._result: object = None

    @property
    def running(self) -> bool:
        """Whether a job is under way."""
        return self._thread is not None and self._thread.is_alive()

    def start(
        self,
        name: str,
        job: Callable[[Progress], T],
        then: Callable[[T], None] = lambda result: None,
        decide_first: str = "",
    ) -> None:
        """Begin a job.

        Args:
            name: its name.
            job: called with a function that takes its progress; returns the result.
            then: called with the result, in the same thread.
            decide_first: the message for whoever starts another job before somebody has decided on the result of this one;
                "" if there is nothing to decide.

        Raises:
            UsageError: if another job is under way, or if its result waits for a decision.
        """

        def run() -> None:
            try:
                result = job(self._note_progress)
                then(result)
                self._result, self._error = result, ""
            except (TaggerError, OSError, MemoryError) as error:
                self._error = str(error) or "not enough memory"

        with self._lock:
            if self.running:
                raise UsageError(f"{self._name} is under way; wait until it is done")
            if self._result is not None and self._decide_first:
                raise UsageError(self._decide_first)
            self._name, self._result, self._done, self._total, self._decide_first = name, None, 0, 0, decide_first
            # What holds if the job ends in an exception that `run` does not expect.
            self._error = "it stopped with an unexpected error; the terminal of the server shows it"
            self._thread = Thread(target=run, name=name, daemon=True)  # the program ends without waiting for it
            self._thread.start()

    def status(self) -> JobStatus:
        """How far the last job is."""
        if self.running:
            return JobStatus(self._name, "running", self._done, self._total, "", None)
        if not self._name:
            return JobStatus("", "idle", self._done, self._total, "", None)
        state: JobState = "failed" if self._error else "done"
        return JobStatus(self._name, state, self._done, self._total, self._error, self._result)

    def forget(self) -> None:
        """Make way for other jobs, unless one is under way."""
        with self._lock:
            if not self.running:
                self._name, self._result = "", None

    def wait(self) -> None:
        """Wait for the end of the job under way."""
        if self._thread is not None:
            self._thread.join()

    def _note_progress(self, done: int, total: int) -> None:
        self._done, self._total = done, total
