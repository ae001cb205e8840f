# %% [markdown]
# # A walk through aplt
# The cells of this file run one after the other in an editor that knows `# %%`, or as a script:
# `python examples/walk.py`. It renders its own clips; about five minutes on two cores.

# %%
import os
from pathlib import Path

import aplt
from aplt.synthetic import make_dataset

QUICK = bool(os.environ.get("APLT_QUICK"))  # a few clips and steps: to see whether it runs, not what it gives
HOME = Path(os.environ.get("APLT_WALK", "walk"))
SETTINGS = {
    "input": {"kind": "video", "frames": 4 if QUICK else 8, "size": 32 if QUICK else 64},
    "train": {"rounds": 6, "warm_up_rounds": 2, "steps_per_round": 40},
}
if QUICK:
    few = {"batch_labeled": 2, "batch_unlabeled": 2, "workers": 0}
    SETTINGS["train"] = few | {"rounds": 2, "warm_up_rounds": 1, "steps": 2}

# %% [markdown]
# ## Clips
# People who nod, shrug and touch their face. Yours come from a folder or a CSV, as in `docs/data.md`.

# %%
clips = make_dataset(HOME / "clips", clips=48 if QUICK else 400, seed=0)
index = aplt.read_index(clips)
print(len(index), "clips of", index.num_classes, "classes; the first is", index[0].id)

# %% [markdown]
# ## Training
# One label in five is used; the others stay hidden until the run is over, and then say how good the pseudo-labels are.

# %%
run = aplt.train(clips, labeled="20%", name="walk", runs=HOME / "runs", settings=SETTINGS)
print(run.result.to_frame().T)

# %% [markdown]
# ## What each round believed
# `pseudo_precision` is the share of accepted pseudo-labels that are right, `pseudo_coverage` how many were accepted.

# %%
print(run.rounds[["round", "warm_up", "pseudo_precision", "pseudo_coverage", "test_top1"]])
doubtful = run.pseudo_labels[~run.pseudo_labels["accepted"]].nsmallest(5, "score")
print("worth a look:", doubtful["id"].tolist())

# %% [markdown]
# ## Did the unlabeled clips help?
# The same clips, labels and steps without them.

# %%
comparison = aplt.compare(
    clips,
    methods=["supervised", "aplt"],
    labeled="20%",
    seeds=1 if QUICK else 2,
    upper_bound=False,
    settings=SETTINGS,
    output=HOME / "comparison",
)
print(comparison.to_frame().pivot_table(index="method", values=["top1", "macro_f1"]))
print("page:", comparison.folder.report)

# %% [markdown]
# ## New clips

# %%
print(aplt.predict(run, [clip.path for clip in index[:3]])[["path", "prediction_1", "score_1"]])
