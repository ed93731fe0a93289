"""How a page looks: light and dark, on a screen and on paper."""

from __future__ import annotations

from typing import Final

STYLE: Final = """\
:root { color-scheme: light dark; --ink: #222; --faint: #5c5c5c; --line: #ddd; --paper: #fff;
  --bar: #0072b2; --mark: #d55e00; --panel: #f6f7f9; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ddd; --faint: #a5a5a5; --line: #444; --paper: #1b1b1b; --bar: #56b4e9;
    --mark: #ff9d4d; --panel: #252628; } }
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
  margin: 0; color: var(--ink); background: var(--paper); }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: .5rem 0 1rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; padding-top: .75rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
p { max-width: 48rem; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem 0; }
a { color: var(--bar); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.25rem; margin: 1rem 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1rem 0; }
figcaption { color: var(--faint); font-size: .875rem; margin-top: .35rem; max-width: 48rem; }
img, svg { max-width: 100%; height: auto; background: #fff; }
.row { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.row figure { margin: 0 0 .5rem; width: 15rem; }
.pixels img { width: 100%; image-rendering: pixelated; border: 1px solid var(--line); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .925rem;
  margin: .5rem 0; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { color: var(--faint); font-weight: 600; white-space: nowrap; }
th.number, td.number { text-align: right; white-space: nowrap; }
.bars { width: 26rem; max-width: 100%; } .bars th { font-weight: 400; width: 45%; }
.bars td.bar { width: 40%; vertical-align: middle; }
.bars span { display: block; height: .7rem; background: var(--bar); min-width: 1px; }
.bars .marked th { font-weight: 600; } .bars .marked span { background: var(--mark); }
details { margin: .75rem 0; } summary { cursor: pointer; color: var(--faint); }
pre { background: var(--panel); padding: .75rem 1rem; overflow-x: auto; font-size: .85rem;
  border-radius: 4px; }
math { font-size: 1.15rem; margin: .5rem 0; overflow-x: auto; max-width: 100%; }
.rule { background: var(--panel); border-radius: 4px; padding: .5rem 1rem; margin: .5rem 0; }
.rule p { margin: .25rem 0; }
@media print { nav { display: none; } details > *:not(summary) { display: block; }
  section { break-inside: avoid-page; } }"""
