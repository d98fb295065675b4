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
  boxes: [], selected: '', strokes: [], outlines: {}, brush: 14, shown: 0,
};

const size = () => [state.view.width || 0, state.view.height || 0];
const fitted = () => { const [w, h] = size(); return w ? Math.min(canvas.clientWidth / w, canvas.clientHeight / h) : 1; };
const scale = () => fitted() * state.zoom;
const toFilm = event => {
  const place = canvas.getBoundingClientRect();
  return [state.left + (event.clientX - place.left) / scale(), state.top + (event.clientY - place.top) / scale()];
};
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
  const height = Math.min(most, width * h / w);
  const dense = window.devicePixelRatio || 1;
  canvas.style.height = height + 'px';
  if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
  }
}

function keepInside() {
  const [w, h] = size();
  const across = canvas.clientWidth / scale(), down = canvas.clientHeight / scale();
  state.left = across >= w ? (w - across) / 2 : clamp(state.left, 0, w - across);
  state.top = down >= h ? (h - down) / 2 : clamp(state.top, 0, h - down);
}

function zoomAt(factor, x, y) {
  const before = scale();
  state.zoom = clamp(state.zoom * factor, 1, 24);
  const after = scale();
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
  const s = scale();
  const [x, y, w, h] = [(box[0] - state.left) * s, (box[1] - state.top) * s, (box[2] - box[0]) * s, (box[3] - box[1]) * s];
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
  const s = scale();
  const at = [-state.left * s, -state.top * s, w * s, h * s];
  context.imageSmoothingEnabled = s < 3;
  context.drawImage(film, ...at);
  for (const name of state.view.outlines || []) {
    const image = outline(name);
    if (image.complete && image.naturalWidth) context.drawImage(image, ...at);
  }
  drawStrokes(s);
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
      if (state.kind !== 'before' && !(mine && state.drag)) { corners(one.box, s); continue; }
      rectangle(one.box, COLOURS.box, [], mine ? one.name : '', false);
      if (mine) handles(one.box, s);
    }
  }
  for (const one of state.view.points || []) point(one, s);
  if (state.drag && state.drag.box) rectangle(state.drag.box, COLOURS.box, [4, 3], '', false);
}

const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

function viridis(share) {
  const at = clamp(share, 0, 1) * (VIRIDIS.length - 1), i = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return `rgb(${VIRIDIS[i].map((v, k) => Math.round(v + (VIRIDIS[i + 1][k] - v) * (at - i))).join(',')})`;
}

function point([x, y, confidence], s) {
  context.beginPath();
  context.arc((x - state.left) * s, (y - state.top) * s, 6, 0, 2 * Math.PI);
  context.lineWidth = 1.5;
  context.strokeStyle = '#fff';
  if (confidence === null) { context.stroke(); return; }
  context.fillStyle = viridis(confidence);
  context.fill();
  context.stroke();
}

function handles(box, s) {
  context.fillStyle = COLOURS.box;
  for (const x of [box[0], box[2]]) for (const y of [box[1], box[3]])
    context.fillRect((x - state.left) * s - 3, (y - state.top) * s - 3, 6, 6);
}

// The box of a nodule that was made: its corners alone, so that truth and findings can be seen.
function corners(box, s) {
  context.lineWidth = 1.6;
  context.strokeStyle = COLOURS.box;
  const reach = 6;
  for (const [x, dx] of [[box[0], 1], [box[2], -1]]) for (const [y, dy] of [[box[1], 1], [box[3], -1]]) {
    const px = (x - state.left) * s, py = (y - state.top) * s;
    context.beginPath();
    context.moveTo(px + dx * reach, py);
    context.lineTo(px, py);
    context.lineTo(px, py + dy * reach);
    context.stroke();
  }
}

function drawStrokes(s) {
  context.fillStyle = context.strokeStyle = COLOURS.paint;
  for (const one of state.strokes) {
    context.lineCap = context.lineJoin = 'round';
    context.lineWidth = 2 * one.radius * s;
    context.beginPath();
    one.points.forEach(([x, y], i) => context[i ? 'lineTo' : 'moveTo']((x - state.left) * s, (y - state.top) * s));
    if (one.points.length === 1) context.lineTo((one.points[0][0] - state.left) * s + 0.1, (one.points[0][1] - state.top) * s);
    context.stroke();
  }
}

// --- boxes ---

function edit(what) { trigger('edit', what); }

function setBox(one, box, told) {
  one.box = rounded(box);
  draw();
  readBox(one);
  if (told) edit({action: 'move', name: one.name, box: one.box});
}

function readBox(one) {
  if (!one) return;
  const [row, column] = state.view.spacing;
  const [x0, y0, x1, y1] = one.box;
  say(`${one.name}: ${x0}, ${y0} to ${x1}, ${y1} pixels, ${((x1 - x0) * column).toFixed(1)} by ${((y1 - y0) * row).toFixed(1)} mm`);
}

function addBox(box) {
  const exact = rounded(box);
  if (exact[2] - exact[0] < 2 || exact[3] - exact[1] < 2) return;
  edit({action: 'add', box: exact});
}

function grip(x, y) {
  const reach = HANDLE / scale();
  for (const one of [...state.boxes].reverse().sort((a, b) => (b.name === state.selected) - (a.name === state.selected))) {
    const [x0, y0, x1, y1] = one.box;
    const onX = y > y0 - reach && y < y1 + reach, onY = x > x0 - reach && x < x1 + reach;
    const sides = [onX && Math.abs(x - x0) < reach, onY && Math.abs(y - y0) < reach, onX && Math.abs(x - x1) < reach, onY && Math.abs(y - y1) < reach];
    if (sides.some(Boolean)) return {one, sides};
    if (x > x0 && x < x1 && y > y0 && y < y1) return {one, sides: [true, true, true, true]};
  }
  return null;
}

// --- mouse ---

canvas.addEventListener('contextmenu', event => event.preventDefault());
canvas.addEventListener('pointerdown', event => {
  if (!state.view.width) return;
  canvas.focus({preventScroll: true});
  canvas.setPointerCapture(event.pointerId);
  const [x, y] = toFilm(event);
  const mode = event.button === 2 ? 'window' : event.button === 1 ? 'pan' : state.mode;
  state.drag = {mode, x, y, clientX: event.clientX, clientY: event.clientY, left: state.left, top: state.top};
  if (mode === 'window') state.drag.window = [...(state.window[state.kind === 'difference' ? 'difference' : 'film'] || [0, 65535])];
  if (mode === 'paint') { state.strokes.push({radius: state.brush, points: [[x, y]]}); draw(); }
  if (mode === 'box') {
    const held = grip(x, y);
    if (held) {
      state.selected = held.one.name;
      Object.assign(state.drag, {held, start: [...held.one.box], moved: false});
      draw();
    }
  }
  event.preventDefault();
});

canvas.addEventListener('pointermove', event => {
  const [x, y] = toFilm(event);
  pointed(x, y);
  const drag = state.drag;
  if (!drag) return;
  const dx = x - drag.x, dy = y - drag.y;
  if (drag.mode === 'window') {
    const [low, high] = drag.window;
    const level = (low + high) / 2 + (event.clientY - drag.clientY) * 80;
    const width = Math.max(200, (high - low) * Math.exp((event.clientX - drag.clientX) / 250));
    state.window[state.kind === 'difference' ? 'difference' : 'film'] = [level - width / 2, level + width / 2];
    windowed();
    draw();
  } else if (drag.mode === 'pan') {
    state.left = drag.left - (event.clientX - drag.clientX) / scale();
    state.top = drag.top - (event.clientY - drag.clientY) / scale();
    keepInside();
    draw();
  } else if (drag.mode === 'paint') {
    state.strokes[state.strokes.length - 1].points.push([x, y]);
    draw();
  } else if (drag.held) {
    drag.moved = drag.moved || Math.hypot(dx, dy) * scale() > 2;
    const all = drag.held.sides.every(Boolean);
    const moved = drag.start.map((edge, i) => drag.held.sides[i] ? edge + (i % 2 ? dy : dx) : edge);
    if (drag.moved) setBox(drag.held.one, all ? slid(drag.start, dx, dy) : moved, false);
  } else {
    drag.box = rounded([drag.x, drag.y, x, y]);
    draw();
  }
});

canvas.addEventListener('pointerup', event => {
  const drag = state.drag;
  state.drag = null;
  if (!drag) return;
  if (drag.held) {
    if (drag.moved) edit({action: 'move', name: drag.held.one.name, box: drag.held.one.box});
    else edit({action: 'select', name: drag.held.one.name});
  } else if (drag.box) addBox(drag.box);
  draw();
});
canvas.addEventListener('pointercancel', () => { state.drag = null; draw(); });

function slid(box, dx, dy) {
  const [w, h] = size();
  const x = clamp(Math.round(dx), -box[0], w - box[2]), y = clamp(Math.round(dy), -box[1], h - box[3]);
  return [box[0] + x, box[1] + y, box[2] + x, box[3] + y];
}

canvas.addEventListener('wheel', event => {
  if (!state.view.width || (document.activeElement !== canvas && !event.ctrlKey)) return;
  event.preventDefault();
  zoomAt(Math.exp(-event.deltaY / 400), ...toFilm(event));
}, {passive: false});

function pointed(x, y) {
  const [w, h] = size(), values = state.data[state.kind];
  if (!w || x < 0 || y < 0 || x >= w || y >= h || !values) { readout.textContent = ''; return; }
  const [row, column] = state.view.spacing;
  const stored = values[Math.floor(y) * w + Math.floor(x)];
  const value = state.kind === 'difference' ? (stored - 32768) / 32767 : stored / 65535;
  const [low, high] = state.window[state.kind === 'difference' ? 'difference' : 'film'] || [0, 65535];
  readout.textContent = `x ${Math.floor(x)}, y ${Math.floor(y)} px (${(x * column).toFixed(1)}, ${(y * row).toFixed(1)} mm); value ${value.toFixed(4)}; ` +
    `window ${((high - low) / 655.35).toFixed(0)}%, level ${((high + low) / 1310.7).toFixed(0)}%; zoom ${state.zoom.toFixed(1)}`;
}

// --- keyboard ---

const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
let waiting = null;

canvas.addEventListener('keydown', event => {
  if (!state.view.width || event.ctrlKey || event.metaKey) return;
  const one = chosen();
  const step = event.shiftKey ? 10 : 1;
  const middle = [state.left + canvas.clientWidth / scale() / 2, state.top + canvas.clientHeight / scale() / 2];
  const keys = {
    b: () => { const r = 12 / state.view.spacing[1]; addBox([middle[0] - r, middle[1] - r, middle[0] + r, middle[1] + r]); },
    Delete: () => one && edit({action: 'remove', name: one.name}),
    Backspace: () => one && edit({action: 'remove', name: one.name}),
    n: () => next(1), p: () => next(-1),
    '+': () => zoomAt(1.25, ...middle), '=': () => zoomAt(1.25, ...middle), '-': () => zoomAt(0.8, ...middle),
    0: () => { state.zoom = 1; keepInside(); draw(); },
    1: () => show('before'), 2: () => show('after'), 3: () => show('difference'),
    '[': () => level(0, -1500), ']': () => level(0, 1500), ',': () => level(0.87, 0), '.': () => level(1.15, 0),
    Escape: () => { state.drag = null; draw(); },
  };
  if (event.key in ARROWS) arrow(ARROWS[event.key], step, event.altKey, one);
  else if (keys[event.key]) keys[event.key]();
  else return;
  event.preventDefault();
});

function arrow([dx, dy], step, resize, one) {
  if (!one) { state.left += dx * 20 / scale(); state.top += dy * 20 / scale(); keepInside(); draw(); return; }
  const box = one.box;
  const moved = resize ? [box[0], box[1], Math.max(box[0] + 2, box[2] + dx * step), Math.max(box[1] + 2, box[3] + dy * step)]
    : slid(box, dx * step, dy * step);
  setBox(one, moved, false);
  clearTimeout(waiting);
  waiting = setTimeout(() => edit({action: 'move', name: one.name, box: one.box}), 250);
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

// --- tools above the picture ---

function choose(mode) {
  state.mode = canvas.dataset.mode = mode;
  element.querySelectorAll('button[data-mode]').forEach(one => one.setAttribute('aria-pressed', String(one.dataset.mode === mode)));
}
element.querySelectorAll('button[data-mode]').forEach(button => button.addEventListener('click', () => choose(button.dataset.mode)));
element.querySelectorAll('[data-show]').forEach(button => button.addEventListener('click', () => show(button.dataset.show).then(pressed)));
const tools = {
  in: () => zoomAt(1.4, ...[state.left + canvas.clientWidth / scale() / 2, state.top + canvas.clientHeight / scale() / 2]),
  out: () => zoomAt(1 / 1.4, ...[state.left + canvas.clientWidth / scale() / 2, state.top + canvas.clientHeight / scale() / 2]),
  fit: () => { state.zoom = 1; keepInside(); draw(); },
  window: () => { state.window = {}; windowed(); draw(); },
  unpaint: () => { state.strokes = []; draw(); },
  leak: () => sendPaint(state.strokes),
  boxleak: () => { const one = chosen(); if (one) sendPaint([{box: one.box}]); else say('Draw or select a box first.'); },
};
element.querySelectorAll('[data-tool]').forEach(button => button.addEventListener('click', () => tools[button.dataset.tool]()));

async function sendPaint(strokes) {
  const answer = await fetch(`studio/${state.view.token}/paint`, {method: 'POST', body: JSON.stringify({strokes})});
  const told = await answer.json();
  if (answer.ok) state.strokes = [];
  edit(answer.ok ? {action: 'painted'} : {action: 'failed', error: told.error, hint: told.hint});
}

function pressed() {
  element.querySelectorAll('[data-show]').forEach(button => {
    button.setAttribute('aria-pressed', String(button.dataset.show === state.kind));
    button.disabled = !(button.dataset.show in (state.view.pixels || {}));
  });
}

// --- what the server says ---

async function take() {
  let view;
  try { view = JSON.parse(props.value || '{}'); } catch { return; }
  const other = view.film !== state.view.film || view.token !== state.view.token;
  state.view = view;
  state.boxes = view.boxes || [];
  state.selected = view.selected || '';
  if (other) Object.assign(state, {window: {}, zoom: 1, left: 0, top: 0, strokes: [], outlines: {}, kind: 'before'});
  element.querySelector('.empty').hidden = Boolean(view.width);
  place();
  keepInside();
  const wanted = view.show && view.shown !== state.shown ? view.show : state.kind;
  state.shown = view.shown;
  await show(wanted in (view.pixels || {}) ? wanted : 'before');
  pressed();
  draw();
  canvas.dataset.ready = String(view.version);
}

watch('value', take);
choose('box');
take();
new ResizeObserver(() => { place(); keepInside(); draw(); }).observe(canvas.parentElement);
element.studio = {state, toScreen: ([x, y]) => {
  const at = canvas.getBoundingClientRect();
  return [at.left + (x - state.left) * scale(), at.top + (y - state.top) * scale()];
}};
