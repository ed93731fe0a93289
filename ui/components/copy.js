export function render({ model }) {
  const area = html("textarea", { readonly: true, spellcheck: "false" });
  const button = html("button", {}, "Copy");
  const root = html("div", { class: "copy" }, html("div", { class: "line" }, html("span"), button), area);
  button.addEventListener("click", async () => {
    area.select();
    // The clipboard is for secure pages only; elsewhere the selection is copied the old way.
    if (navigator.clipboard) await navigator.clipboard.writeText(area.value).catch(() => document.execCommand("copy"));
    else document.execCommand("copy");
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  const draw = () => {
    area.value = model.text;
    area.rows = model.rows;
    area.setAttribute("aria-label", model.label);
    button.setAttribute("aria-label", `Copy: ${model.label}`);
    root.querySelector("span").textContent = model.label;
  };
  watch(model, ["text", "label", "rows"], draw);
  draw();
  return root;
}
