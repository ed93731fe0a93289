const [WIDE, TALL, COLUMN, ROW] = [148, 36, 172, 62];

function shortened(text, length) {
  return text.length <= length ? text : `…${text.slice(text.length - length + 1)}`;
}

export function render({ model }) {
  const ask = (layers) => tell(model, { kind: "pick", layers });
  const parts = new Map(), lines = [];
  let view = { x: 0, y: 0, k: 1 }, active = null, placed = false, found = new Set();

  const scene = svg("g", {}), wires = svg("g", { class: "wires" });
  const boxes = svg("g", {
    role: "listbox", "aria-label": "Layers of the network; arrow keys follow the connections",
    "aria-multiselectable": "true",
  });
  const marquee = svg("rect", { class: "marquee", visibility: "hidden" });
  scene.append(wires, boxes, marquee);
  const board = svg("svg", { class: "board" }, scene);
  const map = html("canvas", { class: "map", "aria-hidden": "true", width: 110, height: 190 });

  // ------------------------------------------------------------------ the view
  const size = () => [board.clientWidth || 1, board.clientHeight || 1];
  const extent = () => {
    const xs = model.nodes.map((n) => n.x * COLUMN), ys = model.nodes.map((n) => n.y * ROW);
    for (const edge of model.edges) for (const [x] of edge.points) xs.push(x * COLUMN);
    return [Math.min(...xs) - WIDE / 2 - 16, -TALL, Math.max(...xs) + WIDE / 2 + 16, Math.max(...ys) + TALL];
  };
  const apply = framed(() => {
    scene.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.k})`);
    board.classList.toggle("far", view.k < 0.5);
    drawMap();
  });
  const zoom = (factor, at) => {
    const [w, h] = size(), [cx, cy] = at || [w / 2, h / 2];
    const k = Math.min(3, Math.max(0.02, view.k * factor)), by = k / view.k;
    view = { k, x: cx - (cx - view.x) * by, y: cy - (cy - view.y) * by };
    apply();
  };
  const fit = () => {
    const [w, h] = size(), [left, top, right, bottom] = extent();
    const k = Math.min(1.2, w / (right - left), h / (bottom - top));
    view = { k, x: (w - k * (left + right)) / 2, y: (h - k * (top + bottom)) / 2 };
    apply();
  };
  const start = () => {
    const [w, h] = size(), [left, top, right, bottom] = extent();
    const k = Math.min(1, Math.max(0.6, w / (right - left)), Math.max(0.8, h / (bottom - top)));
    view = { k, x: (w - k * (left + right)) / 2, y: 14 - k * top };
    apply();
  };
  const reveal = (ids) => {
    const [w, h] = size();
    const nodes = ids.map((i) => parts.get(i)?.node).filter(Boolean);
    const at = (n) => [n.x * COLUMN * view.k + view.x, n.y * ROW * view.k + view.y];
    if (!nodes.length || nodes.some((n) => {
      const [x, y] = at(n);
      return x > 20 && x < w - 20 && y > 20 && y < h - 20;
    })) return;
    const [x, y] = at(nodes[0]);
    view = { ...view, x: view.x + w / 2 - x, y: view.y + h / 2 - y };
    apply();
  };

  // ------------------------------------------------------------------ drawing
  const path = (points) => {
    const p = points.map(([x, y]) => [x * COLUMN, y * ROW]);
    const last = p.length - 1;
    p[0][1] += TALL / 2;
    p[last][1] -= TALL / 2 + 3;
    let d = `M${p[0][0]} ${p[0][1]}`;
    for (let i = 1; i <= last; i++) {
      const middle = (p[i - 1][1] + p[i][1]) / 2;
      d += ` C${p[i - 1][0]} ${middle} ${p[i][0]} ${middle} ${p[i][0]} ${p[i][1]}`;
    }
    return d;
  };
  const build = () => {
    parts.clear();
    lines.length = 0;
    wires.replaceChildren(...model.edges.map((edge) => {
      const line = svg("path", { d: path(edge.points), class: "wire" }, svg("title", {}));
      lines.push(line);
      return line;
    }));
    boxes.replaceChildren(...model.nodes.map((node) => {
      const folded = node.folded.length ? `merged into it: ${node.folded.join(", ")}` : "";
      const badge = svg("text", { class: "badge", x: WIDE / 2 - 8, y: 12, "text-anchor": "end" });
      const box = svg("rect", { class: "box", x: -WIDE / 2, y: -TALL / 2, width: WIDE, height: TALL, rx: 7 });
      const g = svg("g", {
          class: "node", transform: `translate(${node.x * COLUMN} ${node.y * ROW})`,
          role: "option", tabindex: -1, "data-at": node.id,
          onclick: (e) => { e.stopPropagation(); activate(node.id, false); pick(node.id, e); },
        },
        svg("title", {}, [`${node.name} (${node.op})`, folded].filter(Boolean).join("\n")),
        node.folded.length
          ? svg("rect", { class: "shadow", x: -WIDE / 2 + 4, y: -TALL / 2 + 5, width: WIDE - 8, height: TALL + 7, rx: 7 })
          : null,
        box,
        svg("text", { class: "name", x: -WIDE / 2 + 8, y: -3 }, shortened(node.name, 21)),
        svg("text", { class: "op", x: -WIDE / 2 + 8, y: 12 }, node.op),
        badge,
        node.folded.length
          ? svg("text", { class: "folded", x: -WIDE / 2 + 12, y: TALL / 2 + 9 },
              shortened(`+ ${node.folded.map((n) => n.split("/").pop()).join(", ")}`, 26))
          : null);
      parts.set(node.id, { node, g, box, badge, folded });
      return g;
    }));
    active = model.nodes.some((n) => n.id === active) ? active : (model.nodes[0]?.id ?? null);
    parts.get(active)?.g.setAttribute("tabindex", 0);
    paint();
    weigh();
  };
  const paint = () => {
    const chosen = new Set(model.selection);
    for (const [id, { node, g, box, badge, folded }] of parts) {
      const tint = model.tints[id], rule = model.badges[id] || "";
      box.style.fill = tint || "";
      g.classList.toggle("ruled", Boolean(tint));
      g.classList.toggle("chosen", chosen.has(id));
      g.classList.toggle("found", found.has(id));
      g.setAttribute("aria-selected", String(chosen.has(id)));
      g.setAttribute("aria-label", [node.name, node.op, rule, folded].filter(Boolean).join(", "));
      badge.textContent = rule.length + node.op.length > 21 ? shortened(rule, Math.max(6, 21 - node.op.length)) : rule;
    }
    board.classList.toggle("searching", found.size > 0);
    drawMap();
  };
  const weigh = () => {
    lines.forEach((line, i) => {
      const share = model.shares[i], known = share !== undefined && share !== null;
      line.style.strokeWidth = known ? 0.8 + 9 * Math.min(1, Math.abs(share)) : "";
      line.classList.toggle("known", known);
      line.classList.toggle("against", known && share < 0);
      const { tail, head } = model.edges[i];
      const ends = `${parts.get(tail)?.node.name} → ${parts.get(head)?.node.name}`;
      line.firstChild.textContent = known ? `${ends}: ${(100 * share).toFixed(1)} % of the relevance` : ends;
    });
  };
  const drawMap = () => {
    const pen = map.getContext("2d"), [left, top, right, bottom] = extent();
    const k = Math.min(map.width / (right - left), map.height / (bottom - top));
    const dx = (map.width - k * (right - left)) / 2 - k * left, dy = -k * top;
    const ink = getComputedStyle(root);
    pen.clearRect(0, 0, map.width, map.height);
    const chosen = new Set(model.selection);
    for (const { id, x, y } of model.nodes) {
      pen.fillStyle = chosen.has(id) ? ink.getPropertyValue("--accent") : model.tints[id] || "#9aa5b1";
      pen.fillRect(x * COLUMN * k + dx - Math.max(2, WIDE * k) / 2, y * ROW * k + dy - 1,
        Math.max(3, WIDE * k), Math.max(1.2, TALL * k));
    }
    const [w, h] = size();
    pen.strokeStyle = ink.getPropertyValue("--accent");
    pen.lineWidth = 1.5;
    pen.strokeRect((-view.x / view.k) * k + dx, (-view.y / view.k) * k + dy, (w / view.k) * k, (h / view.k) * k);
    map.dataset.k = k; map.dataset.dx = dx; map.dataset.dy = dy;
  };

  // ------------------------------------------------------------------ selecting
  const pick = (id, event) => {
    if (id < 0) return ask([]);
    const chosen = new Set(model.selection);
    if (event.shiftKey || event.ctrlKey || event.metaKey) {
      if (!chosen.delete(id)) chosen.add(id);
      ask([...chosen].sort((a, b) => a - b));
    } else ask(chosen.size === 1 && chosen.has(id) ? [] : [id]);
  };
  const activate = (id, focus = true) => {
    parts.get(active)?.g.setAttribute("tabindex", -1);
    active = id;
    const { g } = parts.get(id);
    g.setAttribute("tabindex", 0);
    if (focus) { reveal([id]); g.focus({ preventScroll: true }); }
  };
  const nearest = (ids, x) => ids.reduce((a, b) =>
    Math.abs(parts.get(b).node.x - x) < Math.abs(parts.get(a).node.x - x) ? b : a);
  boxes.addEventListener("keydown", (event) => {
    const here = parts.get(active)?.node;
    if (!here) return;
    const heads = model.edges.filter((e) => e.tail === active).map((e) => e.head);
    const tails = model.edges.filter((e) => e.head === active).map((e) => e.tail);
    const row = model.nodes.filter((n) => n.y === here.y).sort((a, b) => a.x - b.x).map((n) => n.id);
    const place = row.indexOf(active);
    const to = {
      ArrowDown: heads.length ? nearest(heads, here.x) : null,
      ArrowUp: tails.length ? nearest(tails, here.x) : null,
      ArrowLeft: row[place - 1], ArrowRight: row[place + 1],
      Home: model.nodes[0].id, End: model.nodes[model.nodes.length - 1].id,
    };
    if (event.key in to) { if (to[event.key] !== null && to[event.key] !== undefined) activate(to[event.key]); }
    else if (event.key === "Enter" || event.key === " ") pick(active, event);
    else if (event.key === "Escape") ask([]);
    else if (event.key === "f") fit();
    else if (event.key === "+") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else return;
    event.preventDefault();
  });

  // ------------------------------------------------------------------ mouse on the board
  board.addEventListener("wheel", (event) => {
    event.preventDefault();
    const r = board.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * 0.0016), [event.clientX - r.left, event.clientY - r.top]);
  }, { passive: false });
  board.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const from = [event.clientX, event.clientY], was = { ...view };
    const r = board.getBoundingClientRect();
    const inScene = (e) => [(e.clientX - r.left - view.x) / view.k, (e.clientY - r.top - view.y) / view.k];
    const [x0, y0] = inScene(event), boxing = event.shiftKey;
    let moved = false;
    const follow = (e) => {
      const [dx, dy] = [e.clientX - from[0], e.clientY - from[1]];
      if (!moved && Math.hypot(dx, dy) < 4) return;
      if (!moved) board.setPointerCapture(event.pointerId);
      moved = true;
      if (!boxing) { view = { ...was, x: was.x + dx, y: was.y + dy }; apply(); return; }
      const [x, y] = inScene(e);
      fill(marquee, {
        x: Math.min(x, x0), y: Math.min(y, y0), width: Math.abs(x - x0), height: Math.abs(y - y0),
        visibility: "visible",
      }, []);
    };
    const done = (e) => {
      board.removeEventListener("pointermove", follow);
      marquee.setAttribute("visibility", "hidden");
      if (!moved) {
        if (!event.target.closest(".node")) ask([]);
        return;
      }
      board.addEventListener("click", (c) => c.stopPropagation(), { capture: true, once: true });
      setTimeout(() => board.dispatchEvent(new MouseEvent("click")), 0);
      if (!boxing) return;
      const [x, y] = inScene(e), [l, rr] = [Math.min(x, x0), Math.max(x, x0)];
      const [t, b] = [Math.min(y, y0), Math.max(y, y0)];
      ask(model.nodes.filter((n) => n.id >= 0 && n.x * COLUMN + WIDE / 2 >= l && n.x * COLUMN - WIDE / 2 <= rr
        && n.y * ROW + TALL / 2 >= t && n.y * ROW - TALL / 2 <= b).map((n) => n.id));
    };
    board.addEventListener("pointermove", follow);
    board.addEventListener("pointerup", done, { once: true });
  });
  map.addEventListener("pointerdown", (event) => {
    const go = (e) => {
      const r = map.getBoundingClientRect(), [w, h] = size(), { k, dx, dy } = map.dataset;
      const x = (e.clientX - r.left - dx) / k, y = (e.clientY - r.top - dy) / k;
      view = { ...view, x: w / 2 - x * view.k, y: h / 2 - y * view.k };
      apply();
    };
    map.setPointerCapture(event.pointerId);
    map.addEventListener("pointermove", go);
    map.addEventListener("pointerup", () => map.removeEventListener("pointermove", go), { once: true });
    go(event);
  });

  // ------------------------------------------------------------------ search
  const count = html("span", { class: "count", role: "status" });
  const search = html("input", {
    type: "search", placeholder: "Find a layer", "aria-label": "Find layers by name or type", autocomplete: "off",
    oninput: () => {
      const text = search.value.trim().toLowerCase();
      const fits = (n) => text && `${n.name} ${n.op} ${model.badges[n.id] || ""}`.toLowerCase().includes(text);
      found = new Set(model.nodes.filter(fits).map((n) => n.id));
      count.textContent = text ? `${found.size} found` : "";
      paint();
      reveal([...found].slice(0, 1));
    },
    onkeydown: (e) => {
      if (e.key === "Enter" && found.size) ask([...found].filter((i) => i >= 0));
      if (e.key === "Escape") { search.value = ""; found = new Set(); count.textContent = ""; paint(); }
    },
  });
  const tool = (text, title, f) => html("button", { title, "aria-label": title, onclick: f }, text);
  const root = html("div", { class: "graph" },
    html("div", { class: "tools" }, search,
      tool("Select found", "Select all layers that were found", () => found.size && ask([...found].filter((i) => i >= 0))),
      count, html("span", { class: "space" }),
      tool("−", "Zoom out", () => zoom(0.8)), tool("+", "Zoom in", () => zoom(1.25)),
      tool("Fit", "Show the whole network (f)", fit)),
    board, map);

  watch(model, ["nodes", "edges"], framed(() => { build(); placed ? start() : null; }));
  watch(model, ["tints", "badges"], framed(paint));
  model.on("shares", framed(weigh));
  model.on("selection", () => { paint(); if (!root.matches(":focus-within")) reveal(model.selection); });
  new ResizeObserver(() => {
    if (!board.clientHeight) return;
    if (!placed) { placed = true; start(); reveal(model.selection); } else apply();
  }).observe(board);
  build();
  return root;
}
