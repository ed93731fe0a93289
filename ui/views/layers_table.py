"""The layers of the network as a table in which rules can be chosen."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import pandas as pd
import panel as pn
from panel.viewable import Viewable, Viewer

from onnxlrp.errors import OnnxLrpError
from onnxlrp.rules import RULES, Rule, rule_from_dict

from ..state import PRESET_RULES, Workbench, as_line, given_rules, rule_label, with_rule
from ..state.layers import layer_rows
from .parts import when

_SHOWN = {
    "index": "#",
    "name": "Layer",
    "op": "Type",
    "rule": "Rule",
    "parameters": "Parameters",
    "arrived": "Σ R",
    "share": "Leakage",
    "entry": "Entry",
}
_WIDTHS = {"#": 34, "Type": 68, "Rule": 60, "Parameters": 90, "Entry": 72, "Σ R": 66, "Leakage": 66}
_STYLE = """
:host { --ink: var(--panel-on-surface-color, #1d2733); --paper: var(--panel-surface-color, #fff); }
.tabulator { font-size: 12px; border: 0; background: transparent; }
.tabulator .tabulator-header .tabulator-col { background: transparent; font-size: 11.5px; }
.tabulator .tabulator-col .tabulator-col-content { padding: 4px 6px; }
.tabulator-cell[tabulator-field=Leakage] div { color: var(--ink) !important; }
.tabulator-row .tabulator-cell { padding: 4px 6px; height: 26px !important; font-size: 12px; }
.tabulator-row { height: 26px !important; min-height: 26px !important; }
.tabulator-cell[tabulator-field=Layer] { direction: rtl; }
.tabulator-cell[tabulator-field=Layer] div { overflow: hidden; text-overflow: ellipsis; }
.tabulator-col-sorter { display: none !important; }
.tabulator-col-title { padding-right: 0 !important; }
.tabulator-row, .tabulator-row.tabulator-row-even {
  background: transparent; color: var(--ink); min-height: 26px;
}
.tabulator-row.tabulator-selected, .tabulator-row.tabulator-selected:hover {
  background: color-mix(in srgb, var(--panel-primary-color) 16%, var(--paper)) !important;
  color: var(--ink) !important; font-weight: 600;
}
.tabulator-header-filter input {
  font-size: 11px; padding: 1px 4px !important; color: inherit; background: transparent;
}
"""
_RULES = {name: label for name, label in PRESET_RULES.items() if name != "custom"}


class LayersTable(Viewer):
    """A row a layer: rule and parameters can be edited, selecting rows selects layers.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self._showing = False
        self.table = pn.widgets.Tabulator(
            pd.DataFrame(columns=list(_SHOWN.values())),
            show_index=False,
            selectable=True,
            pagination=None,
            sizing_mode="stretch_both",
            min_height=300,
            margin=0,
            configuration={
                "columns": [
                    {"field": name, "tooltip": True, "minWidth": 112 if name == "Layer" else 30}
                    for name in _SHOWN.values()
                ]
            },
            layout="fit_columns",
            theme="simple",
            row_height=26,
            stylesheets=[_STYLE],
            widths=_WIDTHS,
            header_filters={
                "Layer": {"type": "input", "placeholder": "find"},
                "Type": {"type": "input", "placeholder": "find"},
            },
            editors={
                **dict.fromkeys(_SHOWN.values()),
                "Rule": {"type": "list", "values": _RULES},
                "Parameters": {"type": "input"},
            },
            formatters={
                "Rule": {"type": "lookup", **PRESET_RULES, "": "–"},
                "Leakage": {
                    "type": "progress",
                    "min": 0,
                    "max": 100,
                    "color": "#e0a39b",
                    "legend": True,
                },
            },
            text_align={"#": "right", "Σ R": "right"},
        )
        self.table.on_edit(self._edited)
        self.table.param.watch(lambda *_: self._picked(), "selection")
        when(bench, ["network", "designs", "current", "books"], self.refresh)
        when(bench, ["selection"], self._select)

    def __panel__(self) -> Viewable:
        return self.table

    def refresh(self) -> None:
        """Show the design; only cells that changed, so that the table stays where it is."""
        bench = self.bench
        rows = layer_rows(bench.design, bench.model, bench.books)
        new = pd.DataFrame([asdict(row) for row in rows])[list(_SHOWN)].rename(columns=_SHOWN)
        new["Leakage"] = (100 * new["Leakage"]).round(1)
        new["Layer"] = [row.name.removeprefix("/").removesuffix(f"/{row.op}") for row in rows]
        new["Σ R"] = [f"{value:.3g}" if value == value else "" for value in new["Σ R"]]
        old = self.table.value
        if list(old.get("Layer", ())) != list(new["Layer"]):
            self.table.value = new
            self._select()
            return
        changed = {
            column: [
                (i, value)
                for i, value in enumerate(new[column])
                if value != old[column].iloc[i]
                and not (value != value and pd.isna(old[column].iloc[i]))
            ]
            for column in new.columns
        }
        changed = {column: cells for column, cells in changed.items() if cells}
        if changed:
            self.table.patch(changed)

    # --------------------------------------------------------------------------- what a person does
    def _select(self) -> None:
        self._showing = True
        try:
            self.table.selection = sorted(self.bench.selection)
        finally:
            self._showing = False

    def _picked(self) -> None:
        if not self._showing:
            self.bench.select(self.table.selection)

    def _edited(self, event: Any) -> None:
        layer = self.bench.model.layers[event.row]
        row = layer_rows(self.bench.design, self.bench.model)[event.row]
        try:
            if not row.rule:
                raise OnnxLrpError(f"{layer}: relevance only moves there, no rule applies.")
            given = given_rules(self.bench.design.composite, self.bench.model).get(event.row)
            rule = _rule(event.column, event.value, row.rule, given)
        except OnnxLrpError as error:
            self.bench.tell(as_line(error))
            self.table.patch({event.column: [(event.row, event.old)]})
            return
        model = self.bench.model
        label = f"{rule_label(rule)} on {layer.name}"
        if not self.bench.edit(lambda d: with_rule(d, model, [layer.index], rule), label):
            self.table.patch({event.column: [(event.row, event.old)]})


def _rule(column: str, value: str, name: str, given: Rule | None) -> Rule:
    """The rule that an edited cell asks for.

    Parameters
    ----------
    column, value : str
        The cell, and what was written there.
    name : str
        What the layer's rule is called.
    given : Rule, optional
        The rule that an entry gives it. Its lists, as bounds for each channel, stand in no cell and
        are kept.
    """
    if column == "Rule":
        return given if given is not None and value == name else RULES[value]()
    import yaml

    words = "unified" if name == "custom" else name
    try:
        written = yaml.safe_load("{" + value.replace("=", ": ") + "}") or {}
    except yaml.YAMLError as error:
        raise OnnxLrpError(f"{value!r} is not written as 'gamma=0.1, bias=drop'.") from error
    known = {f.name for f in fields(RULES[words])}
    before = {} if given is None else given.to_dict()
    lists = {k: v for k, v in before.items() if k in known and isinstance(v, list)}
    return rule_from_dict({"rule": words, **lists, **written})
