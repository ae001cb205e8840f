"""The loop of a lab: suggest, review, train on, in turn. Its state is what lies in its folder."""

from dataclasses import dataclass
from pathlib import Path

from aplt.data.index import write_index
from aplt.errors import InputError
from aplt.library import begin, resume
from aplt.prepare import prepare_next
from aplt.report.loop import loop_page
from aplt.rundir import RunDir
from aplt.runs.configure import begun_config
from aplt.runs.suggest import suggest
from aplt.storage import absolute, read_table, write_alone


@dataclass(frozen=True)
class Loop:
    """A finished run and the turns after it, each a run that begins with the weights of the one before."""

    first: RunDir
    folder: Path

    @property
    def corrections(self) -> Path:
        """What was said in all turns."""
        return self.folder / "corrections.csv"

    @property
    def page(self) -> Path:
        """The HTML page: accuracy by labels so far."""
        return self.folder / "loop.html"

    @property
    def runs(self) -> list[RunDir]:
        """The first run and those of the turns that are over, in order."""
        found = [self.first]
        while (turn := self._turn(len(found))).result.exists():
            found.append(turn)
        return found

    def require_own(self) -> None:
        """Refuses a folder that holds the loop of another run: its first turn began with other weights."""
        turn = self._turn(1)
        if turn.config.exists():
            weights = begun_config(turn).encoder_weights
            if weights != str(absolute(self.first.model / "model.safetensors")):
                raise InputError(f"{self.folder}: holds the loop of another run, which began with {weights}")

    @property
    def training(self) -> bool:
        """Whether the turn at hand was stopped while it trained, so that its clips have been looked at."""
        return self._turn(len(self.runs)).config.exists()

    def suggested(self, number: int, strategy: str | None) -> list[str]:
        """Returns the ids of the clips to look at in the turn at hand, the most useful first; once chosen they stay.

        Arguments are those of `aplt.suggest`.
        """
        runs = self.runs
        path = self._turn(len(runs)).path / "suggested.csv"
        if not path.exists():
            table = suggest(runs[-1].path, number, strategy)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_index(table, Path(), path)
        return read_table(path, ("id",))["id"].tolist()

    def train(self) -> RunDir:
        """Trains the turn at hand on all corrections, in a third of the first run's steps, and returns its run."""
        runs = self.runs
        turn = self._turn(len(runs))
        if self.training:
            resume(turn.path)
        else:
            steps = -(-self.first.read_result().steps // 3)
            settings = {"train": {"steps": steps}}
            name = turn.path.name
            begin(prepare_next(runs[-1], None, self.corrections, {}, settings=settings, name=name, runs=self.folder)[0])
        turns = [(run.path.name, run.read_result()) for run in (*runs, turn)]
        write_alone(self.page, loop_page(self.folder.name, turns))
        return turn

    def _turn(self, number: int) -> RunDir:
        return RunDir(self.folder / f"turn-{number}")
