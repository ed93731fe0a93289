export function render({ model }) {
  const heading = html("div", { class: "heading", id: "heading" });
  const board = html("div", { class: "options", role: "group", "aria-labelledby": "heading" });
  const wrong = html("div", { class: "wrong", role: "alert" });
  const root = html("div", { class: "choices" }, heading, board, wrong);
  const button = (i) => html("button", {
    onclick: () => tell(model, { kind: "choose", key: model.options[i].key }),
  });
  // Buttons stay: one that is made anew between press and release would lose the click.
  const fill = (node, { key, label, title, off }) => {
    set(node, {
      "data-key": key, title, disabled: Boolean(off), "aria-pressed": String(key === model.chosen),
    });
    if (node.given !== label) { node.innerHTML = label; node.given = label; }
  };
  const draw = () => {
    root.classList.toggle("beside", model.beside);
    heading.textContent = model.heading;
    board.style.setProperty("--columns", model.columns || model.options.length);
    keep(board, model.options, button, fill);
    wrong.textContent = model.wrong;
  };
  watch(model, ["heading", "options", "chosen", "columns", "beside", "wrong"], framed(draw));
  draw();
  return root;
}
