#ifndef TK_MUX_H
#define TK_MUX_H

#include "tk_media.h"

enum { TK_MP4 = 0, TK_WEBM = 1 };

/* MP4: H.264 as it is, AAC made from Opus, and the Opus as it is; index in front. WebM: VP8 and Opus as they are.
   The file's zero is the earliest unit kept. Sound is made continuous from there on with silence. */
typedef struct tk_muxer tk_muxer;

typedef struct {
  double duration_seconds;
  int64_t video_frames;
  double audio_seconds; /* from the file's zero to the end of the last packet */
  int64_t start_us;     /* the caller's time of the file's zero */
  int64_t dropped;      /* units before the first key frame, out of order by over 0.5 s, malformed, past a limit */
} tk_written;

tk_muxer *tk_muxer_open(const char *path, int container, int has_video, int has_audio, int *status);
void tk_muxer_free(tk_muxer *muxer);
/* A unit that cannot be used is counted and gives TK_OK. Bytes are copied. */
int tk_muxer_video(tk_muxer *muxer, const uint8_t *bytes, size_t count, int64_t at_us, int is_key);
int tk_muxer_audio(tk_muxer *muxer, const uint8_t *bytes, size_t count, int64_t at_us);
/* Writes what is left and the index, and forces it to the disk. TK_NO_STREAM when nothing was written. */
int tk_muxer_finish(tk_muxer *muxer, tk_written *written);

#endif
