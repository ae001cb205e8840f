"""Synthetic micro-actions: a seated figure that makes small movements, as real video files with labels."""

from aplt.synthetic.dataset import make_dataset, make_keypoints
from aplt.synthetic.difficulty import DEFAULT, Difficulty
from aplt.synthetic.motions import CLASSES
from aplt.synthetic.render import render_clip

__all__ = ["CLASSES", "DEFAULT", "Difficulty", "make_dataset", "make_keypoints", "render_clip"]
