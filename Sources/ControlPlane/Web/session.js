// The relay over HTTP, and the session that publishing (WHIP) and receiving (WHEP) share.

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What went wrong: a key of the catalogue under `page.fail.`, or the relay's own words. */
export class Failure extends Error {
  constructor(cause, facts = {}) {
    super(cause);
    this.cause = cause;
    this.status = 0;
    this.retryAfter = null;
    /** Whether trying again cannot help. */
    this.isFinal = false;
    Object.assign(this, facts);
  }

  /** Reads problem+json (RFC 9457); statuses that the same request would meet again are final. */
  static async of(response) {
    const problem = await response.json().catch(() => ({}));
    const seconds = Number(response.headers.get("Retry-After"));
    const retryAfter = response.headers.has("Retry-After") && seconds >= 0 ? seconds : null;
    const status = response.status;
    const isTransient = status >= 500 || status === 408 || status === 429 || (status === 409 && retryAfter !== null);
    return new Failure("refused", {
      status, retryAfter, isFinal: !isTransient, title: problem.title, detail: problem.detail,
      kind: String(problem.type || "").split(":").pop(),
    });
  }
}

/** The relay as one bearer of a token sees it. */
export class Relay {
  constructor(token, language) {
    this.token = token;
    this.language = language;
  }

  /** Throws a `Failure`. `limit` is milliseconds until the answer's head. */
  async request(method, path, { type, body, headers, limit = 10000, keepalive = false, abort } = {}) {
    const control = abort || new AbortController();
    const timer = setTimeout(() => control.abort(), limit);
    const all = { Authorization: `Bearer ${this.token}`, "Accept-Language": this.language, ...headers };
    if (type) all["Content-Type"] = type;
    let response;
    try {
      response = await fetch(path, {
        method, body, keepalive, headers: all, signal: control.signal, cache: "no-store", redirect: "error",
      });
    } catch (error) {
      throw new Failure("http");
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw await Failure.of(response);
    return response;
  }
}

/** Milliseconds. A path that is tried longer than this does not exist. */
const iceLimit = 8000;
const dtlsLimit = 5000;
const silenceLimit = 3000;

/** Resolves once connected; a rejection names the step that was not reached: `ice` or `dtls`. */
function connected(connection, isWanted) {
  const start = performance.now();
  let reachedAt = 0;
  return new Promise((resolve, reject) => {
    const timer = setInterval(check, 200);
    connection.addEventListener("connectionstatechange", check);
    function settle(act, value) {
      clearInterval(timer);
      connection.removeEventListener("connectionstatechange", check);
      act(value);
    }
    function check() {
      const now = performance.now();
      const ice = connection.iceConnectionState;
      const isOver = ["failed", "closed"].includes(connection.connectionState);
      if (!isWanted()) return settle(reject, new Failure("ended", { isFinal: true }));
      if (connection.connectionState === "connected") return settle(resolve);
      if (ice === "connected" || ice === "completed") {
        reachedAt = reachedAt || now;
        if (isOver || now - reachedAt > dtlsLimit) settle(reject, new Failure("dtls"));
      } else if (isOver || ice === "failed" || now - start > iceLimit) {
        settle(reject, new Failure(reachedAt ? "dtls" : "ice"));
      }
    }
  });
}

/** The credentials of a description as an SDP fragment (RFC 8840 §9). */
function fragment(sdp) {
  const wanted = /^(a=group:BUNDLE|m=|a=mid:|a=ice-ufrag:|a=ice-pwd:)/;
  return sdp.split(/\r?\n/).filter((line) => wanted.test(line)).join("\r\n") + "\r\n";
}

/** The answer as before, with the credentials and candidates of an SDP fragment. */
function renewed(answer, fragmentText) {
  const lines = fragmentText.split(/\r?\n/);
  const value = (name) => (lines.find((line) => line.startsWith(name)) || "").slice(name.length);
  const candidates = lines.filter((line) => /^a=(candidate:|end-of-candidates)/.test(line));
  let sdp = answer
    .replace(/a=ice-ufrag:[^\r\n]*/g, "a=ice-ufrag:" + value("a=ice-ufrag:"))
    .replace(/a=ice-pwd:[^\r\n]*/g, "a=ice-pwd:" + value("a=ice-pwd:"));
  if (candidates.length) {
    sdp = sdp.replace(/a=(candidate:|end-of-candidates)[^\r\n]*\r?\n/g, "");
    sdp = sdp.replace(/(a=ice-pwd:[^\r\n]*\r?\n)/, "$1" + candidates.join("\r\n") + "\r\n");
  }
  return sdp;
}

/**
 * One session that keeps itself alive: it posts an offer, watches what arrives, restarts ICE when nothing does, and
 * posts again when that does not help. It gives up only on what trying again cannot change.
 *
 * Trickle is not used: the relay is ICE-lite with all its candidates in the answer, so none of ours are needed.
 */
export class Session {
  constructor(relay, path, onChange) {
    this.relay = relay;
    this.path = path;
    this.onChange = onChange;
    /** connecting | live | reconnecting | failed | ended */
    this.state = "connecting";
    this.failure = null;
    this.hasWorked = false;
    this.isRunning = false;
    this.goneAt = [];
    this.wake = () => {};
  }

  start() {
    this.isRunning = true;
    this.run();
    return this;
  }

  /** Ends the session here and at the relay. */
  stop() {
    if (!this.isRunning) return;
    this.isRunning = false;
    // The relay is told before the transport closes, so that it knows that nobody is coming back.
    const { connection } = this;
    this.connection = null;
    this.leave().then(() => connection && connection.close());
    this.close();
    this.enter("ended", null);
    this.wake();
  }

  /** Tells the relay that the page goes away. */
  async leave() {
    const { resource } = this;
    this.resource = null;
    if (resource) await this.relay.request("DELETE", resource, { keepalive: true, limit: 2000 }).catch(() => {});
  }

  /** Does now what would be done after a pause, or begins anew when it had given up. */
  retry() {
    this.goneAt = [];
    if (this.isRunning) this.wake();
    else this.start();
  }

  /** Posts a new offer, for sources that replaceTrack cannot change. */
  renew() {
    this.isStale = true;
    this.wake();
  }

  enter(state, failure) {
    this.state = state;
    this.failure = failure;
    this.onChange(this);
  }

  pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => { clearTimeout(timer); resolve(); };
    });
  }

  async run() {
    for (let attempt = 0; this.isRunning; attempt += 1) {
      let failure = null;
      try {
        this.enter(this.hasWorked ? "reconnecting" : "connecting", this.failure);
        if (!this.isRunning) return;
        await this.post();
        this.hasWorked = true;
        this.enter("live", null);
        this.hasFlowed = false;
        failure = await this.watch(attempt);
        if (this.hasFlowed) attempt = 0;
      } catch (error) {
        failure = error instanceof Failure ? error : new Failure("browser", { detail: String(error) });
      }
      if (!this.isRunning) return;
      if (failure && failure.isFinal) return this.giveUp(failure);
      if (!failure) { attempt = -1; continue; }
      this.enter(this.hasWorked ? "reconnecting" : "failed", failure);
      const backoff = Math.min(500 * 2 ** attempt, 8000) * (0.75 + Math.random() / 2);
      await this.pause(failure.retryAfter === null ? backoff : Math.min(failure.retryAfter, 30) * 1000);
    }
  }

  giveUp(failure) {
    this.isRunning = false;
    this.close();
    this.enter("failed", failure);
  }

  close() {
    if (this.connection) this.connection.close();
    this.connection = null;
  }

  async post() {
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const former = this.connection;
    this.connection = connection;
    this.isStale = false;
    try {
      await this.prepare(connection);
      await connection.setLocalDescription(await connection.createOffer());
      const response = await this.relay.request("POST", this.path, {
        type: "application/sdp", body: connection.localDescription.sdp,
      });
      this.resource = new URL(response.headers.get("Location"), response.url).pathname;
      /** The relay's number of this transport, by which events name it. */
      this.peer = (/\/peers\/(\d+)\//.exec(response.headers.get("Link") || "") || [])[1];
      this.answer = await response.text();
      if (!this.isRunning) return this.leave();
      await connection.setRemoteDescription({ type: "answer", sdp: this.answer });
      await connected(connection, () => this.isRunning);
    } finally {
      // Until here the former picture stands, for us and, if we publish, for everyone.
      if (former) former.close();
    }
  }

  /** Returns the failure that ended the connection, or null when a new offer was asked for. */
  async watch(attempt) {
    const connection = this.connection;
    // A silent sender is not the line's fault: each reconnection that did not help waits longer before the next.
    const patience = Math.min(silenceLimit * 2 ** attempt, 30000);
    let last = { flow: -1, path: -1 };
    let flowAt = performance.now();
    let pathAt = flowAt;
    let isRestarted = false;
    while (this.isRunning) {
      await this.pause(500);
      if (!this.isRunning || this.isStale) return null;
      const now = performance.now();
      const count = this.measure(await connection.getStats());
      if (count.path !== last.path) pathAt = now;
      this.tell(count, now);
      if (count.flow !== last.flow) {
        flowAt = now;
        this.hasFlowed = last.flow >= 0;
        if (isRestarted || this.state !== "live") this.enter("live", null);
        isRestarted = false;
      }
      last = count;
      const isDown = connection.connectionState !== "connected";
      if (!isDown && !this.expectsFlow()) flowAt = now;
      const limit = isDown || now - pathAt > silenceLimit ? silenceLimit : patience;
      if (now - flowAt < limit && connection.connectionState !== "failed") continue;
      const cause = new Failure(isDown || now - pathAt > silenceLimit ? "lost" : "media");
      this.enter("reconnecting", cause);
      if (isRestarted || !(await this.restart())) return this.isRunning ? (await this.gone()) || cause : null;
      isRestarted = true;
      flowAt = performance.now();
    }
    return null;
  }

  /** New ICE credentials on the same DTLS session; false when the relay or the line refuses. */
  async restart() {
    const connection = this.connection;
    try {
      await connection.setLocalDescription(await connection.createOffer({ iceRestart: true }));
      const response = await this.relay.request("PATCH", this.resource, {
        type: "application/trickle-ice-sdpfrag", headers: { "If-Match": "*" }, limit: 3000,
        body: fragment(connection.localDescription.sdp),
      });
      if (response.status !== 200) return false;
      this.answer = renewed(this.answer, await response.text());
      await connection.setRemoteDescription({ type: "answer", sdp: this.answer });
      return true;
    } catch (error) {
      if (error.status === 404 || error.status === 410) this.goneAt.push(performance.now());
      return false;
    }
  }

  /** Two pages with one link would take the seat from each other for ever: the one it was taken from gives way. */
  async gone() {
    const now = performance.now();
    this.goneAt = this.goneAt.filter((at) => now - at < 60000);
    const isJustGone = this.goneAt.some((at) => now - at < 1000);
    const isOver = this.goneAt.length >= 3 || (isJustGone && (await this.isTakenOver().catch(() => false)));
    return isOver ? new Failure("elsewhere", { isFinal: true }) : null;
  }

  /** Whether somebody else has what a session that vanished at the relay had. */
  async isTakenOver() { return false; }

  /** Counters that grow while media flows (`flow`) and while the path carries anything (`path`). */
  measure(stats) {
    let path = 0;
    stats.forEach((entry) => {
      if (entry.type === "candidate-pair") path += (entry.bytesReceived || 0) + (entry.responsesReceived || 0);
    });
    return { path, flow: path };
  }

  /** Tells the relay of freezes, which nobody else sees: twice a minute, and never in the way of the lesson. */
  tell(count, now) {
    if (!this.peer || count.freezes === undefined || now - (this.toldAt || 0) < 25000) return;
    this.toldAt = now;
    this.relay.request("POST", `/api/v1/lessons/${this.lesson}/peers/${this.peer}/statistics`, {
      type: "application/json", body: JSON.stringify(count.freezes),
    }).catch(() => {});
  }

  expectsFlow() { return true; }
}
