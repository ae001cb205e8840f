"""Synthetic micro-actions: a seated figure that makes small movements, as real video files with labels."""

from aplt.data.synthetic.dataset import make_dataset
from aplt.data.synthetic.difficulty import DEFAULT, Difficulty
from aplt.data.synthetic.motions import CLASSES
from aplt.data.synthetic.render import render_clip

__all__ = ["CLASSES", "DEFAULT", "Difficulty", "make_dataset", "render_clip"]
