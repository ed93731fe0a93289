const KEPT = "onnxlrp-scheme";

// Until a person chooses, the page is dark where the system is; the choice outlives the visit.
export function render({ model }) {
  const asked = new URLSearchParams(location.search).get("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null, own = false;
  try { chosen = localStorage.getItem(KEPT); } catch (error) { console.info(`The scheme is not kept: ${error.message}`); }
  const follow = () => {
    if (chosen || asked) return;
    own = true;
    model.dark = system.matches;
    own = false;
  };
  const keep = () => {
    if (own) return;
    chosen = model.dark ? "dark" : "light";
    try { localStorage.setItem(KEPT, chosen); } catch (error) { console.info(`The scheme is not kept: ${error.message}`); }
  };
  if (chosen && !asked && model.dark !== (chosen === "dark")) model.dark = chosen === "dark";
  model.on("dark", keep);
  follow();
  system.addEventListener("change", follow);
  model.on("remove", () => system.removeEventListener("change", follow));
  return html("div", {});
}
