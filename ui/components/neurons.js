// Neurons of one layer: three strips of dots (R⁺, R⁻, activation) and a matrix of squares.
// One selection; what the pointer or a key does shows at once, and is told to Python when it is done.

const REDS = ["#ffffff", "#f2997c", "#c4302f", "#67081f"].map(rgb);
const BLUES = ["#ffffff", "#7db3da", "#1f66ae", "#0b2f66"].map(rgb);
const STRIPS = [
  { key: "positive", name: "R⁺", colour: "#c4302f", first: (a, b) => b - a },
  { key: "negative", name: "R⁻", colour: "#2f7fc4", first: (a, b) => a - b },
  { key: "activation", name: "activation", colour: "#6d8a3c", first: (a, b) => b - a },
];
const STRIP = 44; // height of a strip
const EDGE = 7; // room left and right of its dots
const ACCENT = "#ff9d00";

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

function shade(anchors, share) {
  const at = Math.min(Math.max(share, 0), 1) * (anchors.length - 1);
  const low = Math.min(Math.floor(at), anchors.length - 2);
  const mixed = anchors[low].map((c, k) => Math.round(c + (anchors[low + 1][k] - c) * (at - low)));
  return `rgb(${mixed})`;
}

function jitter(i) { // the same for a neuron every time
  const x = Math.sin(i * 12.9898 + 4.1414) * 43758.5453;
  return x - Math.floor(x);
}

function number(v) {
  const size = Math.abs(v);
  const text = v === 0 ? "0" : size >= 1e5 || size < 1e-3 ? v.toExponential(1) : v.toPrecision(3);
  return text.replace("-", "−");
}

function element(tag, cls, parent, attributes = {}) {
  const made = html(tag, { class: cls || null, ...attributes });
  parent.append(made);
  return made;
}

function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
  }
  const draw = canvas.getContext("2d");
  draw.setTransform(ratio, 0, 0, ratio, 0, 0);
  draw.clearRect(0, 0, width, height);
  return draw;
}

export function render({ model, el }) {
  const root = element("div", "neurons", el);
  const head = element("div", "head", root);
  const title = element("span", "title", head);
  const count = element("span", "count", head, { "aria-live": "polite" });
  const read = element("span", "read", head);
  const body = element("div", "body", root);
  const left = element("div", "strips", body);
  const matrix = element("canvas", "matrix", element("div", "squares", body), { tabindex: 0, role: "application" });
  let selected = new Set(model.selected);
  let values = {}, total = 0, hovered = -1, cursor = 0, columns = 1, cell = 12;

  const strips = STRIPS.map((kind) => {
    const row = element("div", "strip", left);
    element("span", "name", row).textContent = kind.name;
    const middle = element("div", "plot", row);
    const canvas = element("canvas", "dots", middle, { tabindex: 0, role: "application" });
    const ends = element("div", "ends", middle);
    const strip = { ...kind, canvas, brush: null, low: element("span", "", ends), high: element("span", "", ends) };
    stripPointer(strip);
    canvas.addEventListener("keydown", (event) => stripKey(strip, event));
    return strip;
  });

  function take() {
    values = model.neurons;
    total = values.positive.length;
    selected = new Set(model.selected);
    cursor = Math.min(cursor, Math.max(total - 1, 0));
    for (const strip of strips) {
      const all = values[strip.key];
      strip.min = Math.min(0, ...all);
      strip.max = Math.max(0, ...all);
      if (strip.min === strip.max) strip.max = 1;
      strip.low.textContent = number(strip.min);
      strip.high.textContent = all.some((v) => v !== 0) ? number(strip.max) : "";
      strip.brush = null;
      strip.order = [...all.keys()].sort((a, b) => strip.first(all[a], all[b]) || a - b);
      strip.canvas.setAttribute("aria-label", `${strip.name} of ${model.layer}, ${total} neurons from ` +
        `${number(strip.min)} to ${number(strip.max)}. Drag to select a range; right and left arrow select ` +
        "one more or one less from the top, page keys ten, escape none.");
    }
    title.textContent = model.layer;
    draw();
  }

  function draw() {
    count.textContent = `${total} neurons, ${selected.size} selected`;
    read.textContent = hovered < 0 ? "" : describe(hovered);
    strips.forEach(drawStrip);
    drawMatrix();
  }

  function describe(i) {
    return `neuron ${i}: R⁺ ${number(values.positive[i])}, R⁻ ${number(values.negative[i])}, ` +
      `activation ${number(values.activation[i])}`;
  }

  function place(strip, value) {
    const width = strip.canvas.clientWidth - 2 * EDGE;
    return EDGE + ((value - strip.min) / (strip.max - strip.min)) * width;
  }

  function drawStrip(strip) {
    const width = strip.canvas.clientWidth;
    if (!width) return;
    const pen = fit(strip.canvas, width, STRIP);
    if (strip.brush) {
      const [a, b] = strip.brush;
      pen.fillStyle = "rgba(255, 157, 0, 0.22)";
      pen.fillRect(Math.min(a, b), 0, Math.abs(b - a), STRIP);
    }
    pen.fillStyle = "rgba(128, 128, 128, 0.6)";
    pen.fillRect(place(strip, 0), 0, 1, STRIP);
    const dot = (i, size, fill, edge) => {
      pen.beginPath();
      pen.arc(place(strip, values[strip.key][i]), 6 + jitter(i) * (STRIP - 12), size, 0, 7);
      pen.fillStyle = fill;
      pen.fill();
      if (edge) { pen.strokeStyle = edge; pen.lineWidth = 1.5; pen.stroke() }
    }
    pen.globalAlpha = selected.size ? 0.35 : 0.6;
    for (let i = 0; i < total; i++) if (!selected.has(i)) dot(i, 2.5, strip.colour);
    pen.globalAlpha = 1;
    for (const i of selected) if (i < total) dot(i, 4, strip.colour, ACCENT);
    if (hovered >= 0) dot(hovered, 5.5, strip.colour, "#808080");
  }

  function drawMatrix() {
    const width = matrix.parentElement.clientWidth;
    if (!width || !total) return;
    cell = Math.max(13, Math.min(30, Math.floor(Math.sqrt((width * 4.2 * STRIP) / total))));
    columns = Math.max(1, Math.floor(width / cell));
    const pen = fit(matrix, width, Math.ceil(total / columns) * cell);
    const most = Math.max(strips[0].max, -strips[1].min) || 1;
    for (let i = 0; i < total; i++) {
      const [x, y, size] = [(i % columns) * cell, Math.floor(i / columns) * cell, cell - 1];
      pen.fillStyle = shade(REDS, values.positive[i] / most);
      pen.fillRect(x, y, size, size);
      pen.fillStyle = shade(BLUES, -values.negative[i] / most);
      pen.beginPath();
      pen.moveTo(x + size, y), pen.lineTo(x + size, y + size), pen.lineTo(x, y + size);
      pen.fill();
      pen.strokeStyle = "#d5d9de";
      pen.lineWidth = 1;
      pen.strokeRect(x + 0.5, y + 0.5, size, size);
    }
    const digits = String(total - 1).length;
    pen.font = `600 ${Math.min(11, (1.55 * cell) / digits)}px sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (const i of selected) {
      const [x, y] = [(i % columns) * cell, Math.floor(i / columns) * cell];
      pen.strokeStyle = ACCENT;
      pen.lineWidth = 2.5;
      pen.strokeRect(x + 0.5, y + 0.5, cell - 2, cell - 2);
      pen.lineWidth = 3;
      pen.strokeStyle = "#ffffff";
      pen.strokeText(i, x + cell / 2, y + cell / 2);
      pen.fillStyle = "#111111";
      pen.fillText(i, x + cell / 2, y + cell / 2);
    }
    const ring = (i, colour) => {
      pen.strokeStyle = colour;
      pen.lineWidth = 2;
      pen.strokeRect((i % columns) * cell + 2, Math.floor(i / columns) * cell + 2, cell - 5, cell - 5);
    }
    if (hovered >= 0) ring(hovered, "#555555");
    if (matrix.matches(":focus-visible")) ring(cursor, "#111111");
  }

  function choose(neurons) {
    selected = new Set(neurons);
    draw();
  }

  function tell() {
    const now = [...selected].filter((i) => i < total).sort((a, b) => a - b);
    if (JSON.stringify(now) !== JSON.stringify(model.selected)) model.selected = now;
  }

  function forget(but) {
    for (const strip of strips) if (strip !== but) strip.brush = null;
  }

  function stripPointer(strip) {
    const { canvas } = strip;
    let before = null;
    const at = (event) => event.clientX - canvas.getBoundingClientRect().left;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      before = event.shiftKey ? [...selected] : [];
      strip.brush = [at(event), at(event)];
      forget(strip);
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = [at(event), event.clientY - canvas.getBoundingClientRect().top];
      if (!before) {
        hovered = nearest(strip, x, y);
        return draw();
      }
      strip.brush[1] = x;
      const [a, b] = [...strip.brush].sort((p, q) => p - q);
      const inside = (i) => { const p = place(strip, values[strip.key][i]); return p >= a && p <= b }
      choose([...before, ...strip.order.filter(inside)]);
    });
    canvas.addEventListener("pointerup", () => {
      if (!before) return;
      if (Math.abs(strip.brush[1] - strip.brush[0]) < 3) { // a click
        strip.brush = null;
        choose(hovered < 0 ? before : [...before, hovered]);
      }
      before = null;
      tell();
    });
    canvas.addEventListener("pointerleave", () => { if (!before) { hovered = -1; draw() } });
  }

  function nearest(strip, x, y) {
    let best = -1, closest = 8;
    for (let i = 0; i < total; i++) {
      const far = Math.hypot(place(strip, values[strip.key][i]) - x, 6 + jitter(i) * (STRIP - 12) - y);
      if (far < closest) [best, closest] = [i, far];
    }
    return best;
  }

  function stripKey(strip, event) {
    const more = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (more === undefined && event.key !== "Escape") return;
    event.preventDefault();
    forget();
    const many = event.key === "Escape" ? 0 : Math.min(total, Math.max(0, selected.size + more));
    choose(strip.order.slice(0, many));
    tell();
  }

  function matrixAt(event) {
    const box = matrix.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / cell);
    const i = Math.floor((event.clientY - box.top) / cell) * columns + column;
    return column < columns && i >= 0 && i < total ? i : -1;
  }

  let painting = null; // whether the drag selects or lets go
  matrix.addEventListener("pointerdown", (event) => {
    const i = matrixAt(event);
    if (i < 0) return;
    matrix.setPointerCapture(event.pointerId);
    forget();
    cursor = i;
    painting = !selected.has(i);
    paint(i);
  });
  matrix.addEventListener("pointermove", (event) => {
    hovered = matrixAt(event);
    if (painting !== null && hovered >= 0) paint(hovered);
    else draw();
  });
  matrix.addEventListener("pointerup", () => { painting = null; tell() });
  matrix.addEventListener("pointerleave", () => { hovered = -1; draw() });

  function paint(i) {
    choose(painting ? [...selected, i] : [...selected].filter((each) => each !== i));
  }

  matrix.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -total, End: total }[event.key];
    if (event.key === " " || event.key === "Enter") {
      forget();
      painting = !selected.has(cursor);
      paint(cursor);
      painting = null;
      tell();
    } else if (event.key === "Escape") {
      forget();
      choose([]);
      tell();
    } else if (step !== undefined) {
      cursor = Math.min(total - 1, Math.max(0, cursor + step));
      hovered = cursor;
      draw();
    } else return;
    event.preventDefault();
  });
  matrix.setAttribute("aria-label", "Neuron matrix: red above for R⁺, blue below for R⁻. Arrow keys move, space selects, escape lets go of all.");
  matrix.addEventListener("focus", draw);
  matrix.addEventListener("blur", draw);

  model.on("neurons", take);
  model.on("selected", () => {
    if (JSON.stringify([...selected].sort((a, b) => a - b)) === JSON.stringify(model.selected)) return;
    forget();
    choose(model.selected);
  });
  const sizes = new ResizeObserver(draw);
  sizes.observe(root);
  model.on("remove", () => sizes.disconnect());
  take();
}
