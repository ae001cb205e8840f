"""Loading clips from the frame cache against decoding them each time, in one process.

    python bench/loading.py [FOLDER_OR_CSV...] [--frames 8] [--size 112] [--repeat 3]

Both read the same frames of the same clips, in turn; the figure to quote is the ratio. Without a source it writes a
few videos itself.

    OMP_NUM_THREADS=1 python bench/loading.py [FOLDER_OR_CSV...] --worker

What a loader process, and beside it the training process, computes for a weak and a strong view of a clip from the
cache, in milliseconds (the system's in parentheses) of a core; `gpu` hands over what a GPU would finish.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor

from aplt.clips import Clip
from aplt.config import VideoInput
from aplt.data.batches import SemiData
from aplt.data.cache import FrameCache
from aplt.data.index import read_index
from aplt.data.intervals import nearest_frames
from aplt.data.modality import ClipShape
from aplt.data.video import decode
from aplt.data.video_views import VideoViews, cached_side, prepare
from aplt.data.views import CPU, Kind, Request


def write_videos(folder: Path) -> list[Clip]:
    """Writes three videos of moving noise, 2 s of 960x720 each, and returns them as clips."""
    rng = np.random.default_rng(0)
    clips = []
    for name in ("a", "b", "c"):
        background = rng.integers(0, 256, (90, 120, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        path = folder / f"{name}.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=30)
            stream.width, stream.height, stream.pix_fmt = 960, 720, "yuv420p"
            for number in range(60):
                moved = np.ascontiguousarray(np.roll(background, 4 * number, axis=1))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(moved, "rgb24")))
            container.mux(stream.encode())
        clips.append(Clip(id=name, path=path))
    return clips


def rows_of(times: np.ndarray, frames: int) -> list[int]:
    """Returns the rows of `frames` moments spread evenly over the clip."""
    wanted = (np.arange(frames) + 0.5) / frames * times[-1]
    return [int(row) for row in nearest_frames(times, wanted)]


def from_cache(cache: FrameCache, clip: Clip, count: int) -> tuple[int, ...]:
    """Reads the rows of a clip from the cache and returns their shape."""
    return tuple(cache.read(clip, lambda times: rows_of(times, count)).shape)


def by_decoding(clip: Clip, side: int, count: int) -> tuple[int, ...]:
    """Decodes the clip, takes the rows and returns their shape."""
    times, pixels = zip(*decode(clip, short_side=side), strict=True)
    chosen = [pixels[row] for row in rows_of(np.array(times), count)]
    return np.stack(chosen).transpose(0, 3, 1, 2).shape


def per_second(load: Callable[[Clip], tuple[int, ...]], clips: Sequence[Clip]) -> tuple[float, list[tuple[int, ...]]]:
    """Returns clips per second, and the shapes that were loaded."""
    began = time.perf_counter()
    shapes = [load(clip) for clip in clips]
    return len(clips) / (time.perf_counter() - began), shapes


def compare(name: str, clips: Sequence[Clip], root: Path, *, frames: int, size: int, repeat: int) -> None:
    """Prints one row: clips, clips per second both ways, and the ratio, each a median over the repeats."""
    settings = VideoInput(size=size)
    side = cached_side(settings)
    cache = FrameCache(root, short_side=side, quality=settings.cache_quality)
    cache.build(clips)
    cached, decoded = [], []
    for _ in range(repeat):
        speed, shapes = per_second(lambda clip: from_cache(cache, clip, frames), clips)
        cached.append(speed)
        speed, expected = per_second(lambda clip: by_decoding(clip, side, frames), clips)
        decoded.append(speed)
        assert shapes == expected
    ratio = statistics.median(a / b for a, b in zip(cached, decoded, strict=True))
    stored = sum(entry.stat().st_size for entry in root.rglob("*.safetensors")) / len(clips) / 1024
    fast, slow = statistics.median(cached), statistics.median(decoded)
    print(f"{name:24} {len(clips):6} {fast:12.1f} {slow:12.1f} {ratio:8.1f} {stored:14.0f}")


@dataclass(frozen=True)
class HandedOver:
    """Views as a loader process leaves them to a GPU, which nobody finishes here."""

    views: VideoViews
    at_once = 64

    @property
    def clip_shape(self) -> ClipShape:
        """As the views'."""
        return self.views.clip_shape

    def __call__(self, kind: Kind, requests: Sequence[Request], _: torch.device = CPU) -> Tensor:
        """Returns n views of a kind, uint8 [n, *clip_shape]."""
        return self.views(kind, requests, torch.device("cuda")).pixels


def of_worker(name: str, clips: Sequence[Clip], root: Path, settings: VideoInput, steps: int = 16) -> None:
    """Prints a row for each device."""
    settings = settings.model_copy(update={"cache_dir": str(root)})
    prepare(clips, settings)
    made = VideoViews(dict(enumerate(clips)), settings)
    for device, views in (("cpu", made), ("gpu", HandedOver(made))):
        data = SemiData(views, {0: 0}, range(1, len(clips)), batch_labeled=4, batch_unlabeled=4, seed=0, workers=1)
        before, own = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
        for _ in data.semi_batches(steps, 0):
            pass
        own, after = time.process_time() - own, resource.getrusage(resource.RUSAGE_CHILDREN)
        user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
        worker, system, own = (1000 * seconds / (8 * steps) for seconds in (user, system, own))
        print(f"{name:24} {device} {worker:8.1f} ({system:.1f}) {own:12.1f} {1000 / worker:16.1f}")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", type=Path, metavar="FOLDER_OR_CSV")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--worker", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)  # as in a loader's worker
    print(f"{options.frames} frames a clip, views of {options.size} pixels, one process, median of {options.repeat}")
    if options.worker:
        print(f"{'source':24} device, loader process, training process, clips per user second of the former")
    else:
        print(f"{'source':24} {'clips':>6} {'cached/s':>12} {'decoded/s':>12} {'ratio':>8} {'KiB a clip':>14}")
    for source in options.sources or [None]:
        with tempfile.TemporaryDirectory() as folder:
            clips = list(read_index(source)) if source else write_videos(Path(folder))
            if options.worker:
                settings = VideoInput(frames=options.frames, size=options.size)
                of_worker(source.name if source else "own videos", clips, Path(folder) / "cache", settings)
                continue
            compare(
                source.name if source else "own videos",
                clips,
                Path(folder) / "cache",
                frames=options.frames,
                size=options.size,
                repeat=options.repeat,
            )


if __name__ == "__main__":
    main()
