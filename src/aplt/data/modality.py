"""All that differs between the kinds of clips, one record each; nothing else asks which kind it is.

Another kind is added by its settings in aplt.config, its own files beside this one, and a record here. What reads clips
is imported where it is first needed, so that indexing and splitting need neither torch nor FFmpeg.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aplt.clips import Clip
from aplt.config import FeatureInput, SkeletonInput, VideoInput
from aplt.data.files import ClipError, Examined, Problem
from aplt.display import bar, counted
from aplt.errors import InputError
from aplt.parallel import cores
from aplt.settings import Settings
from aplt.storage import is_folder

if TYPE_CHECKING:
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
    clip_at: Callable[[Path], Path | None] = lambda _: None
    """Returns the clip that a file of another ending is or belongs to, by its name and how it begins; None if none."""


def modality_of(clips: Iterable[Clip]) -> Modality:
    """Returns the modality of all these clips.

    Raises:
        InputError: they are of more than one.
    """
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


def _decode_videos(clips: Sequence[Clip], settings: VideoInput) -> None:
    from aplt.data.video_views import frame_cache

    if settings.cache:
        with bar("decoding clips", len(clips)) as progress:
            frame_cache(settings).build(clips, progress=progress.at)


def _video_views(clips: Mapping[int, Clip], settings: VideoInput, _: ClipShape | None) -> "Views":
    from aplt.data.video_views import VideoViews

    return VideoViews(clips, settings)


@contextmanager
def _lend_video_views(clips: Mapping[int, Clip], settings: VideoInput, _: ClipShape) -> Iterator["Views"]:
    from aplt.data.video_views import VideoViews, files_decoded_once

    with files_decoded_once(list(clips.values()), settings) as videos:
        yield VideoViews(clips, settings, videos)


def _about_video_seconds(clip: Clip) -> float | None:
    from aplt.data.video import about_seconds

    return about_seconds(clip)


def _video_seconds(clip: Clip) -> float:
    from aplt.data.video import seconds_of

    return seconds_of(clip)


STILL = 0.9
"""The share of a clip's time from which one frame on screen means that frames spread over the time are all the same."""


def _examine_video(clip: Clip) -> Examined:
    from aplt.data.video import survey

    found = survey(clip)
    doubt: tuple[Problem, str] | None = None
    if found.damaged:
        doubt = "damaged", f"the decoder flags {found.damaged} of {counted(found.frames, 'frame')} as damaged"
    elif found.frames > 2 and found.longest > STILL:
        why = f"one of {found.frames} frames is on screen {found.longest:.1%} of the time, by their time stamps"
        doubt = "still", why
    return Examined(found.frames, "a video", doubt)


def _skeleton_views(clips: Mapping[int, Clip], settings: SkeletonInput, clip_shape: ClipShape | None) -> "Views":
    from aplt.data.skeleton_views import SkeletonViews

    return SkeletonViews(clips, settings, clip_shape)


@contextmanager
def _lend_skeleton_views(
    clips: Mapping[int, Clip], settings: SkeletonInput, clip_shape: ClipShape
) -> Iterator["Views"]:
    yield _skeleton_views(clips, settings, clip_shape)


def _about_skeleton_seconds(clip: Clip) -> float | None:
    from aplt.data.skeleton import read_clip

    if clip.path.suffix.lower() != ".npz":  # others have no frame rate
        return None
    found = read_clip(clip)
    return None if found.fps is None else found.points.shape[1] / found.fps


def _skeleton_seconds(clip: Clip) -> float:
    from aplt.data.skeleton import NO_RATE

    seconds = _about_skeleton_seconds(clip)
    if seconds is None:
        raise ClipError(clip, "outside", NO_RATE)
    return seconds


def _examine_skeleton(clip: Clip) -> Examined:
    from aplt.data.skeleton import MOST_PERSONS, bodies, doubt_of, read_clip

    poses = read_clip(clip)
    sequence = poses.points
    _, frames, joints, channels = sequence.shape
    found = bodies(sequence)
    persons = int(found.seen.any(axis=1).sum())
    if persons > MOST_PERSONS:
        raise ClipError(clip, "other kind", f"has {persons} persons, expected at most {MOST_PERSONS}")
    kind = f"a skeleton of {counted(joints, 'joint')} in {channels} dimensions"
    if poses.joints:
        kind += f" ({', '.join(poses.joints[:3])}{' and so on' * (joints > 3)})"
    return Examined(frames, kind, doubt_of(sequence, found), found.size or None)


def _feature_views(clips: Mapping[int, Clip], settings: FeatureInput, clip_shape: ClipShape | None) -> "Views":
    from aplt.data.feature_views import FeatureViews

    return FeatureViews(clips, settings, clip_shape)


@contextmanager
def _lend_feature_views(clips: Mapping[int, Clip], settings: FeatureInput, clip_shape: ClipShape) -> Iterator["Views"]:
    yield _feature_views(clips, settings, clip_shape)


def _no_seconds(clip: Clip) -> float:
    raise ClipError(clip, "outside", "it is a row of features, which have no seconds")


def _require_features(clips: Sequence[Clip], _: FeatureInput) -> None:
    from aplt.data.feature_views import require_finite

    require_finite(clips)


def _examine_features(clip: Clip) -> Examined:
    from aplt.data.feature_views import examine

    return examine(clip)


def _how_skeleton_read(clip: Clip) -> str:
    from aplt.data.skeleton import how_read as how_skeleton_read

    return how_skeleton_read(clip)


def _skeleton_at(path: Path) -> Path | None:
    from aplt.data.pose_files import clip_at as skeleton_at

    return skeleton_at(path)


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
        prepare=_decode_videos,
        make_views=_video_views,
        lend_views=_lend_video_views,
        about_seconds=_about_video_seconds,
        seconds=_video_seconds,
        examine=_examine_video,
        how_read=lambda _: "",
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
        make_views=_skeleton_views,
        lend_views=_lend_skeleton_views,
        about_seconds=_about_skeleton_seconds,
        seconds=_skeleton_seconds,
        examine=_examine_skeleton,
        how_read=_how_skeleton_read,
        clip_at=_skeleton_at,
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
        prepare=_require_features,
        make_views=_feature_views,
        lend_views=_lend_feature_views,
        about_seconds=lambda _: None,
        seconds=_no_seconds,
        examine=_examine_features,
        how_read=lambda _: "",
        clip_at=lambda _: None,
    ),
}
