"""What is derived from a model and dies with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from onnxlrp.composites import Composite
from onnxlrp.graph.model import Model
from onnxlrp.maps import Maps
from onnxlrp.memory import Memory
from onnxlrp.ops import Operation, bind
from onnxlrp.plan import Plan, make_plan
from onnxlrp.reads import fusable_tensors, readable_tensors
from onnxlrp.recordings import Recordings
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.forward import Forward, Precision, open_forward

PLANS = 64
"""Plans that are kept a model."""


@dataclass
class Workspace:
    """What is derived from a model and dies with it: operations, weights, sessions."""

    model: Model
    operations: Mapping[int, Operation]
    maps: Maps = field(default_factory=Maps)
    forwards: dict[tuple[str, str], Forward] = field(default_factory=dict)
    plans: Memory = field(default_factory=lambda: Memory(PLANS))
    recordings: Recordings = field(default_factory=Recordings)

    @classmethod
    def of(cls, model: Model) -> Workspace:
        """The model's workspace, made on first use."""
        found = model.derived.get("workspace")
        if found is None:
            found = model.derived.setdefault("workspace", cls(model, bind(model)))
        assert isinstance(found, Workspace)
        return found

    def plan(self, composite: Composite, start: str = "") -> Plan:
        """What the sweep under a composite does, from the explained tensor or another one down."""
        plan: Plan | None = self.plans.get((composite, start))
        if plan is None:
            plan = make_plan(self.model, self.operations, composite, start)
            self.plans.put((composite, start), plan, 1)
        return plan

    def forward(self, device: Device, precision: Precision) -> Forward:
        """Who computes the model's tensors on a device in a precision."""
        key = (device, precision)
        if key not in self.forwards:
            readable = readable_tensors(self.model, self.operations)
            fusable = fusable_tensors(self.model)
            self.forwards[key] = open_forward(self.model, device, precision, readable, fusable)
        return self.forwards[key]
