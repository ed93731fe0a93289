// A picture and its heatmap side by side; a brush on either paints on both.

function element(tag, cls, parent, attributes = {}) {
  const made = html(tag, { class: cls || null, ...attributes });
  parent.append(made);
  return made;
}

export function render({ model, el }) {
  const root = element("div", "brush", el);
  const sides = ["picture", "heatmap"].map((what) => {
    const figure = element("figure", "", root);
    const frame = element("div", "frame", figure);
    const image = element("img", "", frame, { alt: "", draggable: "false" });
    const canvas = element("canvas", "", frame, { tabindex: 0, role: "application" });
    canvas.setAttribute("aria-label", `Brush on the ${what}. Arrow keys move it, space paints, ` +
      "plus and minus change its size, backspace takes the last stroke back.");
    element("figcaption", "", figure).textContent = what;
    listen(canvas);
    return { what, frame, image, canvas }
  });
  let cursor = null; // where the brush is, in pixels of the picture
  let stroke = null; // what is being painted: {radius, points: [[x, y], …]}

  function listen(canvas) {
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [
        ((event.clientX - box.left) / box.width) * model.columns,
        ((event.clientY - box.top) / box.height) * model.rows,
      ].map((v) => Math.round(v * 10) / 10);
    }
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      cursor = at(event);
      stroke = { radius: model.radius, points: [cursor] }
      draw();
    });
    canvas.addEventListener("pointermove", (event) => {
      cursor = at(event);
      const last = stroke?.points.at(-1);
      if (last && Math.hypot(cursor[0] - last[0], cursor[1] - last[1]) >= 1) stroke.points.push(cursor);
      draw();
    });
    const end = () => {
      if (!stroke) return;
      model.strokes = [...model.strokes, stroke];
      stroke = null;
      draw();
    }
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("pointerleave", () => { if (!stroke) { cursor = null; draw() } });
    canvas.addEventListener("keydown", key);
    canvas.addEventListener("blur", () => { cursor = null; draw() });
  }

  function key(event) {
    const far = event.shiftKey ? 1 : Math.max(2, Math.round(model.radius / 2));
    const moves = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }
    const undo = event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey));
    cursor ??= [model.columns / 2, model.rows / 2];
    if (moves[event.key]) {
      const [dx, dy] = moves[event.key];
      cursor = [
        Math.min(model.columns, Math.max(0, cursor[0] + dx)),
        Math.min(model.rows, Math.max(0, cursor[1] + dy)),
      ];
    } else if (event.key === " " || event.key === "Enter") {
      model.strokes = [...model.strokes, { radius: model.radius, points: [cursor] }];
    } else if (event.key === "+" || event.key === "-") {
      model.radius = Math.min(60, Math.max(1, model.radius + (event.key === "+" ? 1 : -1)));
    } else if (undo) {
      model.strokes = model.strokes.slice(0, -1);
    } else return;
    event.preventDefault();
    event.stopPropagation();
    draw();
  }

  function draw() {
    for (const { canvas } of sides) {
      const width = canvas.clientWidth, height = canvas.clientHeight;
      if (!width) continue;
      const ratio = window.devicePixelRatio || 1;
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      const scale = (width / model.columns) * ratio;
      const pen = canvas.getContext("2d");
      pen.lineCap = pen.lineJoin = "round";
      pen.strokeStyle = pen.fillStyle = "#000000";
      for (const { radius, points } of [...model.strokes, ...(stroke ? [stroke] : [])]) {
        pen.lineWidth = 2 * radius * scale;
        pen.beginPath();
        pen.moveTo(points[0][0] * scale, points[0][1] * scale);
        for (const [x, y] of points.slice(1)) pen.lineTo(x * scale, y * scale);
        pen.stroke();
        pen.beginPath();
        pen.arc(points[0][0] * scale, points[0][1] * scale, radius * scale, 0, 7);
        pen.fill();
      }
      if (cursor) {
        for (const [colour, wide] of [["#000000", 3], ["#ffffff", 1.5]]) {
          pen.strokeStyle = colour;
          pen.lineWidth = wide * ratio;
          pen.beginPath();
          pen.arc(cursor[0] * scale, cursor[1] * scale, model.radius * scale, 0, 7);
          pen.stroke();
        }
      }
    }
  }

  function show() {
    for (const { what, frame, image } of sides) {
      frame.style.aspectRatio = `${model.columns} / ${model.rows}`;
      image.src = model[what];
      image.alt = what;
    }
    draw();
  }
  watch(model, ["picture", "heatmap", "rows", "columns"], framed(show));
  watch(model, ["strokes", "radius"], draw);
  const sizes = new ResizeObserver(draw);
  sizes.observe(root);
  model.on("remove", () => sizes.disconnect());
  show();
}
