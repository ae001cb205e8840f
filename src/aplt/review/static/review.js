// The wall of clips: only the cards that are in sight exist, so that a hundred thousand clips scroll as a hundred do.
// Names come from people's files: they are only ever set as text.

const CARD = { width: 176, height: 186 };
const SIDES = { left: "#60a5fa", right: "#f59e0b" };
const ACROSS = "#e5e7eb"; // of bones between the sides
const MARGIN = 2; // rows beyond the sight
const at = (id) => document.getElementById(id);
const make = (tag, text = "", name = "") => {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = name;
  return element;
};
const percent = (value) => (value === null ? "" : `${Math.round(100 * value)} %`);

const clips = await (await fetch("/api/clips")).json();
const byPlace = (entries) => new Map(Object.entries(entries).map(([place, one]) => [Number(place), one]));
const said = byPlace(clips.said);
const disputed = byPlace(clips.disputed);
const settled = new Set(); // of the disputed ones, those on which the last word was spoken here
const cards = new Map();
const details = new Map();
const skeletons = new Map();
let shown = [];
let here = 0; // where the focus is, in `shown`
let told = null; // the clip that the panel tells of
let columns = 1;

// What was fetched once is kept; what failed is asked for again.
function load(cache, place, address) {
  if (!cache.has(place)) {
    const found = fetch(address)
      .then((answer) => {
        // A film that is asked for here was sent before, and not played.
        const film = answer.headers.get("content-type")?.startsWith("video/");
        return film ? { error: "this browser cannot play films in H.264" } : answer.json();
      })
      .catch(() => {
        cache.delete(place);
        return { error: "the server does not answer" };
      });
    cache.set(place, found);
  }
  return cache.get(place);
}

const NONE = -1;
const UNNAMED = -2; // no label yet, nor a model that has one
const shownClass = (place) => (clips.given[place] >= 0 ? clips.given[place] : clips.modeled ? clips.guess[place] : UNNAMED);
const classOf = (place) => {
  const one = said.get(place);
  if (one) return one[0] === "none" ? NONE : clips.classes.indexOf(one[1]);
  return shownClass(place);
};
// What the number keys choose from: the model's best classes, or where there is no model all of them.
const choices = (found) => (clips.modeled ? found.best : clips.classes.map((_, k) => [k, null]));
const worth = (place) => clips.reliability[place] ?? clips.score[place];
const measured = (place) => {
  if (!clips.modeled) return "not labeled";
  const reliability = clips.reliability[place];
  return reliability === null ? `score ${percent(clips.score[place])}` : `${percent(reliability)} reliable`;
};

const WHICH = {
  all: () => true,
  unlabeled: (place) => clips.given[place] < 0,
  labeled: (place) => clips.given[place] >= 0,
  suggested: (place) => clips.suggested[place] < clips.id.length,
  changed: (place) => clips.changed[place] === 1,
  disagree: (place) => clips.disagree[place] === 1,
  suspected: (place) => clips.suspected[place] === 1,
  novel: (place) => clips.novel[place] === 1,
  disputed: (place) => disputed.has(place) && !settled.has(place),
  said: (place) => said.has(place),
  unsaid: (place) => !said.has(place),
};
const SORT = {
  doubt: (one, other) => worth(one) - worth(other),
  sure: (one, other) => worth(other) - worth(one),
  table: (one, other) => one - other,
};

function filter() {
  const which = at("which").value;
  const most = at("most").value / 100;
  const classes = [at("class").value, at("beside").value].filter((value) => value !== "").map(Number);
  const keep = (place) =>
    WHICH[which](place) && worth(place) <= most + 1e-9 && (!classes.length || classes.includes(classOf(place)));
  shown = clips.id.map((_, place) => place).filter(keep);
  if (which === "suggested") shown.sort((one, other) => clips.suggested[one] - clips.suggested[other]);
  else shown.sort(SORT[at("sort").value]);
  if (classes.length === 2) {
    // Confused classes beside each other: one to the left, one to the right.
    const [left, right] = classes.map((k) => shown.filter((place) => classOf(place) === k));
    shown = Array.from({ length: Math.max(left.length, right.length) }, (_, n) => [left[n], right[n]]).flat();
  }
  here = 0;
  for (const card of cards.values()) card.remove();
  cards.clear();
  at("wall").scrollTop = 0;
  count();
  draw();
  tell();
}

function count() {
  const clipsShown = shown.filter((place) => place !== undefined).length;
  const open = [...disputed.keys()].filter(WHICH.disputed).length;
  const words = `${clipsShown} of ${clips.id.length} clips, ${said.size} reviewed`;
  at("count").textContent = disputed.size ? `${words}, ${open} disputed` : words;
  const asked = clips.id.map((_, place) => place).filter(WHICH.suggested);
  at("train").textContent = `Train on (${asked.filter((place) => said.has(place)).length} of ${asked.length} decided)`;
}

function draw() {
  const wall = at("wall");
  const pair = at("class").value !== "" && at("beside").value !== "";
  columns = pair ? 2 : Math.max(1, Math.floor(wall.clientWidth / CARD.width));
  at("floor").style.height = `${Math.ceil(shown.length / columns) * CARD.height}px`;
  const first = Math.max(0, Math.floor(wall.scrollTop / CARD.height) - MARGIN) * columns;
  const last = (Math.ceil((wall.scrollTop + wall.clientHeight) / CARD.height) + MARGIN) * columns;
  const wanted = new Set();
  for (let n = first; n < Math.min(last, shown.length); n += 1) if (shown[n] !== undefined) wanted.add(n);
  for (const [n, card] of cards) {
    if (!wanted.has(n)) {
      card.remove();
      cards.delete(n);
    }
  }
  for (const n of wanted) {
    const card = cards.get(n) ?? newCard(n);
    card.style.cssText = `left:${(n % columns) * CARD.width}px;top:${Math.floor(n / columns) * CARD.height}px;width:${CARD.width - 4}px;height:${CARD.height - 4}px`;
    card.classList.toggle("here", n === here);
  }
}

function newCard(n) {
  const place = shown[n];
  const card = make("div", "", "card");
  card.setAttribute("role", "option");
  card.dataset.id = clips.id[place];
  card.append(picture(place), make("div", "", "label"), make("div", "", "about"));
  card.addEventListener("click", () => go(n));
  cards.set(n, card);
  at("floor").append(card);
  write(card, place);
  return card;
}

function write(card, place) {
  const one = said.get(place);
  card.classList.toggle("label", one?.[0] === "label");
  card.classList.toggle("none", one?.[0] === "none");
  const k = classOf(place);
  card.querySelector(".label").textContent = k === NONE ? "none of the classes" : (clips.classes[k] ?? "?");
  const about = one ? "reviewed" : clips.given[place] >= 0 ? "given" : measured(place);
  card.querySelector(".about").textContent = `${about} · ${clips.id[place]}`;
}

function picture(place) {
  if (clips.film) {
    const film = make("video");
    Object.assign(film, { src: `/film/${place}.mp4`, muted: true, loop: true, autoplay: true, playsInline: true });
    film.addEventListener("error", async () => failed(film, (await load(new Map(), place, film.src)).error));
    return film;
  }
  const canvas = make("canvas");
  Object.assign(canvas, { width: 240, height: 190 });
  canvas.dataset.place = place;
  load(skeletons, place, `/points/${place}.json`).then((found) => {
    if (found.error) failed(canvas, found.error);
    else canvas.skeleton = found;
  });
  return canvas;
}

function failed(element, why) {
  element.replaceWith(make("div", why ?? "cannot be shown", "failed"));
}

function animate(time) {
  for (const canvas of document.querySelectorAll("canvas")) {
    const found = canvas.skeleton;
    if (!found) continue;
    const frames = found.points.length;
    const length = 1000 * (found.seconds ?? frames / 15);
    const persons = found.points[Math.floor(((time % length) / length) * frames)];
    const pen = canvas.getContext("2d");
    const size = 0.46 * Math.min(canvas.width, canvas.height);
    const on = ([x, y]) => [canvas.width / 2 + size * x, canvas.height / 2 + size * y];
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.lineWidth = 3;
    persons.forEach((joints, person) => {
      pen.globalAlpha = person ? 0.45 : 1;
      for (const [bone, [joint, parent]] of found.bones.entries()) {
        pen.strokeStyle = SIDES[found.sides[bone]] ?? ACROSS;
        pen.beginPath();
        pen.moveTo(...on(joints[joint]));
        pen.lineTo(...on(joints[parent]));
        pen.stroke();
      }
      pen.fillStyle = ACROSS;
      for (const joint of joints) pen.fillRect(...on(joint).map((value) => value - 2), 4, 4);
    });
  }
  requestAnimationFrame(animate);
}

// Side by side, a class that has run out leaves empty places.
function step(by) {
  let n = here + by;
  while (n > 0 && n < shown.length && shown[n] === undefined) n += by;
  go(n);
}

function go(n) {
  if (n < 0 || n >= shown.length || shown[n] === undefined) return;
  here = n;
  const wall = at("wall");
  const top = Math.floor(n / columns) * CARD.height;
  if (top < wall.scrollTop) wall.scrollTop = top;
  if (top + CARD.height > wall.scrollTop + wall.clientHeight) wall.scrollTop = top + CARD.height - wall.clientHeight;
  draw();
  tell();
}

async function tell() {
  const place = shown[here];
  const box = at("detail");
  told = null; // what the panel still says is of another clip
  if (place === undefined) {
    box.replaceChildren(make("p", "No clip is like this."));
    return;
  }
  box.replaceChildren(make("h2", clips.id[place]));
  const about = (which) => load(details, which, `/api/clip/${which}`);
  const found = await about(place);
  if (shown[here] !== place) return;
  if (shown[here + 1] !== undefined) about(shown[here + 1]);
  if (found.error) {
    box.replaceChildren(make("p", found.error));
    return;
  }
  const best = make("ol");
  for (const [k, score] of choices(found)) best.append(make("li", `${clips.classes[k]} ${percent(score)}`));
  const near = make("div", "", "near");
  for (const other of found.near) {
    const item = make("div");
    item.append(picture(other), make("div", clips.classes[clips.given[other]]));
    near.append(item);
  }
  const rounds = make("ul");
  for (const [round, label, accepted] of found.rounds) {
    rounds.append(make("li", `round ${round}: ${label}${accepted ? "" : " (not accepted)"}`));
  }
  const people = make("ul");
  for (const [by, label] of disputed.get(place) ?? []) people.append(make("li", `${by}: ${label || "none of the classes"}`));
  if (disputed.has(place)) people.prepend(make("h3", "What people say"));
  const where = [found.path, found.subject, found.interval?.map((second) => second ?? "end").join(" to ")];
  told = place;
  const large = make("div", "", "large");
  large.append(picture(place));
  box.replaceChildren(
    make("h2", clips.id[place]),
    large,
    make("div", where.filter(Boolean).join(" · "), "about"),
    people,
    make("h3", clips.modeled ? "Best classes" : "Classes (c names another)"),
    best,
    make("h3", found.near.length ? "Nearest labeled clips" : ""),
    near,
    make("h3", found.rounds.length ? "What the clusters said" : ""),
    rounds,
  );
}

async function post(address, content) {
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
    });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.error);
    at("problem").hidden = true;
    return found;
  } catch (error) {
    complain(`Not kept: ${error.message}`);
    return null;
  }
}

function complain(words) {
  at("problem").textContent = words;
  at("problem").hidden = false;
}

function rewrite() {
  for (const [n, card] of cards) write(card, shown[n]);
  count();
}

async function say(places, act, label = "") {
  if (!places.length) return false;
  if (act === "accept" && places.some((place) => shownClass(place) === UNNAMED)) {
    complain("Not kept: there is no label to accept yet; give one by a number or with c.");
    return false;
  }
  // Among the clips that people disagree on the last word is spoken.
  const settle = at("which").value === "disputed";
  if (!(await post("/api/say", { places, act, label, settle }))) return false;
  if (act === "label" && !clips.classes.includes(label)) {
    clips.classes.push(label);
    offer(label, clips.classes.length - 1);
  }
  for (const place of places) {
    if (settle) settled.add(place);
    said.set(place, act === "accept" ? ["label", clips.classes[shownClass(place)]] : [act, label]);
  }
  rewrite();
  return true;
}

async function sayHere(act, label = "") {
  const place = shown[here];
  const n = here;
  if (place !== undefined && (await say([place], act, label)) && here === n) step(1);
}

async function undo() {
  const found = await post("/api/undo", {});
  if (!found) return;
  const places = Object.entries(found.said);
  for (const [place, one] of places) {
    settled.delete(Number(place));
    if (one) said.set(Number(place), one);
    else said.delete(Number(place));
  }
  rewrite();
  if (places.length) go(Math.max(0, shown.indexOf(Number(places[0][0]))));
}

async function acceptAll() {
  const places = shown.filter((place) => place !== undefined && !said.has(place) && shownClass(place) !== UNNAMED);
  if (places.length && window.confirm(`Accept the labels of ${places.length} clips?`)) await say(places, "accept");
}

async function trainOn() {
  if (!(await post("/api/train", {}))) return;
  const words = "Training. If another turn follows, this page comes back by itself; loop.html in the loop's folder shows all turns.";
  document.querySelector("main").replaceChildren(make("p", words, "waiting"));
  setInterval(async () => {
    const answer = await fetch("/api/clips").catch(() => null);
    if (answer?.ok) window.location.reload();
  }, 3000);
}

function choose() {
  at("typed").value = "";
  at("choose").showModal();
}

at("choose").addEventListener("cancel", () => {
  at("typed").value = "";
});

at("choose").addEventListener("close", () => {
  const name = at("typed").value.trim();
  const typed = name.toLowerCase();
  // Without a model a name may be new, and begin as another one does.
  const names = clips.modeled ? clips.classes.filter((name) => name.toLowerCase().startsWith(typed)) : [name];
  const exact = clips.classes.find((name) => name.toLowerCase() === typed);
  if (!typed) return;
  if (exact || names.length === 1) before = before.then(() => sayHere("label", exact ?? names[0]));
  else complain(`Not kept: ${names.length ? "several classes begin" : "no class begins"} with "${typed}".`);
});

const KEYS = {
  ArrowRight: () => step(1),
  ArrowLeft: () => step(-1),
  ArrowDown: () => go(Math.min(here + columns, shown.length - 1)),
  ArrowUp: () => go(here - columns),
  Enter: () => sayHere(...(said.get(shown[here]) ?? ["accept"])), // what the card shows
  n: () => sayHere("none"),
  s: () => step(1),
  u: undo,
  b: () => at("bright").click(),
  c: choose,
  A: acceptAll,
  "?": () => at("help").click(),
};
async function choice(rank) {
  if (told === null || told !== shown[here]) return; // the classes that the key would choose from are not shown yet
  const chosen = choices(await details.get(told))[rank];
  if (chosen) await sayHere("label", clips.classes[chosen[0]]);
}

// A key pressed before the last one is kept waits for it: it is meant for the clip after that one.
let before = Promise.resolve();
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || at("choose").open) return;
  if (["SELECT", "INPUT", "BUTTON"].includes(event.target.tagName)) return;
  const digit = Number(event.key);
  const act = digit >= 1 ? () => choice(digit - 1) : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  before = before.then(act);
});
for (const id of ["which", "class", "beside", "sort"]) {
  at(id).addEventListener("change", () => {
    filter();
    at("wall").focus();
  });
}
at("most").addEventListener("input", () => {
  at("most-text").textContent = `${at("most").value} %`;
  filter();
});
at("most").addEventListener("change", () => at("wall").focus());
const BUTTONS = {
  "accept-all": acceptAll,
  undo,
  train: trainOn,
  bright: () => at("bright").setAttribute("aria-pressed", String(document.body.classList.toggle("bright"))),
  help: () => {
    at("keys").hidden = !at("keys").hidden;
    at("help").setAttribute("aria-expanded", String(!at("keys").hidden));
  },
};
for (const [id, act] of Object.entries(BUTTONS)) {
  at(id).addEventListener("click", () => {
    act();
    at("wall")?.focus(); // keys are for clips again
  });
}
at("train").hidden = !clips.train_on;
at("bright").hidden = !clips.film;
at("keys").hidden = clips.modeled; // who gives the first labels has not seen them yet
at("wall").addEventListener("scroll", draw);
window.addEventListener("resize", draw);

at("run").textContent = `${clips.run}, as ${clips.by}`;
function offer(name, k) {
  for (const id of ["class", "beside"]) {
    const option = make("option", name);
    option.value = k;
    at(id).append(option);
  }
  const option = make("option");
  option.value = name;
  at("names").append(option);
}
clips.classes.forEach(offer);
const asked = new URLSearchParams(window.location.search);
for (const id of ["which", "class", "beside"]) if (asked.has(id)) at(id).value = asked.get(id);
filter();
at("wall").focus();
requestAnimationFrame(animate);
