"""The model card of a run, and the model folder with it on the Hugging Face Hub."""

from pathlib import Path

from huggingface_hub import EvalResult, HfApi, ModelCard, ModelCardData

from aplt.config import RunConfig
from aplt.display import counted
from aplt.errors import InputError
from aplt.figures import FIGURES, Figures
from aplt.methods.catalog import find_method
from aplt.models.embedder import ENCODER
from aplt.record import Result
from aplt.report.words import wilson
from aplt.rundir import RunDir
from aplt.storage import reason, write_text

SHARES_OF_CLIPS = ("top1", "top5", "group_top1")
"""The figures that Wilson's interval is of."""
USES = """It must not be used to infer emotions, intentions, honesty, health or character, to identify people, to watch
people at work, at school or in public, or to decide about a person; nor on people who have not agreed to it. A movement
is no proof of what somebody feels or means.

It is for research, and for people who look at the clips themselves: each label is a suggestion, as reliable as the
figures below say, for people like those it learned from and cameras like theirs. Groups of people that are rare in its
data may fare worse."""


def push(run: Path, repository: str, *, private: bool, license_: str | None) -> str:
    """Writes the model card of a run, uploads its model folder and returns where it is; see `aplt.push`."""
    folder = write_card(RunDir(run), repository, license_).parent
    api, files = HfApi(library_name="aplt"), ["README.md", "config.json", "model.safetensors", ENCODER]
    try:
        address = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(repo_id=repository, folder_path=folder, allow_patterns=files, commit_message="Model by aplt")
    except Exception as error:  # no account, no network, no such name; of one library or another
        raise InputError(f"{repository}: the Hub does not take it ({reason(error)[:300]})") from error
    return str(address)


def write_card(run: RunDir, repository: str, license_: str | None) -> Path:
    """Writes README.md into a run's model folder, unless there is one that somebody may have edited; returns it."""
    path = run.model / "README.md"
    result = run.read_result()
    run.require(lambda run: run.model, "a finished run has it")
    card = ModelCard.load(path) if path.exists() else ModelCard(_text(run.read_config(), result, repository))
    if license_ is not None:
        card.data["license"] = license_
    write_text(path, str(card))
    return path


def _text(config: RunConfig, result: Result, repository: str) -> str:
    method, kind, count = find_method(result.method), config.input.kind, result.counts
    data = ModelCardData(
        library_name="aplt",
        pipeline_tag="video-classification" if kind == "video" else None,
        tags=["aplt", "action-recognition", "micro-actions", "semi-supervised", kind],
        model_name=repository.rpartition("/")[2],
        eval_results=_eval_results(config, result.test) if result.test else None,
    )
    training = count.labeled + count.unlabeled
    labels = f"{count.labeled:,d} of {counted(training, 'training clip')} had a label ({count.labeled / training:.1%})"
    start = "random weights" if config.encoder_weights is None else f"the weights `{_public(config.encoder_weights)}`"
    others = "" if config.encoder_weights is None else ", whose own license holds for what is made of them"
    return f"""---
{data.to_yaml()}
---

# {repository.rpartition("/")[2]}

Names one of {counted(count.classes, "class", "classes")} of small human movements in a {kind} clip. Trained with
aplt {result.versions.get("aplt", "")}, semi-supervised: from clips of which only some have a label.

## What it must not be used for

{USES}

## How it was trained

| | |
|--|--|
| Data | {labels}; {counted(count.val, "val clip")}, {counted(count.test, "test clip")} |
| Method | `{result.method}`: {method.summary} ({method.source}) |
| Encoder | `{result.encoder}`, {counted(result.parameters, "parameter")}, from {start}{others} |
| Training | {counted(result.steps, "step")}, seed {result.seed} |

Classes, with their labeled clips: {_listed(result)}.

## Measured

{_measured(result)}

## How to load it

```python
import aplt

model = aplt.load("{repository}")
print(aplt.predict(model, ["clip.mp4"]))
```

Clips are prepared as in training, as config.json says; `aplt export` makes an ONNX file.
"""


def _public(weights: str) -> str:
    """Returns the name of weights: of a file without its folders, which are nobody's concern, but for a run's own."""
    path = Path(weights)
    if not path.is_absolute():
        return weights
    return path.name if path.name != "model.safetensors" else f"{path.parents[1].name}/{path.parent.name}/{path.name}"


def _listed(result: Result) -> str:
    return ", ".join(f"{name} ({n})" for name, n in zip(result.classes, result.labeled_per_class, strict=True))


def _measured(result: Result) -> str:
    """Returns a table of the figures on the test clips, and what their intervals are."""
    if result.test is None:
        return "Nothing: no test clip had a label."
    rows = [f"On {counted(result.test.clips, 'test clip')} that training did not know:\n"]
    rows += ["| figure | value | 95 % interval |", "|--|--|--|"]
    for name, figure in FIGURES.items():
        if (value := getattr(result.test, name)) is not None:
            between = wilson(value, result.test.clips) if name in SHARES_OF_CLIPS else None
            interval = f"{between[0]:.1%} to {between[1]:.1%}" if between else "-"
            rows.append(f"| {figure.title} | {figure.text(value)} | {interval} |")
    rows.append("\nIntervals are Wilson's, for these clips: they know nothing of other people, cameras or seeds.")
    return "\n".join(rows)


def _eval_results(config: RunConfig, test: Figures) -> list[EvalResult]:
    """Returns the figures that leaderboards read."""
    name = config.clips.parent.name if config.clips.suffix else config.clips.name
    task = "video-classification" if config.input.kind == "video" else "other"
    return [
        EvalResult(task, name, name, metric, round(value, 4), metric_name=title)
        for metric, title, value in (("accuracy", "test top-1", test.top1), ("f1", "test macro F1", test.macro_f1))
    ]
