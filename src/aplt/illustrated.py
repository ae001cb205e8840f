"""The report of a run with pictures of its clips, as far as these are still there; needs no torch."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aplt.errors import InputError
from aplt.report import write_report
from aplt.report.pictures import Clips, Frames, Skeleton
from aplt.rundir import RunDir
from aplt.settings import load_yaml
from aplt.storage import mode

if TYPE_CHECKING:
    from aplt.clips import Clip

MOMENTS = 4
SHORT_SIDE = 80
QUALITY = 65


def write_illustrated(run: Path, beside: Path | None = None) -> Path:
    """Writes report.html into a run folder, with pictures of clips and another run `beside` it; returns its path."""
    return write_report(run, beside=beside, clips=_clips_of(RunDir(run)))


def _clips_of(run: RunDir) -> Clips | None:
    source = load_yaml(run.config).get("clips") if run.config.exists() else None
    if not isinstance(source, str):
        return None
    if not mode(Path(source)):
        return _without(f"{source} is no longer there")
    from aplt.data.index import read_index

    try:
        index = read_index(Path(source))
    except InputError as error:
        return _without(str(error))
    if not any(mode(clip.path) for clip in index):
        return _without(f"none of the files that {source} lists is there any more")
    clip_of = {clip.id: clip for clip in index}
    changed = index.digest != run.read_digests().get("index")
    return Clips(
        lambda id_: _picture(clip_of[id_]) if id_ in clip_of else f"{source} no longer lists it",
        {} if changed else index.known,
        f"labels or rows of {source} have changed since the run was begun" if changed else None,
    )


def _without(why: str) -> Clips:
    return Clips(lambda _: "", missing=why)


def _picture(clip: "Clip") -> Frames | Skeleton | str:
    import numpy as np

    from aplt.data.files import ClipError
    from aplt.data.modality import modality_of_clip
    from aplt.data.stills import moments, stills

    seen = replace(clip, bank=None)  # of features, too, the file may be there
    try:
        if modality_of_clip(seen).name == "skeleton":
            found = moments(seen, MOMENTS)
            return Skeleton(found.points, found.bones)
        strip = np.concatenate(stills(seen, MOMENTS, SHORT_SIDE), axis=1)
    except ClipError as error:
        return error.why
    from simplejpeg import encode_jpeg

    return Frames(encode_jpeg(strip, QUALITY, colorspace="RGB"), strip.shape[1], strip.shape[0])
