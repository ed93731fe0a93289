export function render({ model }) {
  const root = html("nav", { role: "tablist", "aria-label": "Views" });
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = [...root.children], at = all.indexOf(event.target);
    const next = all[(at + step + all.length) % all.length];
    next.focus();
    next.click();
  };
  const draw = () => {
    const focused = root.getRootNode().activeElement?.dataset?.key;
    root.replaceChildren(...model.places.map(({ key, title }) => html("button", {
      role: "tab", "data-key": key, "aria-selected": String(key === model.current),
      tabindex: key === model.current ? "0" : "-1",
      onclick: () => tell(model, { kind: "go", key }), onkeydown: move,
    }, title)));
    if (focused) root.querySelector(`[data-key="${focused}"]`)?.focus();
  };
  watch(model, ["places", "current"], framed(draw));
  draw();
  return root;
}
