"""Sweeps that are done again: what most of their layers do is recorded, and then played.

With the same plan and shapes a sweep asks for the same tasks each time, in the same order: only
activations and the relevance to start from are others. So what a layer asked for is put on a tape
(`onnxlrp.kernels.tape`), and layer after layer is played without Python. A layer that computes in
Python, or reads what is on no tape, is carried out as ever, between two tapes. Where a task finds
what it did not find when it was recorded (an input without negative elements, an overflow), the
layers of that tape are carried out as ever too: the bits are the same on either way.
"""

from onnxlrp.recordings.store import Recordings

__all__ = ["Recordings"]
