"""What is fuzzed: for each kind of files, how sound ones are made and how they are read."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.comparison.fake_comparison import fake_comparison
from tests.data.pose_files.files import contents as pose_files
from tests.data.pose_files.files import openpose, packed, sure, walk
from tests.data.test_ends import KINDS as CONTAINERS
from tests.data.test_skeleton_damage import contents
from tests.data.videos import write_sound, write_video
from tests.runs.clips import tiny_config, write_clips
from tests.runs.runs import interrupt

import aplt
from aplt.clips import Clip
from aplt.comparison.page import write_comparison
from aplt.comparison.plan import load_plan
from aplt.config import SkeletonInput
from aplt.data.cache import FrameCache
from aplt.data.formats import scan
from aplt.data.formats.source import Source
from aplt.data.index import read_index
from aplt.data.modality import MODALITIES, modality_of_clip
from aplt.data.split_file import load_split, save_split
from aplt.data.splits import make_split
from aplt.data.video import decode
from aplt.errors import InputError
from aplt.report import write_report
from aplt.rundir import RunDir
from aplt.runs.begin import train
from aplt.runs.configure import configure_new
from aplt.runs.predict import gather_clips, load_model, predict


@dataclass(frozen=True)
class Kind:
    """Files of one kind: `write` leaves sound ones in a folder, and `read` reads one, or a folder, as a user would."""

    write: Callable[[Path], object]
    read: Callable[[Path], object]
    damaged: str = "*"
    """Which files are damaged; with a "/" they are parts of a folder, which is read as a whole."""


def _write_videos(folder: Path) -> None:
    for name, options in CONTAINERS.items():
        write_video(folder / name, 8, rate=25, key_every=4, muxer=options)
    write_video(folder / "a.h264", 8)
    write_video(folder / "turned.mp4", 8, turn=90, aspect=2)
    write_sound(folder / "cover.mp4", cover=True)


def _read_video(path: Path) -> None:
    clip = Clip("a", path)
    modality_of_clip(clip).examine(clip)
    for clip in (Clip("a", path), Clip("b", path, start=0.1, end=0.2)):
        for _ in decode(clip, short_side=16):
            pass


def _write_cache(folder: Path) -> None:
    (folder / "x").mkdir()
    clips = [Clip(str(n), write_video((folder / "x") / f"{n}.mp4", 6)) for n in range(2)]
    FrameCache(folder / "x" / "cache", short_side=24, quality=90).build(clips, processes=1)


def _read_cache(path: Path) -> None:
    cache = FrameCache(path / "cache", short_side=24, quality=90)
    for file in sorted(path.glob("*.mp4")):
        for clip in (Clip(file.stem, file, start=0.1, end=0.3), Clip(file.stem, file)):
            cache.read(clip, lambda times: list(range(len(times))))


def _write_skeletons(folder: Path) -> None:
    for name, content in (contents() | pose_files() | packed()).items():
        (folder / name).write_bytes(content)


def _write_openpose(folder: Path) -> None:
    openpose(folder / "x", [[one] for one in sure(walk(25))])


def _read_skeleton(path: Path) -> None:
    if path.suffix == ".pkl":
        scan(Source(path, output=path.with_suffix(".csv")), "pyskl")
        return
    clip, modality = Clip("a", path), MODALITIES["skeleton"]
    modality.examine(clip)
    modality.how_read(clip)
    modality.make_views({0: clip}, SkeletonInput(frames=8), None)


def _write_tables(folder: Path) -> None:
    write_clips(folder / "clips", 12)
    index = read_index(folder / "clips" / "clips.csv")
    save_split(folder / "split.csv", index, make_split(index, tiny_config(folder / "clips" / "clips.csv").split))
    header, *rows = (folder / "clips" / "clips.csv").read_text().splitlines()
    (folder / "index.csv").write_text("\n".join([header, *rows]) + "\n")
    films = [f'{i}.mp4,"{i / 2}",{i},caf\u00e9;{i},{("train", "test")[i % 2]},i{i}' for i in range(1, 9)]
    (folder / "films.csv").write_text("\n".join(["path,start,end,label,split,id", *films]) + "\n")
    predictions = [f"clips/{i:03d}.npy,,,nod,0.5,wave,0.25," for i in range(9)]
    columns = "path,start,end,prediction_1,score_1,prediction_2,score_2,error"
    (folder / "predictions.csv").write_text("\n".join([columns, *predictions]) + "\n")


def _read_table(path: Path) -> None:
    if path.name.startswith("split"):
        load_split(path, read_index(path.parent / "clips" / "clips.csv"))
        return
    gather_clips([path])
    if not path.name.startswith("predictions"):
        make_split(read_index(path), tiny_config(path.parent / "clips" / "clips.csv").split)


def _write_configs(folder: Path) -> None:
    clips = write_clips(folder / "clips", 12)
    (folder / "config.yaml").write_text(tiny_config(clips).to_yaml())
    (folder / "short.yaml").write_text(f"clips: {clips}\nmethod: fixmatch\ntrain: {{rounds: 3, seed: 1}}\n")
    plan = fake_comparison(folder / "compare") / "compare.yaml"
    (folder / "plan.yaml").write_text(plan.read_text())


def _read_config(path: Path) -> None:
    if path.name.startswith("plan"):
        load_plan(path, {})
    else:
        configure_new(path, {}, None)


def _write_run(folder: Path) -> None:
    clips = write_clips(folder.parent / "clips", 24)
    train(tiny_config(clips, train={"rounds": 2, "warm_up_rounds": 1, "steps_per_round": 2}), RunDir(folder / "run"))


def _read_run(path: Path) -> None:
    run = aplt.Run(path)
    for look in ("result", "rounds", "predictions", "pseudo_labels", "ledger"):
        with suppress(InputError, OSError):
            getattr(run, look)
    with suppress(InputError, OSError):
        aplt.evaluate(path)
    write_report(path)


def _write_begun(folder: Path) -> None:
    clips = write_clips(folder.parent / "clips", 24)
    few = {"rounds": 2, "warm_up_rounds": 0, "steps_per_round": 3}
    interrupt(tiny_config(clips, train=few), RunDir(folder / "run"), round_=1, step=2)


def _read_begun(path: Path) -> None:
    with suppress(InputError, OSError):
        write_report(path)
    aplt.resume(path)


def _write_model(folder: Path) -> None:
    _write_run(folder.parent / "trained")
    shutil.copytree(folder.parent / "trained" / "run" / "model", folder / "model")
    shutil.copy(folder.parent / "clips" / "000.npy", folder / "model")


def _read_model(path: Path) -> None:
    predict(load_model(path), [Clip("a", path / "000.npy")], workers=0)


KINDS = {
    "videos": Kind(_write_videos, _read_video),
    "caches": Kind(_write_cache, _read_cache, "x/cache/**/*.*"),
    "skeletons": Kind(_write_skeletons, _read_skeleton),
    "openpose": Kind(_write_openpose, _read_skeleton, "x/*.json"),
    "tables": Kind(_write_tables, _read_table, "*.csv"),
    "configs": Kind(_write_configs, _read_config, "*.yaml"),
    "models": Kind(_write_model, _read_model, "model/*.*s*"),
    "runs": Kind(_write_run, _read_run, "run/**/*.*"),
    "begun": Kind(_write_begun, _read_begun, "run/**/*.*"),
    "comparisons": Kind(lambda folder: fake_comparison(folder / "x"), lambda path: write_comparison(path), "x/**/*.*"),
}
