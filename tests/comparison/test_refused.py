"""Plans that are refused, and how it is said: in a sentence, before anything is trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aplt.errors import InputError
from tests.comparison.plans import cells_of, plan_of
from tests.runs.clips import write_clips


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"method": ["aplt"]}, "plan: unknown setting 'method'; did you mean 'methods'?"),
        (
            {"datasets": {"tiny": {"clisp": "x"}}},
            "unknown setting 'datasets.tiny.clisp'; did you mean 'datasets.tiny.clips'?",
        ),
        ({"variants": {"a": {"metod": 2}}}, "unknown setting 'variants.a.metod'; did you mean 'variants.a.method'?"),
        ({"datasets": {"other": {"clips": "none.csv"}}}, "data set 'other': "),
        ({"methods": "supervised,apltt"}, "unknown method 'apltt'; did you mean 'aplt'?"),
        ({"methods": "aplt,aplt"}, "plan: setting 'methods' names aplt twice"),
        ({"methods": [], "variants": {}}, "plan: setting 'methods' names none, and there are no variants"),
        ({"methods": "uda", "variants": {"uda": {}}}, "'uda' is in methods and in variants"),
        (
            {"labeled": "150%"},
            "plan: setting 'labeled.0': expected a share from 0 to 1, written as 50% or 0.5, found '150%'",
        ),
        ({"labeled": "0,10%"}, "plan: setting 'labeled.0': expected more than 0, found '0'"),
        ({"labeled": ""}, "plan: setting 'labeled': expected 1 or more entries, found []"),
        ({"labeled": "5%,0.05"}, "plan: setting 'labeled' names 0.05 twice"),
        (
            {"seeds": 0},
            "plan: setting 'seeds': expected a number of seeds from 1 to 1000, or a list such as 3,4,5, found 0",
        ),
        ({"seeds": 2**70}, "plan: setting 'seeds': expected a number of seeds from 1 to 1000"),
        ({"seeds": "1,x"}, "plan: setting 'seeds.1': expected a whole number"),
        ({"upper_bound": "maybe"}, "plan: setting 'upper_bound': expected true or false, found 'maybe'"),
        ({"datasets": {"a": {"clips": ["x"]}}}, "plan: setting 'datasets.a.clips': expected a path, found ['x']"),
        ({"reference": "apl"}, "plan: setting 'reference' is 'apl'; did you mean 'aplt'?"),
        ({"variants": {"a/b": {}}}, "'a/b' cannot be the name"),
        ({"variants": {"uda: 0.9": {}}}, "'uda: 0.9' cannot be the name"),
        ({"variants": {"a\\b": {}}}, "cannot be the name"),
        ({"variants": {"a ": {}}}, "'a ' cannot be the name"),
        ({"variants": {"a.": {}}}, "'a.' cannot be the name"),
        (
            {"methods": "aplt", "variants": {"APLT": {}}},
            "tiny, aplt, 10% labeled, seed 0, and tiny, APLT, 10% labeled, seed 0: their folders would be the same",
        ),
        ({"labeled": [0.1, 0.1000000001]}, "their folders would be the same"),
        (
            {"labeled": "8%,10%"},
            "tiny, supervised, 8% labeled, seed 0, and tiny, supervised, 10% labeled, seed 0: the same clips are",
        ),
        (
            {"datasets": {"tiny": {"folds": [{"split": {"test_subjects": ["s1"], "test": 0.2}}] * 2}}},
            "tiny fold 1, supervised, 10% labeled, seed 0, and tiny fold 2, supervised, 10% labeled, seed 0: the same",
        ),
        (
            {"datasets": {"tiny": {"settings": {"train": {"precision": "bf16"}}}}},
            "plan: datasets.tiny.settings: setting 'train.precision' must be the same in all cells",
        ),
        ({"variants": {"upper bound": {}}}, "'upper bound' is the name of the fully labeled rows"),
        ({"settings": {"split": {"labeled": 0.1}}}, "plan: settings: setting 'split.labeled' is for the plan to say"),
        ({"settings": {"split_file": "x.csv"}}, "plan: settings: setting 'split_file' is for the plan to say"),
        ({"settings": {"offline": {"views": 1}}}, "setting 'offline' belongs to a method; give it to a variant"),
        (
            {"datasets": {"tiny": {"folds": [{}, {"train": {"seed": 3}}]}}},
            "plan: datasets.tiny.folds.1: setting 'train.seed' is for the plan to say",
        ),
        (
            {"variants": {"a": {"settings": {"split": {"test": 0.5}}}}},
            "plan: variant 'a': setting 'split' must be the same for all methods",
        ),
        *(
            (
                {"variants": {"a": {"settings": settings}}},
                f"plan: variant 'a': setting '{key}' must be the same for all methods",
            )
            for key, settings in (
                ("input", {"input": {"frames": 4}}),
                ("train.steps_per_round", {"train": {"steps_per_round": 400}}),
                ("train.batch_labeled", {"train": {"batch_labeled": 2}}),
                ("train.batch_unlabeled", {"train": {"batch_unlabeled": 24}}),
            )
        ),
        (
            {"variants": {"a": {"settings": {"method_settings": {"marign": 1}}}}},
            "tiny, a, 10% labeled, seed 0: settings: method aplt: unknown setting 'method_settings.marign'; "
            "did you mean 'method_settings.margin'?",
        ),
        (
            {"variants": {"a": {"settings": {"method_settings": {"target": "pupil"}}}}},
            "tiny, a, 10% labeled, seed 0: settings: method aplt: setting 'method_settings.target': expected 'student' "
            "or 'teacher', found 'pupil'",
        ),
        *(
            (
                {"settings": {"train": {"rounds": 10, "steps_per_round": 40}}, "variants": {"a": variant}},
                f"tiny, a, 10% labeled, seed 0: {made}, where the other methods take 400; give it rounds that",
            )
            for variant, made in (
                ({"settings": {"train": {"rounds": 500}}}, "500 rounds of 1 step make 500"),
                ({"settings": {"train": {"rounds": 250}}}, "250 rounds of 2 steps make 500"),
            )
        ),
        (
            {"datasets": {"tiny": {2024: "x"}}},
            "plan: setting 'datasets.tiny.2024': expected text as its name; put it in quotes",
        ),
        ({"settings": {"train": 5}}, "train: expected a mapping of settings, found 5"),
        ({"datasets": {2024: {"clips": "x"}}}, "plan: setting 'datasets.2024': expected text as its name; put it in"),
        ({"datasets": {"tiny": {"clips": "a\0b"}}}, "plan: 'a\\x00b' is no usable path ("),
        ({"settings": {"train": {"round": 3}}}, "train: unknown setting 'round'; did you mean 'rounds'?"),
        ({"settings": {"train": {"warm_up_rounds": 9}}}, "would never see the"),
        ({"settings": {"encoder": "tnc"}}, "unknown encoder 'tnc'; did you mean 'tcn'?"),
        (
            {"datasets": {"tiny": {"folds": [{"split": {"test_subjects": ["s9"], "test": 0.2}}]}}},
            "tiny fold 1, supervised, 10% labeled, seed 0: no clip of subject 's9'; expected one of: s0",
        ),
        ({"datasets": {"tiny": {"settings": {"split": {"test": 0}}}}}, "no test clip has a label"),
    ],
)
def test_refused_in_a_sentence_before_anything_is_trained(clips: Path, over: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        cells_of(clips, **over)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_circle_of_links_is_no_path(tmp_path: Path) -> None:
    (tmp_path / "circle.csv").symlink_to(tmp_path / "circle.csv")
    with pytest.raises(InputError, match=r"circle.csv' is no usable path \("):
        plan_of(tmp_path / "circle.csv")


def test_a_missing_clip_is_named(tmp_path: Path) -> None:
    clips = write_clips(tmp_path / "clips")
    (tmp_path / "clips" / "007.npy").unlink()
    with pytest.raises(InputError, match=r"clip '007.npy' .*: no such file"):
        cells_of(clips)


def test_clips_without_a_known_label_are_no_test(tmp_path: Path) -> None:
    clips = write_clips(tmp_path / "clips")
    table = pd.read_csv(clips)
    table["split"] = np.where(table.index < 12, "test", "train")
    table.loc[table.index < 12, "label"] = None
    table.to_csv(clips, index=False)
    with pytest.raises(InputError, match="no test clip has a label"):
        cells_of(clips, settings={"split": {"test": 0.2}})
