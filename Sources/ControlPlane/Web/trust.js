// The page that tells how to trust the relay's certificate, and checks whether that was done. It stands alone on the
// plain port, where nothing else of the pages is served.

const $ = (id) => document.getElementById(id);
const address = `https://${location.hostname}:${document.body.dataset.httpsPort}`;
const preferred = (navigator.languages || []).find((tag) => /^(zh|en)/i.test(tag)) || "zh";
let language = /^en/i.test(preferred) ? "en" : "zh-CN";
let catalogue = {};

function say(element, key) {
  element.dataset.text = key;
  element.textContent = (catalogue[key] || {})[language] || key;
}

function translate() {
  document.documentElement.lang = language;
  const other = language === "en" ? "zh-CN" : "en";
  $("language").textContent = other === "en" ? "English" : "中文";
  $("language").lang = other;
  document.querySelectorAll("[data-text]").forEach((element) => say(element, element.dataset.text));
}

/** Tries the certificate: the answer itself cannot be read across origins, but that there is one tells enough. */
async function check() {
  $("verdict").dataset.verdict = "unknown";
  say($("verdict"), "trust.checking");
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 6000);
  let verdict = "good";
  try {
    await fetch(`${address}/healthz`, { mode: "no-cors", cache: "no-store", signal: abort.signal });
  } catch (error) {
    verdict = abort.signal.aborted ? "silent" : "bad";
  }
  clearTimeout(timer);
  $("verdict").dataset.verdict = verdict;
  say($("verdict"), `trust.${verdict}`);
  $("continue").classList.toggle("primary", verdict === "good");
}

async function begin() {
  catalogue = await (await fetch("/text.json")).json();
  $("language").addEventListener("click", () => {
    language = language === "en" ? "zh-CN" : "en";
    translate();
  });
  $("check").addEventListener("click", check);
  // A lesson's link that was opened on the plain port has kept its fragment.
  $("continue").href = `${address}/${location.hash}`;
  translate();
  // An operator's own certificate needs no authority to be installed.
  const authority = await fetch("/ca.crt").catch(() => null);
  const isOwn = Boolean(authority && authority.status === 404);
  $("none").hidden = !isOwn;
  $("steps").hidden = isOwn;
}

begin();
