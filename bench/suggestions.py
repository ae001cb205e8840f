"""What to label next, simulated: accuracy by labels for each strategy, the hidden labels answering.

    pip install scikit-activeml
    python -m bench.suggestions nucla/clips.csv kard/clips.csv --seeds 3 --turns 4 -n 24 -o build/suggestions

The first training has one label per class or a share (--labeled); then, in each turn, a strategy names `n` unlabeled
clips from what the run before knows, their labels are added, and a run begins anew. Entropy, CoreSet, TypiClust and
BADGE are scikit-activeml's. It goes on where it stopped, and in the end prints a table and draws `suggestions.png`:
accuracy by turn in the mean, over all turns, and the labels saved: what share of the labels given in the turns is not
needed until a strategy's mean curve reaches what random ones have in the end.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from skactiveml.base import SkactivemlClassifier
from skactiveml.pool import Badge, CoreSet, TypiClust, UncertaintySampling
from skactiveml.utils import MISSING_LABEL

import aplt
from aplt.clips import Split
from aplt.data.split_file import load_split, save_split
from aplt.rundir import RunDir
from aplt.runs.begin import finished
from aplt.runs.suggest import STRATEGIES, Pool, Strategy, pool_of
from aplt.settings import merge, parse_assignments


class Known(SkactivemlClassifier):  # type: ignore[misc]
    """A classifier whose probabilities stand beside the features of each row."""

    def __init__(self, features: int = 0, classes: Any = None, missing_label: float = MISSING_LABEL) -> None:
        super().__init__(classes=classes, missing_label=missing_label)
        self.features = features

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: Any = None) -> "Known":  # noqa: ARG002
        """Learns nothing."""
        return self

    def predict_proba(self, X: np.ndarray, embeddings: bool = False) -> Any:
        """Returns the probabilities [n, K], and the features if asked."""
        p = X[:, self.features :] / X[:, self.features :].sum(axis=1, keepdims=True)
        return (p, X[:, : self.features]) if embeddings else p


def _with_probabilities(query: Any) -> Strategy:
    def chosen(pool: Pool, number: int, draw: np.random.Generator) -> np.ndarray:
        rows = np.hstack([pool.feature, pool.probability])
        y = np.where(pool.label < 0, np.nan, pool.label)
        known = Known(pool.feature.shape[1], classes=np.arange(pool.probability.shape[1]))
        found: np.ndarray = query(int(draw.integers(2**31))).query(rows, y, known, fit_clf=False, batch_size=number)
        return found

    return chosen


def _with_features(query: Any) -> Strategy:
    def chosen(pool: Pool, number: int, draw: np.random.Generator) -> np.ndarray:
        y = np.where(pool.label < 0, np.nan, pool.label)
        found: np.ndarray = query(random_state=int(draw.integers(2**31))).query(pool.feature, y, batch_size=number)
        return found

    return chosen


TRIED: dict[str, Strategy] = {
    **STRATEGIES,
    "entropy": _with_probabilities(lambda seed: UncertaintySampling(method="entropy", random_state=seed)),
    "badge": _with_probabilities(lambda seed: Badge(clf_embedding_flag_name="embeddings", random_state=seed)),
    "coreset": _with_features(CoreSet),
    "typiclust": _with_features(TypiClust),
}


def cell(
    clips: Path, seed: int, strategy: str, given: argparse.Namespace, show: Callable[[dict[str, Any]], None]
) -> None:
    """Works through the turns of one strategy, and shows a row for each."""
    home = given.output / clips.parent.name / str(seed)
    for turn in range(given.turns + 1):
        # All strategies begin with the same run.
        runs, name = (home, "first") if turn == 0 else (home / strategy, f"turn{turn}")
        run = RunDir(runs / name)
        if run.config.exists() and not run.result.exists():
            aplt.resume(run.path)
        elif not run.result.exists():
            split = None
            if turn:
                split = runs / f"{name}.csv"
                before = RunDir(home / "first") if turn == 1 else RunDir(runs / f"turn{turn - 1}")
                _label(before, strategy, given.number, seed, split)
            settings = merge(parse_assignments(given.set), {"train": {"budget": given.budget}})
            aplt.train(
                clips,
                split=split,
                labeled=given.labeled if split is None else None,
                seed=seed,
                name=name,
                runs=runs,
                method=given.method,
                settings=settings,
            )
        result = run.read_result()
        show(
            {"clips": clips.parent.name, "seed": seed, "strategy": strategy, "turn": turn}
            | {"labels": result.counts.labeled, "top1": round(result.test.top1, 4) if result.test else None}
        )


def _label(before: RunDir, strategy: str, number: int, seed: int, output: Path) -> None:
    """Writes the split of `before` in which what a strategy chooses is labeled, too."""
    _, index, split = finished(before)
    position, pool = pool_of(before, index, split)
    chosen = set(position[TRIED[strategy](pool, number, np.random.default_rng(seed))].tolist())
    labeled = tuple(sorted({*split.labeled, *chosen}))
    rest = tuple(p for p in split.unlabeled if p not in chosen)
    output.parent.mkdir(parents=True, exist_ok=True)
    save_split(output, index, Split(labeled=labeled, unlabeled=rest, val=split.val, test=split.test))
    load_split(output, index, "")


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns a line for each strategy on each of the clips: means over seeds in %, those with all turns."""
    lines = []
    for clips, of in rows.groupby("clips", sort=False):
        mean = of.pivot_table("top1", "turn", "strategy", sort=False) * 100
        labels = of.groupby("turn")["labels"].mean()
        goal = mean.loc[labels.index[-1], "random"]
        for strategy, curve in mean.items():
            by_seed = of[(of["strategy"] == strategy) & (of["turn"] > 0)].groupby("seed")["top1"].mean() * 100
            # A mean curve may fall by chance; what it had reached counts.
            reached = curve.cummax()
            first = np.diff(reached, prepend=-1) > 0
            needed = np.interp(goal, reached[first], labels[first])
            saved = 1 - (needed - labels.iloc[0]) / (labels.iloc[-1] - labels.iloc[0])
            lines.append(
                {"clips": clips, "strategy": strategy, "seeds": len(by_seed)}
                | {f"{count:.0f} labels": round(at, 1) for count, at in zip(labels, curve, strict=True)}
                | {"all turns": f"{by_seed.mean():.1f} ± {by_seed.std():.1f}"}
                | {"labels saved": f"{saved:.0%}" if reached.iloc[-1] >= goal else "-"}
            )
    return pd.DataFrame(lines)


def draw(rows: pd.DataFrame, path: Path) -> None:
    """Draws accuracy by labels: a panel for each of the clips, a line for each strategy, the mean over seeds."""
    names = list(rows["clips"].unique())
    figure, panels = plt.subplots(1, len(names), figsize=(5 * len(names), 4.2), squeeze=False, layout="constrained")
    for panel, clips in zip(panels[0], names, strict=True):
        of = rows[rows["clips"] == clips]
        for strategy, one in of.groupby("strategy", sort=False):
            mean = one.groupby("labels")["top1"].mean() * 100
            ours = strategy == "coverage"
            style = {"color": "black", "linestyle": "--"} if strategy == "random" else {}
            panel.plot(mean.index, mean, marker="o", label=strategy, linewidth=3 if ours else 1.4, **style)
        panel.set(title=clips, xlabel="labels", ylabel="test accuracy in %")
        panel.grid(alpha=0.3)
    panels[0][0].legend()
    figure.savefig(path, dpi=110)


def main() -> int:
    """Works through the cells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--labeled", default="2%")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("-n", "--number", type=int, default=24)
    parser.add_argument("--strategies", nargs="+", default=list(TRIED), choices=list(TRIED))
    parser.add_argument("--budget", default="quick")
    parser.add_argument("--method", default="aplt")
    parser.add_argument("--set", action="append", default=[], help="a setting of `aplt train`")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/suggestions"))
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []

    def show(row: dict[str, Any]) -> None:
        rows.append(row)
        pd.DataFrame(rows).to_csv(given.output / "suggestions.csv", index=False)
        print(row, flush=True)

    for seed in range(given.seeds):
        for clips in given.clips:
            for strategy in dict.fromkeys([*given.strategies, "random"]):  # what all are measured by
                cell(clips, seed, strategy, given, show)
    table = pd.DataFrame(rows)
    print(summary(table).to_csv(index=False))
    draw(table, given.output / "suggestions.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
