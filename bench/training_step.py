"""The training loop against bare forward and backward passes of the same batches, and against a loop by hand.

    OMP_NUM_THREADS=1 python -m bench.training_step clips.csv [--method fixmatch] [--encoder tcn] [--steps 60]

Turns in one process, by its own processor time: what the loop adds where its loader processes keep up. By hand: batches
that lie in memory, forward, backward, optimizer and moving mean, nothing else.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from accelerate import Accelerator

from aplt.display import bar
from aplt.methods.step import take_step
from aplt.rundir import RunDir
from aplt.runs.configure import configured
from aplt.runs.loop import Trainer
from aplt.runs.setup import prepare_material, read_clips
from aplt.runs.tracking import Tracking
from aplt.tensors import SemiBatch


def by_hand(trainer: Trainer, batches: list[SemiBatch], *, whole: bool) -> float:
    """Returns the seconds of forward and backward passes, of `whole` steps with the optimizer and the moving mean."""
    begun = time.process_time()
    for batch in batches:
        trainer.state.optimizer.zero_grad()
        student, teacher, algorithm = trainer.student, trainer.state.teacher, trainer.state.algorithm
        take_step(trainer.method, algorithm, student, teacher, batch, guidance=None, progress=0.5).total.backward()
        if whole:
            trainer.state.optimizer.step()
            teacher.update_parameters(trainer.state.student)
    return time.process_time() - begun


def main() -> None:
    """Prints milliseconds of a step, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--method", default="fixmatch", help="without an offline phase")
    parser.add_argument("--encoder")
    parser.add_argument("--steps", type=int, default=60, help="of each turn")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    wanted = {"steps_per_round": options.steps, "rounds": options.repeat + 1, "warm_up_rounds": 0}
    settings = {"clips": str(options.clips), "method": options.method, "split": {"labeled": 0.1}}
    settings |= {"train": wanted | {"workers": options.workers}} | (
        {"encoder": options.encoder} if options.encoder else {}
    )
    config, _ = configured(settings, "bench")
    turns = []
    with tempfile.TemporaryDirectory() as folder, bar("steps", 1) as progress:
        run, accelerator = RunDir(Path(folder) / "run"), Accelerator(cpu=True)
        run.path.mkdir()
        material = prepare_material(config, *read_clips(config), accelerator)
        trainer = Trainer(config, run, material, accelerator)
        batches = list(material.data.semi_batches(options.steps, 0, unlabeled=trainer.state.algorithm is not None))
        trainer.student.train()
        with Tracking(accelerator, config, run, trainer.state, options.steps) as trainer.tracking:
            for _ in range(options.repeat + 1):
                begun = time.process_time()
                trainer._online(progress, unlabeled=True)
                loop = time.process_time() - begun
                trainer.state.next_round()
                turns.append((loop, *(by_hand(trainer, batches, whole=whole) for whole in (True, False))))
    loop, whole, bare = (1000 * statistics.median(turn[k] for turn in turns[1:]) / options.steps for k in range(3))
    print(f"loop {loop:.1f} ms a step, by hand {whole:.1f} ms, forward and backward {bare:.1f} ms")
    print(f"loop / forward and backward {loop / bare:.3f}, loop / by hand {loop / whole:.3f}")


if __name__ == "__main__":
    main()
