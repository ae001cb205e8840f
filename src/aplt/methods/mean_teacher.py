"""Mean teachers are better role models (Tarvainen, Valpola, NeurIPS 2017, arXiv 1703.01780).

    L_u = ramp(t) * w * mean over U of || p(strong u) - p_teacher(weak u) ||^2 / K

The teacher is the exponential moving average of the student. ramp rises linearly over the first `ramp` of the steps
with unlabeled clips, from 0 at the first of them; w is `u_weight`.

Differs from the paper: its ramp is a sigmoid, its two networks see views of equal strength, and its labeled clips take
part, too; a linear ramp and w = 50 are those of USB. As in the authors' code, the square is divided by the number of
classes.
"""

import torch
from torch import nn

from aplt.methods.equations import probabilities, ramp
from aplt.methods.method import Method
from aplt.tensors import OnlineLabels, Step, StepLoss, Task


class MeanTeacher(nn.Module):
    """The teacher's probabilities as targets, by squared difference."""

    def __init__(self, task: Task, *, u_weight: float = 50.0, ramp: float = 0.4) -> None:
        super().__init__()
        del task
        self.u_weight, self.ramp = u_weight, ramp

    def loss(self, step: Step) -> StepLoss:
        """Returns the parts of the unlabeled clips."""
        q = probabilities(step.teacher, step.batch.weak)
        difference = step.unlabeled.logits.float().softmax(dim=1) - q
        weight = self.u_weight * ramp(step.progress, self.ramp)
        online = OnlineLabels(q.argmax(dim=1), torch.ones(len(q), device=q.device))
        return StepLoss({"u_mse": weight * difference.square().mean()}, online)


MEAN_TEACHER = Method("the EMA teacher's probabilities, by squared difference", "arXiv 1703.01780", MeanTeacher)
