export function render({ model }) {
  const root = html("div", {
    class: "thumbs", role: "group", "aria-label": "Pictures", style: { "--size": `${model.size}px` },
  });
  const ask = (kind, values) => tell(model, { kind, ...values });
  const thumb = ({ name, url }, index) => html(
    "div", { class: `thumb ${index === model.current ? "current" : ""}` },
    html("button", {
      class: "pick", title: name, "aria-label": `Explain ${name}`,
      "aria-pressed": String(index === model.current), onclick: () => ask("pick", { index }),
    }, html("img", { src: url, alt: "" })),
    model.pictures.length > 1
      ? html("button", { class: "remove", "aria-label": `Remove ${name}`, onclick: () => ask("remove", { index }) }, "×")
      : null,
  );
  const draw = () => root.replaceChildren(
    ...model.pictures.map(thumb),
    !model.can_add ? "" : html("button", {
      class: "add", title: "Open pictures", "aria-label": "Open pictures", onclick: () => ask("add", {}),
    }, "+"),
  );
  watch(model, ["pictures", "current"], framed(draw));
  draw();
  return root;
}
