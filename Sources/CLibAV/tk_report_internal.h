#ifndef TK_REPORT_INTERNAL_H
#define TK_REPORT_INTERNAL_H

#include <libavformat/avformat.h>

#include "include/tk_decode.h"
#include "tk_internal.h"

/* Opens a file on this machine and nothing that it may point to. */
int tk_open_file(AVFormatContext **input, const char *path);

enum { TK_TONE_WINDOW_MS = 5 };

/* Finds onsets of the 1 kHz beep. One bin is 1 ms: 48 samples, one period. */
typedef struct {
  double in_phase[TK_TONE_WINDOW_MS], quadrature[TK_TONE_WINDOW_MS], energy[TK_TONE_WINDOW_MS];
  int slot;
  int filled;     /* samples in the bin under way */
  double bin_end; /* seconds; of the bin under way */
  int tone_ms, quiet_ms;
  int quiet_before; /* milliseconds without tone before the run under way */
  double onset;     /* of the run under way */
} tk_tone;

/* Starts listening at a time; what was heard before is forgotten. */
void tk_tone_start(tk_tone *tone, double seconds);
/* One sample at 48 kHz; 1 when it completes a beep, whose onset is then in tone->onset. */
int tk_tone_take(tk_tone *tone, float sample);

#endif
