const GAP = 60; // pixels of the read-out's height, which goes to the other end when in the way

function floats(bytes) {
  const raw = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  return new Float32Array(raw.slice().buffer);
}

function octets(bytes) {
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
}

function written(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  return size >= 1e4 || size < 1e-3 ? value.toExponential(2) : value.toPrecision(3);
}

export function render({ model }) {
  const canvas = html("canvas", { role: "img", tabindex: "0" });
  const mark = html("div", { class: "mark" }), value = html("div", { class: "value", role: "status" });
  const root = html("div", { class: "heatmap" }, canvas, mark, value);
  let values = new Float32Array(0), at = null;

  const paint = () => {
    const { rows, columns, limit, sign, overlay } = model, table = octets(model.table);
    root.classList.toggle("empty", values.length === 0);
    if (!rows || values.length !== rows * columns || table.length !== 768) return;
    root.style.width = model.room ? `min(100%, ${columns / rows} * (${model.room}))` : "";
    const grey = model.under.byteLength ? octets(model.under) : null;
    const map = { values, shape: [rows, columns] };
    const image = coloured(map, limit, { sign, overlay, table }, grey);
    Object.assign(canvas, { width: columns, height: rows });
    canvas.getContext("2d").drawImage(image, 0, 0);
    canvas.dataset.drawn = String(Number(canvas.dataset.drawn || 0) + 1);
    read();
  };
  const draw = framed(paint);

  const take = () => {
    values = floats(model.values);
    draw();
  };

  const say = () => {
    root.classList.toggle("stale", model.stale);
    canvas.setAttribute("aria-label", model.label);
  };

  const read = () => {
    const shown = at !== null && at.x < model.columns && at.y < model.rows && values.length > 0;
    mark.style.display = value.style.display = shown ? "block" : "none";
    if (!shown) return;
    const box = canvas.getBoundingClientRect();
    const w = box.width / model.columns, h = box.height / model.rows;
    Object.assign(mark.style, {
      left: `${at.x * w}px`, top: `${at.y * h}px`, width: `${w}px`, height: `${h}px`,
    });
    const r = values[at.y * model.columns + at.x];
    const share = model.total ? ` · ${written((100 * r) / model.total)} %` : "";
    value.textContent = `x ${at.x}  y ${at.y}  R ${written(r)}${share}`;
    value.classList.toggle("up", at.y * h > box.height - GAP);
  };

  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    at = {
      x: Math.min(model.columns - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * model.columns))),
      y: Math.min(model.rows - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * model.rows))),
    };
    read();
  };

  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerleave", () => { at = null; read(); });
  canvas.addEventListener("blur", () => { at = null; read(); });
  canvas.addEventListener("click", () => tell(model, { kind: "open" }));
  canvas.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 10 : 1;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (event.key === "Enter") tell(model, { kind: "open" });
    if (!move) return;
    event.preventDefault();
    const from = at || { x: Math.floor(model.columns / 2), y: Math.floor(model.rows / 2) };
    at = {
      x: Math.min(model.columns - 1, Math.max(0, from.x + move[0])),
      y: Math.min(model.rows - 1, Math.max(0, from.y + move[1])),
    };
    read();
  });
  watch(model, ["values"], take);
  watch(model, ["limit", "sign", "table", "under", "overlay", "rows", "columns"], draw);
  watch(model, ["total"], () => read());
  watch(model, ["stale", "label"], say);
  say();
  take();
  return root;
}
