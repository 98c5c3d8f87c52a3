// Makes pages live. They work without it: this only renews what the server draws, and adds keys.
const all = (selector, root = document) => root.querySelectorAll(selector);
const one = (selector, root = document) => root.querySelector(selector);
document.documentElement.dataset.script = "";

// --- Times in the viewer's zone; the exact instant stays in the title.
const today = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const other = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
function localise() {
  const day = new Date().toDateString();
  for (const time of all("time[datetime]")) {
    const at = new Date(time.dateTime);
    const text = (at.toDateString() === day ? today : other).format(at);
    if (time.textContent !== text) time.textContent = text;
  }
}

function duration(ms) {
  if (ms < 60e3) return `${(Math.max(ms, 0) / 1e3).toFixed(1)} s`;
  if (ms < 3600e3) return `${Math.floor(ms / 60e3)} min ${Math.floor((ms % 60e3) / 1e3)} s`;
  if (ms < 86400e3) return `${Math.floor(ms / 3600e3)} h ${Math.floor((ms % 3600e3) / 60e3)} min`;
  return `${Math.floor(ms / 86400e3)} d ${Math.floor((ms % 86400e3) / 3600e3)} h`;
}
setInterval(() => {
  for (const cell of all("[data-since]")) cell.textContent = duration(Date.now() - Number(cell.dataset.since));
}, 1000);

// --- Ids
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, 1500);
});

// --- The tab
function mark() {
  const run = one("[data-title]");
  if (!run) return;
  document.title = run.dataset.title;
  if (one("#icon").getAttribute("href") !== run.dataset.icon) one("#icon").href = run.dataset.icon;
}

// --- Renewal: one stream a page, one request at a time, never while someone is typing.
const LIVE_VIEWS = {
  run: { types: null, target: "#run", soon: 200 },
  runs: { types: /^(run|gate)\./, target: "#runs", soon: 1000 },
  gates: { types: /^gate\./, target: "#approvals", soon: 500 },
  events: { types: /./, target: "#events", soon: 1000 },
  system: { types: /^(breaker|alert|run)\.|^step\.(dead_lettered|waiting|reopened)/, target: "#system", soon: 3000 },
};
const live = () => one("[data-live]");
let source, timer, busy = false, again = false, failed = false;

function inUse(target) {
  const active = document.activeElement;
  const typing = active && target.contains(active) && active.matches("input:not([type=checkbox]), textarea, select");
  return typing || one("input[type=checkbox]:checked", target) !== null;
}

async function renew() {
  timer = undefined;
  const page = live() && LIVE_VIEWS[live().dataset.live];
  const target = page && one(page.target);
  if (!target) return;
  if (busy || inUse(target)) {
    again = true;
    if (!busy) later(1000);
    return;
  }
  busy = true;
  again = failed = false;
  try {
    await draw(page.target, true);
  } finally {
    busy = false;
    if (failed) later(5000);
    else if (again) later(page.soon);
  }
}
for (const kind of ["htmx:response:error", "htmx:error"]) document.addEventListener(kind, () => (failed = true));

// Names the open gate even if no one chose it: otherwise the next one might appear just as someone decides.
function address() {
  const url = new URL(location);
  const gate = one("#approvals [data-gate]");
  if (gate) url.searchParams.set("gate", gate.dataset.gate);
  return url.pathname + url.search;
}

// One after the other, each as the URL is by then: the last one drawn is what the URL says.
let drawing = Promise.resolve(), renewed = null;
const draw = (target, isRenewal = false) => {
  const next = async () => {
    renewed = isRenewal ? target : null;
    try {
      await window.htmx.ajax("GET", address(), { target, select: target, swap: "outerMorph" });
    } finally {
      renewed = null;
    }
  };
  return (drawing = drawing.catch(() => {}).then(next));
};

// Someone began to type or to select while a renewal was under way: it is repeated.
document.addEventListener("htmx:before:swap", (event) => {
  if (!renewed || !inUse(one(renewed))) return;
  event.preventDefault();
  again = true;
});

// A step opens, and a view changes, without the page being loaded again: where one has scrolled to stays.
document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("#run a[href^='?']");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", link.getAttribute("href").replace(/#.*/, ""));
  await draw("#run");
  const drawer = one("#drawer:not([hidden])");
  if (drawer && link.matches("[data-step]")) drawer.scrollIntoView({ block: "nearest" });
  toEnd();
});
addEventListener("popstate", () => one("#run") && draw("#run"));

function later(ms) {
  timer ??= setTimeout(renew, ms);
}

// Workers report to the database every fifteen seconds, without an event.
if (live()?.dataset.live === "system") setInterval(() => later(0), 15e3);

// The status of a step changes at once; the drawing follows.
const STATUS = { started: "running", succeeded: "succeeded", failed: "failed", timed_out: "timed_out", cancelled: "cancelled", skipped: "skipped", waiting: "waiting", retry_scheduled: "ready", reopened: "ready", interrupted: "ready", lease_expired: "ready" };
function show(event) {
  const [kind, what] = event.type.split(".");
  const name = event.data?.name;
  if (kind !== "step" || !name || !STATUS[what]) return;
  for (const element of all(`[data-step="${CSS.escape(name)}"]`)) {
    element.dataset.status = STATUS[what];
    const bar = element.querySelector("rect.r:last-of-type");
    if (bar) bar.dataset.status = STATUS[what];
  }
}

function open() {
  const place = live();
  if (!place) return;
  source?.close();
  const page = LIVE_VIEWS[place.dataset.live];
  const query = new URLSearchParams();
  if (place.dataset.run) query.set("run_id", place.dataset.run);
  if (place.dataset.after) query.set("after", place.dataset.after);
  source = new EventSource(`/api/events/stream?${query}`);
  // Messages of a stream are named by the type of their event: this listens to all types.
  const onEvent = (message) => {
    let event;
    try {
      event = JSON.parse(message.data);
    } catch {
      return;
    }
    if (page.types && !page.types.test(event.type)) return;
    show(event);
    later(page.soon);
  };
  for (const type of TYPES) source.addEventListener(type, onEvent);
  source.onopen = () => {
    // A run's stream has what happened since the page was drawn; other pages are renewed once.
    if (!one(".offline").hidden || !place.dataset.after) later(page.soon);
    one(".offline").hidden = true;
  };
  source.onerror = async () => {
    one(".offline").hidden = false;
    if (source.readyState !== EventSource.CLOSED) return;
    // The session may have to be renewed, which pages do by themselves.
    await new Promise((wake) => setTimeout(wake, 2000));
    const session = await fetch("/ui/session", { redirect: "manual" }).catch(() => null);
    if (session && session.status !== 204) location.reload();
    else open();
  };
}
const TYPES = (one("meta[name=nofx-events]")?.content ?? "").split(",");

// --- Logs that continue
let asking = false;
async function follow() {
  const log = one("pre[data-follow]");
  if (!log || asking) return;
  const { follow, after, line } = log.dataset;
  asking = true;
  try {
    const answer = await fetch(`${follow}&after=${after}&line=${line}`);
    const html = await answer.text();
    // The page may have been drawn again meanwhile: then it has these lines, or the next round fetches them.
    if (!answer.ok || !html || log.dataset.follow !== follow || log.dataset.after !== after) return;
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 40;
    log.insertAdjacentHTML("beforeend", html);
    log.dataset.after = answer.headers.get("x-log-after");
    log.dataset.line = answer.headers.get("x-log-line");
    if (atEnd) log.scrollTop = log.scrollHeight;
  } catch {
    // The next round fetches the same.
  } finally {
    asking = false;
  }
}
setInterval(follow, 1000);
function toEnd() {
  const log = one("pre.log[data-follow]");
  if (log) log.scrollTop = log.scrollHeight;
}

// --- Zoom of the waterfall: the same part of every row.
let part = [0, 1];
function zoom() {
  for (const bars of all("#waterfall svg.bars")) {
    const [, , , height] = bars.getAttribute("viewBox").split(" ");
    bars.setAttribute("viewBox", `${part[0] * 1e4} 0 ${(part[1] - part[0]) * 1e4} ${height}`);
  }
  const marks = all("#waterfall .marks span");
  const length = Number(one("#waterfall")?.dataset.length ?? 0);
  if (part[1] - part[0] < 1) marks.forEach((mark, n) => (mark.textContent = duration((part[0] + ((part[1] - part[0]) * n) / (marks.length - 1)) * length)));
}
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-zoom]");
  if (!button) return;
  const middle = (part[0] + part[1]) / 2;
  const half = Math.min(0.5, ((part[1] - part[0]) / 2) * (button.dataset.zoom === "in" ? 0.5 : 2));
  const from = Math.min(Math.max(0, middle - half), 1 - 2 * half);
  part = [from, from + 2 * half];
  if (half === 0.5) location.reload();
  else zoom();
});

// --- Keys
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  if (event.key === "/") {
    const search = one("input[type=search]");
    if (search) event.preventDefault(), search.focus();
  }
  if (event.key === "Escape") one("#drawer .close")?.click();
  if (event.key === "a" || event.key === "r") one(`[data-key="${event.key}"]`)?.click();
  const rows = [...all(".queue a, .waterfall a.row")];
  if ((event.key === "j" || event.key === "k") && rows.length) {
    const at = rows.findIndex((row) => row === document.activeElement || row.hasAttribute("aria-current"));
    const next = rows[Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), rows.length - 1)];
    if (next.closest(".queue")) next.click();
    else next.focus();
  }
});

// --- A plan from a file
one("#file")?.addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  one("#plan").value = await file.text();
  one("#plan").dispatchEvent(new Event("input", { bubbles: true }));
});

function enhance() {
  localise();
  mark();
  if (part[1] - part[0] < 1) zoom();
}
document.addEventListener("htmx:after:swap", () => {
  enhance();
  if (!live()) source?.close();
  // A finished run continues.
  else if (!source || source.readyState === EventSource.CLOSED) open();
});
enhance();
open();
toEnd();
