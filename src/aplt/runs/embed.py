"""A bank of frozen features: each clip's views go through an encoder once, in shards that a kill leaves whole."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from safetensors.torch import save
from torch import Tensor

from aplt.clips import ClipIndex
from aplt.config import RunConfig
from aplt.data.bank import RECORD, ids_digest, shard
from aplt.data.batches import all_views
from aplt.data.files import by_file, files_below, require_files
from aplt.data.index import TABLE, index_table, write_index
from aplt.data.modality import MODALITIES
from aplt.data.views import Kind, Views
from aplt.display import bar, console, counted
from aplt.errors import InputError
from aplt.models.embedder import ENCODER, Embedder, EncoderSettings
from aplt.models.encoders import ENCODERS, LIBRARIES, build_encoder, feature_size, load_weights
from aplt.models.recognizer import load_recognizer, load_settings
from aplt.reference import is_reference
from aplt.runs.configure import configured
from aplt.runs.predict import model_folder
from aplt.runs.setup import prepare_clips, processes, share_cores
from aplt.runs.taught import run_of_model, taught_to
from aplt.settings import shown
from aplt.storage import absolute, atomic, file_digest, is_folder, read_json, read_table, sweep, write_json

SHARD = 512
"""Clips in a shard: what a kill may cost."""
BATCH = 32
ABANDONED = 3600.0
"""Seconds after which nobody writes any more what lies half written."""


@dataclass(frozen=True)
class Bank:
    """What is embedded, by what and where to."""

    folder: Path
    index: ClipIndex
    embedder: Embedder
    size: int
    """D, the length of a clip's features."""
    views: int
    record: Mapping[str, Any]
    """What bank.json says."""

    @property
    def passes(self) -> list[tuple[Kind, int]]:
        """The views of each clip."""
        more = range(self.views)
        return [("center", 0), *(("weak", number) for number in more), *(("strong", number) for number in more)]

    @property
    def shards(self) -> dict[Path, range]:
        """The positions in each shard."""
        starts = range(0, len(self.index), SHARD)
        rows = (range(start, min(start + SHARD, len(self.index))) for start in starts)
        return {shard(self.folder, number, len(starts)): some for number, some in enumerate(rows)}


def embed(
    source: Path, encoder: str, *, weights: str | None, settings: Mapping[str, Any], views: int, folder: Path
) -> Bank:
    """Writes a bank of the clips' features: the clip as it is, `views` weak and `views` strong views of it.

    Goes on where it stopped. Of several processes each makes its share of the shards. See `aplt.embed`.
    """
    if views < 1:
        raise InputError(f"views is {views}, expected 1 or more")
    for group in settings.keys() - {"input", "encoder_settings"}:
        raise InputError(f"setting '{group}' changes nothing in features; those of input and encoder_settings do")
    config, index, trained = _configured(source, encoder, weights, settings)
    if config.clips in (absolute(folder), absolute(folder / TABLE)):
        raise InputError(f"{folder}: is where the clips are; features need a folder of their own")
    accelerator = processes()
    modality = MODALITIES[config.input.kind]
    require_files(index, config.clips)
    prepare_clips(modality, index.clips, config.input, accelerator)
    shape = None if trained is None or None not in config.input.clip_shape else trained.settings.clip_shape
    made = modality.make_views(dict(enumerate(index)), config.input, shape)
    workers = modality.workers()
    share_cores(accelerator, workers)
    embedder = _embedder(config, made, trained)
    named: dict[str, Any] = {"encoder": encoder, "encoder_weights": weights}
    if trained is not None and (run := run_of_model(model_folder(Path(encoder)))) is not None:
        named["taught"] = taught_to(run)
    bank = _bank(index, embedder, views, folder, named)
    if accelerator.is_main_process:
        _begin(bank)
    accelerator.wait_for_everyone()
    _fill(bank, made, workers, accelerator)
    accelerator.wait_for_everyone()
    return bank


def _configured(
    source: Path, encoder: str, weights: str | None, settings: Mapping[str, Any]
) -> tuple[RunConfig, ClipIndex, Embedder | None]:
    """Returns what the settings make of clips and encoder, the clips, and the encoder where it is a trained one."""
    chosen: dict[str, Any] = {"clips": str(source), "encoder": encoder, "encoder_weights": weights, **settings}
    trained = None
    if encoder not in ENCODERS and Path(encoder).is_dir():
        if weights is not None or "encoder_settings" in settings:
            raise InputError(f"{encoder} is a trained model, which has its own weights and encoder_settings")
        found = model_folder(Path(encoder))
        own = load_settings(found)
        alone = EncoderSettings(**{name: getattr(own, name) for name in EncoderSettings.model_fields})
        trained = Embedder(alone, load_recognizer(found).encoder)
        given = settings.get("input", {})
        chosen |= own.model_dump(mode="json", include={"encoder", "encoder_settings"})
        chosen["input"] = own.input.model_dump(mode="json") | (given if isinstance(given, dict) else {"": given})
    elif Path(encoder).name != encoder and encoder.partition(":")[0] not in LIBRARIES:
        raise InputError(f"{encoder}: no such folder; expected a run folder such as runs/NAME, or a model folder")
    elif weights is None and (not is_reference(encoder) or encoder.partition(":")[0] in LIBRARIES):
        raise InputError(
            f"encoder {encoder} has random weights, whose features say little; name published ones with "
            "--encoder-weights, or give the folder of a trained run as the encoder"
        )
    config, index = configured(chosen, "settings")
    if config.input.kind == "features":
        raise InputError(f"{source}: its clips are features already")
    if trained is not None:
        trained.settings.model_copy(update={"input": config.input}).require_fit(Path(encoder))
    return config, index, trained


def _embedder(config: RunConfig, made: Views, trained: Embedder | None) -> Embedder:
    settings = EncoderSettings(
        encoder=config.encoder, encoder_settings=config.encoder_settings, clip_shape=made.clip_shape, input=config.input
    )
    if trained is not None:
        return Embedder(settings, trained.net)
    torch.manual_seed(0)
    net = build_encoder(config.encoder, made.clip_shape, config.encoder_settings)
    if config.encoder_weights is not None:
        left = load_weights(net, config.encoder, made.clip_shape, config.encoder_settings, config.encoder_weights)
        if left:
            console.print(left, soft_wrap=True)
    return Embedder(settings, net)


def _bank(index: ClipIndex, embedder: Embedder, views: int, folder: Path, named: dict[str, Any]) -> Bank:
    settings = embedder.settings
    size = feature_size(embedder.net, settings.encoder, settings.clip_shape)
    record = {
        **named,
        "views": views,
        "clips": len(index),
        "features": size,
        "embedder": settings.model_dump(mode="json"),
        "ids": ids_digest(index),
        "weights": embedder.digest(),
    }
    return Bank(folder, index, embedder, size, views, record)


def _content(index: ClipIndex) -> str:
    """Returns a SHA-256 over what all clips show: the content of their files, or of folders', and their intervals."""
    found = hashlib.sha256()
    for some in by_file(index):
        path = some[0].path
        for file in sorted(files_below(path)) if is_folder(path) else [path]:
            found.update(file_digest(file).encode())
        for clip in some:
            found.update(f" {clip.start} {clip.end}\n".encode())
    return found.hexdigest()


def _unlike(there: Any, here: Any, key: str) -> str:
    """Returns the first setting below `key` that differs between two records, in words."""
    if isinstance(there, dict) and isinstance(here, dict):
        for name in dict.fromkeys([*here, *there]):
            if there.get(name) != here.get(name):
                return _unlike(there.get(name), here.get(name), name)
    return f"{key} is {shown(there)} there, and {shown(here)} here"


def _begin(bank: Bank) -> None:
    """Writes all but the features, or makes sure that what is there is this bank's."""
    path, record = bank.folder / RECORD, dict(bank.record) | {"content": _content(bank.index)}
    if not path.is_file():
        write_index(index_table(bank.index), bank.folder, bank.folder / TABLE)
        bank.embedder.save(bank.folder / ENCODER)
        write_json(path, record)  # last: it says that the others are there
        return
    found = read_json(path)
    for key, wanted in record.items():
        if found.get(key) != wanted and (key != "taught" or key in found):  # which older banks do not say
            what = _unlike(found.get(key), wanted, key)
            raise InputError(f"{path}: is of another bank ({what}); give another folder with -o")
    own = read_table(bank.folder / TABLE, needed=("id", "label"))
    unlike = own[own["label"].to_numpy() != index_table(bank.index)["label"].to_numpy()]
    if len(unlike):
        what = f"{counted(len(unlike), 'label')} unlike those of the clips to embed, first of '{unlike['id'].iloc[0]}'"
        console.print(f"{bank.folder / TABLE}: {what}; the bank's count, so correct them there", soft_wrap=True)
    sweep([bank.folder], ABANDONED)


def _fill(bank: Bank, made: Views, workers: int, accelerator: PartialState) -> None:
    """Writes this process's share of the shards that are missing."""
    own = dict(list(bank.shards.items())[accelerator.process_index :: accelerator.num_processes])
    missing = {path: rows for path, rows in own.items() if not path.is_file()}
    passes = [(rows, kind, number) for rows in missing.values() for kind, number in bank.passes]
    each = len(bank.passes)
    bank.embedder.net.to(accelerator.device)
    views = all_views(made, passes, BATCH, workers, accelerator.device)
    with bar("embedding views", each * sum(map(len, own.values()))) as progress:
        progress.advance(each * sum(len(rows) for path, rows in own.items() if path not in missing))

        def features(count: int) -> Iterator[Tensor]:
            while count:
                _, clips = next(views)
                yield bank.embedder(clips).cpu()
                progress.advance(len(clips))
                count -= len(clips)

        for path, rows in missing.items():
            found: dict[Kind, list[Tensor]] = {"center": [], "weak": [], "strong": []}
            for kind, _ in bank.passes:
                found[kind].append(torch.cat(list(features(len(rows)))))
            arrays = {kind: torch.stack(parts, dim=1) for kind, parts in found.items()}
            for at in (~torch.cat(list(arrays.values()), dim=1).isfinite().all(dim=(1, 2))).nonzero()[:1, 0].tolist():
                clip = bank.index[rows[at]]
                raise InputError(f"clip '{clip.id}' ({clip.path}): a feature of it is not finite; see aplt check")
            arrays["center"] = arrays["center"][:, 0]
            with atomic(path) as stream:
                stream.write(save({kind: _stored(array) for kind, array in arrays.items()}))


def _stored(features: Tensor) -> Tensor:
    """Returns features in 16 bits, which is more than enough, or as they are where one is too large for that."""
    half = features.half()
    return (half if half.isfinite().all() else features).contiguous()


def describe(bank: Bank) -> str:
    """Returns what a bank holds, as one line for the terminal."""
    clips, more = counted(len(bank.index), "clip"), bank.views
    return f"{bank.folder}: {clips}, {bank.size:,d} features each, of the clip and {more} weak and {more} strong views"
