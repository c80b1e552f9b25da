// The page: its language, its link, and the lesson it belongs to. Its two views are in whip.js and whep.js.
import { Relay, sleep } from "./session.js";
import { Classroom } from "./whep.js";
import { Lead } from "./whip.js";

const $ = (id) => document.getElementById(id);
/** States of a lesson that nothing follows. */
const finished = ["ended", "cancelled", "notHeld"];

/** What the two views share. */
const page = {
  language: "zh-CN", catalogue: {}, relay: null, view: null,
  room: {
    lesson: "", title: "", state: "", start: null, live: [], sites: null, isRecording: null, isAlwaysLive: false,
    /** When the bell rings and by when the lesson ends, milliseconds of the relay's clock; and how far it is ahead. */
    clock: null,
    /** What an asynchronous lesson plays and where it stood at a moment of this computer's clock. */
    playback: null,
    /** Why the relay has let everybody go. */
    farewell: "",
    /** The relay's numbers of transports that get less than all, or a picture that they cannot show. */
    degraded: new Set(), noPicture: new Set(),
  },

  isOver() { return finished.includes(page.room.state); },

  /** What is said of a lesson that is over. */
  overKey() {
    const isStopped = page.room.state === "ended" && ["operator", "stopAll"].includes(page.room.farewell);
    return isStopped ? "page.room.stopped" : `page.room.${page.room.state}`;
  },

  /** Reads or writes what outlives a reload. Storage that is missing or full costs convenience only. */
  recall(key, storage = sessionStorage, value) {
    try {
      if (value === undefined) return storage.getItem(key);
      storage.setItem(key, value);
    } catch (error) { /* a private window */ }
    return null;
  },

  /** The text of a key with `{name}` replaced; the key itself when the catalogue lacks it, so that it is noticed. */
  text(key, values = {}) {
    const entry = page.catalogue[key] || {};
    const text = entry[page.language] || entry.en || key;
    return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));
  },

  /** Shows a text and keeps its key, so that the language can be changed. */
  say(element, key, values) {
    element.dataset.text = key;
    element.values = values;
    const text = page.text(key, values);
    if (element.textContent !== text) element.textContent = text;
  },

  /** Shows words that came from elsewhere. */
  quote(element, words) {
    delete element.dataset.text;
    if (element.textContent !== words) element.textContent = words;
  },

  state(name, key, values) {
    $("state").dataset.state = name;
    page.say($("state"), key || `page.state.${name}`, values);
  },

  /** A notice with a heading and what to do; null takes it away. */
  notice(content) {
    const { failure, key, values, enter = false, again = false, secure = false, isSmall = false } = content || {};
    $("notice").hidden = !content;
    $("notice").classList.toggle("small", isSmall);
    $("enter").hidden = !enter;
    $("again").hidden = !again;
    $("secure").hidden = !secure;
    if (!content) return;
    const base = failure ? `page.fail.${failure.cause}` : key;
    if (failure && failure.title) page.quote($("notice-title"), failure.title);
    else page.say($("notice-title"), base, values);
    if (failure && failure.detail) page.quote($("notice-detail"), failure.detail);
    else page.say($("notice-detail"), `${base}.do`, values);
  },

  /** Time of day at the school, whatever this computer's zone is. */
  clock(time) {
    const options = { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    return new Date(time).toLocaleTimeString(page.language, options);
  },
};

function translate() {
  document.documentElement.lang = page.language;
  const other = page.language === "en" ? "zh-CN" : "en";
  $("language").textContent = other === "en" ? "English" : "中文";
  $("language").lang = other;
  document.querySelectorAll("[data-text]").forEach((element) => {
    element.textContent = page.text(element.dataset.text, element.values);
  });
  if (page.relay) page.relay.language = page.language;
  drawRoom();
}

async function prepareLanguage() {
  const wanted = [page.recall("tongke.language", localStorage), ...(navigator.languages || [navigator.language])];
  const known = wanted.find((tag) => /^(zh|en)/i.test(tag || "")) || "zh";
  page.language = /^en/i.test(known) ? "en" : "zh-CN";
  page.catalogue = await (await fetch("/text.json")).json();
  $("language").addEventListener("click", () => {
    page.language = page.language === "en" ? "zh-CN" : "en";
    page.recall("tongke.language", localStorage, page.language);
    translate();
  });
  translate();
}

// The link

/** Reads `#lesson=…&token=…` of an address; null when it is no lesson's link. */
function readLink(text) {
  const mark = text.indexOf("#");
  const fields = new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1).trim());
  const lesson = fields.get("lesson");
  const token = fields.get("token");
  return /^[0-9a-f-]{36}$/i.test(lesson || "") && token ? { lesson, token } : null;
}

/** Takes the token out of the address bar, where it could be photographed, copied or synchronised. */
function takeLink() {
  const link = readLink(location.href);
  if (link) {
    page.recall("tongke.link", sessionStorage, JSON.stringify(link));
    history.replaceState(null, "", location.pathname + location.search);
    return link;
  }
  return JSON.parse(page.recall("tongke.link") || "null");
}

function welcome() {
  document.body.dataset.view = "welcome";
  if ($("notice").hidden) page.state("waiting", "page.state.none");
  $("open").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("link").value.trim();
    $("link-problem").hidden = Boolean(readLink(text));
    if (!readLink(text)) return page.say($("link-problem"), "page.welcome.wrong");
    // Another relay's link goes to that relay: its token is of no use here.
    if (/^https?:/i.test(text) && new URL(text).origin !== location.origin) location.assign(text);
    else location.hash = text.slice(text.indexOf("#"));
  });
}

// The lesson

function drawRoom() {
  const { room } = page;
  if (room.title) page.quote($("title"), room.title);
  document.title = room.title ? `${room.title} · 同课 Tongke` : "同课 Tongke";
  $("recording").hidden = room.isRecording === null;
  $("recording").dataset.on = Boolean(room.isRecording);
  page.say($("recording"), room.isRecording ? "page.recording.on" : "page.recording.off");
  $("sites").hidden = room.sites === null || !(page.view instanceof Lead);
  page.say($("sites"), "page.sites", { count: room.sites });
  drawClock();
  if (page.view) page.view.draw();
}

/** Minutes and seconds, never below 0. */
function minutes(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return [Math.floor(seconds / 60), seconds % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

/** The lead sees the last five minutes run down, and after the bell how long it may go on. */
function drawClock() {
  const { clock, state } = page.room;
  const element = $("clock");
  const isShown = clock && page.view instanceof Lead && ["armed", "live", "interrupted"].includes(state);
  const now = Date.now() + (clock ? clock.ahead : 0);
  element.hidden = !isShown || now < clock.plannedEnd - 300000 || now >= Math.max(clock.plannedEnd, clock.endsBy);
  if (element.hidden) return;
  element.dataset.over = String(now >= clock.plannedEnd);
  if (now < clock.plannedEnd) page.say(element, "page.clock.left", { time: minutes(clock.plannedEnd - now) });
  else page.say(element, `page.clock.over.${clock.reason}`, { time: minutes(clock.endsBy - now) });
}

/** A classroom's own device goes back to wait for its next lesson, once people have read that this one is over. */
async function goBack() {
  if (!page.isOver() || !page.recall("tongke.device", localStorage)) return;
  await sleep(60000);
  try { sessionStorage.removeItem("tongke.link"); } catch (error) { /* a private window */ }
  location.replace("/sign-in");
}

function hear(event, data) {
  const { room } = page;
  // Computers' own clocks are often wrong by minutes.
  if (event === "clock") room.clock = { ...data, ahead: data.now - Date.now() };
  else if (event === "bye") room.farewell = data.reason || "";
  else if (event === "state") room.state = data.state;
  else if (event === "feeds") room.live = data.live || [];
  else if (event === "peers") room.sites = data.connected;
  else if (event === "playback") room.playback = { ...data, at: Date.now() };
  else if (event === "recording") room.isRecording = Boolean(data.on);
  else if (event === "pane" && data.reason) room.noPicture.add(data.peer);
  else if (event === "pane") room.noPicture.delete(data.peer);
  else if (event === "degraded") room.degraded.add(data.peer);
  else if (event === "restored") room.degraded.delete(data.peer);
  drawRoom();
}

async function readLesson() {
  const { room } = page;
  const info = await (await page.relay.request("GET", `/api/v1/lessons/${room.lesson}`)).json();
  Object.assign(room, {
    title: info.title, state: info.state, start: info.plannedStart, live: info.live || [],
    sites: info.connected, isRecording: Boolean(info.recording), isAlwaysLive: Boolean(info.alwaysLive),
  });
  drawRoom();
  return info;
}

/** Reads server-sent events until the stream ends. EventSource cannot send the token. */
async function readEvents() {
  const abort = new AbortController();
  const path = `/api/v1/lessons/${page.room.lesson}/events`;
  const response = await page.relay.request("GET", path, { headers: { Accept: "text/event-stream" }, abort });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let watchdog;
  for (;;) {
    watchdog = setTimeout(() => abort.abort(), 40000);
    const { value, done } = await reader.read().finally(() => clearTimeout(watchdog));
    if (done) return;
    text = (text + decoder.decode(value, { stream: true })).replace(/\r\n/g, "\n");
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const field = (name) => (block.match(new RegExp(`^${name}: ?(.*)$`, "m")) || [])[1];
      if (field("data")) hear(field("event") || "message", JSON.parse(field("data")));
    }
  }
}

/** Keeps the room true: by events while they come, by asking every few seconds otherwise. */
async function follow() {
  for (;;) {
    await readEvents().catch(() => {});
    await goBack();
    // Nothing changes soon in a lesson that has not opened or is over; the stream is refused then.
    const isQuiet = page.isOver() || ["planned", "published"].includes(page.room.state);
    await sleep((isQuiet ? 10000 : 2000) + Math.random() * 1000);
    // A token that has run out meanwhile is no reason to stop what still runs; the next offer will be told.
    await readLesson().catch(() => {});
  }
}

async function enterLesson(link) {
  page.relay = new Relay(link.token, page.language);
  page.room.lesson = link.lesson;
  page.state("connecting");
  let info = null;
  while (!info) {
    try {
      info = await readLesson();
    } catch (failure) {
      page.state("failed");
      page.notice({ failure });
      if (failure.isFinal) return welcome();
      await sleep(3000);
    }
  }
  page.notice(null);
  document.body.dataset.view = info.role === "lead" ? "lead" : "classroom";
  page.view = info.role === "lead" ? new Lead(page) : new Classroom(page);
  page.view.start();
  setInterval(drawClock, 500);
  $("again").addEventListener("click", () => page.view.retry());
  window.addEventListener("online", () => page.view.retry());
  window.addEventListener("pagehide", () => page.view.leave());
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  follow();
}

/** Until the catalogue is here there are no words to say that it is not; the browser's own have to do. */
async function begin() {
  while (!Object.keys(page.catalogue).length) await prepareLanguage().catch(() => sleep(2000));
  window.addEventListener("hashchange", () => { if (readLink(location.href)) location.reload(); });
  const link = takeLink();
  if (link) await enterLesson(link);
  else if (page.recall("tongke.device", localStorage)) location.replace("/sign-in");
  else welcome();
}

begin();
