from __future__ import annotations

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from tagger.training.settings import SEARCHED_SETTINGS, Settings


def test_settings_can_be_compared_hashed_and_pickled() -> None:
    settings = Settings(C=2.0)
    assert settings == replace(Settings(), C=2.0) != Settings()
    assert len({settings, replace(settings), Settings()}) == 2
    assert pickle.loads(pickle.dumps(SEARCHED_SETTINGS)) == SEARCHED_SETTINGS


@pytest.mark.parametrize("settings", [Settings(), SEARCHED_SETTINGS, Settings(threshold_shrinkage=np.inf, seed=3)])
def test_a_header_holds_every_setting_under_the_names_of_the_file_format(settings: Settings) -> None:
    header = settings.to_header()
    assert list(header) == ["min_df", "pairs", "c", "power", "smoothing", "shrink", "min_yes", "n_folds", "seed"]
    assert list(header.values()) == [getattr(settings, field.name) for field in fields(settings)]
    assert Settings.from_header(header) == settings
