// What the curves of a chart are called; each name is a button that hides its curve.

const DASHES = { solid: null, dashed: "6", dotted: "2 4", dotdash: "2 4 6 4" };
const MARKS = {
  circle: "M20 3 a5 5 0 1 0 .01 0Z",
  square: "M16 4 h8 v8 h-8Z",
  triangle: "M20 3 L25.5 12 H14.5Z",
  diamond: "M20 2 L25 8 L20 14 L15 8Z",
  inverted_triangle: "M20 13 L25.5 4 H14.5Z",
  star: "M20 2 L21.6 6.3 L26 6.4 L22.6 9 L23.8 13.4 L20 10.9 L16.2 13.4 L17.4 9 L14 6.4 L18.4 6.3Z",
  plus: "M18.5 3 h3 v3.5 h3.5 v3 h-3.5 v3.5 h-3 v-3.5 h-3.5 v-3 h3.5Z",
};

function sample({ colour, dash, mark }) {
  const line = { d: "M0 8 H40", stroke: colour, "stroke-width": 2, "stroke-dasharray": DASHES[dash], fill: "none" };
  return svg("svg", { width: 40, height: 16, "aria-hidden": "true" },
    svg("path", line), mark ? svg("path", { d: MARKS[mark], fill: colour }) : null);
}

export function render({ model, el }) {
  const list = html("div", { class: "legend", role: "group", "aria-label": "Curves" });
  el.append(list);
  const toggle = (name) => {
    const hidden = new Set(model.hidden);
    if (!hidden.delete(name)) hidden.add(name);
    model.hidden = [...hidden];
  };
  const show = framed(() => {
    list.replaceChildren(...model.items.map((item) => html("button", {
      type: "button",
      title: model.hidden.includes(item.name) ? "Show this curve" : "Hide this curve",
      "aria-pressed": String(!model.hidden.includes(item.name)),
      onclick: () => toggle(item.name),
    }, sample(item), html("span", {}, item.name))));
  });
  watch(model, ["items", "hidden"], show);
  show();
}
