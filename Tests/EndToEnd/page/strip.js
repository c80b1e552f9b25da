// Reads the machine-readable strip of a video element's present picture; strip.py says what it looks like.
window.readStrip = (() => {
  const CELLS = 44;
  function check(value) {
    let remainder = 0x5a;
    for (let shift = 4; shift >= 0; shift -= 1) {
      remainder ^= Math.floor(value / 2 ** (8 * shift)) % 256;
      for (let bit = 0; bit < 8; bit += 1) {
        remainder = (remainder & 0x80 ? (remainder << 1) ^ 0x2f : remainder << 1) & 0xff;
      }
    }
    return remainder ^ 0xff;
  }

  const canvas = document.createElement("canvas");
  canvas.width = CELLS * 10;
  canvas.height = 4;
  const context = canvas.getContext("2d", { willReadFrequently: true });

  function readStrip(video) {
    const height = video.videoHeight;
    const top = Math.floor(height / 90);
    context.drawImage(video, 0, top, video.videoWidth, Math.max(1, Math.floor(height / 30) - top), 0, 0, CELLS * 10, 4);
    const pixels = context.getImageData(0, 0, CELLS * 10, 4).data;
    let value = 0;
    let remainder = 0;
    for (let cell = 0; cell < CELLS; cell += 1) {
      let sum = 0;
      for (let y = 1; y < 3; y += 1) {
        for (let x = 3; x < 7; x += 1) sum += pixels[((y * CELLS + cell) * 10 + x) * 4 + 1];
      }
      const bit = sum / 8 >= 128 ? 1 : 0;
      if (cell < 36) value = value * 2 + bit;
      else remainder = remainder * 2 + bit;
    }
    return remainder === check(value) ? value : null;
  }

  return readStrip;
})();
