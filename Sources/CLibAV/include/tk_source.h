#ifndef TK_SOURCE_H
#define TK_SOURCE_H

#include "tk_media.h"

/* Anything libavformat opens, as H.264 or VP8 and Opus packets on one time line that starts near 0. */
typedef struct tk_source tk_source;

/* NULL on failure, with the reason in status. stop may be NULL and must outlive the source. */
tk_source *tk_source_open(const char *url, int loop, const tk_flag *stop, int *status);
/* The same from a file's bytes, which must outlive the source; nothing else is opened. */
tk_source *tk_source_open_bytes(const uint8_t *bytes, size_t count, int *status);
void tk_source_free(tk_source *source);

/* TK_OK with a packet, TK_END, or a failure. Blocks on a live source, at most 15 s without data. */
int tk_source_next(tk_source *source, tk_packet *packet);

/* Goes on at the key frame at or before a time of the file's own line, microseconds; past its end, at the last one. */
int tk_source_seek(tk_source *source, int64_t at_us);

/* TK_NONE, TK_H264 or TK_VP8. */
int tk_source_video(const tk_source *source);
int tk_source_has_audio(const tk_source *source);
/* 1 when video is decoded and encoded again rather than passed through. */
int tk_source_reencodes_video(const tk_source *source);
int tk_source_reencodes_audio(const tk_source *source);
/* Makes the next re-encoded picture a key frame; without effect on video that passes through. */
void tk_source_request_key(tk_source *source);

#endif
