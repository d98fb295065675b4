// --- tools above the picture ---

function choose(mode) {
  state.mode = canvas.dataset.mode = mode;
  liftPen();
  element.querySelector('.leak').hidden = mode !== 'paint';
  if (mode === 'paint' && state.view.width) { state.pen = state.pen || middle(); readPen(); }
  element.querySelectorAll('button[data-mode]').forEach(one => one.setAttribute('aria-pressed', String(one.dataset.mode === mode)));
  draw();
}
element.querySelectorAll('button[data-mode]').forEach(button => button.addEventListener('click', () => choose(button.dataset.mode)));
element.querySelectorAll('[data-show]').forEach(button => button.addEventListener('click', () => show(button.dataset.show).then(pressed)));
const tools = {
  in: () => zoomAt(1.4, ...middle()),
  out: () => zoomAt(1 / 1.4, ...middle()),
  fit: () => { state.zoom = 1; keepInside(); draw(); },
  window: () => { state.window = {}; windowed(); draw(); },
  unpaint: () => { liftPen(); state.strokes = []; draw(); },
  thinner: () => resizeBrush(1 / 1.25),
  thicker: () => resizeBrush(1.25),
  leak: () => sendPaint(state.strokes),
  boxleak: () => { const one = chosen(); if (one) sendPaint([{box: one.box}]); else say('Draw or select a box first.'); },
};
element.querySelectorAll('[data-tool]').forEach(button => button.addEventListener('click', () => tools[button.dataset.tool]()));

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
  if (other) Object.assign(state, {window: {}, zoom: 1, left: 0, top: 0, strokes: [], outlines: {}, kind: 'before', pen: null, brush: firstBrush(), down: false});
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
  const at = canvas.getBoundingClientRect(), [px, py] = toScreen(x, y);
  return [at.left + px, at.top + py];
}};
