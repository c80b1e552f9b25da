// The page that plays a resource by a link that is signed: what stands behind the # is the file's address, which no
// server is sent. It tells the relay when somebody starts, pauses, seeks and ends, so that the playback is counted.

const $ = (id) => document.getElementById(id);
const player = $("player");
const address = /^#(\/api\/v1\/resources\/([0-9a-f-]{36})\/files\/([0-9a-f-]{36}))\?([a-z0-9=&]+)$/.exec(location.hash);
const preferred = (navigator.languages || []).find((tag) => /^(zh|en)/i.test(tag)) || "zh";
const language = /^en/i.test(preferred) ? "en" : "zh-CN";

/** The session: a new one each time it is played from the beginning to an end. Times are milliseconds. */
let session = null;
let played = 0;
let at = 0;
let isSeeking = false;

const milliseconds = (seconds) => (Number.isFinite(seconds) ? Math.max(0, Math.round(seconds * 1000)) : 0);

function identifier() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

function tell(act, more = {}) {
  const body = {
    session, act, file: address[3], position: milliseconds(player.currentTime),
    length: milliseconds(player.duration), ...more,
  };
  // Kept alive when the page is left; what is not counted is no reason to stop playing.
  fetch(`/api/v1/resources/${address[2]}/playback?${address[4]}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), keepalive: true,
    credentials: "omit", cache: "no-store",
  }).catch(() => {});
}

function end() {
  if (!session) return;
  tell("ended", { played: Math.round(played) });
  session = null;
}

function follow() {
  player.addEventListener("play", () => {
    if (session) return tell("resumed");
    session = identifier();
    played = 0;
    return tell("started");
  });
  player.addEventListener("timeupdate", () => {
    const now = milliseconds(player.currentTime);
    const step = now - at;
    // What was really seen: small steps forward while it plays.
    if (session && !player.paused && !isSeeking && step > 0 && step < 2000) played += step;
    if (!isSeeking) at = now;
  });
  player.addEventListener("seeking", () => { isSeeking = true; });
  player.addEventListener("seeked", () => {
    isSeeking = false;
    if (session) tell("seeked", { from: at });
    at = milliseconds(player.currentTime);
  });
  player.addEventListener("pause", () => { if (session && !player.ended) tell("paused"); });
  player.addEventListener("ended", end);
  window.addEventListener("pagehide", end);
}

async function say(key) {
  try {
    const catalogue = await (await fetch("/text.json")).json();
    $("state").textContent = (catalogue[key] || {})[language] || key;
  } catch (error) { /* the relay is gone, which the player shows as well */ }
}

document.documentElement.lang = language;
if (address) {
  player.addEventListener("error", () => say("page.play.refused"));
  follow();
  player.src = `${address[1]}?${address[4]}`;
} else {
  say("page.play.noLink");
}
