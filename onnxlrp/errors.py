"""Every error that onnxlrp raises on purpose, in one tree.

::

    OnnxLrpError
    ├── ModelError                     the ONNX model cannot be explained
    │   ├── ModelFileError             the file cannot be read, or is no ONNX model
    │   └── UnsupportedOperationError  operations that have no entry
    ├── InputError                     a picture, an array or an option does not fit
    ├── TargetError                    there is no such class, or its label is ambiguous
    ├── CompositeError                 the composite is malformed or unknown
    │   ├── SelectorError              a selector is malformed or matches no layer
    │   └── RuleError                  a rule is unknown, or a parameter is out of range
    ├── RuntimeSetupError              onnxruntime, CUDA or numba is not usable as asked
    ├── OutputError                    a result cannot be written
    └── NumericalError                 NaN or Inf appeared

A message is one line: what is wrong, where (file, node, tensor, argument), and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class OnnxLrpError(Exception):
    """Base of all errors below: one `except` catches what onnxlrp raises on purpose."""


class ModelError(OnnxLrpError):
    """The ONNX model cannot be explained as it is."""


class ModelFileError(ModelError):
    """The model file is missing, truncated, too new, or not an ONNX model."""


class UnsupportedOperationError(ModelError):
    """The model has operations without an entry; the message names every such node."""


class InputError(OnnxLrpError):
    """A picture, an array or an option is not what is expected here."""


class TargetError(OnnxLrpError):
    """The output element to explain does not exist, or is not named clearly."""


class CompositeError(OnnxLrpError):
    """A composite is malformed, or no preset has its name."""


class SelectorError(CompositeError):
    """A selector is malformed, or matches no layer of the model."""


class RuleError(CompositeError):
    """A rule is unknown, or one of its parameters is out of range."""


class RuntimeSetupError(OnnxLrpError):
    """The installed onnxruntime, CUDA or numba is not usable as asked."""


class OutputError(OnnxLrpError):
    """A result cannot be written where it was asked for; nothing was written."""


class NumericalError(OnnxLrpError):
    """NaN or Inf appeared; the message names the node."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the known name nearest to a mistyped one, as the tail of a message.

    Parameters
    ----------
    word : str
        What the user wrote.
    known : iterable of str
        The names that exist.

    Returns
    -------
    str
        " Did you mean 'epsilon_plus'?" with its leading space, or "" if no name is near.

    Examples
    --------
    >>> did_you_mean("epsilonplus", ["epsilon_plus", "gamma"])
    " Did you mean 'epsilon_plus'?"
    """
    by_lowercase = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lowercase, n=1, cutoff=0.6)
    return f" Did you mean {by_lowercase[near[0]]!r}?" if near else ""
