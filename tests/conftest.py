"""What all tests share."""

import os
import signal

# Tiny tensors: more threads only wait for each other. Set before torch starts, so that `train` leaves it at that: a
# process that has run several threads cannot be forked safely, and tests fork.
os.environ["OMP_NUM_THREADS"] = "1"

import torch

torch.set_num_threads(1)

# Nothing that tests write must survive a power failure, and waiting for the disk takes time.
os.fsync = lambda fd: None  # noqa: ARG005 - its name is part of the signature

# A shell's background job ignores Ctrl-C, and what it starts does so, too; the tests of it would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
