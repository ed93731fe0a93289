export function render({ model }) {
  const root = html("div", { class: "classes", role: "group", "aria-label": "Classes" });
  const row = ({ index, label, text, share }) => {
    const kind = index === model.target ? "target" : index === model.versus ? "versus" : "";
    const tag = { target: "explained", versus: "less this" }[kind] || "";
    return html(
      "button",
      {
        class: `class ${kind}`,
        title: `${label} (class ${index}). Click: explain it. Shift-click: explain the difference to it.`,
        "aria-pressed": String(kind === "target"),
        "data-index": String(index),
        onclick: (event) => tell(model, {
          kind: event.shiftKey || event.ctrlKey || event.metaKey ? "against" : "pick", index,
        }),
      },
      html("span", { class: "bar", style: { width: `${100 * share}%` } }),
      html("span", { class: "number" }, text),
      html("span", { class: "name" }, label),
      html("span", { class: "tag" }, tag),
    );
  };
  const draw = framed(() => {
    const focused = root.getRootNode().activeElement?.dataset?.index;
    root.replaceChildren(...model.classes.map(row));
    if (focused) root.querySelector(`[data-index="${focused}"]`)?.focus();
  });
  watch(model, ["classes", "target", "versus"], draw);
  draw();
  return root;
}
