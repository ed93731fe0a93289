const ICONS = {
  rename: "M4 20h4L19 9l-4-4L4 16z",
  duplicate: "M9 9h11v11H9zM5 15H4V4h11v1",
  delete: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
};

export function render({ model }) {
  const root = html("div", { class: "cards", role: "group", "aria-label": "Designs" });
  let renaming = "";

  const ask = (kind, values) => tell(model, { kind, ...values });
  const icon = (name, act) => {
    const picture = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
    return html("button", {
      class: "act", "data-act": name[0].toUpperCase() + name.slice(1),
      onclick: (event) => { event.stopPropagation(); act(); },
    }, picture);
  };

  // What stands where the name does: a button, or a field while it is being changed.
  const button = (card) => html("button", {
    class: "title", ondblclick: (event) => { event.stopPropagation(); rename(card.design.id); },
  });
  const field = (card) => {
    const input = html("input", { value: card.design.name, "aria-label": "Name of the design", maxlength: "80" });
    const { id, name: before } = card.design;
    const end = (keeps) => {
      if (renaming !== id) return;
      renaming = "";
      const name = input.value.trim();
      if (keeps && name && name !== before) ask("rename", { id, name });
      draw();
    };
    input.addEventListener("click", (event) => event.stopPropagation());
    input.addEventListener("blur", () => end(true));
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
    });
    return input;
  };
  const rename = (id) => {
    renaming = id;
    draw();
    const input = root.querySelector("input");
    if (input) { input.focus(); input.select(); }
  };

  // Cards stay: one that is made anew between press and release would lose the click.
  const make = () => {
    const card = html("div", { class: "card" });
    card.onclick = () => ask("choose", { id: card.design.id });
    card.append(
      html("div", { class: "head" }, button(card),
        icon("rename", () => rename(card.design.id)),
        icon("duplicate", () => ask("duplicate", { id: card.design.id })),
        icon("delete", () => ask("delete", { id: card.design.id }))),
      html("div", { class: "strip" }), html("div", { class: "note" }));
    return card;
  };
  const run = () => html("div", { class: "run" }, html("span"), html("span", { class: "label" }), html("span"));
  const fill = (card, design) => {
    card.design = design;
    const [head, strip, note] = card.children, current = design.id === model.current;
    card.classList.toggle("current", current);
    card.dataset.id = design.id;
    const edited = renaming === design.id;
    if (edited !== (head.firstChild.tagName === "INPUT")) {
      head.firstChild.replaceWith(edited ? field(card) : button(card));
    }
    if (!edited) {
      set(head.firstChild, { title: design.name, "aria-pressed": String(current) });
      head.firstChild.textContent = design.name;
    }
    for (const act of [...head.children].slice(1)) {
      const label = `${act.dataset.act} ${design.name}`;
      set(act, { title: label, "aria-label": label });
    }
    keep(strip, design.segments, run, (line, { first, label, last, colour }) => {
      set(line, { style: { background: colour } });
      [first, label, last].forEach((text, i) => { line.children[i].textContent = String(text); });
    });
    note.textContent = design.note;
    note.hidden = !design.note;
  };

  const draw = () => keep(root, model.designs, make, fill);
  watch(model, ["designs", "current"], framed(draw));
  draw();
  return root;
}
