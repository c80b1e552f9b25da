#ifndef TK_DECODE_H
#define TK_DECODE_H

#include "tk_media.h"

#define TK_NO_STRIP UINT64_MAX

/* Decodes access units and reads the strip and the flash patch of each picture. */
typedef struct tk_decoder tk_decoder;

typedef struct {
  uint64_t strip; /* TK_NO_STRIP when it does not read */
  int is_flash;
  int width;
  int height;
} tk_picture;

/* is_fast leaves out the loop filter: the strip still reads, the picture is not for people. */
tk_decoder *tk_decoder_open(int encoding, int is_fast, int *status);
void tk_decoder_free(tk_decoder *decoder);
/* TK_OK or TK_DECODE; then tk_decoder_receive until TK_AGAIN. */
int tk_decoder_send(tk_decoder *decoder, const uint8_t *bytes, size_t count);
int tk_decoder_receive(tk_decoder *decoder, tk_picture *picture);

/* What a file holds, by decoding its video and one of its audio tracks. */
typedef struct {
  char video_codec[32]; /* empty without video */
  char audio_codecs[8][32];
  int audio_codec_count;
  double duration_seconds;
  int64_t video_frames;
  double audio_seconds; /* decoded sound */
  uint64_t *strips; /* one a frame, TK_NO_STRIP where unreadable */
  size_t strip_count;
  double *flashes; /* onsets in seconds of the file's time */
  size_t flash_count;
  double *beeps;
  size_t beep_count;
  int64_t decode_errors;
  int64_t video_packets; /* in the file */
  int64_t video_tried;   /* of these, given to the decoder */
  double *silences; /* starts and ends by turns, in seconds: 10 s and more without any sound */
  size_t silence_count;
} tk_report;

/* audio_track counts the file's audio tracks from 0. What was read before a failure stays in the report. With
   whole_seconds over 0 only so many seconds of pictures at both ends are decoded, and between them a key frame every
   10 s; all packets are read, and all sound is decoded, in any case. */
int tk_report_fill(tk_report *report, const char *path, int audio_track, double whole_seconds);
void tk_report_clear(tk_report *report);

/* A JPEG of a representative picture, at most 1280 wide. */
int tk_poster_write(const char *from, const char *to);

#endif
