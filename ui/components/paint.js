// Relevance as colours, and the one view (zoom, pan, crosshair) that linked maps share.

const NEAREST = 1, FARTHEST = 64;

// Colours of a map: row 128 of the table is zero, the limits lie 127 rows from it. With a picture
// beneath, its faded grey is multiplied by the colour.
function coloured(map, limit, look, grey) {
  const [rows, columns] = map.shape, image = new ImageData(columns, rows), out = image.data;
  const low = look.sign === "positive" ? 0 : -limit, high = look.sign === "negative" ? 0 : limit;
  const table = look.table, fits = grey !== null && grey.length === rows * columns;
  for (let i = 0, o = 0; i < rows * columns; i++, o += 4) {
    const value = Math.min(Math.max(map.values[i], low), high);
    const at = 3 * (128 + Math.round((127 * value) / limit));
    const light = fits ? 1 - 0.75 * look.overlay * (1 - grey[i] / 255) : 1;
    out[o] = table[at] * light;
    out[o + 1] = table[at + 1] * light;
    out[o + 2] = table[at + 2] * light;
    out[o + 3] = 255;
  }
  const canvas = new OffscreenCanvas(columns, rows);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// Brightness of every pixel (ITU-R BT.601) of a picture on a canvas.
function greyOf(canvas) {
  const { width, height } = canvas;
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const grey = new Float32Array(width * height);
  for (let i = 0, o = 0; i < grey.length; i++, o += 4) {
    grey[i] = 0.299 * pixels[o] + 0.587 * pixels[o + 1] + 0.114 * pixels[o + 2];
  }
  return grey;
}

// What all maps show: x and y of the upper left corner and of the crosshair run from 0 to 1.
class Viewpoint {
  constructor(changed) {
    Object.assign(this, { zoom: 1, x: 0, y: 0, cross: null, pinned: false, changed });
  }

  get span() { return 1 / this.zoom; }

  move(x, y) {
    const most = 1 - this.span;
    this.x = Math.min(Math.max(x, 0), most);
    this.y = Math.min(Math.max(y, 0), most);
    this.changed();
  }

  // Nearer or farther, what is at (u, v) of the frame staying there.
  scale(factor, u = 0.5, v = 0.5) {
    const before = this.span;
    this.zoom = Math.min(Math.max(this.zoom * factor, NEAREST), FARTHEST);
    this.move(this.x + u * (before - this.span), this.y + v * (before - this.span));
  }

  reset() {
    Object.assign(this, { zoom: 1, x: 0, y: 0 });
    this.changed();
  }

  point(u, v) {
    this.cross = [this.x + u * this.span, this.y + v * this.span];
    this.changed();
  }

  // The crosshair by pixels of a map, kept in the frame.
  step(dx, dy, columns, rows) {
    const [x, y] = this.cross || [this.x + this.span / 2, this.y + this.span / 2];
    const within = (value, size) => Math.min(Math.max(value, 0.5 / size), 1 - 0.5 / size);
    this.cross = [within(x + dx / columns, columns), within(y + dy / rows, rows)];
    const [cx, cy] = this.cross, s = this.span;
    this.move(
      Math.min(Math.max(this.x, cx - s), cx) === this.x ? this.x : cx - s / 2,
      Math.min(Math.max(this.y, cy - s), cy) === this.y ? this.y : cy - s / 2,
    );
  }

  // Column and row of the pixel under the crosshair.
  pixel(columns, rows) {
    if (this.cross === null) return null;
    const clamp = (value, size) => Math.min(Math.max(Math.floor(value * size), 0), size - 1);
    return [clamp(this.cross[0], columns), clamp(this.cross[1], rows)];
  }

  // Draws an image of any size into a canvas, pixels crisp, the crosshair over it.
  draw(canvas, image) {
    const context = canvas.getContext("2d"), { width, height } = canvas;
    // Crisp pixels, unless they are smaller than the screen's: dropping some would draw a lattice.
    context.imageSmoothingEnabled = image !== null && this.span * image.width > width;
    context.imageSmoothingQuality = "high";
    context.clearRect(0, 0, width, height);
    if (image !== null) {
      context.drawImage(
        image, this.x * image.width, this.y * image.height,
        this.span * image.width, this.span * image.height, 0, 0, width, height,
      );
    }
    if (this.cross === null || image === null) return;
    const [column, row] = this.pixel(image.width, image.height);
    const u = ((column + 0.5) / image.width - this.x) * this.zoom * width;
    const v = ((row + 0.5) / image.height - this.y) * this.zoom * height;
    const half = Math.max((this.zoom * width) / image.width / 2, 3) + 1;
    for (const [line, colour] of [[3, "rgb(255 255 255 / 75%)"], [1, this.pinned ? "#c2185b" : "#111"]]) {
      context.lineWidth = line * devicePixelRatio;
      context.strokeStyle = colour;
      context.beginPath();
      context.moveTo(0, v); context.lineTo(u - half, v);
      context.moveTo(u + half, v); context.lineTo(width, v);
      context.moveTo(u, 0); context.lineTo(u, v - half);
      context.moveTo(u, v + half); context.lineTo(u, height);
      context.rect(u - half, v - half, 2 * half, 2 * half);
      context.stroke();
    }
  }
}
