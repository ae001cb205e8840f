"""The student as methods call it: one policy for batch-norm statistics, one way without gradient."""

from collections.abc import Sequence

import torch
from torch import Tensor, distributed, nn

from aplt.config import BatchNormPolicy
from aplt.models.recognizer import Recognizer
from aplt.tensors import Prediction


def share_buffers(model: nn.Module) -> None:
    """Gives every process the main one's buffers: without SyncBatchNorm each has statistics of its own clips."""
    if distributed.is_initialized():
        for buffer in model.buffers():
            distributed.broadcast(buffer, 0)


class PolicyStudent:
    """A recognizer under a batch-norm policy (TrainSettings.batch_norm).

    `wrapped` is what carries the gradient (the recognizer, or what Accelerate made of it for several processes).
    `frozen` are modules that stay in evaluation mode, each for itself.
    """

    def __init__(
        self, model: Recognizer, wrapped: nn.Module, policy: BatchNormPolicy, frozen: Sequence[nn.Module] = ()
    ) -> None:
        self.model, self.wrapped, self.policy, self.frozen = model, wrapped, policy, frozen

    def train(self) -> None:
        """Puts the model in training mode, as far as the policy and what is frozen go."""
        self.model.train()
        for module in self.frozen:
            module.training = False
        if self.policy == "frozen":
            for module in self.model.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()

    def __call__(self, *views: Tensor) -> list[Prediction]:
        """Returns the prediction of each batch of views, with gradient."""
        if self.policy == "separate":
            return [self._one(view) for view in views]
        together = self.wrapped(torch.cat(views))
        sizes = [len(view) for view in views]
        parts = zip(together.feature.split(sizes), together.logits.split(sizes), strict=True)
        return [Prediction(feature, logits) for feature, logits in parts]

    @torch.no_grad()
    def target(self, clip: Tensor) -> Prediction:
        """Returns features and logits without gradient, in a pass of their own."""
        prediction: Prediction = self.model(clip)
        return prediction

    def _one(self, view: Tensor) -> Prediction:
        if len(view):
            prediction: Prediction = self.wrapped(view)
            return prediction
        classes, size = self.model.prototype.shape
        return Prediction(view.new_empty(0, size), view.new_empty(0, classes))
