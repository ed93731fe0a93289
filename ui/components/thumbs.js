export function render({ model }) {
  const root = html("div", {
    class: "thumbs", role: "group", "aria-label": "Pictures",
    style: { "--size": `${model.size}px`, "max-height": model.most },
  });
  const ask = (kind, values) => tell(model, { kind, ...values });
  const thumb = (index) => html("div", { class: "thumb" },
    html("button", { class: "pick", onclick: () => ask("pick", { index }) }, html("img", { alt: "" })),
    html("button", { class: "remove", onclick: () => ask("remove", { index }) }, "×"));
  const board = html("div", { class: "board" });
  const draw = () => {
    keep(board, model.pictures, thumb, (node, { name, url }, index) => {
      const current = index === model.current, [pick, remove] = node.children;
      node.classList.toggle("current", current);
      set(pick, { title: name, "aria-label": `Explain ${name}`, "aria-pressed": String(current) });
      set(pick.firstChild, { src: url });
      set(remove, { "aria-label": `Remove ${name}`, hidden: model.pictures.length < 2 });
    });
  };
  root.append(board);
  if (model.can_add) {
    root.append(html("button", {
      class: "add", title: "Open pictures", "aria-label": "Open pictures", onclick: () => ask("add", {}),
    }, "+"));
  }
  watch(model, ["pictures", "current"], framed(draw));
  draw();
  return root;
}
