#include <math.h>
#include <string.h>

#include "tk_report_internal.h"

/* A run of tone this long is a beep (which lasts 200 ms), when at least so much without it went before. */
enum { TK_BEEP_MS = 60, TK_SILENT_BEFORE_MS = 30 };

void tk_tone_start(tk_tone *tone, double seconds) {
  memset(tone, 0, sizeof *tone);
  tone->bin_end = seconds + 0.001;
}

/* Share of the window's energy at 1 kHz: 1 for the tone alone. A window that the tone has begun to fill has it in
   proportion, so 0.55 is passed 3 ms after the onset. */
static int is_tone(const tk_tone *tone) {
  double in_phase = 0, quadrature = 0, energy = 0;
  for (int i = 0; i < TK_TONE_WINDOW_MS; i += 1) {
    in_phase += tone->in_phase[i];
    quadrature += tone->quadrature[i];
    energy += tone->energy[i];
  }
  double samples = TK_TONE_WINDOW_MS * 48.0;
  if (energy / samples < 0.01) return 0;
  return 2 * (in_phase * in_phase + quadrature * quadrature) >= 0.55 * samples * energy;
}

static int finish_bin(tk_tone *tone) {
  int is_beep = 0;
  if (is_tone(tone)) {
    if (tone->tone_ms == 0) {
      tone->quiet_before = tone->quiet_ms;
      tone->onset = tone->bin_end - 0.003;
    }
    tone->tone_ms += 1;
    tone->quiet_ms = 0;
    is_beep = tone->tone_ms == TK_BEEP_MS && tone->quiet_before >= TK_SILENT_BEFORE_MS;
  } else {
    tone->tone_ms = 0;
    tone->quiet_ms += 1;
  }
  tone->slot = (tone->slot + 1) % TK_TONE_WINDOW_MS;
  tone->in_phase[tone->slot] = tone->quadrature[tone->slot] = tone->energy[tone->slot] = 0;
  tone->filled = 0;
  tone->bin_end += 0.001;
  return is_beep;
}

int tk_tone_take(tk_tone *tone, float sample) {
  double angle = 2 * M_PI * tone->filled / 48;
  tone->in_phase[tone->slot] += sample * cos(angle);
  tone->quadrature[tone->slot] += sample * sin(angle);
  tone->energy[tone->slot] += (double)sample * sample;
  tone->filled += 1;
  return tone->filled == 48 ? finish_bin(tone) : 0;
}
