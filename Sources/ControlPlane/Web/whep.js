// Receiving a lesson by WHEP (draft-ietf-wish-whep-03), and the teaching point's view.
import { Session } from "./session.js";

/** Seconds that one judgement of the quality looks back. */
const span = 5;

/** Judges a line by what a person sees and hears: standing pictures, invented sound, loss, delay. */
class Quality {
  constructor() {
    this.samples = [];
  }

  /** @returns none | good | fair | poor */
  judge(stats) {
    const now = { at: performance.now() / 1000, lost: 0, received: 0, frozen: 0, invented: 0, samples: 0, delay: 0 };
    stats.forEach((entry) => {
      if (entry.type === "inbound-rtp") {
        now.lost += entry.packetsLost || 0;
        now.received += entry.packetsReceived || 0;
        now.frozen += entry.totalFreezesDuration || 0;
        now.invented += (entry.concealedSamples || 0) - (entry.silentConcealedSamples || 0);
        now.samples += entry.totalSamplesReceived || 0;
      } else if (entry.type === "candidate-pair" && entry.nominated) {
        now.delay = Math.max(now.delay, entry.currentRoundTripTime || 0);
      }
    });
    this.samples = this.samples.filter((sample) => now.at - sample.at <= span).concat(now);
    const before = this.samples[0];
    const received = now.received - before.received;
    if (this.samples.length < 3 || received < 10) return "none";
    const loss = Math.max(0, now.lost - before.lost) / (received + Math.max(0, now.lost - before.lost));
    const invented = (now.invented - before.invented) / Math.max(1, now.samples - before.samples);
    const frozen = now.frozen - before.frozen;
    if (frozen > 1 || invented > 0.08 || loss > 0.1) return "poor";
    return frozen > 0.2 || invented > 0.02 || loss > 0.02 || now.delay > 0.4 ? "fair" : "good";
  }
}

/** What everyone is shown, one audio and one video, played in a video element until stopped. */
export class Reception extends Session {
  /** @param isLive tells whether the relay says that somebody publishes. */
  constructor(relay, lesson, element, isLive, onChange) {
    super(relay, `/whep/lessons/${lesson}`, onChange);
    this.lesson = lesson;
    this.element = element;
    this.isLive = isLive;
    this.hasMedia = false;
    this.quality = "none";
    /** 0…1, loudness of the sound that arrived since the last look, before this computer's own volume. */
    this.soundLevel = 0;
  }

  async prepare(connection) {
    const stream = new MediaStream();
    this.judge = new Quality();
    this.bytes = 0;
    this.energy = 0;
    this.flowAt = 0;
    for (const kind of ["audio", "video"]) {
      const { receiver } = connection.addTransceiver(kind, { direction: "recvonly" });
      // The least that the line allows; the browser adds what jitter and repair need.
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
      else if ("playoutDelayHint" in receiver) receiver.playoutDelayHint = 0;
      stream.addTrack(receiver.track);
      receiver.track.addEventListener("unmute", () => this.show(stream));
    }
  }

  /** The relay lets several transports share a seat, so the former one is taken away. */
  async post() {
    const former = this.resource;
    await super.post();
    if (former) this.relay.request("DELETE", former).catch(() => {});
  }

  /** The former picture stands until the first packet of the new connection. */
  show(stream) {
    if (this.element.srcObject === stream) return;
    this.element.srcObject = stream;
    this.element.dispatchEvent(new Event("stage"));
  }

  measure(stats) {
    const count = super.measure(stats);
    let bytes = 0;
    let energy = 0;
    const freezes = { freezeCount: 0, totalFreezesDuration: 0 };
    stats.forEach((entry) => {
      if (entry.type !== "inbound-rtp") return;
      bytes += entry.bytesReceived || 0;
      energy += entry.totalAudioEnergy || 0;
      for (const name of Object.keys(freezes)) freezes[name] += entry[name] || 0;
    });
    const now = performance.now();
    if (bytes !== this.bytes) this.flowAt = now;
    this.bytes = bytes;
    const hasMedia = bytes > 0 && now - this.flowAt < 2000;
    const quality = hasMedia ? this.judge.judge(stats) : "none";
    const isNews = hasMedia !== this.hasMedia || quality !== this.quality;
    const seconds = Math.max(0.1, (now - (this.heardAt || 0)) / 1000);
    const soundLevel = Math.sqrt(Math.max(0, energy - (this.energy || 0)) / seconds);
    Object.assign(this, { hasMedia, quality, soundLevel, energy, heardAt: now });
    if (isNews) this.onChange(this);
    return { path: count.path, flow: bytes, freezes };
  }

  expectsFlow() { return this.isLive(); }

  close() {
    super.close();
    this.hasMedia = false;
    this.quality = "none";
  }
}

const $ = (id) => document.getElementById(id);

/** The local teacher's hold on what an asynchronous lesson plays: pause, thirty seconds back and on, a mark. */
class Playback {
  constructor(page) {
    this.page = page;
    $("playback-turn").addEventListener("click", () => this.act({ action: this.isPlaying ? "pause" : "play" }));
    $("playback-back").addEventListener("click", () => this.jump(-30000));
    $("playback-forward").addEventListener("click", () => this.jump(30000));
    $("playback-mark").addEventListener("click", () => this.mark());
    setInterval(() => this.draw(), 500);
  }

  get value() { return this.page.room.playback; }
  get isPlaying() { return Boolean(this.value) && this.value.state === "playing"; }
  /** A picture that stands is no trouble of the line. */
  get isHeld() { return Boolean(this.value) && !this.isPlaying; }

  position() {
    const { position, length, at } = this.value;
    return this.isPlaying ? Math.min(length, position + Date.now() - at) : position;
  }

  async act(body) {
    const path = `/api/v1/lessons/${this.page.room.lesson}/playback`;
    const options = { type: "application/json", body: JSON.stringify(body) };
    const answer = await this.page.relay.request("POST", path, options).catch(() => null);
    if (answer) this.page.room.playback = { ...(await answer.json()), at: Date.now() };
    this.draw();
  }

  jump(by) {
    const position = Math.round(Math.min(Math.max(0, this.position() + by), this.value.length));
    return this.act({ action: "seek", position });
  }

  /** A mark is shown by a moment's disabling; relays that keep none have no such button. */
  async mark() {
    const path = `/api/v1/lessons/${this.page.room.lesson}/markers`;
    const options = { type: "application/json", body: JSON.stringify({ label: this.time(this.position()) }) };
    const button = $("playback-mark");
    button.disabled = true;
    await this.page.relay.request("POST", path, options).catch((failure) => {
      button.hidden = failure.status === 404 || failure.status === 405;
    });
    setTimeout(() => { button.disabled = false; }, 1000);
  }

  time(milliseconds) {
    const seconds = Math.floor(milliseconds / 1000);
    const rest = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0")).join(":");
    return seconds < 3600 ? rest : `${Math.floor(seconds / 3600)}:${rest}`;
  }

  draw() {
    $("playback").hidden = !this.value || !this.value.source;
    if ($("playback").hidden) return;
    this.page.say($("playback-turn"), this.isPlaying ? "page.playback.pause" : "page.playback.play");
    const [position, length] = [this.time(this.position()), this.time(this.value.length)];
    this.page.say($("playback-position"), "page.playback.position", { position, length });
  }
}

/** The teaching point's view: the stage in the whole window, and in words what keeps it from being seen or heard. */
export class Classroom {
  constructor(page) {
    this.page = page;
    this.stage = $("stage");
    /** The browser wants a click before it plays sound. */
    this.needsClick = false;
    this.hadMedia = false;
    this.activeAt = Date.now();
    this.playback = new Playback(page);
    const isLive = () => page.room.live.length > 0 && !this.playback.isHeld;
    this.session = new Reception(page.relay, page.room.lesson, this.stage, isLive, () => this.draw());
  }

  start() {
    this.stage.addEventListener("stage", () => this.play());
    this.stage.addEventListener("volumechange", () => this.draw());
    this.stage.addEventListener("playing", () => this.keepAwake());
    $("enter").addEventListener("click", () => this.enter());
    $("sound").addEventListener("click", () => this.turnSound());
    $("volume").addEventListener("input", () => this.setVolume(Number($("volume").value)));
    $("fullscreen").addEventListener("click", () => this.toggleFullscreen());
    $("test-sound").addEventListener("click", () => this.testSound());
    document.addEventListener("visibilitychange", () => this.keepAwake());
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") $("hearing").open = false; });
    for (const name of ["pointermove", "pointerdown", "keydown"]) {
      document.addEventListener(name, () => { this.activeAt = Date.now(); this.drawBars(); });
    }
    setInterval(() => this.tick(), 250);
    this.session.start();
    this.foreseeClick();
  }

  retry() { if (this.session.state !== "live") this.session.retry(); }
  leave() { this.session.leave(); }

  // Sound

  /** Asks for the click while everyone still waits, so that nobody need be there when the lesson begins. */
  async foreseeClick() {
    if (!window.AudioContext) return;
    const probe = new AudioContext();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const isForbidden = probe.state === "suspended";
    probe.close();
    if (isForbidden && !this.isEntered) this.needsClick = true;
    this.draw();
  }

  async play() {
    try {
      await this.stage.play();
      if (!this.stage.muted) this.needsClick = false;
    } catch (error) {
      if (error.name !== "NotAllowedError") return;
      // The picture may run behind the button already.
      this.needsClick = true;
      this.stage.muted = true;
      this.stage.play().catch(() => {});
    }
    this.draw();
  }

  enter() {
    this.isEntered = true;
    this.needsClick = false;
    this.stage.muted = false;
    if (this.stage.srcObject) this.play();
    this.draw();
  }

  turnSound() {
    this.stage.muted = !this.stage.muted;
    if (!this.stage.muted && this.stage.volume === 0) this.setVolume(1);
  }

  setVolume(volume) {
    this.stage.volume = volume;
    this.stage.muted = volume === 0;
    $("volume").value = volume;
  }

  testSound() {
    const audio = new AudioContext();
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    gain.gain.value = 0.3;
    tone.frequency.value = 660;
    tone.connect(gain).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.8);
    tone.addEventListener("ended", () => audio.close());
  }

  // The window

  /** A board must not go to sleep in the middle of a lesson. */
  async keepAwake() {
    if (!navigator.wakeLock || document.visibilityState !== "visible" || !this.session.hasMedia) return;
    if (this.lock && !this.lock.released) return;
    this.lock = await navigator.wakeLock.request("screen").catch(() => null);
  }

  toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen().catch(() => {});
  }

  tick() {
    $("sound-level").value = Math.min(1, Math.sqrt(this.session.soundLevel));
    if (this.session.soundLevel > 0.005) this.heardAt = Date.now();
    const isArriving = this.session.hasMedia && Date.now() - (this.heardAt || 0) < 4000;
    const verdict = !isArriving ? "silent" : this.stage.muted ? "muted" : "arriving";
    if ($("hearing").open) this.page.say($("hearing-verdict"), `page.hearing.${verdict}`);
    this.drawBars();
  }

  /** The bars leave the picture alone when nobody uses them. */
  drawBars() {
    const isUsed = Date.now() - this.activeAt < 4000 || $("hearing").open || !$("notice").hidden;
    document.body.classList.toggle("quiet", this.session.hasMedia && !isUsed);
  }

  draw() {
    const { page, session } = this;
    this.hadMedia = this.hadMedia || session.hasMedia;
    if (page.isOver() && session.isRunning) session.stop();
    this.playback.draw();
    page.say($("sound"), this.stage.muted ? "page.sound.on" : "page.sound.off");
    $("sound").setAttribute("aria-pressed", String(this.stage.muted));
    const quality = session.hasMedia && page.room.degraded.has(session.peer) ? "degraded" : session.quality;
    $("quality").dataset.quality = quality;
    if (quality === "none") page.quote($("quality"), "");
    else page.say($("quality"), `page.quality.${quality}`);
    const [state, notice] = this.judge();
    page.state(state);
    page.notice(notice);
    this.drawBars();
  }

  /** The state, and the notice that goes with it: what is the matter and what usually helps. */
  judge() {
    const { page, session } = this;
    const { room } = page;
    const { failure } = session;
    const enter = this.needsClick;
    if (page.isOver()) return ["ended", { key: page.overKey() }];
    if (session.hasMedia && session.state === "live") {
      if (enter) return ["live", { key: "page.entry", enter }];
      const cannotShow = room.noPicture.has(session.peer);
      return ["live", cannotShow ? { key: "page.noPicture", isSmall: true } : null];
    }
    // Before the doors open the relay says so and when; that is no failure.
    if (failure && failure.status === 409 && !failure.isFinal) return ["waiting", this.waiting()];
    const isSmall = this.hadMedia && !(failure && failure.isFinal);
    if (failure) return [isSmall ? "reconnecting" : "failed", { failure, again: true, isSmall }];
    if (session.state === "connecting") return ["connecting", enter ? { key: "page.entry", enter } : null];
    if (session.state === "reconnecting") return ["reconnecting", { key: "page.reconnecting", isSmall: true }];
    // A moment without packets is not worth a word yet.
    if (room.live.length && session.bytes > 0) return ["live", null];
    if (room.live.length) return ["connecting", { key: "page.arriving", isSmall, enter }];
    return ["waiting", this.waiting()];
  }

  waiting() {
    const { page } = this;
    const { room } = page;
    const enter = this.needsClick;
    const isInterrupted = this.hadMedia || room.state === "interrupted";
    if (isInterrupted) return { key: "page.interrupted", isSmall: this.hadMedia, enter };
    if (room.isAlwaysLive || !room.start) return { key: "page.waiting", enter };
    return { key: "page.waitingUntil", values: { time: page.clock(room.start) }, enter };
  }
}
