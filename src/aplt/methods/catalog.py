"""Methods by name: those of aplt, and any other as package.module:name."""

from aplt.errors import InputError, suggest
from aplt.methods.adamatch import ADAMATCH
from aplt.methods.aplt import APLT_METHOD, APLT_PAPER
from aplt.methods.fixmatch import FIXMATCH, FIXMATCH_TEACHER
from aplt.methods.flexmatch import FLEXMATCH
from aplt.methods.freematch import FREEMATCH
from aplt.methods.label_propagation import LABEL_PROPAGATION
from aplt.methods.mean_teacher import MEAN_TEACHER
from aplt.methods.method import Method
from aplt.methods.pseudo_label import PSEUDO_LABEL
from aplt.methods.self_training import SELF_TRAINING
from aplt.methods.simmatch import SIMMATCH
from aplt.methods.softmatch import SOFTMATCH
from aplt.methods.supervised import SUPERVISED
from aplt.methods.tubemix import TUBEMIX
from aplt.methods.uda import UDA_METHOD
from aplt.reference import is_reference, resolve

METHODS: dict[str, Method] = {
    "supervised": SUPERVISED,
    "pseudo_label": PSEUDO_LABEL,
    "mean_teacher": MEAN_TEACHER,
    "uda": UDA_METHOD,
    "fixmatch": FIXMATCH,
    "flexmatch": FLEXMATCH,
    "adamatch": ADAMATCH,
    "freematch": FREEMATCH,
    "softmatch": SOFTMATCH,
    "simmatch": SIMMATCH,
    "tubemix": TUBEMIX,
    "label_propagation": LABEL_PROPAGATION,
    "self_training": SELF_TRAINING,
    "fixmatch_teacher": FIXMATCH_TEACHER,
    "aplt_paper": APLT_PAPER,
    "aplt": APLT_METHOD,
}


def find_method(name: str) -> Method:
    """Returns the method of this name, or the one that package.module:name refers to.

    Raises:
        InputError: no such method; suggests one, or says why the module cannot be imported.
    """
    if is_reference(name):
        return resolve(name, Method, "method")
    if name not in METHODS:
        raise InputError(f"unknown method '{name}'{suggest(name, METHODS)} (an own one is package.module:name)")
    return METHODS[name]
