// The radiograph: 16 bits windowed here, zoom, boxes by mouse and by keyboard, findings, outlines of regions.
// Runs with `element`, `props`, `trigger` and `watch` of gr.HTML; `props.value` is the view that the server sends.
const canvas = element.querySelector('canvas');
const context = canvas.getContext('2d');
const readout = element.querySelector('.readout');
const spoken = element.querySelector('.spoken');
const film = document.createElement('canvas');
const HANDLE = 7;
const state = {
  view: {}, kind: 'before', data: {}, loaded: {}, window: {}, zoom: 1, left: 0, top: 0, drag: null, mode: 'box',
  boxes: [], selected: '', strokes: [], outlines: {}, brush: 14, pen: null, shown: 0,
};

const size = () => [state.view.width || 0, state.view.height || 0];
// How much wider and higher a pixel is shown than the lesser of the two: a film whose pixels are not square keeps its shape.
const aspect = () => { const [row, column] = state.view.spacing || [1, 1]; return [column / Math.min(row, column), row / Math.min(row, column)]; };
// Screen pixels per pixel of the film, across and down.
const scale = () => {
  const [w, h] = size(), [ax, ay] = aspect();
  const fitted = w ? Math.min(canvas.clientWidth / (w * ax), canvas.clientHeight / (h * ay)) : 1;
  return [fitted * state.zoom * ax, fitted * state.zoom * ay];
};
const toFilm = event => {
  const place = canvas.getBoundingClientRect(), [sx, sy] = scale();
  return [state.left + (event.clientX - place.left) / sx, state.top + (event.clientY - place.top) / sy];
};
const toScreen = (x, y) => { const [sx, sy] = scale(); return [(x - state.left) * sx, (y - state.top) * sy]; };
const middle = () => { const [sx, sy] = scale(); return [state.left + canvas.clientWidth / sx / 2, state.top + canvas.clientHeight / sy / 2]; };
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const rounded = box => {
  const [w, h] = size();
  const [x0, y0, x1, y1] = box.map(Math.round);
  return [clamp(Math.min(x0, x1), 0, w), clamp(Math.min(y0, y1), 0, h),
          clamp(Math.max(x0, x1), 0, w), clamp(Math.max(y0, y1), 0, h)];
};
const chosen = () => state.boxes.find(one => one.name === state.selected);
const say = text => { spoken.textContent = text; };

function place() {
  const [w, h] = size();
  if (!w) return;
  const width = canvas.parentElement.clientWidth;
  const most = Math.max(360, window.innerHeight * 0.74);
  const [ax, ay] = aspect();
  const height = Math.min(most, width * h * ay / (w * ax));
  const dense = window.devicePixelRatio || 1;
  canvas.style.height = height + 'px';
  if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
  }
}

function keepInside() {
  const [w, h] = size();
  const [sx, sy] = scale();
  const across = canvas.clientWidth / sx, down = canvas.clientHeight / sy;
  state.left = across >= w ? (w - across) / 2 : clamp(state.left, 0, w - across);
  state.top = down >= h ? (h - down) / 2 : clamp(state.top, 0, h - down);
}

function zoomAt(factor, x, y) {
  const before = state.zoom;
  state.zoom = clamp(state.zoom * factor, 1, 24);
  const after = state.zoom;
  state.left = x - (x - state.left) * before / after;
  state.top = y - (y - state.top) * before / after;
  keepInside();
  draw();
}

function firstWindow(values, kind) {
  if (kind === 'difference') return [32768 - 6000, 32768 + 6000];
  const step = Math.max(1, Math.floor(values.length / 20000));
  const sample = [];
  for (let i = 0; i < values.length; i += step) sample.push(values[i]);
  sample.sort((a, b) => a - b);
  return [sample[Math.floor(sample.length * 0.005)], sample[Math.floor(sample.length * 0.995)] + 1];
}

function windowed() {
  const values = state.data[state.kind];
  if (!values) return;
  const [w, h] = size();
  const key = state.kind === 'difference' ? 'difference' : 'film';
  const [low, high] = state.window[key] || (state.window[key] = firstWindow(values, state.kind));
  const shown = [state.loaded[state.kind], state.kind, low, high].join(' ');
  if (shown === state.windowed) return;
  state.windowed = shown;
  if (film.width !== w || film.height !== h) { film.width = w; film.height = h; }
  const target = film.getContext('2d');
  const picture = target.createImageData(w, h);
  const out = new Uint32Array(picture.data.buffer);
  const table = new Uint32Array(65536);
  const span = Math.max(high - low, 1);
  for (let v = 0; v < 65536; v++) {
    const grey = clamp(Math.round((v - low) / span * 255), 0, 255);
    table[v] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  for (let i = 0; i < values.length; i++) out[i] = table[values[i]];
  target.putImageData(picture, 0, 0);
}

async function load(kind) {
  const wanted = (state.view.pixels || {})[kind];
  if (wanted === undefined) return false;
  const key = state.view.token + '/' + wanted;
  if (state.loaded[kind] !== key) {
    const answer = await fetch(`studio/${state.view.token}/pixels/${kind}?v=${wanted}`);
    if (!answer.ok) return false;
    state.data[kind] = new Uint16Array(await answer.arrayBuffer());
    state.loaded[kind] = key;
  }
  return true;
}

async function show(kind) {
  if (!(await load(kind))) return;
  state.kind = kind;
  canvas.dataset.kind = kind;
  windowed();
  draw();
}

function outline(name) {
  const key = `${state.view.token}/${state.view.film}/${name}`;
  if (!(key in state.outlines)) {
    const image = new Image();
    image.onload = draw;
    image.src = `studio/${state.view.token}/region/${name}.png?v=${state.view.film}`;
    state.outlines[key] = image;
  }
  return state.outlines[key];
}

const COLOURS = {box: '#ffe14d', truth: '#4dff88', A: '#ffa040', B: '#59c8ff', paint: 'rgba(255,105,180,0.45)'};

function rectangle(box, colour, dash, text, below) {
  const [x, y] = toScreen(box[0], box[1]), [right, bottom] = toScreen(box[2], box[3]);
  const w = right - x, h = bottom - y;
  context.setLineDash(dash);
  context.lineWidth = 3.5;
  context.strokeStyle = 'rgba(0,0,0,0.75)';
  context.strokeRect(x, y, w, h);
  context.lineWidth = 1.6;
  context.strokeStyle = colour;
  context.strokeRect(x, y, w, h);
  context.setLineDash([]);
  if (!text) return;
  const at = below ? y + h + 14 : y - 5;
  context.lineWidth = 3;
  context.strokeStyle = 'rgba(0,0,0,0.85)';
  context.strokeText(text, x, at);
  context.fillStyle = colour;
  context.fillText(text, x, at);
}

function draw() {
  const dense = window.devicePixelRatio || 1;
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.fillStyle = '#000';
  context.fillRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  const [w, h] = size();
  if (!w || !film.width) return;
  const [sx, sy] = scale();
  const at = [-state.left * sx, -state.top * sy, w * sx, h * sy];
  context.imageSmoothingEnabled = sx < 3;
  context.drawImage(film, ...at);
  for (const name of state.view.outlines || []) {
    const image = outline(name);
    if (image.complete && image.naturalWidth) context.drawImage(image, ...at);
  }
  drawStrokes(sx, sy);
  context.font = '13px system-ui, sans-serif';
  if (state.view.marks !== false) {
    for (const one of state.view.truth || []) rectangle(one.box, COLOURS.truth, [2, 3], '', false);
    (state.view.findings || []).forEach((found, index) => {
      const letter = 'AB'[index];
      for (const one of found.boxes) {
        if (one[4] >= state.view.threshold) rectangle(one, COLOURS[letter], index ? [7, 4] : [], `${letter} ${one[4].toFixed(2)}`, index === 1);
      }
    });
    for (const one of state.boxes) {
      const mine = one.name === state.selected;
      if (state.kind !== 'before' && !(mine && state.drag)) { corners(one.box); continue; }
      rectangle(one.box, COLOURS.box, [], mine ? one.name : '', false);
      if (mine) handles(one.box);
    }
  }
  for (const one of state.view.points || []) point(one);
  if (state.drag && state.drag.box) rectangle(state.drag.box, COLOURS.box, [4, 3], '', false);
}

const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

function viridis(share) {
  const at = clamp(share, 0, 1) * (VIRIDIS.length - 1), i = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return `rgb(${VIRIDIS[i].map((v, k) => Math.round(v + (VIRIDIS[i + 1][k] - v) * (at - i))).join(',')})`;
}

function point([x, y, confidence]) {
  context.beginPath();
  context.arc(...toScreen(x, y), 6, 0, 2 * Math.PI);
  context.lineWidth = 1.5;
  context.strokeStyle = '#fff';
  if (confidence === null) { context.stroke(); return; }
  context.fillStyle = viridis(confidence);
  context.fill();
  context.stroke();
}

function handles(box) {
  context.fillStyle = COLOURS.box;
  for (const x of [box[0], box[2]]) for (const y of [box[1], box[3]]) {
    const [px, py] = toScreen(x, y);
    context.fillRect(px - 3, py - 3, 6, 6);
  }
}

// The box of a nodule that was made: its corners alone, so that truth and findings can be seen.
function corners(box) {
  context.lineWidth = 1.6;
  context.strokeStyle = COLOURS.box;
  const reach = 6;
  for (const [x, dx] of [[box[0], 1], [box[2], -1]]) for (const [y, dy] of [[box[1], 1], [box[3], -1]]) {
    const [px, py] = toScreen(x, y);
    context.beginPath();
    context.moveTo(px + dx * reach, py);
    context.lineTo(px, py);
    context.lineTo(px, py + dy * reach);
    context.stroke();
  }
}

