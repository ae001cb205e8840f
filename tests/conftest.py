"""What all tests share."""

import torch

# Tiny tensors: more threads only wait for each other.
torch.set_num_threads(1)
