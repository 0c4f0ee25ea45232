"use strict";
/* The live page: takes what the server tells, at most ten times a second, and shows the last of it at the next frame. All text
 * from outside goes through textContent or a canvas. */

const $ = id => document.getElementById(id), root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
let look = getComputedStyle(root);
const css = name => look.getPropertyValue(name);

const count = n => n.toLocaleString("en");
const bytes = n => { const u = ["B", "KiB", "MiB", "GiB", "TiB"]; let i = 0; while (n >= 1024 && i < 4) { n /= 1024; i++; } return n.toFixed(i && n < 100 ? 1 : 0) + " " + u[i]; };
const time = ns => ns < 999.5 ? ns.toFixed(0) + " ns" : ns < 999500 ? (ns / 1e3).toPrecision(3) + " µs" : ns < 999.5e6 ? (ns / 1e6).toPrecision(3) + " ms" : ns < 120e9 ? (ns / 1e9).toFixed(ns < 1e10 ? 2 : 1) + " s" : ns < 7200e9 ? (ns / 60e9).toFixed(1) + " min" : (ns / 3600e9).toFixed(1) + " h";
const percent = share => share === null || share === undefined ? "–" : Math.round(share * 100) + " %";
/* Far apart one after the other, and none that is red: red has failed. */
const colour = i => `hsl(${30 + (182 + i * 114.6) % 295} ${dark.matches ? "58% 62%" : "55% 46%"})`;
function make(parent, tag, text, name) {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (name) e.className = name;
  parent.append(e);
  return e;
}
function say(element, text) { if (element.textContent !== text) element.textContent = text; }

/* -- What is known */

let state = null, links = [], history = [], slices = [], lost = false, over = false, received = 0;
const longest = 180e6, most = 60000; /* microseconds of the stream that are kept, and slices */

function take(told) {
  state = told.state;
  received = performance.now();
  if (told.links) { links = told.links; graphDrawn = ""; }
  if (told.history) history = told.history;
  else history.push([state.now_ns / 1e6, state.tasks.done, state.memory.live, state.memory.spilled, state.memory.resident]);
  if (history.length > 1600) history = history.filter((_, i) => i % 2);
  for (const slice of told.slices) slices.push(slice);
  if (slices.length > most || (slices.length && slices[0][2] < state.now_ns / 1e3 - 2 * longest)) {
    const from = state.now_ns / 1e3 - longest;
    slices = slices.slice(-most * .8).filter(s => s[2] + s[3] >= from);
  }
  over = state.phase === "finished";
  if (over) source.close();
  ask();
}

let asked = false;
function ask() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; if (state) show(); });
}

const source = new EventSource("events");
source.onmessage = e => { lost = false; take(JSON.parse(e.data)); };
source.onerror = () => { if (!over) { lost = true; if (state) ask(); else say($("phase"), "no connection"); } };

/* -- The head */

const phases = { waiting: "waiting", running: "running", between: "between runs", finished: "finished" };
const figures = {};
for (const name of ["done", "rate", "left", "running", "failed", "memory"]) {
  const div = make($("figures"), "div");
  figures[name] = { title: make(div, "dt", { rate: "a second", left: "time", memory: "memory in use" }[name] || name), value: make(div, "dd", "–") };
}

function head() {
  const t = state.tasks, r = state.run, bad = state.status !== "" || t.failed > 0;
  document.title = (over || lost || !t.known ? "" : Math.floor(100 * t.done / t.known) + " % · ") + state.title;
  say($("title"), state.title);
  const badge = $("phase"), text = lost ? "no connection" : over && bad ? "failed" : phases[state.phase];
  say(badge, text);
  badge.className = "badge" + (lost ? " bad" : over ? bad ? " bad" : " good" : state.phase === "running" ? " running" : "");
  say($("about"), r.number ? `${r.scheduler}, ${count(r.workers)} ${r.workers === 1 ? "worker" : "workers"}, run ${count(state.runs)}, process ${state.process}, Rask ${state.rask}` : `no run yet, process ${state.process}, Rask ${state.rask}`);
  const share = t.known ? t.done / t.known : 0, bar = $("bar");
  bar.firstChild.style.width = 100 * share + "%";
  bar.className = "bar" + (over ? bad ? " bad" : " good" : "");
  bar.setAttribute("aria-valuenow", Math.floor(100 * share));
  say(figures.done.value, t.known ? `${count(t.done)} of ${count(t.known)}` : count(t.done));
  say(figures.rate.value, over || r.over ? "–" : count(t.per_second));
  const rest = t.done && !r.over ? r.elapsed_ns * (t.known - t.done) / t.done : 0;
  say(figures.left.title, rest && !over ? "time, and about left" : "time");
  say(figures.left.value, time(r.elapsed_ns) + (rest && !over && r.elapsed_ns > 1e9 ? " + " + time(rest) : ""));
  say(figures.running.value, r.scheduler === "processes" || r.scheduler === "cluster" ? "–" : count(over ? 0 : t.running)); /* workers elsewhere tell of tasks when they are over */
  say(figures.failed.value, count(t.failed) + (t.skipped ? `, ${count(t.skipped)} skipped` : ""));
  say(figures.memory.value, bytes(state.memory.live));
  const says = $("outcome");
  say(says, lost ? "The program cannot be reached: it ended, or is stopped. What you see is the last that it told." : state.message ? state.message : over ? "The run has ended. This page stays as it is." : state.left_out ? `${count(state.left_out)} runs inside of others are not shown.` : "\u00a0");
  if (says.title !== says.textContent) says.title = says.textContent.trim();
  says.className = "outcome" + (lost || state.message ? " bad" : "");
  const button = $("cancel");
  button.hidden = !state.can_cancel;
  button.disabled = button.disabled || over || lost;
}

let sure = 0;
$("cancel").addEventListener("click", () => {
  const button = $("cancel");
  clearTimeout(sure);
  if (!button.classList.toggle("sure")) {
    button.disabled = true;
    say(button, "Cancelling");
    fetch("api/cancel", { method: "POST" }).then(r => say(button, r.ok ? "Cancelled" : "Refused"), () => say(button, "Not reached"));
    return;
  }
  say(button, "Really cancel?");
  sure = setTimeout(() => { button.classList.remove("sure"); say(button, "Cancel the run"); }, 4000);
});

/* -- Canvases */

function fit(canvas) {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const c = canvas.getContext("2d"), em = parseFloat(look.fontSize);
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  c.font = .82 * em + "px system-ui, sans-serif";
  c.textBaseline = "alphabetic";
  return [c, width, height, em];
}

/* Lines at round times between from and to, in microseconds; at says where. */
function axis(c, from, to, at, left, width, height, em, text) {
  const room = Math.max(2, Math.floor((width - left) / (5 * em))), least = (to - from) / room, ten = Math.pow(10, Math.floor(Math.log10(least)));
  const step = [1, 2, 5, 10].find(n => n * ten >= least) * ten;
  c.strokeStyle = css("--line"); c.fillStyle = css("--dim"); c.lineWidth = 1;
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
    const x = Math.round(at(t)) + .5;
    c.beginPath(); c.moveTo(x, 0); c.lineTo(x, height - 1.3 * em); c.stroke();
    if (x + 3 * em < width) c.fillText(text(t), x + 3, height - .35 * em);
  }
}

let span = 2e6, chosen = false, paused = null, rows = new Map(); /* span in microseconds; chosen: by hand; paused: the right edge */

/* As wide as what there is to see, in few steps, until somebody chooses. */
function widen() {
  if (chosen || paused !== null) return;
  const seen = over ? lastEnd() : state.now_ns / 1e3;
  span = over ? Math.min(20e6, Math.max(1e5, seen * 1.02)) : [2e6, 5e6, 10e6, 20e6].find(s => s >= seen) || 20e6;
}

function right() {
  return paused !== null ? paused : over || state.run.over ? Math.max(1, lastEnd()) : state.now_ns / 1e3;
}
function lastEnd() { return slices.length ? slices.reduce((m, s) => Math.max(m, s[2] + s[3]), 0) : state.now_ns / 1e3; }

function stream() {
  const [c, width, height, em] = fit($("stream")), left = 5.2 * em, bottom = 1.4 * em;
  widen();
  const to = right(), from = Math.max(0, to - span), end = from + span, at = t => left + (t - from) / (end - from) * (width - left);
  const ids = state.workers.map(w => w.worker);
  rows = new Map(ids.map((id, i) => [id, i]));
  const high = Math.min(3.2 * em, (height - bottom) / Math.max(1, ids.length)), gap = high > 8 ? 2 : high > 3 ? 1 : 0;
  axis(c, from, end, at, left, width, height, em, t => time(t * 1e3));
  const block = (row, a, b, name, busy, failed, running) => {
    const x = Math.max(left, at(a)), X = Math.min(width, at(b));
    if (X < left || x > width) return;
    c.globalAlpha = .35 + .65 * busy / 100;
    c.fillStyle = failed ? css("--bad") : colour(name);
    c.fillRect(x, row * high + gap, Math.max(X - x, .75), high - gap);
    c.globalAlpha = 1;
    if (running) { c.fillStyle = css("--fore"); c.fillRect(X - 2, row * high + gap, 2, high - gap); }
    if (X - x > 5 * em && high > .95 * em) {
      c.save(); c.beginPath(); c.rect(x, row * high, X - x - 3, high); c.clip();
      c.fillStyle = css("--on"); c.fillText(state.names[name] ? state.names[name].name : "", x + 4, row * high + gap + (high - gap) / 2 + .3 * em); c.restore();
    }
  };
  for (const s of slices) {
    const row = rows.get(s[0]);
    if (row !== undefined && s[2] < end && s[2] + s[3] > from) block(row, s[2], s[2] + s[3], s[1], s[5], s[6], false);
  }
  for (const w of state.workers)
    if (w.task !== undefined && !over && !state.run.over) block(rows.get(w.worker), w.since_ns / 1e3, state.now_ns / 1e3, state.names.findIndex(n => n.name === w.task), 100, false, true);
  c.fillStyle = css("--tint"); c.fillRect(0, 0, left - 1, height);
  c.fillStyle = css("--dim");
  const every = Math.max(1, Math.ceil(em / high));
  for (const w of state.workers) { const row = rows.get(w.worker); if (row % every === 0) c.fillText(nameOf(w), .4 * em, row * high + high / 2 + .35 * em); }
  if (!ids.length) c.fillText("No task was started yet.", left + em, 2 * em);
  say($("span"), time(span * 1e3));
}
const nameOf = w => w.lane ? "lane " + state.workers.filter(v => v.lane && v.worker < w.worker).length : "worker " + w.worker;

function memory() {
  const [c, width, height, em] = fit($("memory")), left = 4.9 * em, m = state.memory;
  const from = history.length ? history[0][0] : 0, to = Math.max(from + 1000, history.length ? history[history.length - 1][0] : 0);
  let top = 1 << 20;
  for (const h of history) top = Math.max(top, h[2], h[3], h[4]);
  const withBudget = m.budget && m.budget < 3 * top;
  if (withBudget) top = Math.max(top, m.budget);
  top *= 1.06;
  const at = t => left + (t - from) / (to - from) * (width - left), y = v => height - 1.5 * em - v / top * (height - 2.2 * em);
  axis(c, from, to, at, left, width, height, em, t => time(t * 1e6));
  for (const [place, name] of [[4, "--own"], [3, "--disk"], [2, "--live"]]) {
    c.beginPath();
    history.forEach((h, i) => i ? c.lineTo(at(h[0]), y(h[place])) : c.moveTo(at(h[0]), y(h[place])));
    c.strokeStyle = css(name); c.lineWidth = place === 2 ? 2 : 1.3; c.stroke();
  }
  if (withBudget) { c.beginPath(); c.setLineDash([6, 4]); c.moveTo(left, y(m.budget)); c.lineTo(width, y(m.budget)); c.strokeStyle = css("--bad"); c.lineWidth = 1.5; c.stroke(); c.setLineDash([]); }
  c.fillStyle = css("--dim");
  c.fillText(bytes(top / 1.06), .3 * em, y(top / 1.06) + .3 * em); c.fillText("0", .3 * em, y(0));
  say($("held"), `at most ${bytes(m.peak)}${m.budget ? " of " + bytes(m.budget) : ""}, ${bytes(m.spilled)} on disk${m.moves ? `, ${bytes(m.moved)} moved` : ""}, process ${bytes(m.resident)}`);
}

/* -- Tables: rows are made once and filled again and again */

function row(table, number, cells) {
  while (table.children.length <= number) {
    const r = make(table, "tr");
    for (let i = 0; i < cells; i++) make(r, "td", "");
  }
  return table.children[number].children;
}
function metered(cell, text, share, key) {
  if (!cell.firstElementChild) {
    if (key !== undefined) make(cell, "i", "", "key");
    make(cell, "span"); make(make(cell, "span", "", "meter"), "i");
  }
  const [span, meter] = cell.querySelectorAll(":scope > span");
  say(span, text);
  meter.firstChild.style.width = 100 * Math.min(1, share || 0) + "%";
  if (key !== undefined) cell.firstElementChild.style.background = meter.firstChild.style.background = key;
}

function names() {
  state.names.forEach((n, i) => {
    const c = row($("names"), i, 6);
    metered(c[0], n.name, n.known ? n.done / n.known : 0, colour(i));
    say(c[1], (n.known > n.done ? `${count(n.done)} / ${count(n.known)}` : count(n.done)) + (n.failed ? ` (${count(n.failed)} failed)` : ""));
    say(c[2], n.running ? count(n.running) : "–");
    say(c[3], n.done ? time(n.total_ns / n.done) : "–");
    say(c[4], time(n.total_ns));
    say(c[5], bytes(n.bytes));
  });
}

function workers() {
  state.workers.forEach((w, i) => {
    const cells = row($("workers"), i, 6), text = w.task === undefined || over ? "" : w.label || w.task;
    cells[0].parentNode.className = w.lost ? "lost" : "";
    say(cells[0], nameOf(w) + (w.host ? ` (${w.host})` : ""));
    metered(cells[1], over ? "–" : percent(w.busy), over ? 0 : w.busy);
    say(cells[2], over ? "–" : percent(w.cpu));
    say(cells[3], w.resident ? bytes(w.resident) : "–");
    say(cells[4], count(w.done) + (w.failed ? ` (${count(w.failed)} failed)` : ""));
    say(cells[5], w.lost ? "lost" : text || "–");
    if (cells[5].title !== text) cells[5].title = text;
  });
  const more = state.worker_count - state.workers.length, gone = state.processes.filter(p => p.lost), apart = state.processes.filter(p => p.lost || !p.count), table = $("workers");
  apart.forEach((p, i) => {
    const cells = row(table, state.workers.length + i, 6), text = p.lost ? "lost: " + p.reason : "here";
    cells[0].parentNode.className = p.lost ? "lost" : "";
    say(cells[0], p.host || "process " + p.process);
    for (const cell of [cells[1], cells[2], cells[3], cells[4]]) say(cell, "");
    say(cells[5], text);
    if (cells[5].title !== text) cells[5].title = text;
  });
  while (table.children.length > state.workers.length + apart.length) table.lastChild.remove();
  say($("crew"), [more > 0 ? `${count(more)} more` : "", state.processes.length ? `${count(state.processes.length - gone.length)} processes` : "", gone.length ? `${count(gone.length)} lost` : ""].filter(Boolean).join(", "));
}

function failures() {
  const list = $("failures");
  $("none").hidden = state.failures.length > 0;
  state.failures.forEach((f, i) => {
    if (i >= list.children.length) { const li = make(list, "li"); make(li, "b"); make(li, "span"); }
    const [name, text] = list.children[i].children;
    say(name, f.name + (f.label ? ` ${f.label}` : ""));
    say(text, `: ${f.message}`);
  });
  say($("failed"), state.tasks.failed > state.failures.length && state.failures.length ? `the first ${count(state.failures.length)} of ${count(state.tasks.failed)}` : "");
}

/* -- The graph: a box a name, from left to right, behind those that it takes from */

let graphDrawn = "", boxes = [];
function svg(parent, tag, set, text) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const k in set) e.setAttribute(k, set[k]);
  if (text !== undefined) e.textContent = text;
  parent.append(e);
  return e;
}
/* Names come in the order of the plan, so a link that goes back closes a circle and does not count. */
function columns(shown) {
  const level = state.names.map(() => 0), found = [];
  for (const [from, to] of [...links].sort((a, b) => a[1] - b[1])) if (from < to) level[to] = Math.max(level[to], level[from] + 1);
  for (const i of shown) (found[level[i]] = found[level[i]] || []).push(i);
  return found.filter(Boolean);
}
function drawGraph() {
  const em = parseFloat(look.fontSize), wide = 10.5 * em, gap = 3.2 * em, high = 2.9 * em, step = high + .7 * em;
  const shown = state.names.map((_, i) => i).slice(0, 48), cols = columns(shown), place = new Map(), tallest = Math.max(1, ...cols.map(c => c.length));
  const w = cols.length * (wide + gap) - gap + 8, h = (tallest + .6) * step + 8;
  const scale = Math.max(.8, Math.min(1, $("graph").clientWidth / w)); // what is wider still is scrolled
  const all = svg($("graph"), "svg", { width: w * scale, height: h * scale, viewBox: `0 0 ${w} ${h}` });
  cols.forEach((c, x) => c.forEach((n, y) => place.set(n, [4 + x * (wide + gap), 4 + (y + (tallest - c.length) / 2) * step])));
  for (const [from, to, times] of links) {
    const a = place.get(from), b = place.get(to);
    if (!a || !b || from === to) continue;
    const x = a[0] + wide, y = a[1] + high / 2, X = b[0], Y = b[1] + high / 2, bend = Math.max(gap / 2, Math.abs(X - x) / 3);
    const sag = X - x > gap + 1 || X < x ? .8 * step : 0; /* around the boxes between them */
    svg(svg(all, "path", { d: `M${x} ${y}C${x + bend} ${y + sag} ${X - bend} ${Y + sag} ${X} ${Y}`, "stroke-width": 1 + Math.min(3, Math.log10(times)) }), "title", {}, `${count(times)} times`);
  }
  boxes = shown.map(i => {
    const [x, y] = place.get(i), g = svg(all, "g", {}), name = state.names[i].name;
    svg(g, "title", {}, name);
    svg(g, "rect", { class: "box", x, y, width: wide, height: high, rx: .35 * em });
    const fill = svg(g, "rect", { class: "done", x, y, width: 0, height: high, rx: .35 * em });
    svg(g, "rect", { x, y, width: .3 * em, height: high, fill: colour(i) });
    fill.setAttribute("fill", colour(i));
    svg(g, "text", { x: x + .7 * em, y: y + 1.2 * em }, name.length > 20 ? name.slice(0, 19) + "…" : name);
    return { fill, wide, text: svg(g, "text", { class: "small", x: x + .7 * em, y: y + 2.35 * em }, "") };
  });
}
function graph() {
  const key = `${state.names.length} ${dark.matches} ${look.fontSize} ${links.length}`;
  if (key !== graphDrawn) { $("graph").replaceChildren(); drawGraph(); graphDrawn = key; }
  boxes.forEach((b, i) => {
    const n = state.names[i];
    b.fill.setAttribute("width", n.known ? b.wide * n.done / n.known : 0);
    say(b.text, n.known > n.done ? `${count(n.done)} of ${count(n.known)}` : `${count(n.done)} done`);
  });
}

function show() {
  head(); stream(); memory(); names(); workers(); graph(); failures();
}

/* -- What hands do */

function zoom(by) { chosen = true; span = Math.min(longest, Math.max(1e5, span * by)); ask(); }
function pause() {
  paused = paused === null && state ? right() : null;
  $("pause").setAttribute("aria-pressed", paused !== null);
  say($("pause"), paused === null ? "Pause" : "Go on");
  ask();
}
function move(part) { if (paused === null) pause(); paused = Math.max(span, paused + part * span); ask(); }
$("less").addEventListener("click", () => zoom(.5));
$("more").addEventListener("click", () => zoom(2));
$("pause").addEventListener("click", pause);
$("stream").addEventListener("keydown", e => {
  const done = { "+": () => zoom(.5), "=": () => zoom(.5), "-": () => zoom(2), " ": pause, ArrowLeft: () => move(-.2), ArrowRight: () => move(.2), End: () => { if (paused !== null) pause(); } }[e.key];
  if (done && state) { e.preventDefault(); done(); }
});
$("stream").addEventListener("pointerleave", () => { $("tip").hidden = true; });
$("stream").addEventListener("pointermove", e => {
  if (!state) return;
  const canvas = $("stream"), em = parseFloat(look.fontSize), left = 5.2 * em, high = Math.min(3.2 * em, (canvas.clientHeight - 1.4 * em) / Math.max(1, rows.size));
  const to = right(), from = Math.max(0, to - span), t = from + (e.offsetX - left) / (canvas.clientWidth - left) * span, near = 2 * span / canvas.clientWidth, r = Math.floor(e.offsetY / high);
  const s = slices.find(s => rows.get(s[0]) === r && t >= s[2] - near && t <= s[2] + s[3] + near), tip = $("tip");
  tip.hidden = !s;
  if (!s) return;
  tip.textContent = `${state.names[s[1]].name}${s[7] ? "\n" + s[7] : ""}\n${s[4] > 1 ? `the longest of ${count(s[4])} tasks in ` : ""}${time(s[3] * 1e3)}${s[6] ? `\n${count(s[6])} failed` : ""}`;
  tip.style.left = Math.max(4, Math.min(e.clientX + 14, innerWidth - tip.offsetWidth - 8)) + "px";
  tip.style.top = Math.max(4, Math.min(e.clientY + 14, innerHeight - tip.offsetHeight - 8)) + "px";
});
addEventListener("resize", ask);
dark.addEventListener("change", () => { look = getComputedStyle(root); ask(); });
