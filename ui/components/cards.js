const ICONS = {
  rename: "M4 20h4L19 9l-4-4L4 16z",
  duplicate: "M9 9h11v11H9zM5 15H4V4h11v1",
  delete: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
};

export function render({ model }) {
  const root = html("div", { class: "cards", role: "group", "aria-label": "Designs" });
  let renaming = "";

  const ask = (kind, values) => tell(model, { kind, ...values });
  const icon = (name, label, act) => {
    const picture = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
    return html("button", {
      class: "act", title: label, "aria-label": label,
      onclick: (event) => { event.stopPropagation(); act(); },
    }, picture);
  };

  const title = (design) => {
    if (renaming !== design.id) {
      return html("button", {
        class: "title", title: design.name, "aria-pressed": String(design.id === model.current),
        ondblclick: (event) => { event.stopPropagation(); rename(design.id); },
      }, design.name);
    }
    const field = html("input", { value: design.name, "aria-label": "Name of the design", maxlength: "80" });
    const end = (keep) => {
      if (renaming !== design.id) return;
      renaming = "";
      const name = field.value.trim();
      if (keep && name && name !== design.name) ask("rename", { id: design.id, name });
      draw();
    };
    field.addEventListener("click", (event) => event.stopPropagation());
    field.addEventListener("blur", () => end(true));
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
    });
    return field;
  };
  const rename = (id) => {
    renaming = id;
    draw();
    const field = root.querySelector("input");
    if (field) { field.focus(); field.select(); }
  };

  const card = (design) => html(
    "div",
    {
      class: `card ${design.id === model.current ? "current" : ""}`, "data-id": design.id,
      onclick: () => ask("choose", { id: design.id }),
    },
    html("div", { class: "head" }, title(design),
      icon("rename", `Rename ${design.name}`, () => rename(design.id)),
      icon("duplicate", `Duplicate ${design.name}`, () => ask("duplicate", { id: design.id })),
      icon("delete", `Delete ${design.name}`, () => ask("delete", { id: design.id }))),
    html("div", { class: "strip" }, ...design.segments.map((run) => html(
      "div", { class: "run", style: { background: run.colour } },
      html("span", {}, String(run.first)), html("span", { class: "label" }, run.label),
      html("span", {}, String(run.last)),
    ))),
    design.note ? html("div", { class: "note" }, design.note) : null,
  );

  const draw = () => root.replaceChildren(...model.designs.map(card));
  watch(model, ["designs", "current"], framed(draw));
  draw();
  return root;
}
