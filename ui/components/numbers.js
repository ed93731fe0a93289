const STEPS = 1000, EVERY = 90;

// Slider position 0…STEPS to a value and back; logarithmic above `least`, where that is not 0.
function valueAt(number, position) {
  const t = position / STEPS;
  if (!number.least) return number.low + t * (number.high - number.low);
  if (t <= 0) return 0;
  const [low, high] = [Math.log10(number.least), Math.log10(number.high)];
  return 10 ** (low + t * (high - low));
}

function stepOf(number, value) {
  if (!number.least) return (STEPS * (value - number.low)) / (number.high - number.low);
  if (value < number.least) return 0;
  const [low, high] = [Math.log10(number.least), Math.log10(number.high)];
  return (STEPS * (Math.log10(value) - low)) / (high - low);
}

// Two digits tell on a slider; on a linear one, steps of a hundredth.
function rounded(number, value) {
  return number.least ? Number(value.toPrecision(2)) : Math.round(value * 100) / 100;
}

function written(value) {
  if (value === 0) return "0";
  return Math.abs(value) < 1e-3 ? value.toExponential().replace("e-", "e-") : String(Number(value.toPrecision(6)));
}

function symbol(text) {
  const [, letter, index] = text.match(/^(.)(.*)$/);
  return html("span", { class: "symbol" }, letter, index ? html("sub", {}, index) : null);
}

export function render({ model }) {
  const root = html("div", { class: "numbers" }), rows = new Map();
  let gesture = 0, held = null;
  const ask = (kind, values) => tell(model, { kind, ...values });
  const told = throttle((key, value, name) => ask("set", { key, value, gesture: name }), EVERY);

  const row = (number) => {
    const { key } = number, id = `number-${key}`;
    const slider = html("input", {
      type: "range", min: 0, max: STEPS, step: 1, "aria-label": `${number.symbol}, ${number.meaning}`,
      title: "Double-click, or Delete, to reset",
      onpointerdown: () => { gesture += 1; held = key; },
      onpointerup: () => { held = null; },
      onkeydown: (e) => {
        if (!e.repeat) gesture += 1;
        if (e.key === "Delete" || e.key === "Backspace") { told.flush(); ask("reset", { key }); }
      },
      onkeyup: () => { held = null; draw(); },
      oninput: () => {
        held = key;
        const value = rounded(number, valueAt(number, Number(slider.value)));
        show(value);
        told(key, value, `${key}#${gesture}`);
      },
      onchange: () => { held = null; told.flush(); setTimeout(() => held === null && draw(), 500); },
      ondblclick: () => ask("reset", { key }),
    });
    const field = html("input", {
      type: "text", inputmode: "decimal", id, "aria-label": number.symbol, autocomplete: "off",
      onkeydown: (e) => {
        if (e.key === "Enter") field.blur();
        if (e.key === "Escape") { held = null; draw(); field.blur(); }
      },
      onfocus: () => { held = key; field.select(); },
      onblur: () => {
        held = null;
        const value = Number(field.value.trim().replace(",", ".").replace("−", "-"));
        gesture += 1;
        if (field.value.trim() === "" || Number.isNaN(value)) draw();
        else if (value !== model.values[key]) ask("set", { key, value, gesture: `${key}#${gesture}`, typed: true });
      },
    });
    const error = html("div", { class: "wrong", role: "alert" });
    const show = (value) => {
      field.value = written(value);
      slider.style.setProperty("--at", `${Math.min(100, Math.max(0, slider.value / (STEPS / 100)))}%`);
      slider.setAttribute("aria-valuetext", written(value));
    };
    rows.set(key, { number, slider, field, error, show });
    return html("div", { class: "row" },
      html("label", { for: id, title: number.meaning }, symbol(number.symbol)), slider, field, error);
  };

  const draw = () => {
    for (const [key, { number, slider, field, error, show }] of rows) {
      const value = model.values[key], known = value !== undefined;
      const message = model.errors[key] || "";
      error.textContent = message;
      field.toggleAttribute("aria-invalid", Boolean(message));
      slider.disabled = field.disabled = !known;
      if (held === key) continue;
      slider.value = known ? stepOf(number, value) : 0;
      if (known) show(value);
      else { field.value = ""; slider.style.setProperty("--at", "0%"); }
      slider.closest(".row").classList.toggle("zero", !value);
    }
  };

  root.append(...model.groups.map((group, i) => html("fieldset", { style: { "--effect": group.colour } },
    html("legend", {}, html("span", { class: "number" }, String(i + 1)), group.title),
    ...group.numbers.map(row))));
  watch(model, ["values", "errors"], draw);
  draw();
  return root;
}
