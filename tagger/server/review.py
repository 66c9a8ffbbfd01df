"""A review with the work that it does in the background: training, looking for doubtful labels, drawing pictures."""

from __future__ import annotations

import os

from tagger.curation.label_errors import find_label_errors
from tagger.errors import UsageError
from tagger.labels.confirmed import read_confirmed
from tagger.labels.dataset import read_labels
from tagger.reports.page import evaluate_for_report
from tagger.reports.pictures import plot_all
from tagger.reports.svg import Picture
from tagger.server.candidate import CandidateModel, promote_candidate, train_candidate
from tagger.server.doubts import DoubtedLabel
from tagger.server.jobs import JobRunner, Progress
from tagger.server.session import ReviewSession
from tagger.training.settings import Settings

__all__ = ["Review"]


class Review:
    """A review session and its jobs. One job runs at a time; see `JobRunner`.

    Args:
        session: the entries and labels.
        jobs: what runs the jobs.
    """

    def __init__(self, session: ReviewSession, jobs: JobRunner) -> None:
        self.session, self.jobs = session, jobs
        self.pictures: tuple[Picture, ...] = ()  # of the figures, once somebody asked for them

    def start_audit(self) -> None:
        """Begin to look for labels that are probably wrong; the session then knows them as doubted.

        Raises:
            UsageError: if another job is in the way.
        """
        self.jobs.start("audit", self._audit, self.session.set_doubted)

    def start_drawing(self) -> None:
        """Begin to draw the pictures of a report on the labels as they are now.

        Raises:
            UsageError: if another job is in the way.
        """
        self.jobs.start("draw", self._draw_pictures, self._keep_pictures)

    def start_training(self) -> None:
        """Begin to train a new model, which then waits to be accepted.

        Raises:
            UsageError: if another job is in the way.
        """
        session = self.session
        self.jobs.start(
            "train",
            lambda progress: train_candidate(session.workspace, session.model, session.entries, progress),
            decide_first="a new model is waiting; accept it or keep the old one first",
        )

    def accept_model(self) -> None:
        """Put the new model in the place of the old one.

        Raises:
            UsageError: if no training is done, or if the model file was changed meanwhile.
            OutputError: if the model cannot be written; it then still waits.
        """
        status = self.jobs.status()
        if status.name != "train" or status.state == "running":
            raise UsageError("no training is done, so there is no new model to accept")
        if isinstance(status.result, CandidateModel):
            promote_candidate(self.session.workspace, status.result)
            self.session.use_model(status.result.model)
        self.jobs.forget()

    def keep_old_model(self) -> None:
        """Drop the new model."""
        self.jobs.forget()

    def _audit(self, progress: Progress) -> tuple[DoubtedLabel, ...]:
        folder = self.session.workspace.labels
        labels, confirmed = read_labels(folder), read_confirmed(folder)
        report = find_label_errors(labels, Settings(), confirmed, n_jobs=_n_jobs(), progress=progress)
        return tuple(DoubtedLabel(each.entry.id, each.topic.id, each.label, each.score) for each in report.suspects)

    def _draw_pictures(self, progress: Progress) -> tuple[Picture, ...]:
        labels = read_labels(self.session.workspace.labels)
        return tuple(plot_all(labels, *evaluate_for_report(labels, n_jobs=_n_jobs(), progress=progress)))

    def _keep_pictures(self, pictures: tuple[Picture, ...]) -> None:
        self.pictures = pictures


def _n_jobs() -> int:
    return os.cpu_count() or 1
