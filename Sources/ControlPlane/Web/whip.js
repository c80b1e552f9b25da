// Publishing a lesson by WHIP (RFC 9725), and the lead teacher's view.
import { Failure, Session } from "./session.js";

const isBaseline = (codec) => /profile-level-id=42e0/i.test(codec.sdpFmtpLine || "");
const isSinglePacketMode = (codec) => !/packetization-mode=1/.test(codec.sdpFmtpLine || "");

/** H.264 that every receiver decodes first, then VP8, and their repair; nothing that an old computer encodes slowly. */
function preferCodecs(transceiver) {
  if (!transceiver.setCodecPreferences || !RTCRtpSender.getCapabilities) return;
  const rank = (codec) => {
    const name = codec.mimeType.toLowerCase();
    if (name === "video/h264") return isSinglePacketMode(codec) ? 2 : isBaseline(codec) ? 0 : 1;
    if (name === "video/vp8") return 3;
    return /rtx|red|ulpfec/.test(name) ? 4 : 9;
  };
  const codecs = RTCRtpSender.getCapabilities("video").codecs.filter((codec) => rank(codec) < 9);
  transceiver.setCodecPreferences(codecs.sort((a, b) => rank(a) - rank(b)));
}

/** Lowest first: when the line is thin, browsers give up the encodings at the end of the list. Bits per second. */
const cameraEncodings = [
  { rid: "l", scaleResolutionDownBy: 4, maxBitrate: 150000, maxFramerate: 25 },
  { rid: "m", scaleResolutionDownBy: 2, maxBitrate: 450000, maxFramerate: 25 },
  { rid: "h", scaleResolutionDownBy: 1, maxBitrate: 1600000, maxFramerate: 25 },
];
const screenEncodings = [{ maxBitrate: 1800000, maxFramerate: 15 }];
const audioEncodings = [{ maxBitrate: 48000, priority: "high" }];

/** One feed of a lesson, published until stopped. */
export class Publication extends Session {
  /** @param tracks `{audio, video}`; either may be null. */
  constructor(relay, lesson, feed, tracks, onChange) {
    super(relay, `/whip/lessons/${lesson}/${feed}`, onChange);
    this.lesson = lesson;
    this.feed = feed;
    this.tracks = tracks;
    this.senders = {};
    /** Why the browser sends less than it was asked to: none | cpu | bandwidth | other. */
    this.limitation = "none";
  }

  async prepare(connection) {
    const stream = new MediaStream();
    this.senders = {};
    for (const kind of ["audio", "video"]) {
      const track = this.tracks[kind];
      if (!track) continue;
      const screen = this.feed === "screen" ? screenEncodings : cameraEncodings;
      const sendEncodings = kind === "audio" ? audioEncodings : screen;
      const transceiver = connection.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings });
      if (kind === "video") preferCodecs(transceiver);
      this.senders[kind] = transceiver.sender;
    }
  }

  /** Puts another source in place of the present one without anybody noticing; null sends nothing. */
  async replace(kind, track) {
    this.tracks[kind] = track;
    if (this.senders[kind]) await this.senders[kind].replaceTrack(track).catch(() => this.renew());
    else if (track) this.renew();
  }

  async isTakenOver() {
    const info = await (await this.relay.request("GET", `/api/v1/lessons/${this.lesson}`)).json();
    return info.live.includes(this.feed);
  }

  measure(stats) {
    let limitation = "none";
    stats.forEach((entry) => {
      const reason = entry.type === "outbound-rtp" ? entry.qualityLimitationReason : undefined;
      if (reason && reason !== "none") limitation = reason;
    });
    if (limitation !== this.limitation) {
      this.limitation = limitation;
      this.onChange(this);
    }
    return super.measure(stats);
  }
}

const $ = (id) => document.getElementById(id);

/** Why a camera or microphone cannot be had, as a cause of `page.fail.*`. */
function deviceCause(error) {
  const causes = {
    NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "noDevice", NotReadableError: "inUse",
    AbortError: "inUse", OverconstrainedError: "noDevice",
  };
  return causes[error.name] || "browser";
}

const devices = { camera: "videoinput", microphone: "audioinput" };
const constraints = {
  camera: (deviceId) => ({ deviceId, width: { ideal: 1280 }, height: { ideal: 720 },
    frameRate: { ideal: 25, max: 30 } }),
  microphone: (deviceId) => ({ deviceId, channelCount: 1, echoCancellation: true, noiseSuppression: true,
    autoGainControl: true }),
};

/** The lead teacher's view: what is captured, what is published of it, and how that goes. */
export class Lead {
  constructor(page) {
    this.page = page;
    /** Tracks in use. `screenSound` is what a shared video or slide plays. */
    this.sources = { camera: null, microphone: null, screen: null, screenSound: null };
    this.feeds = { camera: null, screen: null };
    this.problem = null;
    this.isMuted = false;
    this.heardAt = 0;
    this.since = Number(page.recall("tongke.since")) || 0;
  }

  start() {
    $("publish-camera").addEventListener("click", () => this.toggle("camera"));
    $("share-screen").addEventListener("click", () => this.toggle("screen"));
    $("mute").addEventListener("click", () => this.mute());
    $("stop").addEventListener("click", () => this.stop());
    $("end-lesson").addEventListener("click", () => this.endLesson());
    for (const kind of Object.keys(devices)) $(`${kind}-device`).addEventListener("change", () => this.choose(kind));
    window.addEventListener("beforeunload", (event) => { if (this.isLive()) event.preventDefault(); });
    setInterval(() => this.tick(), 250);
    if (!window.isSecureContext || !navigator.mediaDevices) return this.fail(new Failure("insecure"));
    navigator.mediaDevices.addEventListener("devicechange", () => this.devicesChanged());
    this.listDevices();
    // A page that was reloaded in the middle of a lesson goes on; one that is opened the next day does not.
    if (Date.now() - Number(this.page.recall("tongke.live")) < 60000) this.toggle("camera");
  }

  fail(problem) {
    this.problem = problem;
    this.draw();
  }

  isLive() { return Object.values(this.feeds).some((feed) => feed && feed.state === "live"); }

  // Sources

  /** Opens camera, microphone or both; one that is missing is told and done without. */
  async open(kinds) {
    const wanted = kinds.filter((kind) => !this.sources[kind]);
    if (!wanted.length) return;
    const ask = async (...some) => {
      const asked = (choose) => {
        const constraint = (kind) => some.includes(kind) && constraints[kind](choose(kind));
        return { audio: constraint("microphone"), video: constraint("camera") };
      };
      const exact = (kind) => this.chosen(kind) && { exact: this.chosen(kind) };
      return navigator.mediaDevices.getUserMedia(asked(exact)).catch((error) => {
        // The device that was chosen another day is not here today.
        if (error.name !== "OverconstrainedError") throw error;
        return navigator.mediaDevices.getUserMedia(asked(() => undefined));
      });
    };
    let stream;
    try {
      stream = await ask(...wanted);
    } catch (error) {
      const failure = new Failure(deviceCause(error));
      if (wanted.length === 1 || failure.cause === "denied") throw failure;
      stream = await ask("microphone").catch(() => ask("camera")).catch(() => { throw failure; });
      const isHeard = stream.getAudioTracks().length > 0;
      this.problem = new Failure(failure.cause === "inUse" ? "inUse" : isHeard ? "noCamera" : "noMicrophone");
    }
    for (const track of stream.getTracks()) this.take(track.kind === "audio" ? "microphone" : "camera", track);
    this.listDevices();
  }

  chosen(kind) { return $(`${kind}-device`).value || this.page.recall(`tongke.${kind}`, localStorage) || undefined; }

  async openScreen() {
    if (!navigator.mediaDevices.getDisplayMedia) throw new Failure("noScreen");
    const asked = { video: { frameRate: { ideal: 15, max: 30 } }, audio: true };
    const stream = await navigator.mediaDevices.getDisplayMedia(asked)
      .catch((error) => { throw new Failure(error.name === "NotAllowedError" ? "screenDenied" : "noScreen"); });
    const [track] = stream.getVideoTracks();
    track.contentHint = "detail";
    this.take("screen", track);
    // Sharing without a microphone is still worth having.
    await this.open(["microphone"]).catch(() => { this.problem = new Failure("noMicrophone"); });
    if (stream.getAudioTracks().length) this.take("screenSound", stream.getAudioTracks()[0]);
  }

  /** Puts a source into use, in the sessions that run as well; null gives it up. */
  take(kind, track) {
    const former = this.sources[kind];
    this.sources[kind] = track;
    if (former) former.stop();
    if (track) track.addEventListener("ended", () => this.lost(kind, track));
    const { camera, screen } = this.feeds;
    if (kind === "camera") {
      $("preview").srcObject = track && new MediaStream([track]);
      if (camera) camera.replace("video", track);
    } else if (kind === "screen") {
      if (screen) screen.replace("video", track);
    } else {
      if (kind === "microphone" && track) track.enabled = !this.isMuted;
      this.listen();
      if (camera) camera.replace("audio", this.sound());
      if (screen) screen.replace("audio", this.sound());
    }
  }

  /** What everyone hears whichever feed is shown: the teacher's voice, and with it what the shared screen plays. */
  sound() {
    const { microphone, screenSound } = this.sources;
    if (!screenSound) return microphone;
    this.audio = this.audio || new AudioContext();
    const mix = this.audio.createMediaStreamDestination();
    for (const track of [microphone, screenSound].filter(Boolean)) {
      this.audio.createMediaStreamSource(new MediaStream([track])).connect(mix);
    }
    return mix.stream.getAudioTracks()[0];
  }

  /** Lets the loudness of the microphone be seen, measured before anything is sent. */
  listen() {
    this.analyser = null;
    if (!this.sources.microphone) return;
    this.audio = this.audio || new AudioContext();
    this.analyser = this.audio.createAnalyser();
    // A third of a second: longer than the pause between two looks, so that no short sound is missed.
    this.analyser.fftSize = 16384;
    this.heardAt = Date.now();
    this.audio.createMediaStreamSource(new MediaStream([this.sources.microphone])).connect(this.analyser);
  }

  /** A source that went by itself: an unplugged device, or sharing ended in the browser's own bar. */
  lost(kind, track) {
    if (this.sources[kind] !== track) return;
    if (kind === "screen") return this.end("screen");
    this.take(kind, null);
    if (kind in devices) this.fail(new Failure("unplugged"));
  }

  /** A device that is plugged in again while it is missed is used at once. */
  async devicesChanged() {
    this.listDevices();
    const missed = this.feeds.camera ? Object.keys(devices).filter((kind) => !this.sources[kind]) : [];
    for (const kind of missed) await this.open([kind]).then(() => this.fail(null), () => {});
  }

  async listDevices() {
    const found = await navigator.mediaDevices.enumerateDevices();
    for (const [kind, name] of Object.entries(devices)) {
      const select = $(`${kind}-device`);
      const track = this.sources[kind];
      const current = track ? track.getSettings().deviceId : this.chosen(kind);
      const some = found.filter((device) => device.kind === name && device.deviceId);
      select.replaceChildren(...some.map((device, place) => {
        const label = device.label || `${this.page.text(`page.lead.${kind}`)} ${place + 1}`;
        return new Option(label, device.deviceId, false, device.deviceId === current);
      }));
      select.disabled = !some.length;
    }
  }

  async choose(kind) {
    this.page.recall(`tongke.${kind}`, localStorage, $(`${kind}-device`).value);
    if (!this.sources[kind]) return;
    // Many cameras cannot be open twice, so the former one is closed first; its session goes on without a picture.
    this.take(kind, null);
    this.problem = null;
    await this.open([kind]).then(() => this.draw(), (failure) => this.fail(failure));
  }

  // Feeds

  async toggle(feed) {
    const session = this.feeds[feed];
    if (session && session.state === "failed") return session.retry();
    if (session) return this.end(feed);
    if (this.isOpening) return;
    this.isOpening = true;
    this.problem = null;
    try {
      if (feed === "camera") await this.open(["camera", "microphone"]);
      else await this.openScreen();
      const { relay, room } = this.page;
      const tracks = { audio: this.sound(), video: this.sources[feed] };
      this.feeds[feed] = new Publication(relay, room.lesson, feed, tracks, () => this.draw()).start();
    } catch (failure) {
      this.problem = failure instanceof Failure ? failure : new Failure("browser", { detail: String(failure) });
    }
    this.isOpening = false;
    this.draw();
  }

  end(feed) {
    const session = this.feeds[feed];
    this.feeds[feed] = null;
    if (session) session.stop();
    this.take(feed, null);
    if (feed === "screen") this.take("screenSound", null);
    else this.page.recall("tongke.live", sessionStorage, "0");
    if (!this.feeds.camera && !this.feeds.screen) {
      this.take("microphone", null);
      this.since = 0;
      this.page.recall("tongke.since", sessionStorage, "0");
    }
    this.draw();
  }

  stop() {
    this.problem = null;
    this.end("screen");
    this.end("camera");
  }

  /** Ends the lesson for every teaching point; the relay then makes the recording of it. */
  async endLesson() {
    if (!window.confirm(this.page.text("page.lead.endLesson.ask"))) return;
    this.stop();
    const path = `/api/v1/lessons/${this.page.room.lesson}/end`;
    await this.page.relay.request("POST", path).catch((failure) => this.fail(failure));
  }

  mute() {
    this.isMuted = !this.isMuted;
    if (this.sources.microphone) this.sources.microphone.enabled = !this.isMuted;
    this.draw();
  }

  retry() { for (const feed of Object.values(this.feeds)) if (feed && feed.state !== "live") feed.retry(); }
  leave() { for (const feed of Object.values(this.feeds)) if (feed) feed.leave(); }

  // What is seen

  tick() {
    if (this.page.isOver() && (this.feeds.camera || this.feeds.screen)) this.stop();
    let peak = 0;
    if (this.analyser) {
      const samples = new Float32Array(this.analyser.fftSize);
      this.analyser.getFloatTimeDomainData(samples);
      peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    }
    const isDeaf = !this.analyser || this.audio.state !== "running";
    if (isDeaf && this.audio) this.audio.resume();
    if (peak > 0.01 || this.isMuted || isDeaf) this.heardAt = Date.now();
    $("level").value = Math.min(1, Math.sqrt(peak));
    if (this.isLive() && this.feeds.camera) this.page.recall("tongke.live", sessionStorage, String(Date.now()));
    this.draw();
  }

  draw() {
    const { page } = this;
    const feeds = Object.values(this.feeds).filter(Boolean);
    for (const feed of ["camera", "screen"]) this.drawFeed(feed);
    page.say($("mute"), this.isMuted ? "page.lead.unmute" : "page.lead.mute");
    $("mute").setAttribute("aria-pressed", String(this.isMuted));
    $("preview-empty").hidden = Boolean(this.sources.camera);
    $("stop").disabled = !feeds.length;
    $("end-lesson").hidden = page.room.isAlwaysLive || !["live", "interrupted"].includes(page.room.state);
    const limitation = ["cpu", "bandwidth"].find((reason) => feeds.some((feed) => feed.limitation === reason));
    const hint = this.isMuted ? "muted" : Date.now() - this.heardAt > 8000 ? "silent" : limitation;
    $("hint").hidden = !hint || !feeds.length;
    if (hint) page.say($("hint"), `page.lead.hint.${hint}`);
    this.drawNotice(feeds);
    this.drawState(feeds);
  }

  drawNotice(feeds) {
    const { page, problem } = this;
    const failing = feeds.find((feed) => feed.failure);
    if (failing) page.notice({ failure: failing.failure, again: true });
    else if (problem) page.notice({ failure: problem, secure: problem.cause === "insecure" });
    else if (page.isOver() && !feeds.length) page.notice({ key: page.overKey() });
    else page.notice(null);
  }

  drawState(feeds) {
    const { page } = this;
    const has = (state) => feeds.some((feed) => feed.state === state);
    const state = ["failed", "reconnecting", "live", "connecting"].find(has);
    if (state === "live") {
      this.since = this.since || Date.now();
      page.recall("tongke.since", sessionStorage, String(this.since));
      const seconds = Math.floor((Date.now() - this.since) / 1000);
      const parts = [Math.floor(seconds / 60), seconds % 60].map((part) => String(part).padStart(2, "0"));
      page.state("live", "page.state.liveFor", { time: parts.join(":") });
    } else if (state) page.state(state);
    else if (page.isOver()) page.state("ended");
    else page.state("waiting", "page.state.notLive");
  }

  drawFeed(feed) {
    const session = this.feeds[feed];
    const button = $(feed === "camera" ? "publish-camera" : "share-screen");
    const label = $(`${feed}-state`);
    button.setAttribute("aria-pressed", String(Boolean(session)));
    this.page.say(button, `page.lead.${feed}.${session ? "off" : "on"}`);
    label.dataset.state = session ? session.state : "off";
    this.page.say(label, `page.feed.${label.dataset.state}`);
  }
}
