const TAGS = { target: "explained", versus: "less this" };

export function render({ model }) {
  const root = html("div", { class: "classes", role: "group", "aria-label": "Classes" });
  const row = (i) => html(
    "button",
    {
      onclick: (event) => tell(model, {
        kind: event.shiftKey || event.ctrlKey || event.metaKey ? "against" : "pick",
        index: model.classes[i].index,
      }),
    },
    html("span", { class: "bar" }), html("span", { class: "number" }),
    html("span", { class: "name" }), html("span", { class: "tag" }),
  );
  // Rows stay: one that is made anew between press and release would lose the click.
  const fill = (node, { index, label, text, share }) => {
    const kind = index === model.target ? "target" : index === model.versus ? "versus" : "";
    const [bar, number, name, tag] = node.children;
    set(node, {
      class: `class ${kind}`, "aria-pressed": String(kind === "target"), "data-index": index,
      title: `${label} (class ${index}). Click: explain it. Shift-click: explain the difference to it.`,
    });
    set(bar, { style: { width: `${100 * share}%` } });
    number.textContent = text;
    name.textContent = label;
    tag.textContent = TAGS[kind] || "";
  };
  const draw = () => {
    root.classList.toggle("stale", model.stale);
    keep(root, model.classes, row, fill);
  };
  watch(model, ["classes", "target", "versus", "stale"], framed(draw));
  draw();
  return root;
}
