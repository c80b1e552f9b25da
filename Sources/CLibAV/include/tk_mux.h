#ifndef TK_MUX_H
#define TK_MUX_H

#include "tk_media.h"

enum { TK_MP4 = 0, TK_WEBM = 1 };

/* MP4: H.264 as it is, AAC made from Opus, and the Opus as it is; index in front. WebM: VP8 and Opus as they are.
   The file's zero is the earliest unit kept. Sound is made continuous from there on with silence. */
typedef struct tk_muxer tk_muxer;

enum {
  TK_SIZE_LIMIT = 32,
  /* As many as the list of an MP4 counts (chpl has one byte). */
  TK_CHAPTER_LIMIT = 255
};

/* A size of picture from a moment on, in microseconds from the file's zero. */
typedef struct {
  int64_t at_us;
  int32_t width, height;
} tk_picture_size;

typedef struct {
  double duration_seconds;
  int64_t video_frames;
  double audio_seconds; /* from the file's zero to the end of the last packet */
  int64_t start_us;     /* the caller's time of the file's zero */
  int64_t dropped;      /* units before the first key frame, out of order by over 0.5 s, malformed, past a limit */
  /* The first one, and each that differs from the one before. */
  tk_picture_size sizes[TK_SIZE_LIMIT];
  int size_count;
} tk_written;

tk_muxer *tk_muxer_open(const char *path, int container, int has_video, int has_audio, int *status);
void tk_muxer_free(tk_muxer *muxer);
/* A unit that cannot be used is counted and gives TK_OK. Bytes are copied. */
int tk_muxer_video(tk_muxer *muxer, const uint8_t *bytes, size_t count, int64_t at_us, int is_key);
int tk_muxer_audio(tk_muxer *muxer, const uint8_t *bytes, size_t count, int64_t at_us);
/* Writes what is left, after which only chapters may follow. TK_NO_STREAM when nothing was written. */
int tk_muxer_flush(tk_muxer *muxer, tk_written *written);
/* Ascending, in milliseconds from the file's zero; what is past a limit or empty is left out. */
int tk_muxer_chapter(tk_muxer *muxer, int64_t start_ms, int64_t end_ms, const char *title);
/* Writes the index, after tk_muxer_flush, and forces the file to the disk. */
int tk_muxer_finish(tk_muxer *muxer);

#endif
