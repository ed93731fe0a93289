// What all components share: making elements, and waiting.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style" && typeof value === "object") {
      for (const [name, setting] of Object.entries(value)) node.style.setProperty(name, setting);
    } else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function html(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// Calls f at most once in `wait` ms, the last call always; `flush` makes a call that waits at once, so
// that what a person does next comes after it.
function throttle(f, wait) {
  let timer = null, last = 0, given = null;
  const run = () => { timer = null; last = Date.now(); f(...given); };
  const ask = (...args) => {
    given = args;
    if (timer === null) timer = setTimeout(run, Math.max(0, wait - (Date.now() - last)));
  };
  ask.flush = () => {
    if (timer === null) return;
    clearTimeout(timer);
    run();
  };
  return ask;
}

// Calls f once before the next frame is drawn, however often it is asked.
function framed(f) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; f(); });
  };
}

function watch(model, names, f) {
  for (const name of names) model.on(name, f);
}

// Tells the server what was done. Of a component that came to the page later Bokeh sends the whole
// with the first message, a reference only once a change of it was sent.
function tell(model, message) {
  if (!model.met) model.met = true;
  model.send_msg(message);
}

// Sets attributes of a node that is there, and takes off those without a value.
function set(node, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "style") for (const [name, setting] of Object.entries(value)) node.style.setProperty(name, setting);
    else if (value === false || value === null || value === undefined) node.removeAttribute(key);
    else if (node.getAttribute(key) !== String(value)) node.setAttribute(key, value === true ? "" : value);
  }
}

// Gives a parent one child an item: those that are there stay, so that focus and clicks do.
function keep(parent, items, make, update) {
  while (parent.children.length > items.length) parent.lastChild.remove();
  while (parent.children.length < items.length) parent.append(make(parent.children.length));
  items.forEach((item, i) => update(parent.children[i], item, i));
}
