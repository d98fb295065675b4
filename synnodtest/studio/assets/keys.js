// --- keyboard ---

const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
let waiting = null;
const BOX_KEYS = {
  b: () => newBox(), Delete: () => removed(), Backspace: () => removed(), n: () => next(1), p: () => next(-1),
  Escape: () => { state.drag = null; state.selected = ''; say('No box is selected: arrows move the picture.'); draw(); },
};
const KEYS = {
  '+': () => zoomAt(1.25, ...middle()), '=': () => zoomAt(1.25, ...middle()), '-': () => zoomAt(0.8, ...middle()),
  0: () => { state.zoom = 1; keepInside(); draw(); },
  1: () => show('before').then(pressed), 2: () => show('after').then(pressed), 3: () => show('difference').then(pressed),
  '[': () => level(0, -1500), ']': () => level(0, 1500), ',': () => level(0.87, 0), '.': () => level(1.15, 0),
  a: () => choose(state.mode === 'paint' ? 'box' : 'paint'),
};

canvas.addEventListener('keydown', event => {
  if (!state.view.width || event.ctrlKey || event.metaKey) return;
  const painting = state.mode === 'paint', step = event.shiftKey ? 10 : 1;
  const own = painting ? PAINT_KEYS : BOX_KEYS;
  if (event.key in ARROWS) (painting ? movePen : arrow)(ARROWS[event.key], step, event.altKey);
  else if (own[event.key]) own[event.key]();
  else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
});

function newBox() {
  const [x, y] = middle(), [row, column] = state.view.spacing;
  addBox([x - 12 / column, y - 12 / row, x + 12 / column, y + 12 / row]);
}

function removed() {
  const one = chosen();
  if (one) edit({action: 'remove', name: one.name});
}

function arrow([dx, dy], step, resize) {
  const one = chosen();
  if (!one) return panned(dx, dy);
  const box = one.box;
  const moved = resize ? [box[0], box[1], Math.max(box[0] + 2, box[2] + dx * step), Math.max(box[1] + 2, box[3] + dy * step)]
    : slid(box, dx * step, dy * step);
  setBox(one, moved, false);
  clearTimeout(waiting);
  waiting = setTimeout(() => edit({action: 'move', name: one.name, box: one.box}), 250);
}

function panned(dx, dy) {
  const [sx, sy] = scale();
  state.left += dx * 40 / sx;
  state.top += dy * 40 / sy;
  keepInside();
  draw();
}

function next(step) {
  if (!state.boxes.length) return;
  const at = state.boxes.findIndex(one => one.name === state.selected);
  const one = state.boxes[(at + step + state.boxes.length) % state.boxes.length];
  state.selected = one.name;
  readBox(one);
  draw();
  edit({action: 'select', name: one.name});
}

function level(factor, shift) {
  const key = state.kind === 'difference' ? 'difference' : 'film';
  const [low, high] = state.window[key] || [0, 65535];
  const middle = (low + high) / 2 + shift, half = (high - low) / 2 * (factor || 1);
  state.window[key] = [middle - half, middle + half];
  windowed();
  draw();
}

