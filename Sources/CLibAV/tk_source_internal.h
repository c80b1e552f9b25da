#ifndef TK_SOURCE_INTERNAL_H
#define TK_SOURCE_INTERNAL_H

#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>

#include "include/tk_source.h"
#include "tk_internal.h"

enum { TK_QUEUE_LIMIT = 2048, TK_PARAMETER_LIMIT = 4096 };

/* A packet that is ready, owned. */
typedef struct {
  AVPacket *packet;
  int64_t presentation_us;
  int64_t duration_us;
  int is_key;
} tk_ready;

/* A ring of ready packets of one kind. */
typedef struct {
  tk_ready items[TK_QUEUE_LIMIT];
  size_t head;
  size_t count;
} tk_queue;

/* One chosen stream and its place on the source's time line. */
typedef struct {
  int index; /* -1: none */
  AVRational time_base;
  int64_t offset_us; /* added to the file's own time */
  int64_t last_us;   /* INT64_MIN before the first */
  int64_t last_duration_us;
  int is_sought; /* the next unit follows a seek, wherever it lies */
  tk_queue queue;
} tk_track;

struct tk_source {
  char *url;
  int loops;
  const tk_flag *stop;
  const uint8_t *bytes; /* read instead of the url, when set */
  size_t byte_count, byte_position;
  AVIOContext *memory;
  int64_t deadline; /* of the blocking call under way */
  AVFormatContext *input;
  int64_t start_us; /* the input's first time */
  int is_file;
  int is_drained;
  int64_t pass_packets; /* since the input was opened */
  tk_track video, audio;

  int video_encoding;
  int reencodes_video, reencodes_audio;
  AVBSFContext *to_annexb;
  uint8_t parameters[TK_PARAMETER_LIMIT]; /* latest SPS and PPS in Annex B */
  size_t parameter_count;
  int waits_for_key;
  int has_idr;
  int frames_without_idr;
  AVCodecContext *video_decoder, *audio_decoder;
  tk_video_encoder video_encoder;
  tk_audio_encoder audio_encoder;
  int64_t decode_errors;

  AVPacket *read, *filtered;
  AVFrame *frame;
  AVPacket *current; /* what the last call gave out */
};

/* Time of a packet or picture on the output line, from its time in the input (AV_NOPTS_VALUE: follows the last). */
int64_t tk_track_place(tk_source *source, tk_track *track, int64_t input_us, int64_t duration_us);
int tk_track_push(tk_track *track, AVPacket *packet, int64_t at_us, int64_t duration_us, int is_key);
void tk_track_clear(tk_track *track);

/* One demuxed packet, or NULL to drain at the end, into the tracks' queues. TK_OK or what ends the source. */
int tk_source_take_video(tk_source *source, AVPacket *packet);
int tk_source_take_audio(tk_source *source, AVPacket *packet);
/* Chooses pass-through or encoding for a freshly opened input. */
int tk_source_prepare_video(tk_source *source, const AVStream *stream);
int tk_source_prepare_audio(tk_source *source, const AVStream *stream);
void tk_source_close_codecs(tk_source *source);

#endif
