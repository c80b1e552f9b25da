// A WHIP publisher (RFC 9725) and a WHEP viewer (draft-03), written for the tests and apart from the product's page.

const peers = new Map();

async function exchange(entry, url, token) {
  entry.candidates = [];
  entry.pc.onicecandidate = ({ candidate }) => candidate && entry.candidates.push(candidate);
  await entry.pc.setLocalDescription();
  entry.postedAt = performance.now();
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` },
    body: entry.pc.localDescription.sdp,
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`POST answered ${response.status}: ${text}`);
  entry.token = token;
  entry.session = new URL(response.headers.get("Location"), response.url).href;
  entry.etag = response.headers.get("ETag");
  entry.answer = text;
  await entry.pc.setRemoteDescription({ type: "answer", sdp: text });
  return { session: entry.session, etag: entry.etag, answer: text };
}

function media(entry, name) {
  entry.pc.onconnectionstatechange = () => entry.states.push(entry.pc.connectionState);
  peers.set(name, entry);
}

async function publish({ name, url, token, codec, rids, width, height, rate, audio }) {
  const entry = { pc: new RTCPeerConnection({ bundlePolicy: "max-bundle" }), states: [] };
  media(entry, name);
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { width, height, frameRate: rate },
    audio: audio && { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  entry.stream = stream;
  for (const track of stream.getAudioTracks()) entry.pc.addTransceiver(track, { direction: "sendonly", streams: [stream] });
  const sendEncodings = rids ? rids.map(([rid, scale]) => ({ rid, scaleResolutionDownBy: scale })) : [{}];
  const video = entry.pc.addTransceiver(stream.getVideoTracks()[0], {
    direction: "sendonly", streams: [stream], sendEncodings,
  });
  if (codec) {
    const wanted = RTCRtpSender.getCapabilities("video").codecs.filter(
      (each) => each.mimeType === `video/${codec}` || each.mimeType === "video/rtx");
    video.setCodecPreferences(wanted);
  }
  return exchange(entry, url, token);
}

// With so many panes, each a line of sound and one of picture; all pictures are noted together.
async function watch({ name, url, token, panes }) {
  const entry = { pc: new RTCPeerConnection({ bundlePolicy: "max-bundle" }), states: [], frames: [], videos: [] };
  media(entry, name);
  const streams = new Map();
  entry.pc.ontrack = ({ track, transceiver }) => streams.get(transceiver).addTrack(track);
  for (let pane = 0; pane < panes; pane += 1) {
    const stream = new MediaStream();
    const video = document.createElement("video");
    Object.assign(video, { autoplay: true, playsInline: true, srcObject: stream });
    document.body.append(video);
    entry.videos.push(video);
    const each = (now, { width, height }) => {
      entry.frames.push([performance.timeOrigin + performance.now(), window.readStrip(video), width, height]);
      if (entry.frames.length === 1) entry.firstFrame = performance.now() - entry.postedAt;
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback(each);
    streams.set(entry.pc.addTransceiver("audio", { direction: "recvonly" }), stream);
    streams.set(entry.pc.addTransceiver("video", { direction: "recvonly" }), stream);
  }
  return exchange(entry, url, token);
}

// Packets that have come on each line so far, by its mid.
async function arrivals(name) {
  const found = {};
  for (const each of (await peers.get(name).pc.getStats()).values()) {
    if (each.type === "inbound-rtp") found[each.mid] = each.packetsReceived;
  }
  return found;
}

async function trickle(name) {
  const { pc, session, etag, token, candidates } = peers.get(name);
  const sdp = pc.localDescription.sdp;
  const pick = (key) => sdp.match(new RegExp(`^a=${key}:.*$`, "m"))[0].trim();
  const lines = [pick("ice-ufrag"), pick("ice-pwd"), sdp.match(/^m=.*$/m)[0].trim(), "a=mid:0"];
  for (const candidate of candidates.filter((each) => each.sdpMid === "0")) lines.push(`a=${candidate.candidate}`);
  lines.push("a=end-of-candidates");
  const response = await fetch(session, {
    method: "PATCH",
    headers: {
      "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": etag, Authorization: `Bearer ${token}`,
    },
    body: lines.join("\r\n") + "\r\n",
  });
  return { status: response.status, body: await response.text() };
}

async function statistics(name) {
  const { pc } = peers.get(name);
  const report = {};
  const all = await pc.getStats();
  for (const each of all.values()) {
    if (each.type === "inbound-rtp" || each.type === "outbound-rtp") {
      const codec = each.codecId ? all.get(each.codecId)?.mimeType : null;
      const key = each.rid ? `${each.kind}.${each.rid}` : each.kind;
      report[key] = { ...each, codec };
    }
    if (each.type === "candidate-pair" && each.nominated) {
      report.pair = {
        local: all.get(each.localCandidateId)?.address, remote: all.get(each.remoteCandidateId)?.address,
        remotePort: all.get(each.remoteCandidateId)?.port,
      };
    }
  }
  return report;
}

async function leave(name) {
  const { session, token } = peers.get(name);
  // First the word, then the transport: its close_notify would end the session before the DELETE came.
  const response = await fetch(session, { method: "DELETE", headers: { Authorization: `Bearer ${token}` } });
  vanish(name);
  return response.status;
}

// Goes without a word, as a machine does that loses its power.
function vanish(name) {
  const entry = peers.get(name);
  peers.delete(name);
  entry.pc.close();
  for (const video of entry.videos ?? []) video.remove();
  for (const track of entry.stream?.getTracks() ?? []) track.stop();
}

const states = (name) => peers.get(name).states;
const frames = (name) => peers.get(name).frames;
const firstFrame = (name) => peers.get(name).firstFrame ?? null;

window.client = { publish, watch, arrivals, trickle, statistics, leave, vanish, states, frames, firstFrame };
