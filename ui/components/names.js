// Panel Material UI leaves the ± buttons of its number fields without a name, and names an empty span
// that may have none. Both are mended wherever they come up, in every shadow root of the page.
const MENDED = {
  ".MuiInputAdornment-root > button:not([aria-label])": (button) => {
    const label = button.closest(".MuiFormControl-root")?.querySelector("label")?.textContent || "";
    const less = button.parentElement.classList.contains("MuiInputAdornment-positionStart");
    button.setAttribute("aria-label", `${less ? "Decrease" : "Increase"} ${label}`.trim());
  },
  "span[aria-label]:empty:not([role])": (span) => span.setAttribute("role", "img"),
};

function mend(node) {
  for (const [what, how] of Object.entries(MENDED)) {
    if (node.matches?.(what)) how(node);
    node.querySelectorAll(what).forEach(how);
  }
}

export function render() {
  const seen = new WeakSet();
  const look = (node) => {
    mend(node);
    if (node.shadowRoot) over(node.shadowRoot);
    for (const inner of node.querySelectorAll("*")) if (inner.shadowRoot) over(inner.shadowRoot);
  };
  const observer = new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) look(node);
    }
  });
  const over = (root) => {
    if (seen.has(root)) return;
    seen.add(root);
    observer.observe(root, { childList: true, subtree: true });
    look(root);
  };
  over(document.body);
  return html("div", {});
}
