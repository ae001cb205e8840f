"""aplt: semi-supervised micro-action recognition by asynchronous pseudo labeling and training."""

__version__ = "0.1.0"
