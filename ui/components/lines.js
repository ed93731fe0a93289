// The ruler's lines: what is on it, what it is called, and where.
const LAYER = 19, FOLD = 25;

// The lines on the screen: layers, and folds open or closed, each with its place.
function lines(model) {
  const opened = new Set(model.opened), out = [];
  let y = 0;
  const put = (line, height) => { out.push({ ...line, y, h: height }); y += height; };
  const walk = (folds, start, stop, depth, within) => {
    let at = start;
    for (const fold of folds) {
      for (; at < fold.start; at++) put({ at, stop: at + 1, depth, within }, LAYER);
      const key = `${fold.start}:${fold.stop}`, open = opened.has(key);
      const line = { at: fold.start, stop: fold.stop, depth, fold, key, open };
      put(line, FOLD);
      if (open) {
        out[out.length - 1].head = true;
        walk(fold.folds, fold.start, fold.stop, depth + 1, fold.label);
      }
      at = fold.stop;
    }
    for (; at < stop; at++) put({ at, stop: at + 1, depth, within }, LAYER);
  };
  walk(model.folds, 0, model.layers.length, 0, "");
  return { all: out, height: y };
}

// A layer's name without the path of the fold it stands in, and without its operator at the end:
// "/layer3/layer3.4/conv1/Conv" is "conv1" within the fold "layer3.4".
function shortName(layer, fold) {
  const parts = fold ? layer.name.split(new RegExp(`(?:^|[/._])${fold.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}[/._]`)) : [layer.name];
  const tail = parts[parts.length - 1].replace(/^\/+/, "") || layer.name;
  return tail.endsWith(`/${layer.op}`) ? tail.slice(0, -layer.op.length - 1) : tail;
}

// Where on the screen a layer begins; inside a closed fold, in proportion.
function placeOf(drawn, index) {
  for (const line of drawn.all) {
    if (line.head ? index === line.at : index < line.stop) {
      return line.y + (line.head ? 0 : (line.h * (index - line.at)) / (line.stop - line.at));
    }
  }
  return drawn.height;
}
