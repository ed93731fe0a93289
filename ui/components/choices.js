export function render({ model }) {
  const heading = html("div", { class: "heading", id: "heading" });
  const board = html("div", { class: "options", role: "group", "aria-labelledby": "heading" });
  const wrong = html("div", { class: "wrong", role: "alert" });
  const draw = () => {
    heading.textContent = model.heading;
    board.style.setProperty("--columns", model.columns || model.options.length);
    const focused = board.getRootNode().activeElement?.dataset?.key;
    board.replaceChildren(...model.options.map(({ key, label, title, off }) => {
      const button = html("button", {
        "data-key": key, title, disabled: off, "aria-pressed": String(key === model.chosen),
        onclick: () => tell(model, { kind: "choose", key }),
      });
      button.innerHTML = label;
      return button;
    }));
    if (focused) board.querySelector(`[data-key="${focused}"]`)?.focus();
    wrong.textContent = model.wrong;
  };
  watch(model, ["heading", "options", "chosen", "columns", "wrong"], framed(draw));
  draw();
  return html("div", { class: "choices" }, heading, board, wrong);
}
