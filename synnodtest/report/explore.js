"use strict";
(() => {
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const packed = $("pictures").textContent;
const [ID, BEHAVIOUR, BACKGROUND, ARM, STRATA, USE, NODULES, FINDINGS, PICTURE] = data.columns.map((_, i) => i);
const [NAME, DIAMETER, CONTRAST, DENSITY, CONSPICUITY, REGIONS, CONFIDENCE, BOX] = [0, 1, 2, 3, 4, 5, 6, 7];
const QUANTITY = {diameter: DIAMETER, contrast: CONTRAST, density: DENSITY, conspicuity: CONSPICUITY};
const WORDS = {diameter: "Diameter (mm)", contrast: "Contrast", density: "Density", conspicuity: "Conspicuity"};
const FIELDS = ["expectation", "verdict", "hit", "region", "stratum", "arm", "text", "sort", "over", "point", "level", "window"];
const PAGE = 60;
const name = (i) => data.names[i];
const text = (node, words) => { node.textContent = words; return node; };
const make = (tag, words, more) => Object.assign(words === undefined ? document.createElement(tag) : text(document.createElement(tag), words), more || {});
let shown = [], drawn = 0, selected = null, points = [], top = 1;

/* --- what a scene is at a threshold ----------------------------------------------------------------------------- */
const point = () => Number($("point").value);
const onStep = (v) => Number.isInteger(Math.round(v * 1e6) / 1e4);
const told = (v) => onStep(v) ? v.toFixed(2) : figures(v);
const isHit = (confidence) => confidence > 0 && confidence >= point();
const armWord = (arm) => arm.replace(/^@under:/, "perturbed ").replace("@", "");
const alarms = (scene) => scene[FINDINGS].filter((f) => !f[5] && f[4] >= point()).length;
function outcome(scene) {
  if (scene[NODULES].some((n) => !isHit(n[CONFIDENCE]))) return "missed";
  if (alarms(scene)) return "alarm";
  return scene[NODULES].length ? "found" : "none";
}
const least = (scene) => scene[NODULES].length ? Math.min(...scene[NODULES].map((n) => n[CONFIDENCE])) : Math.max(0, ...scene[FINDINGS].map((f) => f[4]));
const WANTED = {missed: (s) => outcome(s) === "missed", alarm: (s) => alarms(s) > 0, none: (s) => !s[NODULES].length,
  found: (s) => s[NODULES].length > 0 && s[NODULES].every((n) => isHit(n[CONFIDENCE]))};

/* --- filters ----------------------------------------------------------------------------------------------------- */
function fill(id, pairs) { for (const [value, words] of pairs) $(id).append(make("option", words, {value})); }
function count(values) { const seen = new Map(); for (const v of values) seen.set(v, (seen.get(v) || 0) + 1); return [...seen].sort((a, b) => a[0] < b[0] ? -1 : 1); }
function build() {
  fill("expectation", data.expectations.map((e, i) => [i, `${e[1]} (${e[2]})`]));
  fill("verdict", count(data.expectations.map((e) => e[2])).map(([v, n]) => [v, `${v} (${n})`]));
  fill("region", count(data.scenes.flatMap((s) => s[NODULES].flatMap((n) => n[REGIONS].map(name)))).map(([v, n]) => [v, `${v.replaceAll("_", " ")} (${n})`]));
  fill("stratum", count(data.scenes.flatMap((s) => s[STRATA].map(name))).map(([v, n]) => [v, `${v} (${n})`]));
  fill("arm", count(data.scenes.map((s) => name(s[ARM]))).map(([v, n]) => [v, `${armWord(v)} (${n})`]));
  for (const [key, at] of Object.entries(QUANTITY)) {
    const values = data.scenes.flatMap((s) => s[NODULES].map((n) => n[at])).filter((v) => v !== null);
    if (!values.length) { $("over").querySelector(`option[value=${key}]`)?.remove(); continue; }
    const group = make("label", WORDS[key]);
    const pair = make("span", undefined, {className: "pair"});
    for (const [end, word] of [["from", "least"], ["to", "most"]]) {
      const input = make("input", undefined, {type: "number", step: "any", id: `${key}-${end}`, placeholder: (end === "from" ? Math.min : Math.max).apply(null, sample(values)).toPrecision(3)});
      input.setAttribute("aria-label", `${word} ${WORDS[key]}`);
      FIELDS.push(input.id);
      pair.append(input);
    }
    group.append(pair);
    $("ranges").append(group);
  }
  const scores = data.scenes.flatMap((s) => [...s[NODULES].map((n) => n[CONFIDENCE]), ...s[FINDINGS].map((f) => f[4])]);
  top = Math.max(1, data.point, sample(scores)[1]);  // a slider moves what lies beyond its end or between its steps
  Object.assign($("point"), {max: top, step: onStep(data.point) ? 0.01 : "any"}).value = data.point;
  const shown = data.scenes.filter((s) => s[PICTURE]), planted = shown.filter((s) => s[NODULES].length);
  const held = (planted.length ? planted : shown).map((s) => s[PICTURE]);  // whole films are wider than what is around a nodule
  if (held.length) {
    const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
    $("level").value = middle(held.map((p) => (p[4] + p[5]) / 2));
    $("window").value = Math.min(1, 1.2 * middle(held.map((p) => p[5] - p[4])));
  }
}
function sample(values) { let low = Infinity, high = -Infinity; for (const v of values) { if (v < low) low = v; if (v > high) high = v; } return [low, high]; }
function matches(scene) {
  const v = (id) => $(id).value;
  if (v("expectation") !== "" && !scene[USE].includes(Number(v("expectation")))) return false;
  if (v("verdict") !== "" && !scene[USE].some((i) => data.expectations[i][2] === v("verdict"))) return false;
  if (v("hit") !== "" && !WANTED[v("hit")](scene)) return false;
  if (v("region") !== "" && !scene[NODULES].some((n) => n[REGIONS].some((r) => name(r) === v("region")))) return false;
  if (v("stratum") !== "" && !scene[STRATA].some((s) => name(s) === v("stratum"))) return false;
  if (v("arm") !== "" && name(scene[ARM]) !== v("arm")) return false;
  if (v("text") !== "" && !(scene[ID].startsWith(v("text")) || name(scene[BACKGROUND]).includes(v("text")))) return false;
  return Object.entries(QUANTITY).every(([key, at]) => {
    const from = $(`${key}-from`)?.value ?? "", to = $(`${key}-to`)?.value ?? "";
    return (from === "" && to === "") || scene[NODULES].some((n) => n[at] !== null && (from === "" || n[at] >= Number(from)) && (to === "" || n[at] <= Number(to)));
  });
}
function order(scenes) {
  const by = $("sort").value;
  if (!by) return scenes;
  const key = by.endsWith("confidence") ? least : (s) => s[NODULES].length ? s[NODULES][0][QUANTITY[by]] ?? Infinity : Infinity;
  const sign = by.startsWith("-") ? -1 : 1;
  return scenes.map((s) => [key(s), s]).sort((a, b) => sign * (a[0] - b[0])).map((p) => p[1]);
}
function update() {
  for (const id of ["point", "level", "window"]) $(`${id}-out`).textContent = told(Number($(id).value));
  shown = order(data.scenes.filter(matches));
  const nodules = shown.flatMap((s) => s[NODULES]);
  const found = nodules.filter((n) => isHit(n[CONFIDENCE])).length;
  $("count").textContent = `${shown.length} of ${data.scenes.length} scenes; ${found} of ${nodules.length} nodules found at ${told(point())}`
    + (data.excluded ? `; ${data.excluded} excluded, which no detector saw, left out` : "");
  $("cards").replaceChildren();
  drawn = 0;
  more();
  curve();
  remember();
}

/* --- pictures: decoded when they come into view, windowed in place ---------------------------------------------- */
const decoded = new Map();
function picture(scene) {
  const held = scene[PICTURE];
  if (!held) return Promise.resolve(null);
  if (!decoded.has(scene[ID])) {
    const raw = atob(packed.substr(held[6], held[7]));
    const bytes = Uint8Array.from(raw, (c) => c.charCodeAt(0));
    decoded.set(scene[ID], createImageBitmap(new Blob([bytes], {type: "image/webp"})).then((bitmap) => {
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const pen = canvas.getContext("2d");
      pen.drawImage(bitmap, 0, 0);
      const {data: rgba} = pen.getImageData(0, 0, bitmap.width, bitmap.height);
      const grey = new Uint8Array(bitmap.width * bitmap.height);
      for (let i = 0; i < grey.length; i++) grey[i] = rgba[4 * i];
      return {grey, width: bitmap.width, height: bitmap.height};
    }));
    if (decoded.size > 600) decoded.delete(decoded.keys().next().value);
  }
  return decoded.get(scene[ID]);
}
async function paint(canvas, scene, findings, scale) {
  const got = await picture(scene);
  const pen = canvas.getContext("2d");
  if (!got) {
    canvas.width = canvas.height = 96 * scale;
    pen.fillStyle = "#fff"; pen.font = "14px sans-serif"; pen.fillText("no picture", 10, 24);
    return;
  }
  const [x0, y0, wide, high, low, most] = scene[PICTURE];
  const level = Number($("level").value), width = Number($("window").value);
  const image = new ImageData(got.width, got.height);
  for (let i = 0; i < got.grey.length; i++) {
    const value = low + (most - low) * got.grey[i] / 255;
    const grey = 255 * ((value - level) / width + 0.5);
    image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = grey;
    image.data[4 * i + 3] = 255;
  }
  const small = new OffscreenCanvas(got.width, got.height);
  small.getContext("2d").putImageData(image, 0, 0);
  canvas.width = got.width * scale; canvas.height = got.height * scale;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, 0, 0, canvas.width, canvas.height);
  if (!$("boxes").checked) return;
  const place = (b) => [(b[0] - x0) * canvas.width / wide, (b[1] - y0) * canvas.height / high, (b[2] - b[0]) * canvas.width / wide, (b[3] - b[1]) * canvas.height / high];
  const boxes = scene[NODULES].map((n) => [place(n.slice(BOX)), []]);
  for (const f of findings) if (f[4] >= point()) boxes.push([place(f), [6, 4], f[4]]);
  for (const [ink, extra] of [["#000", 2], ["#ffdd00", 0]]) {
    pen.strokeStyle = pen.fillStyle = ink;
    for (const [box, dash, score] of boxes) {
      pen.lineWidth = 1.6 + extra; pen.setLineDash(dash); pen.strokeRect(...box);
      if (score !== undefined && scale > 2 && !extra) { pen.font = "18px sans-serif"; pen.fillText(score.toFixed(2), box[0], Math.max(16, box[1] - 5)); }
    }
  }
}
const watcher = new IntersectionObserver((entries) => {
  for (const e of entries) if (e.isIntersecting) { watcher.unobserve(e.target); paint(e.target, e.target.scene, e.target.scene[FINDINGS], 2); }
}, {rootMargin: "200px"});

/* --- cards ------------------------------------------------------------------------------------------------------- */
const SAYS = {missed: "missed", found: "found", alarm: "finding beside", none: "quiet"};
function card(scene) {
  const what = outcome(scene);
  const button = make("button", undefined, {type: "button", className: what});
  const canvas = make("canvas", undefined, {width: 192, height: 192});
  canvas.setAttribute("aria-hidden", "true");
  canvas.scene = scene;
  watcher.observe(canvas);
  const several = scene[NODULES].length > 1;
  const nodules = scene[NODULES].map((n) => `${n[DIAMETER].toFixed(1)} mm${several ? (isHit(n[CONFIDENCE]) ? " found" : " missed") : ""}, confidence ${n[CONFIDENCE].toFixed(2)}`).join("; ");
  button.append(canvas, make("span", several && what !== "alarm" ? nodules : `${SAYS[what]}: ${nodules || "no nodule"}`));
  button.addEventListener("click", () => select(scene));
  const item = make("li");
  item.append(button);
  return item;
}
function more() {
  const next = shown.slice(drawn, drawn + PAGE);
  $("cards").append(...next.map(card));
  drawn += next.length;
  $("more").hidden = drawn >= shown.length;
  $("more").textContent = `${Math.min(PAGE, shown.length - drawn)} more of ${shown.length - drawn}`;
}

/* --- one scene, two detectors beside each other ------------------------------------------------------------------ */
function row(cells, head) { const tr = make("tr"); for (const c of cells) tr.append(make(head ? "th" : "td", c, head ? {scope: "col"} : {})); return tr; }
function table(heads, rows) { const t = make("table"), h = make("thead"), b = make("tbody"); h.append(row(heads, true)); b.append(...rows.map((r) => row(r))); t.append(h, b); const held = make("div", undefined, {className: "scroll", tabIndex: 0}); held.setAttribute("role", "group"); held.setAttribute("aria-label", heads[0]); held.append(t); return held; }
const figures = (v) => v === null || v === undefined ? "–" : String(Number(v.toPrecision(3)));
function side(words, scene, findings, confidences) {
  const figure = make("figure"), canvas = make("canvas", undefined, {width: 480, height: 480});
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${words}: nodules solid, findings dashed`);
  paint(canvas, scene, findings, 5);
  const nodules = scene[NODULES].map((n, i) => `${name(n[NAME])} ${isHit(confidences[i] ?? 0) ? "found" : "missed"} (${(confidences[i] ?? 0).toFixed(2)})`).join(", ");
  const marks = findings.filter((f) => f[4] >= point()).length;
  figure.append(canvas, make("figcaption", `${words}: ${nodules || "no nodule"}; ${marks} finding${marks === 1 ? "" : "s"} at ${told(point())}`));
  return figure;
}
function select(scene, quiet) {
  selected = scene;
  $("one").hidden = !scene;
  if (!scene) { remember(); return; }
  $("one-h").textContent = `Scene ${scene[ID].slice(0, 16)}`;
  const pair = [side(data.detector, scene, scene[FINDINGS], scene[NODULES].map((n) => n[CONFIDENCE]))];
  if (data.other) {
    const there = data.other.scenes[scene[ID]];
    pair.push(there ? side(data.other.name || data.other.run, scene, there[1], there[0]) : make("p", `${data.other.name} has not seen this scene.`));
  }
  $("pair").replaceChildren(...pair);
  const parts = [make("p", `${name(scene[BEHAVIOUR])}, background ${name(scene[BACKGROUND])}, ${armWord(name(scene[ARM]))}${scene[STRATA].length ? "; " + scene[STRATA].map(name).join(", ") : ""}`)];
  if (scene[NODULES].length) parts.push(table(["Nodule", "Diameter", "Contrast", "Density", "Conspicuity", "Confidence", "Regions"],
    scene[NODULES].map((n) => [name(n[NAME]), `${figures(n[DIAMETER])} mm`, figures(n[CONTRAST]), figures(n[DENSITY]), figures(n[CONSPICUITY]), figures(n[CONFIDENCE]), n[REGIONS].map((r) => name(r).replaceAll("_", " ")).join(", ")])));
  const uses = make("ul");
  for (const i of scene[USE]) {
    const [, title, verdict] = data.expectations[i], item = make("li", `${title} `);
    item.append(make("span", verdict, {className: `word s-${verdict.toLowerCase().replace(" ", "-")}`}), " ", make("a", "in the report", {href: `${data.report}#e${i + 1}`}));
    uses.append(item);
  }
  const command = make("p");
  command.append(make("code", `synnodtest replay ${scene[ID].slice(0, 16)}`));
  $("facts").replaceChildren(...parts, uses, command);
  remember();
  if (!quiet) { $("one").focus({preventScroll: true}); $("one").scrollIntoView({block: "nearest"}); }
}

/* --- the curve --------------------------------------------------------------------------------------------------- */
function ticks(low, high) {  // round figures within a range, some five of them; a range of one value is its own
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough)), made = [];
  if (!(rough > 0)) return [low];
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough);
  for (let k = Math.ceil(low / step); k * step <= high; k++) made.push(k * step);
  return made;
}
function curve() {
  const canvas = $("curve"), pen = canvas.getContext("2d"), at = QUANTITY[$("over").value], ratio = devicePixelRatio || 1;
  const W = Math.max(280, canvas.clientWidth), H = canvas.clientHeight || 300, L = 46, R = 14, T = 12, B = 34;
  canvas.width = Math.round(W * ratio); canvas.height = Math.round(H * ratio);  // labels keep their size at any width
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const all = [];
  for (const s of shown) for (const n of s[NODULES]) if (n[at] !== null) all.push([n[at], n[CONFIDENCE], s]);
  points = [];
  if (!all.length) { pen.fillStyle = "#4a5560"; pen.font = "14px sans-serif"; pen.fillText("no nodule among these scenes", L, 40); return; }
  const [low, high] = sample(all.map((p) => p[0])), span = high - low || 1;
  const X = (v) => L + (W - L - R) * (v - low) / span, Y = (v) => H - B - (H - T - B) * Math.min(1, v / top);
  pen.strokeStyle = "#c9d0d6"; pen.fillStyle = "#4a5560"; pen.font = "13px sans-serif"; pen.lineWidth = 1;
  for (let k = 0; k <= 4; k++) { const y = Y(top * k / 4); pen.beginPath(); pen.moveTo(L, y); pen.lineTo(W - R, y); pen.stroke(); pen.fillText(told(top * k / 4), 8, y + 4); }
  pen.textAlign = "center";
  for (const v of ticks(low, high)) pen.fillText(figures(v), Math.min(X(v), W - 20), H - 12);
  pen.textAlign = "start";
  pen.strokeStyle = "#d55e00"; pen.setLineDash([5, 4]); pen.beginPath(); pen.moveTo(L, Y(point())); pen.lineTo(W - R, Y(point())); pen.stroke(); pen.setLineDash([]);
  pen.globalAlpha = all.length > 1500 ? 0.35 : 0.75;
  for (const [v, c, s] of all) {
    const x = X(v), y = Y(c);
    points.push([x, y, s]);
    pen.beginPath(); pen.arc(x, y, 3.2, 0, 7); pen.strokeStyle = pen.fillStyle = "#0072b2";
    if (isHit(c)) pen.fill(); else pen.stroke();
  }
  pen.globalAlpha = 1;
  const sorted = all.slice().sort((a, b) => a[0] - b[0]), step = Math.max(1, Math.ceil(sorted.length / 10));
  pen.strokeStyle = "#1b1f24"; pen.lineWidth = 2; pen.beginPath();
  for (let i = 0, first = true; i < sorted.length; i += step, first = false) {
    const part = sorted.slice(i, i + step), mean = (k) => part.reduce((sum, p) => sum + p[k], 0) / part.length;
    pen[first ? "moveTo" : "lineTo"](X(mean(0)), Y(mean(1)));
  }
  pen.stroke();
}
$("curve").addEventListener("click", (event) => {
  const x = event.offsetX, y = event.offsetY;
  let best = null, near = 15 ** 2;
  for (const p of points) { const d = (p[0] - x) ** 2 + (p[1] - y) ** 2; if (d < near) { near = d; best = p[2]; } }
  if (best) select(best);
});

/* --- deep links: what is chosen stands in the address ------------------------------------------------------------ */
const defaults = {};
function remember() {
  const wanted = new URLSearchParams();
  if (selected) wanted.set("scene", selected[ID].slice(0, 16));
  for (const id of FIELDS) if ($(id) && $(id).value !== defaults[id]) wanted.set(id, $(id).value);
  try { history.replaceState(null, "", `#${wanted}`); } catch { /* an address that may not change */ }
}
function follow() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  for (const id of FIELDS) if ($(id)) $(id).value = wanted.get(id) ?? defaults[id];
  const wantedId = wanted.get("scene");
  const scene = wantedId && data.scenes.find((s) => s[ID].startsWith(wantedId));
  selected = scene || null;
  update();
  select(selected, true);
  if (selected) $("one").scrollIntoView({block: "start"});
}
let waiting = 0;
build();
for (const id of FIELDS) if ($(id)) defaults[id] = $(id).value;
$("filters").addEventListener("input", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(() => { update(); if (selected) select(selected, true); }); });
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("over").addEventListener("input", () => { curve(); remember(); });
$("more").addEventListener("click", more);
$("close").addEventListener("click", () => select(null));
$("reset").addEventListener("click", () => { for (const id of FIELDS) if ($(id)) $(id).value = defaults[id]; selected = null; $("one").hidden = true; update(); });
let wide = $("curve").clientWidth;
new ResizeObserver(() => { if ($("curve").clientWidth !== wide) { wide = $("curve").clientWidth; curve(); } }).observe($("curve"));
addEventListener("hashchange", follow);
follow();
document.documentElement.dataset.ready = "yes";
})();
