"""Unsupervised Word Sense Disambiguation Rivaling Supervised Methods (Yarowsky, ACL 1995; no arXiv id).

By scikit-learn. The encoder is trained on the labeled clips alone; then the network stands still for good, and its
classifier is replaced by a logistic regression that is refitted on its own predictions of a probability above 0.75
until there are no more.
"""

from torch import Tensor

from aplt.methods.method import Method
from aplt.methods.regression import as_layer, features, regression
from aplt.tensors import FeatureBank


def fit_head(bank: FeatureBank, label: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Returns weight [K, D] and bias [K] of scikit-learn's SelfTrainingClassifier: at most ten refits."""
    from sklearn.semi_supervised import SelfTrainingClassifier  # slow to import, and few runs need it

    fitted = SelfTrainingClassifier(regression()).fit(features(bank), label[bank.position].numpy())
    return as_layer(fitted.estimator_, num_classes)


SELF_TRAINING = Method(
    "a logistic regression on frozen features, refitted on its own predictions (scikit-learn)",
    "Yarowsky, ACL 1995",
    fit_head=fit_head,
)
