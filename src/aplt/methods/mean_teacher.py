"""Mean teachers are better role models (Tarvainen, Valpola, NeurIPS 2017, arXiv 1703.01780).

    L_u = ramp(t) * w * mean over U of || p(strong u) - p_teacher(weak u) ||^2 / K

The teacher is the exponential moving average of the student. ramp rises linearly over the first `ramp` of training; w
is `u_weight`.

Differs from the paper: its ramp is a sigmoid, its two networks see views of equal strength, and its labeled clips take
part, too; a linear ramp and w = 50 are those of USB. As in the authors' code, the square is divided by the number of
classes.
"""

import torch
from torch import nn

from aplt.methods.equations import labeled_losses, probabilities, ramp
from aplt.tensors import Guidance, OnlineLabels, Recognize, SemiBatch, StepLoss, Student, Task


class MeanTeacher(nn.Module):
    """The teacher's probabilities as targets, by squared difference."""

    uses_unlabeled = True

    def __init__(self, task: Task, *, strong_weight: float = 1.0, u_weight: float = 50.0, ramp: float = 0.4) -> None:
        super().__init__()
        del task
        self.strong_weight, self.u_weight, self.ramp = strong_weight, u_weight, ramp

    def loss(
        self, student: Student, teacher: Recognize, batch: SemiBatch, *, guidance: Guidance | None, progress: float
    ) -> StepLoss:
        """Returns the step's loss; guidance is not used."""
        del guidance
        weak_x, strong_x, strong_u = student(batch.weak_labeled, batch.strong_labeled, batch.strong)
        parts = labeled_losses(weak_x, strong_x, batch.y, self.strong_weight)
        online = None
        if len(batch.weak):
            q = probabilities(teacher, batch.weak)
            difference = strong_u.logits.float().softmax(dim=1) - q
            weight = self.u_weight * ramp(progress, self.ramp)
            parts["u_mse"] = weight * difference.square().mean()
            online = OnlineLabels(q.argmax(dim=1), torch.ones(len(q), device=q.device))
        return StepLoss.of(parts, online)
