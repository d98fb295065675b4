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
  const [sx, sy] = scale(), reach = HANDLE / sx, above = HANDLE / sy;
  for (const one of [...state.boxes].reverse().sort((a, b) => (b.name === state.selected) - (a.name === state.selected))) {
    const [x0, y0, x1, y1] = one.box;
    const onX = y > y0 - above && y < y1 + above, onY = x > x0 - reach && x < x1 + reach;
    const sides = [onX && Math.abs(x - x0) < reach, onY && Math.abs(y - y0) < above, onX && Math.abs(x - x1) < reach, onY && Math.abs(y - y1) < above];
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
  if (mode === 'paint') { state.pen = [x, y]; state.strokes.push({radius: state.brush, points: [[x, y]]}); draw(); }
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
  if (state.mode === 'paint' && !state.drag) { state.pen = [x, y]; draw(); }
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
    const [sx, sy] = scale();
    state.left = drag.left - (event.clientX - drag.clientX) / sx;
    state.top = drag.top - (event.clientY - drag.clientY) / sy;
    keepInside();
    draw();
  } else if (drag.mode === 'paint') {
    state.pen = [x, y];
    state.strokes[state.strokes.length - 1].points.push([x, y]);
    draw();
  } else if (drag.held) {
    drag.moved = drag.moved || Math.hypot(dx, dy) * scale()[0] > 2;
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

