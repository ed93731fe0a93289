export function render({ model }) {
  const heard = (event) => {
    const [target] = event.composedPath();
    if (target.matches?.("input:not([type=range]), textarea, [contenteditable]")) return;
    const held = [
      event.ctrlKey || event.metaKey ? "ctrl" : null, event.shiftKey ? "shift" : null, event.altKey ? "alt" : null,
    ].filter(Boolean);
    const name = model.keys[[...held, event.key.toLowerCase()].join("+")];
    if (!name) return;
    event.preventDefault();
    tell(model, { kind: "key", name });
  };
  document.addEventListener("keydown", heard);
  model.on("remove", () => document.removeEventListener("keydown", heard));
  return html("span", { hidden: true });
}
