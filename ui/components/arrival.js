// Rendered once everything that came to the page with it is there.
export function render({ model }) {
  model.there = true;
}
