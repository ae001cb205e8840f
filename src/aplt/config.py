"""Every setting of a run, typed and with its default; unknown keys are refused with a suggestion.

The defaults here are the middle of the road; a method's recipe (aplt.methods.catalog) may set others, and the
user's file and `--set` come last. The effective whole is written to the run folder as config.yaml.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, PlainSerializer, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from aplt.settings import Settings


def parse_fraction(value: Any, validate: ValidatorFunctionWrapHandler) -> float:
    """Returns a number from 0 to 1 for '10%', '0.1' or 0.1; refuses anything else, and says how it is written."""
    percent = isinstance(value, str) and value.strip().endswith("%")
    try:
        return float(validate(float(value.strip()[:-1]) / 100 if percent else value))
    except ValueError as error:
        raise PydanticCustomError("share", "expected a share from 0 to 1, written as 50% or 0.5") from error


DEFAULT_METHOD = "aplt"
MAX_SEED = 2**63 - 1
MOST = 10**9
"""Of what a run counts: beyond is a slip of the pen."""
LONGEST = 65536
"""Sides of a clip, likewise."""
METHOD_GROUPS = ("method_settings", "offline", "read_out", "read_out_scale")
"""Settings that a recipe may have, and that mean nothing to another method."""
UNSET_BUDGET = {"budget": "default", "epochs": None, "steps": None, "steps_per_round": None}
"""All settings that say how long a run is, as they are where they say nothing."""
Fraction = Annotated[float, Field(ge=0, le=1), WrapValidator(parse_fraction)]
BatchNormPolicy = Literal["joint", "separate", "frozen"]
Channels = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0)]
Budget = Literal["quick", "default", "long"]
PathText = Annotated[Path, PlainSerializer(str, return_type=str)]


class SplitSettings(Settings):
    """How clips are divided where the index does not say it; see aplt.data.splits."""

    labeled: Fraction | None = None
    """Share of each class's known training labels that may be used, at least one per class; by default all of them
    where the index has unlabeled clips to learn from, otherwise 10 %."""
    val: Fraction = 0.0
    """Share held out for validation where the index has no official split."""
    test: Fraction = 0.2
    """Share held out for testing where the index has no official split."""
    seed: int = Field(0, ge=0, le=MAX_SEED)
    """Of what is drawn: labeled clips, and those for val and test."""
    by_subject: bool = False
    """Hold out whole subjects for val and test."""
    by: str = "subject"
    """The column of the index whose values stay whole and are named: the subject, or one of your own such as view."""
    val_subjects: tuple[str, ...] = ()
    """Hold out exactly these subjects for validation."""
    test_subjects: tuple[str, ...] = ()
    """Hold out exactly these subjects for testing."""
    ignore_official: bool = False
    """Draw val and test again although the index has a split column."""


class VideoInput(Settings):
    """How a video becomes a clip tensor [3, frames, size, size] and how it is varied."""

    kind: Literal["video"] = "video"
    frames: int = Field(8, ge=1, le=LONGEST)
    """Frames per clip."""
    rate: float | None = Field(None, gt=0, le=1000)
    """Frames a second: around the clip's middle in a center view, anywhere in others; none, or where the clip is too
    short for it: spread evenly over its time."""
    size: int = Field(112, ge=16, le=LONGEST)
    """Height and width in pixels after cropping."""
    crop: float = Field(1.0, gt=0, le=1)
    """Share of the shorter side that a center view keeps."""
    aspect: float | None = Field(None, gt=0, le=100)
    """Width by height that frames are squeezed to before cropping; none: as they are."""
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"
    """How frames are resized."""
    antialias: bool = True
    """Whether what gets smaller is smoothed, too."""
    mean: Channels = (0.485, 0.456, 0.406)
    """Of red, green and blue from 0 to 1, taken off; those of ImageNet."""
    deviation: tuple[Positive, Positive, Positive] = (0.229, 0.224, 0.225)
    """By which they are then divided."""
    brightness: Literal["keep", "normalize"] = "keep"
    """normalize: brighten or darken each clip to a mid-gray mean; for films in the dark."""
    flip: bool = True
    """Mirror clips at random. Switch off where left and right make different classes."""
    weak_crop: float = Field(0.8, gt=0, le=1)
    """Smallest share of the frame's area that a weak view keeps."""
    strong_crop: float = Field(0.5, gt=0, le=1)
    """Smallest share of the frame's area that a strong view keeps."""
    strong_operations: int = Field(2, ge=0, le=100)
    """RandAugment operations in a strong view."""
    strong_magnitude: int = Field(9, ge=0, le=30)
    """RandAugment magnitude in a strong view, 0 to 30."""
    strong_warp: float = Field(0.3, ge=0, lt=1)
    """Largest share of a clip's time that a strong view leaves out or bends."""
    strong_erase: float = Field(0.5, ge=0, le=1)
    """Chance that a strong view hides a box (the same in all frames)."""
    cache: bool = True
    """Decode each clip once into JPEG frames on disk."""
    cache_dir: PathText | None = None
    """Where decoded frames are kept; by default the user's cache folder."""
    cache_quality: int = Field(92, ge=1, le=100)
    """JPEG quality of cached frames."""

    @property
    def clip_shape(self) -> tuple[int | None, ...]:
        """The shape of a clip tensor; None: what the clips have."""
        return (3, self.frames, self.size, self.size)


class SkeletonInput(Settings):
    """How a skeleton sequence becomes a clip tensor [C, frames, V, P] and how it is varied."""

    kind: Literal["skeleton"] = "skeleton"
    frames: int = Field(32, ge=2, le=LONGEST)
    """Frames per clip, resampled evenly over its time."""
    joints: tuple[str, ...] = ()
    """Names of the joints, in whose order clips with names of their own are brought; by default those of the first
    clip. A model keeps them."""
    mirror: tuple[tuple[int, int], ...] | None = None
    """Pairs of left and right joints, by which views are mirrored at random; by default those of the skeleton that has
    this number of joints, as far as one is known. Empty: no mirroring, for classes that differ in left and right."""
    turn: float = Field(90, ge=0, le=180)
    """Largest rotation of any view about the vertical axis, in degrees: another camera sees no other action. Of
    skeletons in three dimensions, whose second coordinate is the height."""
    weak_tilt: float = Field(10, ge=0, le=360)
    """Largest rotation of a weak view about each other axis, in degrees; in the plane for two dimensions."""
    weak_noise: float = Field(0.01, ge=0, le=10)
    """Deviation of a weak view's joint noise, in units of the body's size."""
    weak_crop: float = Field(0.9, gt=0, le=1)
    """Shortest share of the time that a weak view keeps."""
    strong_tilt: float = Field(15, ge=0, le=360)
    """Largest rotation of a strong view about each other axis, in degrees; in the plane for two dimensions."""
    strong_shear: float = Field(0.2, ge=0, le=10)
    """Largest shear coefficient of a strong view."""
    strong_scale: float = Field(0.2, ge=0, lt=1)
    """Largest relative change of each axis's scale in a strong view."""
    strong_mask: float = Field(0.15, ge=0, lt=1)
    """Share of joints that a strong view hides (held at the body's center)."""
    strong_shift: float = Field(0.1, ge=0, le=10)
    """Deviation of each joint's displacement for the whole of a strong view, in units of the body's size: trackers
    differ in where they see a joint, and one tracker does by the camera."""
    strong_crop: float = Field(0.8, gt=0, le=1)
    """Shortest share of the time that a strong view keeps."""
    strong_warp: float = Field(0.3, ge=0, lt=1)
    """Strength of a strong view's change of speed within the clip."""
    strong_noise: float = Field(0.02, ge=0, le=10)
    """Deviation of a strong view's joint noise, in units of the body's size."""

    @property
    def clip_shape(self) -> tuple[int | None, ...]:
        """The shape of a clip tensor; None: what the clips have."""
        return (None, self.frames, None, None)


class FeatureInput(Settings):
    """How a clip's frozen features become a clip tensor [1, 1, D, 1] and how it is varied.

    Each view is one of those in the bank, drawn anew, with noise and gaps; where a bank has one view of a clip, noise
    and gaps are all that views differ in.
    """

    kind: Literal["features"] = "features"
    weak_noise: float = Field(0.1, ge=0, le=10)
    """Deviation of a weak view's noise, as a share of each feature's own deviation over the clips."""
    strong_noise: float = Field(0.2, ge=0, le=10)
    """Deviation of a strong view's noise, likewise."""
    strong_drop: float = Field(0.3, ge=0, lt=1)
    """Share of features that a strong view replaces by their mean over the clips."""

    @property
    def clip_shape(self) -> tuple[int | None, ...]:
        """The shape of a clip tensor; None: what the clips have."""
        return (1, 1, None, 1)


ReadOut = Literal["classifier", "both"]
InputSettings = Annotated[VideoInput | SkeletonInput | FeatureInput, Field(discriminator="kind")]


class TrainSettings(Settings):
    """Schedule, optimizer and budget; in a comparison steps and batch sizes are the same for all methods."""

    rounds: int = Field(10, ge=1, le=MOST)
    """Rounds of one offline phase (where the method has one) and one online phase."""
    warm_up_rounds: int = Field(3, ge=0, le=MOST)
    """First rounds, in which only labeled clips are shown."""
    budget: Budget = "default"
    """How long a run is, by the number of training clips, labeled or not: default is 60 epochs and at least 3,000
    steps; quick a tenth of that, for a first look; long four times as much."""
    epochs: float | None = Field(None, gt=0, le=MOST)
    """Instead: passes over as many clips as there are for training, each step showing B + U."""
    steps: int | None = Field(None, ge=1, le=MOST)
    """Instead: steps in all."""
    steps_per_round: int | None = Field(None, ge=1, le=MOST)
    """Instead: steps per round, the alternation period."""
    batch_labeled: int = Field(16, ge=1, le=MOST)
    """B, labeled clips per step over all processes."""
    batch_unlabeled: int = Field(32, ge=1, le=MOST)
    """U, unlabeled clips per step over all processes."""
    sampling: Literal["clips", "classes"] = "clips"
    """What labeled clips are drawn by: each clip as often as any other, or each class. For rare classes."""
    logit_adjustment: float = Field(0.0, ge=0, le=10)
    """tau of logit adjustment (arXiv 2007.07314), for every method alike: while training, tau log of each class's share
    of the labeled clips is added to its logit. 1 aims at the mean recall over classes. For rare classes."""
    weak_weight: float = Field(1.0, ge=0)
    """Weight of the cross-entropy of the labeled clips' weak views, for every method alike."""
    strong_weight: float = Field(1.0, ge=0)
    """Weight of that of their strong views."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """The share of a labeled clip's target that is spread over all classes, for every method alike. Good where all
    clips are labeled; methods with a confidence of 0.95 hardly find a label from 0.05 on."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """sgd: with a Nesterov momentum of 0.9."""
    learning_rate: float = Field(2e-3, gt=0)
    """The highest of the schedule."""
    weight_decay: float = Field(0.05, ge=0)
    """Of all weights but biases and norms."""
    schedule: Literal["cosine", "step"] = "cosine"
    """cosine: to zero over the run; step: a tenth after 60 % and again after 85 %."""
    clip_gradient: float | None = Field(5.0, gt=0)
    """Largest norm of the gradient."""
    ema_decay: float | None = Field(None, ge=0, lt=1)
    """Highest decay of the teacher per step; after n steps it is n/(n + 8), so it remembers the last eighth of them."""
    batch_norm: BatchNormPolicy = "joint"
    """Batch-norm statistics, for every method alike. joint: all views of a step that carry a gradient share one pass
    (mixed views have one more); separate: each kind of view has its own; frozen: the running statistics as they were at
    the start, for published weights and small batches. Targets, which carry no gradient, always have their own pass;
    the student's moves its running statistics, the teacher's none."""
    frozen_blocks: int = Field(0, ge=0, le=MOST)
    """First blocks of the encoder that do not learn, with all before them; their batch norms keep their statistics. A
    block is a residual block or a layer of a transformer, or a whole stage where the network builds it as one."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """The learning rate of each block as a share of the next one's, so that weights near the input learn slowest
    (arXiv 2106.08254); the classifier has the whole rate."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision, by Accelerate."""
    gradient_checkpointing: bool = False
    """Compute what is in the blocks a second time for the gradient instead of keeping it: less memory, more time, the
    same weights."""
    channels_last: bool = False
    """Keep the weights of convolutions over two and three dimensions with the channels last (channels_last,
    channels_last_3d), which is faster on some devices."""
    compile: bool = False
    """Compile the encoder (torch.compile), which takes minutes at first and needs a C++ compiler, or Triton on a GPU. A
    resumed run then ends with almost the same weights."""
    accumulate: int = Field(1, ge=1, le=MOST)
    """Parts that a step's batch is computed in, one after the other, for less memory: their gradients are averaged.
    Batch norm, and what a method compares within a batch, see one part at a time, so that results differ."""
    track: Literal["tensorboard", "wandb", "mlflow", "trackio"] | None = None
    """Where the run's curves are shown besides, by Accelerate: TensorBoard's are in the run's folder logs/; the others
    go where their own environment variables say."""
    workers: int | None = Field(None, ge=0, le=1024)
    """Loader processes; by default one per core but one for video, none for skeletons and features."""
    checkpoint_minutes: float = Field(5.0, gt=0)
    """Within a long round, save at least this often."""
    seed: int = Field(0, ge=0, le=MAX_SEED)
    """Of the untrained network, the order of clips and their views."""


class RunConfig(Settings):
    """The whole effective config of a run."""

    clips: PathText
    """The index, a CSV or a folder."""
    split_file: PathText | None = None
    """A split made by `aplt split`; otherwise `split` says how to draw one."""
    split: SplitSettings = SplitSettings()
    method: str = DEFAULT_METHOD
    """A name from `aplt recipes`, or package.module:name of your own."""
    method_settings: dict[str, Any] = Field({})
    """Keywords of the method's constructor."""
    encoder: str
    """A network from clips to features by name, or package.module:name of your own."""
    encoder_settings: dict[str, Any] = Field({})
    """Keywords of the encoder's builder."""
    encoder_weights: str | None = None
    """Published weights to start from, by a name from `aplt encoders` such as DEFAULT, or a file: .safetensors, or a
    state dict of PyTorch. They bring the defaults of `input` that they were trained with."""
    read_out: ReadOut = "classifier"
    """Final scores: the classifier's, or the mean of classifier's and prototypes' probabilities."""
    read_out_scale: float = Field(20.0, gt=0)
    """Scale of the prototypes' cosines in these probabilities."""
    input: InputSettings
    train: TrainSettings = TrainSettings()
    offline: dict[str, Any] | None = None
    """Settings of the method's offline half; null: it goes without one."""

    def to_yaml(self) -> str:
        """Returns the config as YAML; `load_yaml` and validation give it back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    def of_training(self) -> dict[str, Any]:
        """Returns the settings that say what is trained, but for the clips and roles, of which their digests tell.

        A file of weights counts by its path.
        """
        machine: Any = {
            # Where no names are given, the digests of older runs stay what they are.
            "input": {"cache_dir"} | ({"joints"} if not getattr(self.input, "joints", ()) else set()),
            "train": {"workers", "checkpoint_minutes", "track"},
            "clips": True,
            "split": True,
        }
        # A split file may lie anywhere: what it says is in the roles' digest.
        return self.model_dump(mode="json", exclude=machine) | {"split_file": None}
