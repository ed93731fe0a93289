"""The rule editor: presets, the ten numbers, and all else that a rule or a design can be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import panel as pn
from panel.viewable import Viewable, Viewer

from onnxlrp.composites import Composite
from onnxlrp.errors import OnnxLrpError, RuleError
from onnxlrp.rules import RULES, Rule, Unified, ZBox

from ..components.choices import Choices, Shortcuts
from ..components.numbers import NumberSliders
from ..state import Workbench, rule_label, rule_name, with_composite, with_option, with_rule
from ..state.numbers import conserves, numbers_of, with_number
from ..state.scope import Scope, scope_of
from .bounds import BoundsView
from .history import HistoryView
from .parts import section
from .rule_options import (
    BIASES,
    LOCKS,
    POOLS,
    PRESETS,
    PRODUCTS,
    REACHES,
    UNITS,
    WHOLE_DESIGNS,
    options,
)


class RulesView(Viewer):
    """Edits the rule of what is selected.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self.locked, self.reach = True, "selection"
        self.title = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)
        self.sliders = NumberSliders(sizing_mode="stretch_width", margin=0)
        self.reaches = self._choices("Apply to", REACHES, self._on_reach, "selection")
        self.presets = self._choices("", PRESETS, self._on_preset, columns=5)
        self.lock = self._choices("α − β = 1", LOCKS, self._on_lock, "locked")
        self.units = self._choices("ε is", UNITS, self._on_unit)
        self.biases = self._choices("Bias", BIASES, self._on_bias)
        self.bounds = BoundsView(self._on_bounds)
        self.pools = self._choices("Max-pools hand relevance", POOLS, self._option("max_pool"))
        self.products = self._choices("Products hand it", PRODUCTS, self._option("product"))
        self.whole = self._choices("", WHOLE_DESIGNS, self._on_whole, columns=2)
        self.keys = Shortcuts(keys={"ctrl+z": "undo", "ctrl+shift+z": "redo", "ctrl+y": "redo"})
        self.keys.on_gesture(lambda kind, name: getattr(bench, name)())
        self.sliders.on_gesture(self._gesture)
        bench.param.watch(lambda *_: self.refresh(), ["network", "designs", "current", "selection"])
        if bench.network is not None:
            self.refresh()
        self._body = self._laid_out()

    def _choices(
        self,
        heading: str,
        given: dict[str, tuple[str, str]],
        chosen: Callable[[str], None],
        start: str = "",
        columns: int = 0,
    ) -> Choices:
        made = Choices(
            heading=heading,
            options=options(given),
            chosen=start,
            columns=columns,
            beside=bool(start),
            sizing_mode="stretch_width",
            margin=0,
        )
        made.on_gesture(lambda kind, key: chosen(key))
        return made

    def _laid_out(self) -> Viewable:
        stretch: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
        return pn.Column(
            section("Rule", self.title, self.reaches, self.presets),
            section("Numbers", self.lock, self.sliders),
            section("Stabiliser, bias, bounds", self.units, self.biases, self.bounds),
            section("Pools and products of the whole design", self.pools, self.products),
            section("Presets for the whole network", self.whole),
            section("History", HistoryView(self.bench)),
            self.keys,
            styles={"gap": "16px"},
            **stretch,
        )

    def __panel__(self) -> Viewable:
        return self._body

    # ------------------------------------------------------------------------------- what is shown
    @property
    def scope(self) -> Scope | None:
        """What edits are for."""
        bench = self.bench
        return scope_of(bench.design, bench.model, bench.selection, self.reach)  # type: ignore[arg-type]  # one of REACHES

    def refresh(self) -> None:
        """Show the rule of what is selected."""
        scope = self.scope
        self.pools.chosen = self.bench.design.composite.max_pool
        self.products.chosen = self.bench.design.composite.product
        if scope is None:
            self.title.object = _title("No layer with weights is selected", "Relevance only moves.")
            self.sliders.param.update(values={}, errors={})
            for choice in (self.presets, self.units, self.biases):
                choice.chosen = ""
            return
        rule = scope.rule
        count = f"{len(scope.layers)} with weights" if len(scope.layers) > 1 else ""
        mixed = f"{scope.rules} rules; shown is the first" if scope.rules > 1 else rule_label(rule)
        self.title.object = _title(scope.title, ", ".join(filter(None, [count, mixed])))
        self.presets.param.update(chosen=rule_name(rule), wrong="")
        self.sliders.param.update(values=numbers_of(rule), errors={})
        self.units.chosen = "relative" if rule.relative else "absolute"
        self.biases.param.update(chosen=rule.bias, wrong="")
        self.bounds.refresh(rule)
        off = (
            "" if conserves(rule) else "α − β is not 1: each layer makes more or less of relevance."
        )
        self.lock.wrong = off

    # --------------------------------------------------------------------------- what a person does
    def apply(self, rule: Rule, gesture: str = "") -> bool:
        """Give the rule to what edits are for; whether it went well."""
        scope = self.scope
        if scope is None:
            self.bench.tell("Select a layer with weights first.", "info")
            return False
        model, layers = self.bench.model, scope.layers
        label = f"{rule_label(rule)} on {scope.title[:1].lower()}{scope.title[1:]}"
        return self.bench.edit(lambda d: with_rule(d, model, layers, rule), label, gesture)

    def _gesture(self, kind: str, key: str, **values: Any) -> None:
        scope = self.scope
        if scope is None:
            return
        if kind == "reset":
            named = RULES[scope.rule.name]()
            values = {"value": numbers_of(named).get(key, 0.0), "gesture": f"reset {key}"}
        self._set(scope.rule, key, values["value"], values["gesture"], values.get("typed", False))

    def _set(self, rule: Rule, key: str, value: float, gesture: str, typed: bool) -> None:
        try:
            changed = with_number(rule, key, float(value), self.locked)
        except RuleError as error:
            self.sliders.errors = {key: str(error)}
            if typed:
                self.bench.tell(str(error))
            return
        if not self.apply(changed, gesture):
            self.sliders.errors = {key: self._refusal()}

    def _on_preset(self, name: str) -> None:
        scope = self.scope
        rule = _custom(scope.rule) if name == "custom" and scope else RULES.get(name, Unified)()
        if not self.apply(rule):
            self.presets.wrong = self._refusal()

    def _on_reach(self, reach: str) -> None:
        self.reach = reach
        self.reaches.chosen = reach
        self.refresh()

    def _on_lock(self, lock: str) -> None:
        self.locked = lock == "locked"
        self.lock.chosen = lock
        if self.scope is not None and self.locked and not conserves(self.scope.rule):
            self._set(
                self.scope.rule, "beta", max(numbers_of(self.scope.rule)["beta"], 0), "", True
            )

    def _on_unit(self, unit: str) -> None:
        self._change(self.units, relative=unit == "relative")

    def _on_bias(self, bias: str) -> None:
        self._change(self.biases, bias=bias)

    def _on_bounds(self, low: Any, high: Any) -> None:
        self._change(self.bounds, low=low, high=high)

    def _change(self, place: Any, **values: Any) -> None:
        """Change a field of the rule; what is wrong with it is said at its place."""
        scope = self.scope
        if scope is None:
            return
        try:
            if not values.keys() <= {f.name for f in fields(scope.rule)}:
                raise RuleError(f"{rule_label(scope.rule)} has no {' and '.join(values)}.")
            changed = replace(scope.rule, **values)
        except OnnxLrpError as error:
            place.wrong = str(error)
            self.bench.tell(str(error))
            return
        if not self.apply(changed):
            place.wrong = self._refusal()

    def _refusal(self) -> str:
        """What the bench last told the user: why an edit was refused."""
        return "" if self.bench.notice is None else self.bench.notice.text

    def _option(self, option: str) -> Callable[[str], None]:
        def chosen(value: str) -> None:
            label = f"{option.replace('_', '-')}: {value}"
            self.bench.edit(lambda d: with_option(d, option, value), label)

        return chosen

    def _on_whole(self, name: str) -> None:
        composite = Composite.preset(name)
        self.bench.edit(lambda d: with_composite(d, composite), f"Preset {name}")


def _custom(rule: Rule) -> Rule:
    """The same numbers as the unified rule's; its defaults where there are none."""
    if isinstance(rule, ZBox) and rule.low is None:
        return Unified()
    return rule.as_unified() or Unified()


def _title(first: str, second: str) -> str:
    return (
        f'<div style="font-size:14px;font-weight:600">{first}</div>'
        f'<div style="font-size:12px;opacity:.8">{second}</div>'
    )
