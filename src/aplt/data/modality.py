"""All that differs between the kinds of clips, one record each; nothing else asks which kind it is.

Another kind is added by its settings in aplt.config, its own files beside this one, and a record here. Indexing and
splitting need neither torch nor FFmpeg, so what reads clips is named as "module:function" and imported when called.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aplt.clips import Clip
from aplt.config import FeatureInput, SkeletonInput, VideoInput
from aplt.data.files import ClipError, Examined
from aplt.errors import InputError
from aplt.parallel import cores
from aplt.settings import Settings
from aplt.storage import is_folder

if TYPE_CHECKING:
    from torch import Tensor

    from aplt.data.views import Views

ClipShape = tuple[int, int, int, int]


@dataclass(frozen=True)
class Modality:
    """One kind of clips; the `settings` of its functions are of the class `input`."""

    name: str
    """As in the setting input.kind."""
    one: str
    """What a clip is called in a sentence, with its article."""
    many: str
    """What clips are called in a sentence."""
    suffixes: frozenset[str]
    """By which a file is known to be of this kind."""
    scanned: frozenset[str]
    """Those of `suffixes` that are nearly always clips: what the scan of a folder takes."""
    scanned_as: str
    """What the scan of a folder calls these files."""
    input: type[Settings]
    """How a clip becomes a tensor and is varied."""
    encoder: str
    """The encoder of runs that name none."""
    patch: int
    """Height and width of the patches that mixtures of two clips consist of."""
    workers: Callable[[], int]
    """Returns how many loader processes a run has that sets no number."""
    prepare: Callable[[Sequence[Clip], Any], None]
    """(clips, settings): does what is worth doing once, before training reads the clips again and again.

    Raises an InputError where a clip is not usable.
    """
    make_views: Callable[[Mapping[int, Clip], Any, ClipShape | None], "Views"]
    """(clips, settings, clip_shape): returns the views of clips by their position, to be read again and again.

    The clip_shape is that of a trained model, if there is one.

    Raises an InputError where the clips or settings do not fit each other.
    """
    lend_views: Callable[[Mapping[int, Clip], Any, ClipShape], AbstractContextManager["Views"]]
    """(clips, settings, clip_shape): gives a trained model the views of clips while the block runs.

    Each clip is read when it is asked for; what is kept on disk, of files with several clips, is removed afterwards.
    """
    about_seconds: Callable[[Clip], float | None]
    """Returns how long a clip is, as far as that is told at once; None: it is not. Raises as `examine`."""
    seconds: Callable[[Clip], float]
    """Returns how long a clip is, decoded if need be; raises as `examine`, and where it has no frame rate."""
    examine: Callable[[Clip], Examined]
    """Reads a clip to its end and returns what that tells; raises a ClipError where it is not usable."""
    how_read: Callable[[Clip], str]
    """Returns how a clip is read, where files do not say it themselves; raises a ClipError where it is not usable."""
    preprocessing: Callable[[Any, ClipShape], dict[str, Any]]
    """(settings, clip_shape): returns how a clip becomes a tensor, for a program without this one."""
    shows_nothing: Callable[["Tensor"], str] = lambda _: ""
    """Returns why what is in a view could be of no class at all; "" where it could be of one."""
    clip_at: Callable[[Path], Path | None] = lambda _: None
    """Returns the clip that a file of another ending is or belongs to, by its name and how it begins; None if none."""


def modality_of(clips: Iterable[Clip]) -> Modality:
    """Returns the modality of all these clips."""
    first: dict[str, tuple[Modality, Clip]] = {}
    for clip in clips:
        found = modality_of_clip(clip)
        first.setdefault(found.name, (found, clip))
    if len(first) > 1:
        kinds = ", ".join(f"'{clip.id}' is {modality.one}" for modality, clip in first.values())
        raise InputError(f"an index holds clips of one kind, but {kinds}")
    return next((modality for modality, _ in first.values()), MODALITIES["video"])


def how_read(clips: Iterable[Clip]) -> str:
    """Returns in a sentence how the first clip that is usable is read, or why none is; "" where that is clear."""
    first = ""
    for clip in clips:
        try:
            return modality_of_clip(clip).how_read(clip)
        except ClipError as error:  # which `aplt check` says of each
            first = first or f"no clip is usable; the first: {error}"
    return first


def modality_of_clip(clip: Clip) -> Modality:
    """Returns the modality of a clip: features, or what its file's name says, video where no other knows its ending.

    A folder is a skeleton.
    """
    if clip.bank is not None:
        return MODALITIES["features"]
    suffix = clip.path.suffix.lower()
    unknown = MODALITIES["skeleton" if is_folder(clip.path) else "video"]
    return next((found for found in MODALITIES.values() if suffix in found.suffixes), unknown)


def clip_at(path: Path) -> Path | None:
    """Returns the clip that a file in a folder of clips is or belongs to; None where it is none, or not plainly one."""
    suffix = path.suffix.lower()
    if any(suffix in found.scanned for found in MODALITIES.values()):
        return path
    return next((clip for found in MODALITIES.values() if (clip := found.clip_at(path))), None)


def _later(function: str) -> Callable[..., Any]:
    """Returns a function of aplt.data, imported when it is first called: that may need torch or FFmpeg."""
    module, _, name = function.partition(":")

    def call(*arguments: Any) -> Any:
        return getattr(import_module(f"aplt.data.{module}"), name)(*arguments)

    return call


def _no_seconds(clip: Clip) -> float:
    raise ClipError(clip, "outside", "it is a row of features, which have no seconds")


VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".flv")
    + (".3gp", ".ogv", ".gif", ".asf", ".vob", ".mxf", ".h264", ".264", ".h265", ".265", ".hevc", ".mjpeg", ".mjpg")
    + (".3g2", ".f4v", ".ogm", ".divx", ".dv", ".m1v", ".m2v", ".mpe", ".rm", ".rmvb", ".ivf", ".nut", ".y4m", ".qt")
    + (".mod", ".tod", ".trp", ".tp", ".wtv", ".av1", ".obu", ".apng")
)
SKELETON_SUFFIXES = frozenset({".npy", ".npz", ".pose", ".skeleton", ".slp"})

MODALITIES = {
    "video": Modality(
        name="video",
        one="a video",
        many="videos",
        suffixes=VIDEO_SUFFIXES,
        scanned=VIDEO_SUFFIXES,
        scanned_as="video",
        input=VideoInput,
        encoder="tsm_tiny",
        patch=16,
        workers=lambda: max(1, cores() - 1),
        prepare=_later("video_views:prepare"),
        make_views=lambda clips, settings, _: _later("video_views:VideoViews")(clips, settings),
        lend_views=_later("video_views:lend_views"),
        about_seconds=_later("video:about_seconds"),
        seconds=_later("video:seconds_of"),
        examine=_later("video:examine"),
        how_read=lambda _: "",
        preprocessing=_later("preprocessing:of_video"),
    ),
    "skeleton": Modality(
        name="skeleton",
        one="a skeleton",
        many="skeletons",
        suffixes=SKELETON_SUFFIXES | {".csv", ".h5", ".json", ".txt"},
        scanned=SKELETON_SUFFIXES,
        scanned_as="skeleton array or pose file",
        input=SkeletonInput,
        encoder="tcn",
        patch=1,
        workers=lambda: 0,
        prepare=lambda *_: None,  # their views read each once and keep it
        make_views=_later("skeleton_views:SkeletonViews"),
        lend_views=lambda *given: nullcontext(_later("skeleton_views:SkeletonViews")(*given)),
        about_seconds=_later("skeleton:about_seconds"),
        seconds=_later("skeleton:seconds_of"),
        examine=_later("skeleton:examine"),
        how_read=_later("skeleton:how_read"),
        preprocessing=_later("preprocessing:of_skeleton"),
        shows_nothing=lambda view: "" if view[-1].any() else "nobody is seen in it",  # confidence is the last channel
        clip_at=_later("pose_files:clip_at"),
    ),
    "features": Modality(
        name="features",
        one="a row of features",
        many="features",
        suffixes=frozenset(),  # a clip is one where its index lies in a bank
        scanned=frozenset(),
        scanned_as="",
        input=FeatureInput,
        encoder="adapter",
        patch=1,
        workers=lambda: 0,
        prepare=lambda clips, _: _later("feature_views:require_finite")(clips),
        make_views=_later("feature_views:FeatureViews"),
        lend_views=lambda *given: nullcontext(_later("feature_views:FeatureViews")(*given)),
        about_seconds=lambda _: None,
        seconds=_no_seconds,
        examine=_later("feature_views:examine"),
        how_read=lambda _: "",
        preprocessing=_later("preprocessing:of_features"),
    ),
}
