// The page of signing in: how somebody comes by a token, and what they see of themselves afterwards. Tokens are kept in
// this tab (people) or this browser (devices of classrooms), never in an address or a cookie.
import { Failure, sleep } from "./session.js";

const $ = (id) => document.getElementById(id);
const teaching = ["leadTeacher", "localTeacher"];
const finished = ["ended", "cancelled", "notHeld"];
/** Milliseconds. */
const requestLimit = 25000;
const refreshEvery = 240000;
const early = 15 * 60000;

const state = {
  language: "zh-CN", catalogue: {}, ways: {}, view: "",
  /** A link that is open: {code, isDevice}. */
  link: null,
  /** {token, expires}: `expires` by this computer's clock. */
  session: null, usedAt: 0, refreshedAt: 0, isRefreshing: false,
};

function recall(key, storage, value) {
  try {
    if (value === undefined) return JSON.parse(storage.getItem(key) || "null");
    if (value === null) storage.removeItem(key);
    else storage.setItem(key, JSON.stringify(value));
  } catch (error) { /* a private window */ }
  return null;
}

// Words

function text(key, values = {}) {
  const entry = state.catalogue[key] || {};
  const words = entry[state.language] || entry.en || key;
  return words.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));
}

function say(element, key, values) {
  element.dataset.text = key;
  element.values = values;
  element.textContent = text(key, values);
}

function quote(element, words) {
  delete element.dataset.text;
  element.textContent = words;
}

function translate() {
  document.documentElement.lang = state.language;
  const other = state.language === "en" ? "zh-CN" : "en";
  $("language").textContent = other === "en" ? "English" : "中文";
  $("language").lang = other;
  document.querySelectorAll("[data-text]").forEach((element) => {
    element.textContent = text(element.dataset.text, element.values);
  });
}

async function prepareLanguage() {
  let kept = null;
  try { kept = localStorage.getItem("tongke.language"); } catch (error) { /* a private window */ }
  const known = [kept, ...(navigator.languages || [])].find((tag) => /^(zh|en)/i.test(tag || "")) || "zh";
  state.language = /^en/i.test(known) ? "en" : "zh-CN";
  state.catalogue = await (await fetch("/text.json")).json();
  $("language").addEventListener("click", () => {
    state.language = state.language === "en" ? "zh-CN" : "en";
    try { localStorage.setItem("tongke.language", state.language); } catch (error) { /* a private window */ }
    translate();
    if (state.view === "home") openHome().catch(() => {});
  });
  translate();
}

/** Date and time of day at the schools, whatever this computer's zone is: `2026-09-07 10:10`. */
function civil(time) {
  return new Date(time).toLocaleString("sv-SE", { timeZone: "Asia/Shanghai" }).slice(0, 16);
}

function notice(failure) {
  $("notice").hidden = !failure;
  if (!failure) return;
  if (failure.key) {
    say($("notice-title"), failure.key, failure.values);
    quote($("notice-detail"), "");
  } else if (failure.title) {
    quote($("notice-title"), failure.title);
    quote($("notice-detail"), failure.detail || "");
  } else {
    say($("notice-title"), "page.fail.http");
    say($("notice-detail"), "page.fail.http.do");
  }
}

function show(view) {
  $("silent").hidden = true;
  state.view = view;
  document.querySelectorAll(".view").forEach((element) => { element.hidden = element.id !== view; });
  const name = view === "home" ? "in" : view === "device" ? "device" : "out";
  $("state").dataset.state = name === "out" ? "waiting" : "live";
  const words = { in: "page.signIn.state.in", device: "page.signIn.state.device", out: "page.signIn.state.out" };
  say($("state"), words[name]);
  const first = $(view).querySelector("input:not([hidden])");
  const isTyped = ["factor"].includes(view) && first;
  (isTyped ? first : $(view).querySelector("h2")).focus();
}

// The relay

/** The answer as a value; null where there is none. Throws a `Failure`. */
async function ask(method, path, { body, token } = {}) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), requestLimit);
  const headers = { "Accept-Language": state.language };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, {
      method, headers, body: body && JSON.stringify(body), signal: abort.signal, cache: "no-store", redirect: "error",
      credentials: "omit",
    });
  } catch (error) {
    throw new Failure("http");
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw await Failure.of(response);
  return response.status === 204 ? null : response.json();
}

/** Runs what a button asks for, once at a time; shows what went wrong. */
async function act(element, work) {
  if (element.getAttribute("aria-busy") === "true") return;
  element.setAttribute("aria-busy", "true");
  notice(null);
  try {
    await work();
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    notice(failure);
  } finally {
    element.removeAttribute("aria-busy");
  }
}

// Coming in

function offerWays() {
  state.link = null;
  const { openid, ticket } = state.ways;
  $("providers").hidden = !openid && !(ticket && ticket.login);
  $("openid").hidden = !openid;
  if (openid) say($("openid"), "page.signIn.openid", { name: openid.name || text("page.signIn.provider") });
  $("ticket").hidden = !(ticket && ticket.login);
  if (ticket && ticket.login) {
    say($("ticket"), "page.signIn.ticket", { name: ticket.name || text("page.signIn.platform") });
    $("ticket").href = ticket.login;
  }
  show("ways");
}

function readLink(words) {
  const mark = words.indexOf("#");
  const fields = new URLSearchParams(mark < 0 ? "" : words.slice(mark + 1).trim());
  const code = fields.get("code") || fields.get("device");
  return code ? { code, isDevice: !fields.get("code") } : null;
}

function offerLink(link) {
  state.link = link;
  say($("ready-hint"), link.isDevice ? "page.signIn.linkEnrols" : "page.signIn.linkOnce");
  say($("use-link"), link.isDevice ? "page.signIn.enrol" : "page.signIn.submit");
  show("ready");
  $("use-link").focus();
}

async function useLink(secondFactor) {
  const { code } = state.link;
  try {
    take(await ask("POST", "sign-in", { body: { code, ...(secondFactor && { secondFactor }) } }));
  } catch (failure) {
    if (failure.kind === "secondFactorNeeded") return askFactor();
    if (failure.kind === "secondFactorMissing") return setUpFactor();
    throw failure;
  }
  state.link = null;
  await openHome();
}

function askFactor() {
  $("set-up").hidden = true;
  $("new-factor").hidden = false;
  $("code").value = "";
  show("factor");
}

async function setUpFactor() {
  const begun = await ask("POST", "sign-in/second-factor", { body: { code: state.link.code } });
  // In groups of four, as apps show it.
  $("secret").textContent = begun.secret.replace(/(.{4})(?=.)/g, "$1 ");
  $("otpauth").href = begun.address;
  askFactor();
  $("set-up").hidden = false;
  $("new-factor").hidden = true;
}

async function beginOpenID() {
  const begun = await ask("POST", "sign-in/openid", { body: {} });
  const wanted = new URL(begun.address).searchParams.get("state");
  recall("tongke.attempt", sessionStorage, { attempt: begun.attempt, state: wanted });
  location.assign(begun.address);
}

async function finishOpenID(fields) {
  const kept = recall("tongke.attempt", sessionStorage);
  recall("tongke.attempt", sessionStorage, null);
  if (fields.get("error")) {
    const reason = fields.get("error").replace(/[^\w-]/g, "").slice(0, 40);
    throw new Failure("refused", { key: "page.signIn.cancelled", values: { reason } });
  }
  // Only what this tab began counts: nobody else's sign-in is finished here.
  if (!kept || kept.state !== fields.get("state")) throw new Failure("refused", { key: "page.signIn.mismatch" });
  const body = { attempt: kept.attempt, state: kept.state, code: fields.get("code") || "" };
  state.link = await ask("POST", "sign-in/openid/answer", { body });
  await useLink();
}

async function useTicket(ticket) {
  state.link = await ask("POST", "sign-in/ticket", { body: { ticket } });
  await useLink();
}

// Being in

function take(session) {
  const now = Date.now();
  const life = JSON.parse(atob(session.token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
  // By the length of its life: this computer's clock may be wrong.
  state.session = { ...session, expires: now + (life.exp - life.iat) * 1000 };
  state.refreshedAt = now;
  recall("tongke.session", sessionStorage, { token: session.token });
  drawUntil();
}

function drawUntil() {
  if (state.session) say($("until"), "page.signIn.until", { time: civil(state.session.expires).slice(11) });
}

function leave(key) {
  state.session = null;
  recall("tongke.session", sessionStorage, null);
  $("terminal-code").textContent = "";
  offerWays();
  notice({ key });
}

/** Goes on with the session while somebody uses the page, and ends it when nobody has for half an hour. */
async function keepSession() {
  const { session } = state;
  if (!session || state.isRefreshing) return;
  const now = Date.now();
  if (now >= session.expires) return leave("page.signIn.expired");
  if (state.usedAt <= state.refreshedAt || now - state.refreshedAt < refreshEvery) return;
  state.isRefreshing = true;
  try {
    take(await ask("POST", "session/refresh", { token: session.token }));
  } catch (failure) {
    if (failure.isFinal) leave("page.signIn.expired");
  } finally {
    state.isRefreshing = false;
  }
}

async function openHome() {
  const { session } = state;
  say($("hello"), "page.signIn.hello", { name: session.name });
  $("roles").replaceChildren(...session.grants.map((grant) => {
    const item = document.createElement("li");
    const place = grant.scope === "city" ? text("page.signIn.everywhere") : grant.place || grant.scope;
    quote(item, text("page.signIn.role", { role: text(`page.role.${grant.role}`), place }));
    return item;
  }));
  say($("terminal-hint"), "page.signIn.terminalHint", { address: location.origin });
  if (state.view !== "home") show("home");
  await drawLessons();
}

async function drawLessons() {
  const { session } = state;
  const now = civil(Date.now());
  const list = await ask("GET", "lessons?limit=100", { token: session.token });
  const coming = list.lessons.filter((each) => !finished.includes(each.state) && each.end > now).slice(0, 12);
  const teaches = session.grants.some((grant) => teaching.includes(grant.role));
  $("no-lessons").hidden = coming.length > 0;
  $("lessons").replaceChildren(...coming.map((lesson) => drawLesson(lesson, teaches)));
}

function drawLesson(lesson, teaches) {
  const item = document.createElement("li");
  const words = document.createElement("div");
  const what = document.createElement("div");
  const where = document.createElement("div");
  const [date, start] = lesson.start.split(" ");
  quote(what, text("page.signIn.lesson", { date, start, end: lesson.end.slice(11), title: lesson.title }));
  quote(where, text("page.signIn.rooms", { rooms: lesson.rooms.join(" · ") }));
  where.className = "hint";
  words.append(what, where);
  item.append(words);
  if (!teaches) return item;
  const opens = civil(Date.parse(`${date}T${start}:00+08:00`) - early);
  if (opens > civil(Date.now())) {
    const wait = document.createElement("span");
    wait.className = "hint";
    quote(wait, text("page.signIn.opens", { time: opens.slice(11) }));
    item.append(wait);
    return item;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "primary";
  quote(button, text("page.signIn.open"));
  button.setAttribute("aria-label", `${text("page.signIn.open")} ${lesson.title}`);
  button.addEventListener("click", () => act(button, async () => {
    enter(await ask("POST", `lessons/${lesson.id}/seat`, { body: {}, token: state.session.token }));
  }));
  item.append(button);
  return item;
}

/** Opens the lesson's page with a seat of it. */
function enter(seat) {
  recall("tongke.link", sessionStorage, { lesson: seat.lesson, token: seat.token });
  location.assign("/");
}

async function makeTerminalCode() {
  const made = await ask("POST", "session/terminal-code", { body: {}, token: state.session.token });
  $("terminal-code").textContent = made.code;
  say($("terminal-until"), "page.signIn.terminalUntil", { time: made.expires.slice(11) });
}

async function signOut() {
  const { token } = state.session;
  leave("page.signIn.left");
  await ask("DELETE", "session", { token });
}

// A classroom's device

async function enrol(body) {
  const made = await ask("POST", "enrolment", { body });
  recall("tongke.device", localStorage, { token: made.token });
  state.link = null;
  openDevice(made.token);
}

async function openDevice(token) {
  let isShown = false;
  for (;;) {
    let pause = 20000;
    try {
      const next = await ask("GET", "devices/me/next-lesson", { token });
      notice(null);
      if (!isShown) show("device");
      isShown = true;
      if (drawDevice(next)) return;
      // The doors open in between: be there at once.
      if (next.lesson) pause = Math.max(1000, Math.min(pause, next.lesson.opens - next.now));
    } catch (failure) {
      if (failure.status === 401 || failure.status === 403) {
        recall("tongke.device", localStorage, null);
        offerWays();
        return notice({ key: "page.signIn.deviceRevoked" });
      }
      notice(failure);
    }
    await sleep(pause + Math.random() * 500);
    if (!recall("tongke.device", localStorage)) return;
  }
}

/** Whether the lesson is being opened. */
function drawDevice({ room, lesson, seat }) {
  say($("device-room"), "page.signIn.deviceRoom", { room });
  $("device-time").hidden = !lesson;
  if (!lesson) {
    say($("device-lesson"), "page.signIn.deviceNone");
    return false;
  }
  say($("device-lesson"), "page.signIn.deviceWaits", { title: lesson.title });
  const [date, start] = civil(lesson.start).split(" ");
  const [end, opens] = [civil(lesson.end).slice(11), civil(lesson.opens).slice(11)];
  say($("device-time"), "page.signIn.deviceTime", { date, start, end, opens });
  if (seat) enter(seat);
  return Boolean(seat);
}

function forget() {
  recall("tongke.device", localStorage, null);
  offerWays();
  notice({ key: "page.signIn.deviceForgotten" });
}

// Beginning

function listen() {
  $("openid").addEventListener("click", () => act($("ways"), beginOpenID));
  $("link-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const link = readLink($("link").value);
    if (!link) return notice({ key: "page.signIn.notALink" });
    notice(null);
    $("link").value = "";
    offerLink(link);
  });
  $("ready").addEventListener("submit", (event) => {
    event.preventDefault();
    act($("ready"), () => (state.link.isDevice ? enrol({ code: state.link.code }) : useLink()));
  });
  $("other-way").addEventListener("click", offerWays);
  $("factor").addEventListener("submit", (event) => {
    event.preventDefault();
    act($("factor"), () => useLink($("code").value.replace(/ /g, "")));
  });
  $("new-factor").addEventListener("click", () => act($("factor"), setUpFactor));
  $("device-form").addEventListener("submit", (event) => {
    event.preventDefault();
    act($("device-form"), () => enrol({ institution: $("school").value.trim(), digits: $("digits").value }));
  });
  $("make-code").addEventListener("click", () => act($("make-code"), makeTerminalCode));
  $("sign-out").addEventListener("click", () => act($("sign-out"), signOut));
  $("forget").addEventListener("click", forget);
  for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, () => { state.usedAt = Date.now(); keepSession(); }, { passive: true });
  }
  window.addEventListener("hashchange", () => {
    const link = readLink(location.href);
    if (!link) return;
    history.replaceState(null, "", location.pathname);
    notice(null);
    offerLink(link);
  });
  setInterval(keepSession, 15000);
}

async function resume(token) {
  try {
    take(await ask("POST", "session/refresh", { token }));
    await openHome();
  } catch (failure) {
    recall("tongke.session", sessionStorage, null);
    offerWays();
    notice(failure.isFinal ? { key: "page.signIn.expired" } : failure);
  }
}

async function begin() {
  while (!Object.keys(state.catalogue).length) await prepareLanguage().catch(() => sleep(2000));
  listen();
  state.ways = await ask("GET", "sign-in").catch(() => ({}));
  const fields = new URLSearchParams(location.search);
  const link = readLink(location.href);
  // Codes leave the address bar, where they could be photographed, copied or synchronised.
  if (link || location.search) history.replaceState(null, "", location.pathname);
  const vouched = fields.has("state") ? () => finishOpenID(fields)
    : fields.has("ticket") ? () => useTicket(fields.get("ticket")) : null;
  if (vouched) {
    offerWays();
    return act($("ways"), vouched);
  }
  if (link) return offerLink(link);
  const session = recall("tongke.session", sessionStorage);
  if (session) return resume(session.token);
  const device = recall("tongke.device", localStorage);
  if (device) return openDevice(device.token);
  offerWays();
}

begin();
