// --- painting: by mouse, or by keyboard with a brush that the arrows move ---

const BRUSH_MM = 6;
const PAINT_KEYS = {
  ' ': () => (state.down ? liftPen() : putPen()), Escape: () => liftPen(), Enter: () => sendPaint(state.strokes),
  Delete: () => undone(), Backspace: () => undone(), '<': () => resizeBrush(1 / 1.25), '>': () => resizeBrush(1.25),
};

function firstBrush() { return Math.max(1, BRUSH_MM / Math.min(...(state.view.spacing || [1, 1]))); }

function resizeBrush(factor) {
  state.brush = clamp(state.brush * factor, 1, 400);
  readPen();
  draw();
}

function putPen() {
  state.pen = state.pen || middle();
  state.down = true;
  state.strokes.push({radius: state.brush, points: [[...state.pen]]});
  readPen();
  draw();
}

function liftPen() {
  if (!state.down) return;
  state.down = false;
  readPen();
  draw();
}

// The brush moves by a quarter of its radius, with Shift by two and a half radii.
function movePen([dx, dy], step) {
  const [w, h] = size(), [x, y] = state.pen || middle(), far = Math.max(1, state.brush / 4) * step;
  state.pen = [clamp(x + dx * far, 0, w), clamp(y + dy * far, 0, h)];
  if (state.down) state.strokes[state.strokes.length - 1].points.push([...state.pen]);
  keepPenShown();
  readPen();
  draw();
}

function keepPenShown() {
  const [sx, sy] = scale(), [x, y] = state.pen;
  state.left = clamp(state.left, x - canvas.clientWidth / sx, x);
  state.top = clamp(state.top, y - canvas.clientHeight / sy, y);
  keepInside();
}

function undone() {
  state.down = false;
  state.strokes.pop();
  say(`${state.strokes.length} strokes are left.`);
  draw();
}

function readPen() {
  if (!state.pen || !state.view.spacing) return;
  const wide = 2 * state.brush * Math.min(...state.view.spacing);
  say(`Brush ${state.down ? 'down' : 'up'} at ${state.pen.map(Math.round).join(', ')}, ${wide.toFixed(0)} mm wide. Space puts it down and lifts it, Enter makes the painting the air leak.`);
}

// Lines are drawn in pixels of the film, so that the brush is what the server will fill.
function drawStrokes(sx, sy) {
  context.save();
  context.scale(sx, sy);
  context.translate(-state.left, -state.top);
  context.strokeStyle = COLOURS.paint;
  context.lineCap = context.lineJoin = 'round';
  for (const one of state.strokes) {
    context.lineWidth = 2 * one.radius;
    context.beginPath();
    one.points.forEach(([x, y], i) => context[i ? 'lineTo' : 'moveTo'](x, y));
    if (one.points.length === 1) context.lineTo(one.points[0][0] + 0.01, one.points[0][1]);
    context.stroke();
  }
  if (state.mode === 'paint' && state.pen) {
    context.beginPath();
    context.arc(...state.pen, state.brush, 0, 2 * Math.PI);
    context.lineWidth = 1.5 / sx;
    context.strokeStyle = '#fff';
    context.stroke();
  }
  context.restore();
}

async function sendPaint(strokes) {
  liftPen();
  const answer = await fetch(`studio/${state.view.token}/paint`, {method: 'POST', body: JSON.stringify({strokes})});
  const told = await answer.json();
  if (answer.ok) state.strokes = [];
  edit(answer.ok ? {action: 'painted'} : {action: 'failed', error: told.error, hint: told.hint});
}
