"""The designer's state, without a widget: views watch it, call its methods, and hold no data.

Imports `onnxlrp` and `param` only. Start here to build a view:

>>> from ui.state import Workbench
>>> bench = Workbench()          # in the app: schedule=doc.add_next_tick_callback

========================== ====================================================================
``bench.network``          :class:`Network`: ``.model`` (onnxlrp Model), ``.inspection``, ``.name``
``bench.pictures``         tuple of :class:`Picture` (``name``, ``rgb``, ``x``); ``bench.shown`` is
                           the one at position ``bench.picture``
``bench.question``         :class:`Question` (``target`` as on the command line, ``kind``); change
                           it by ``bench.ask(target="285")``
``bench.designs``          tuple of :class:`Design`, frozen; ``bench.design`` is the one with id
                           ``bench.current``; ``bench.segments`` its runs on the ruler
``bench.selection``        frozenset of layer indices, shared by all views; ``bench.select(…)``
``bench.look``             :class:`Look`: how heatmaps are drawn; ``bench.see(sign="positive")``
``bench.explained``        :class:`Explained`: current design on the current picture (map, outputs,
                           maps at the segments' starts); ``bench.pending`` while it is stale
``bench.failed``           why there is nothing newer; empty if there is
``bench.books``            tuple of LayerBooks of the same, from the output down; () until known
``bench.place``            which view is on the screen
``bench.notice``           the last line for the user; ``bench.tell("…", "success")``
``bench.file``             what the browser is to download; ``bench.hand_over("a.csv", text)``
``bench.jobs``             :class:`Jobs`: ``bench.jobs.run(lane, work, done, title=…)``
``bench.explanations``     for other designs and pictures (comparison, flipping), in a worker:
                           ``.explain(network, picture, question, composite, progress=…)``
========================== ====================================================================

Edits are functions from design to design (:mod:`.designs`: ``with_rule``, ``move_bound``,
``split``, ``merge``, ``with_composite``, ``with_option``) that go through one door, which keeps
undo, checks, and says errors::

    bench.edit(lambda d: with_rule(d, bench.model, layers, Gamma(0.3)), "LRP-γ 0.3 on …", gesture)

With the same ``gesture`` (the name of the slider being dragged) edits are undone as one.

Everything is a value: a design that is equal is the same design for the history, the cache, the
share link and the comparison. All of it runs on the event loop; only ``work`` given to
``jobs.run`` runs in a thread, gets ``progress(done, total, what)``, and must not touch the bench.
"""

from .compact import given_rules
from .designs import (
    Design,
    duplicate,
    merge,
    move_bound,
    rename,
    segments,
    split,
    with_composite,
    with_option,
    with_rule,
)
from .explained import Explained
from .history import History, Snapshot
from .jobs import Cancelled, Jobs, as_line
from .labels import PRESET_RULES, named, rule_label, rule_name
from .look import Look
from .networks import Network, Picture, open_network, packaged_network, read_picture
from .notices import Notice
from .results import Explanations
from .scores import Question, probabilities
from .segments import COLOURS, Segment, bounds_of, linear_layers, ruled_layers, rules_of
from .session import Workbench
from .store import Store

__all__ = [
    "COLOURS",
    "PRESET_RULES",
    "Cancelled",
    "Design",
    "Explained",
    "Explanations",
    "History",
    "Jobs",
    "Look",
    "Network",
    "Notice",
    "Picture",
    "Question",
    "Segment",
    "Snapshot",
    "Store",
    "Workbench",
    "as_line",
    "bounds_of",
    "duplicate",
    "given_rules",
    "linear_layers",
    "merge",
    "move_bound",
    "named",
    "open_network",
    "packaged_network",
    "probabilities",
    "read_picture",
    "rename",
    "rule_label",
    "rule_name",
    "ruled_layers",
    "rules_of",
    "segments",
    "split",
    "with_composite",
    "with_option",
    "with_rule",
]
