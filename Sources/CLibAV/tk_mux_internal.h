#ifndef TK_MUX_INTERNAL_H
#define TK_MUX_INTERNAL_H

#include <libavformat/avformat.h>

#include "include/tk_mux.h"
#include "tk_internal.h"

/* The sound of a file being written: positions count 1/48000 s from the file's zero. */
typedef struct {
  AVStream *opus, *aac; /* aac: MP4 only */
  int64_t opus_next;    /* end of the last Opus packet */
  int64_t opus_last;    /* start of the last Opus packet, -1 before */
  AVCodecContext *decoder;
  AVFrame *frame;
  SwrContext *stretcher; /* follows the publisher's clock without clicks */
  tk_audio_encoder encoder;
  int64_t aac_next; /* samples given to the AAC encoder */
} tk_mux_sound;

/* A unit that waits for the header, with its time in pts and what it is in stream_index. */
typedef struct {
  AVPacket **items;
  size_t first, count, capacity;
  size_t bytes;
} tk_pending;

struct tk_muxer {
  char *url;
  int container;
  int has_video, has_audio;
  int has_header;
  AVFormatContext *output;
  int64_t zero_us;
  tk_pending pending;

  AVStream *video;
  AVPacket *first_key; /* the picture that the header is made from */
  int waits_for_key;
  int64_t video_last_us, video_duration_us;
  int64_t video_frames;
  int64_t video_end_us;
  tk_picture_size sizes[TK_SIZE_LIMIT];
  int size_count;

  tk_mux_sound sound;
  int has_sound;
  int64_t dropped;
};

/* Gives a packet to the file; consumes its content. */
int tk_mux_write(tk_muxer *muxer, AVPacket *packet, AVStream *stream, AVRational base);

/* Adds the video stream by what the first key frame says. */
int tk_mux_picture_open(tk_muxer *muxer);
/* Whether a key frame can begin the file. */
int tk_mux_picture_is_usable(const tk_muxer *muxer, const AVPacket *packet);
/* Notes a key frame's size where it is another than the last one's. */
void tk_mux_picture_note(tk_muxer *muxer, const AVPacket *key, int64_t at_us);

/* Adds the audio streams, before the header. */
int tk_mux_sound_open(tk_muxer *muxer);
/* One Opus packet at a position; consumes its content. */
int tk_mux_sound_take(tk_muxer *muxer, AVPacket *packet, int64_t at);
int tk_mux_sound_finish(tk_muxer *muxer);
void tk_mux_sound_close(tk_mux_sound *sound);

#endif
