const GAP = 12, SMALLEST = 140, LARGEST = 320; // pixels

const PATHS = {
  left: "M10 3 5 8l5 5", right: "M6 3l5 5-5 5", up: "M3 10l5-5 5 5", down: "M3 6l5 5 5-5",
  close: "M4 4l8 8M12 4l-8 8", open: "M6 3h7v7M13 3 7 9M11 9v4H3V5h4",
};

function icon(name) {
  const path = svg("path", { d: PATHS[name] });
  return svg("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, path);
}

function iconButton(name, label, press, disabled = false) {
  return html("button", { class: "small", title: label, "aria-label": label, onclick: press, disabled }, icon(name));
}

// Three significant digits, a true minus, no exponent while it can be read.
function written(value) {
  const size = Math.abs(value);
  const text = size === 0 ? "0" : size >= 1e-3 && size < 1e5 ? value.toPrecision(3) : value.toExponential(1);
  return text.replaceAll("-", "−");
}

export function render({ model }) {
  const ask = (kind, values = {}) => tell(model, { kind, ...values });
  const store = new Map(); // id of a map → {shape, values}
  const pictures = new Map(); // row's key → {canvas, grey}, once loaded
  const frames = []; // everything that is drawn: {canvas, row, cell, chip, image()}
  const asked = new Set();
  let look = null, side = 0; // of a map on the screen, in pixels

  const view = new Viewpoint(() => paint());
  const board = html("div", { class: "board", role: "group", tabindex: "0",
    "aria-label": "Linked maps", "aria-describedby": "help" });
  const place = html("span", { class: "place" });
  const zoomed = html("span", { class: "zoomed" });
  const spoken = html("div", { class: "unseen", role: "status", "aria-live": "polite" });
  const table = html("table", {});
  const help = "Point to read all maps at one pixel; click keeps the crosshair. Drag to pan, "
    + "Ctrl + wheel or double-click to zoom. Keys: arrows, + − 0, Enter, Esc.";
  const root = html("div", { class: "maps" },
    html("div", { class: "bar" },
      html("button", { onclick: () => view.scale(2), "aria-label": "Zoom in" }, "+"),
      html("button", { onclick: () => view.scale(0.5), "aria-label": "Zoom out" }, "−"),
      html("button", { onclick: () => view.reset() }, "Whole maps"), zoomed, place,
      html("span", { class: "help", id: "help" }, help)),
    html("div", { class: "scroll" }, board),
    html("details", {}, html("summary", {}, "All numbers as a table"),
      html("div", { class: "scroll" }, table)),
    spoken);

  // ------------------------------------------------------------------ reading values
  const mapOf = (cell) => (cell.map ? store.get(cell.map) || null : null);
  const valueAt = (cell) => {
    const map = mapOf(cell);
    if (map === null) return null;
    const pixel = view.pixel(map.shape[1], map.shape[0]);
    return pixel === null ? null : map.values[pixel[1] * map.shape[1] + pixel[0]];
  };
  const size = () => {
    const known = model.cells.map(mapOf).find((map) => map !== null);
    return known ? [known.shape[1], known.shape[0]] : [224, 224];
  };
  const say = throttle(() => {
    if (view.cross === null) return;
    const columns = new Map(model.columns.map((column) => [column.key, column.name]));
    const read = model.cells.map((cell) => [columns.get(cell.column), valueAt(cell)]);
    const parts = read.filter(([, value]) => value !== null).map(([name, value]) => `${name} ${written(value)}`);
    spoken.textContent = `${place.textContent}: ${parts.join(", ")}`;
  }, 700);

  // ------------------------------------------------------------------ drawing
  const paint = framed(() => {
    for (const frame of frames) view.draw(frame.canvas, frame.image());
    const pixel = view.pixel(...size());
    place.textContent = pixel === null ? "" : `x ${pixel[0]}, y ${pixel[1]}${view.pinned ? " (kept)" : ""}`;
    zoomed.textContent = view.zoom === 1 ? "" : `${written(view.zoom)}×`;
    for (const { cell, chip, entry } of frames) {
      if (!cell) continue;
      const value = valueAt(cell);
      chip.textContent = value === null ? "" : written(value);
      chip.classList.toggle("against", value !== null && value < 0);
      entry.textContent = value === null ? "" : written(value);
    }
  });
  // Not at once: while the page is being changed, a message would bring the component along anew.
  const fetchMissing = throttle(() => {
    const wanted = model.cells.map((cell) => cell.map).filter((id) => id && !store.has(id) && !asked.has(id));
    wanted.forEach((id) => asked.add(id));
    if (wanted.length) ask("fetch", { maps: [...new Set(wanted)] });
  }, 0);
  const keepOnly = () => {
    const used = new Set(model.cells.map((cell) => cell.map));
    for (const id of [...store.keys()]) if (!used.has(id)) { store.delete(id); asked.delete(id); }
  };
  const loadPicture = (row) => {
    const known = pictures.get(row.key);
    if (known && known.url === row.picture) return;
    const entry = { url: row.picture, canvas: null, grey: null };
    pictures.set(row.key, entry);
    if (!row.picture) return;
    const image = new Image();
    image.onload = () => {
      entry.canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
      entry.canvas.getContext("2d").drawImage(image, 0, 0);
      entry.grey = greyOf(entry.canvas);
      forget(); paint();
    };
    image.src = row.picture;
  };
  const forget = () => frames.forEach((frame) => { frame.drawn = null; });
  const mapImage = (frame) => () => {
    const map = mapOf(frame.cell);
    if (map === null) return null;
    if (!frame.drawn) {
      const under = look.overlay > 0 ? (pictures.get(frame.cell.row) || {}).grey || null : null;
      frame.drawn = coloured(map, frame.cell.limit, look, under);
    }
    return frame.drawn;
  };

  // ------------------------------------------------------------------ pointer and keys
  const within = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  let drag = null;
  const listen = (canvas) => {
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      drag = { at: within(event), x: view.x, y: view.y, moved: false };
    });
    canvas.addEventListener("pointermove", (event) => {
      const [u, v] = within(event);
      if (drag === null) { if (!view.pinned) view.point(u, v); return; }
      const [du, dv] = [u - drag.at[0], v - drag.at[1]];
      if (Math.hypot(du, dv) > 0.02) drag.moved = true;
      if (drag.moved) view.move(drag.x - du * view.span, drag.y - dv * view.span);
    });
    canvas.addEventListener("pointerup", (event) => {
      if (drag !== null && !drag.moved) {
        view.pinned = !view.pinned;
        view.point(...within(event));
        say();
      }
      drag = null;
    });
    canvas.addEventListener("pointerleave", () => {
      if (!view.pinned && drag === null) { view.cross = null; paint(); }
    });
    canvas.addEventListener("dblclick", (event) => view.scale(event.shiftKey ? 0.5 : 2, ...within(event)));
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      view.scale(Math.exp(-event.deltaY / 300), ...within(event));
    }, { passive: false });
  };
  const keys = {
    ArrowLeft: (n) => view.step(-n, 0, ...size()), ArrowRight: (n) => view.step(n, 0, ...size()),
    ArrowUp: (n) => view.step(0, -n, ...size()), ArrowDown: (n) => view.step(0, n, ...size()),
    "+": () => view.scale(2), "=": () => view.scale(2), "-": () => view.scale(0.5), 0: () => view.reset(),
    Enter: () => { view.pinned = !view.pinned; paint(); },
    Escape: () => { view.pinned = false; view.cross = null; paint(); },
  };
  board.addEventListener("keydown", (event) => {
    if (event.target !== board || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    if (event.key.startsWith("Arrow")) view.pinned = true;
    act(event.shiftKey ? 10 : 1);
    say();
  });

  // ------------------------------------------------------------------ what is on the board
  const frame = (row, cell) => {
    const ratio = devicePixelRatio, canvas = html("canvas", { class: "canvas", "aria-hidden": "true" });
    canvas.width = canvas.height = Math.round(side * ratio);
    canvas.style.width = canvas.style.height = `${side}px`;
    const made = { canvas, row, cell, chip: html("span", { class: "chip" }), entry: html("td", {}), drawn: null };
    made.image = cell ? mapImage(made) : () => (pictures.get(row.key) || {}).canvas || null;
    listen(canvas);
    frames.push(made);
    return made;
  };
  const strip = (column) => html("div", { class: "strip", "aria-hidden": "true" },
    ...column.strip.map((part) => html("span", {
      title: part.label, style: { "flex-grow": part.share, "background-color": part.colour } })));
  const head = (column, index) => {
    const count = model.columns.length, difference = column.kind === "difference";
    const move = (to) => ask("move_column", { key: column.key, to });
    const made = html("div", { class: "head", draggable: !difference && "true", "data-column": column.key },
      html("div", { class: "title" },
        html("strong", { title: column.name }, column.name),
        !difference && iconButton("left", `Move ${column.name} left`, () => move(index - 1), index === 0),
        !difference && iconButton("right", `Move ${column.name} right`, () => move(index + 1), index >= count - 1),
        iconButton("close", `Take ${column.name} out of the comparison`, () => ask("remove_column", { key: column.key }))),
      strip(column),
      difference ? html("div", { class: "note" }, column.note) : html("label", { class: "note" },
        html("input", { type: "radio", name: "reference", checked: column.reference,
          "aria-label": `reference: ${column.name}`,
          onchange: () => ask("reference", { key: column.key }) }), "reference"));
    if (difference) return made;
    made.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", column.key));
    made.addEventListener("dragover", (event) => event.preventDefault());
    made.addEventListener("drop", (event) => {
      event.preventDefault();
      const key = event.dataTransfer.getData("text/plain");
      if (key !== column.key) ask("move_column", { key, to: index });
    });
    return made;
  };
  const begin = (row, index) => {
    const count = model.rows.length, made = frame(row, null);
    const move = (to) => ask("move_row", { key: row.key, to });
    return html("div", { class: "side" },
      html("div", { class: "box" }, made.canvas),
      html("div", { class: "title" },
        html("strong", { title: row.name }, row.name),
        iconButton("up", `Move ${row.name} up`, () => move(index - 1), index === 0),
        iconButton("down", `Move ${row.name} down`, () => move(index + 1), index === count - 1),
        iconButton("close", `Take ${row.name} out of the comparison`, () => ask("remove_row", { key: row.key }), count === 1)),
      html("label", { class: "note" }, "class ",
        html("select", { "aria-label": `Class explained for ${row.name}`,
          onchange: (event) => ask("retarget", { key: row.key, target: event.target.value }) },
          ...row.classes.map(([value, label]) => html("option", { value, selected: value === row.target }, label)))));
  };
  const numbers = (cell) => html("dl", {}, ...cell.numbers.map(([label, text, title]) =>
    html("div", { title }, html("dt", {}, label), html("dd", {}, text))));
  const body = (row, column, cell) => {
    const made = frame(row, cell), name = `${row.name} under ${column.name}`;
    const box = html("div", { class: "box" }, made.canvas, made.chip);
    if (cell.state === "failed") box.append(html("div", { class: "over failed" }, cell.note));
    if (cell.state === "waiting") box.append(html("div", { class: "over" }, "waiting"));
    if (cell.state === "running") {
      box.append(html("div", { class: "over" }, html("span", { class: "stage" }, model.stage || "starting"),
        html("progress", { max: "1", "aria-label": `Computing ${name}` })));
    }
    const open = column.kind === "design" && iconButton("open", `Open ${name} in the designer`,
      () => ask("open", { row: row.key, column: column.key }));
    const limit = cell.state === "done" && html("div", { class: "limit" },
      html("span", { title: "Relevance of the strongest colours" }, written(-cell.limit)),
      html("span", { class: "ramp" }), html("span", {}, written(cell.limit)), open);
    return html("div", { class: "cell", "data-state": cell.state, "data-cell": `${row.name} | ${column.name}` },
      box, limit, numbers(cell));
  };
  const twin = (cells) => {
    const labels = [...new Set(cells.flatMap(({ cell }) => cell.numbers.map(([label]) => label)))];
    const header = ["Picture", "Design", "R at the crosshair", ...labels].map((text) => html("th", { scope: "col" }, text));
    const lines = cells.map(({ row, column, cell, entry }) => {
      const found = new Map(cell.numbers.map(([label, text]) => [label, text]));
      const rest = labels.map((label) => html("td", {}, found.get(label) || ""));
      return html("tr", {}, html("td", {}, row.name), html("td", {}, column.name), entry,
        ...(cell.note ? [html("td", { colspan: labels.length || 1 }, cell.note)] : rest));
    });
    table.replaceChildren(html("caption", {}, "Every map of the comparison"),
      html("thead", {}, html("tr", {}, ...header)), html("tbody", {}, ...lines));
  };
  const build = () => {
    frames.length = 0;
    look = { table: model.table, sign: model.sign, overlay: model.overlay };
    side = sideFor(root.clientWidth);
    root.style.setProperty("--size", `${side}px`);
    root.style.setProperty("--ramp", ramp(model.table));
    board.style.gridTemplateColumns = `repeat(${model.columns.length + 1}, max-content)`;
    const found = new Map(model.cells.map((cell) => [`${cell.row} ${cell.column}`, cell]));
    const empty = { state: "waiting", numbers: [], map: "", limit: 1 };
    model.rows.forEach(loadPicture);
    const parts = [html("div", { class: "head" }, html("strong", {}, "Picture")), ...model.columns.map(head)];
    model.rows.forEach((row, index) => {
      parts.push(begin(row, index));
      for (const column of model.columns) {
        parts.push(body(row, column, found.get(`${row.key} ${column.key}`) || { ...empty, row: row.key, column: column.key }));
      }
    });
    const focused = root.getRootNode().activeElement && root.getRootNode().activeElement.getAttribute("aria-label");
    board.replaceChildren(...parts.filter(Boolean));
    if (focused) [...root.querySelectorAll("[aria-label]")].find((x) => x.getAttribute("aria-label") === focused)?.focus();
    const names = new Map(model.columns.map((column) => [column.key, column]));
    twin(frames.filter((f) => f.cell).map((f) => ({ ...f, column: names.get(f.cell.column) })));
    keepOnly(); fetchMissing(); paint();
  };
  // What the width leaves for each map, or one screen pixel for each of the map's if that is near.
  const sideFor = (width) => {
    const count = model.columns.length + 1, free = Math.floor((width - 4) / count) - GAP;
    const native = size()[0] / devicePixelRatio;
    return free >= native && free < 1.5 * native ? native : Math.min(Math.max(free, SMALLEST), LARGEST);
  };
  const ramp = (colours) => {
    const at = (i) => `rgb(${colours[3 * i]} ${colours[3 * i + 1]} ${colours[3 * i + 2]})`;
    return `linear-gradient(to right, ${[1, 32, 64, 96, 128, 160, 192, 224, 255].map(at).join(", ")})`;
  };
  const rebuild = framed(build);

  watch(model, ["rows", "columns", "cells", "table", "sign", "overlay"], rebuild);
  model.on("stage", () => root.querySelectorAll(".stage").forEach((x) => { x.textContent = model.stage; }));
  model.on("msg:custom", ({ map, relevance }) => {
    store.set(map, { shape: relevance.shape, values: relevance });
    if (side !== sideFor(root.clientWidth)) rebuild();
    forget(); paint();
  });
  const observer = new ResizeObserver(() => { if (side !== sideFor(root.clientWidth)) rebuild(); });
  observer.observe(root);
  model.on("remove", () => observer.disconnect());
  build();
  return root;
}
