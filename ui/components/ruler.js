export function render({ model }) {
  const root = html("div", { class: "ruler" });
  const ask = (kind, values) => tell(model, { kind, ...values });
  let drawn = lines(model), anchor = null, active = 0;

  // ------------------------------------------------------------------ selecting
  const picked = (first, last) => {
    const [low, high] = first <= last ? [first, last] : [last, first];
    return Array.from({ length: high - low + 1 }, (_, i) => low + i);
  };
  const pick = (line, event) => {
    const own = picked(line.at, line.stop - 1), now = new Set(model.selection);
    let chosen = own;
    if (event.shiftKey && anchor !== null) {
      chosen = picked(Math.min(anchor, line.at), Math.max(anchor, line.stop - 1));
    } else {
      anchor = line.at;
      if (event.ctrlKey || event.metaKey) {
        const all = own.every((i) => now.has(i));
        own.forEach((i) => (all ? now.delete(i) : now.add(i)));
        chosen = [...now].sort((a, b) => a - b);
      } else if (now.size === own.length && own.every((i) => now.has(i))) chosen = [];
    }
    ask("pick", { layers: chosen });
  };
  const toggle = (key) => {
    const opened = new Set(model.opened);
    if (!opened.delete(key)) opened.add(key);
    model.opened = [...opened];
  };

  // ------------------------------------------------------------------ bounds
  // The places a bound can take: the first one in each line, between its neighbours' ends.
  const choices = (number) => {
    const [above, below] = [model.segments[number - 1], model.segments[number]];
    const first = model.places.filter((p) => p < above.stop && p >= above.start);
    const low = above.number === 1 ? Math.min(...model.places) : first[0] + 1;
    const seen = new Set(), out = [];
    for (const line of drawn.all) {
      if (line.head) continue;
      const place = model.places.find((p) => p >= line.at && p < line.stop);
      if (place === undefined || seen.has(place)) continue;
      if (place >= low && place < below.stop) { seen.add(place); out.push(place); }
    }
    if (!seen.has(below.start)) out.push(below.start);
    return out.sort((a, b) => a - b);
  };
  let hold = 0; // counts how often a bound was taken up: what one hold does is undone as one
  const told = throttle((number, to, gesture) => ask("move", { number, to, gesture }), 120);
  const move = (number, to) => {
    const bound = model.segments[number];
    if (bound && to !== undefined && to !== bound.start) told(number, to, `bound ${number}#${hold}`);
  };
  const key = (number, event) => {
    if (!event.repeat) hold += 1;
    if (event.key === "Delete" || event.key === "Backspace") told.flush();
    const places = choices(number), now = places.indexOf(model.segments[number].start);
    const steps = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, PageUp: -5, PageDown: 5 };
    let to = null;
    if (event.key in steps) to = Math.max(0, Math.min(places.length - 1, now + steps[event.key]));
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = places.length - 1;
    else if (event.key === "Delete" || event.key === "Backspace") ask("merge", { number: number + 1 });
    else return;
    event.preventDefault();
    if (to !== null) move(number, places[to]);
  };
  const drag = (number, event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    const handle = event.currentTarget, board = root.querySelector(".board");
    hold += 1;
    handle.focus();
    handle.setPointerCapture(event.pointerId);
    const follow = (e) => {
      const y = e.clientY - board.getBoundingClientRect().top;
      const places = choices(number);
      const near = places.reduce((a, b) =>
        Math.abs(placeOf(drawn, b) - y) < Math.abs(placeOf(drawn, a) - y) ? b : a);
      move(number, near);
    };
    const done = () => {
      handle.removeEventListener("pointermove", follow);
      told.flush();
    };
    handle.addEventListener("pointermove", follow);
    handle.addEventListener("pointerup", done, { once: true });
    handle.addEventListener("pointercancel", done, { once: true });
  };

  // ------------------------------------------------------------------ drawing
  const name = (index) => {
    const layer = model.layers[index];
    return layer ? `${layer.name} (${layer.op})` : "the output";
  };
  const bands = html("div", { class: "bands", "aria-hidden": "true" });
  const list = html("div", {
    class: "lines", role: "listbox", "aria-label": "Layers, from the input to the output",
    "aria-multiselectable": "true",
  });
  const handles = html("div", { class: "handles", role: "group", "aria-label": "Bounds of segments" });
  const tags = html("div", { class: "tags", role: "group", "aria-label": "Segments" });
  const links = svg("svg", { class: "links", "aria-hidden": "true" });
  const rows = html("div", { class: "rows", role: "group", "aria-label": "What each segment does" });

  const lineNode = (line, number) => {
    const layer = model.layers[line.at], count = line.stop - line.at;
    const text = line.fold
      ? `${line.fold.label}, ${count} layers, ${line.open ? "open" : "folded"}`
      : `layer ${line.at}: ${layer.name}, ${layer.op}${layer.note ? `, ${layer.note}` : ""}`;
    const at = line.head ? undefined : model.places.find((p) => p >= line.at && p < line.stop);
    const kind = line.fold ? (line.head ? "line fold head" : "line fold") : layer.ruled ? "line" : "line plain";
    return html("div", {
        class: kind, role: "option", "aria-label": text, tabindex: number === active ? 0 : -1, title: text,
        "data-at": line.at, style: { top: `${line.y}px`, height: `${line.h}px`, "--depth": line.depth },
        onfocus: () => { active = number; }, onclick: (e) => { if (e.detail < 2) pick(line, e); },
        ondblclick: () => line.fold && toggle(line.key),
      },
      html("span", { class: "tick" }, line.head ? "" : String(line.at)),
      line.fold
        ? html("span", { class: "chevron", onclick: (e) => { e.stopPropagation(); toggle(line.key); } },
            line.open ? "▾" : "▸")
        : null,
      html("span", { class: "name" },
        html("bdi", {}, line.fold ? line.fold.label : shortName(layer, line.within))),
      html("span", { class: line.fold ? "op count" : "op" }, line.fold ? `${count}` : layer.op),
      at === undefined
        ? null
        : html("span", {
            class: "cut", title: `Begin a new segment at ${name(at)}`, "data-place": at,
            onclick: (e) => { e.stopPropagation(); ask("split", { at }); },
          }, "+"));
  };

  // The lines are made anew only if there are others; else they are marked.
  let shown = "";
  const build = () => {
    drawn = lines(model);
    const now = JSON.stringify([model.layers, model.folds, model.opened, model.places]);
    if (now === shown) return;
    shown = now;
    active = Math.min(active, drawn.all.length - 1);
    const had = root.getRootNode().activeElement?.classList?.contains("line");
    list.replaceChildren(...drawn.all.map(lineNode));
    root.style.setProperty("--board", `${drawn.height}px`);
    if (had) list.children[active]?.focus();
  };
  const markLines = () => {
    const selection = new Set(model.selection), starts = new Set(model.segments.map((s) => s.start));
    drawn.all.forEach((line, i) => {
      let chosen = 0;
      for (let at = line.at; at < line.stop; at++) chosen += selection.has(at);
      const node = list.children[i], all = chosen === line.stop - line.at;
      node.classList.toggle("chosen", all);
      node.classList.toggle("partly", chosen > 0 && !all);
      set(node, { "aria-selected": String(all) });
      const cut = node.querySelector(".cut");
      if (cut) cut.hidden = starts.has(Number(cut.dataset.place));
    });
  };

  const marks = () => {
    const tops = model.segments.map((s) => placeOf(drawn, s.start));
    tops.push(drawn.height);
    const place = (i) => ({ top: `${tops[i]}px`, height: `${tops[i + 1] - tops[i]}px` });
    keep(bands, model.segments, () => html("div"), (band, s, i) => set(band, {
      class: s.number === model.current ? "band current" : "band",
      style: { ...place(i), background: s.colour },
    }));
    keep(tags, model.segments,
      (i) => html("button", { onclick: () => ask("segment", { number: i + 1 }) }, String(i + 1)),
      (tag, s, i) => set(tag, {
        class: s.number === model.current ? "tag current" : "tag",
        "aria-pressed": String(s.number === model.current),
        "aria-label": `Segment ${s.number}: ${s.label}, layers ${s.start} to ${s.stop - 1}`,
        title: `Segment ${s.number}: ${s.label}`,
        style: { ...place(i), background: s.colour },
      }));
    keep(handles, model.segments.slice(1),
      (i) => html("div", {
        class: "bound", role: "slider", tabindex: 0, "aria-orientation": "vertical", "aria-valuemin": 0,
        "aria-label": `Bound between segments ${i + 1} and ${i + 2}`,
        title: "Drag, or use the arrow keys; Delete joins the two segments",
        onpointerdown: (e) => drag(i + 1, e), onkeydown: (e) => key(i + 1, e), onkeyup: told.flush,
      }, html("span", { class: "grip" })),
      (handle, s, i) => set(handle, {
        "aria-valuemax": model.layers.length, "aria-valuenow": s.start,
        "aria-valuetext": `segment ${i + 2}, ${s.label}, begins at layer ${s.start}, ${name(s.start)}`,
        style: { top: `${tops[i + 1]}px` },
      }));
    describe();
    const width = 34;
    const ends = model.segments.map((s, i) => {
      const row = rows.children[i];
      return row ? [row.offsetTop, row.offsetTop + row.offsetHeight] : null;
    });
    links.replaceChildren(...model.segments.map((s, i) => {
      if (!ends[i]) return null;
      const [top, bottom] = ends[i], [a, b, c] = [tops[i] + 1, tops[i + 1] - 1, width / 2];
      return svg("path", {
        d: `M0 ${a} C${c} ${a} ${c} ${top} ${width} ${top} L${width} ${bottom} C${c} ${bottom} ${c} ${b} 0 ${b} Z`,
        fill: s.colour, class: s.number === model.current ? "link current" : "link",
      });
    }).filter(Boolean));
  };

  // What each segment does: its equation, its numbers, and what arrives at its start.
  const put = (node, content) => {
    if (node.given !== content) { node.innerHTML = content; node.given = content; }
  };
  const describe = () => {
    keep(rows, model.segments,
      (i) => html("div", { class: "row", onclick: () => ask("segment", { number: i + 1 }) },
        html("div", { class: "title" }), html("div", { class: "equation" }), html("div", { class: "numbers" }),
        html("figure", {}, html("img", { alt: "" }), html("figcaption", {}))),
      (row, given, i) => {
        row.style.setProperty("--colour", given.colour);
        row.classList.toggle("current", i + 1 === model.current);
        put(row.querySelector(".title"), given.title);
        put(row.querySelector(".equation"), given.equation);
        put(row.querySelector(".numbers"), given.bars);
        put(row.querySelector("figcaption"), given.caption);
        const image = row.querySelector("img");
        image.hidden = !given.image;
        if (given.image && image.getAttribute("src") !== given.image) image.setAttribute("src", given.image);
        image.setAttribute("alt", given.said);
        row.classList.toggle("stale", Boolean(given.stale));
      });
  };

  const redraw = framed(() => {
    build();
    markLines();
    openAll.textContent = model.opened.length ? "Fold all" : "Open all";
    openAll.hidden = model.folds.length === 0;
    split.disabled = model.selection.length === 0;
    merge.disabled = model.current < 2;
    marks();
  });

  // ------------------------------------------------------------------ keyboard on the lines
  list.addEventListener("keydown", (event) => {
    const line = drawn.all[active], last = drawn.all.length - 1;
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 };
    if (event.key in steps || event.key === "Home" || event.key === "End") {
      const to = event.key === "Home" ? 0 : event.key === "End" ? last : active + steps[event.key];
      active = Math.max(0, Math.min(last, to));
      [...list.children].forEach((node, i) => node.setAttribute("tabindex", i === active ? 0 : -1));
      list.children[active].focus();
      if (event.shiftKey) pick(drawn.all[active], event);
    } else if (event.key === "Enter" || event.key === " ") pick(line, event);
    else if (event.key === "ArrowRight" && line.fold && !line.open) toggle(line.key);
    else if (event.key === "ArrowLeft" && line.fold && line.open) toggle(line.key);
    else if (event.key === "s" && !event.ctrlKey && !event.metaKey) {
      const at = model.places.find((p) => p >= line.at && p < line.stop);
      if (at !== undefined) ask("split", { at });
    } else if (event.key === "Escape") ask("pick", { layers: [] });
    else return;
    event.preventDefault();
  });

  // ------------------------------------------------------------------ buttons
  const split = html("button", {
    title: "Begin a new segment at the first selected layer (s)",
    onclick: () => {
      const first = Math.min(...model.selection);
      ask("split", { at: first });
    },
  }, "Split");
  const merge = html("button", {
    title: "Join the current segment with the one before it",
    onclick: () => ask("merge", { number: model.current }),
  }, "Merge");
  const openAll = html("button", {
    onclick: () => {
      const keys = (folds) => folds.flatMap((f) => [`${f.start}:${f.stop}`, ...keys(f.folds)]);
      model.opened = model.opened.length ? [] : keys(model.folds);
    },
  }, "Open all");

  root.append(
    html("div", { class: "tools" }, split, merge, openAll),
    html("div", { class: "both" }, html("div", { class: "board" }, bands, list, tags, handles, links), rows));
  watch(model, ["layers", "folds", "segments", "places", "selection", "current", "opened"], redraw);
  new ResizeObserver(redraw).observe(rows);
  redraw();
  return root;
}
