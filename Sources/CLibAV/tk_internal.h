#ifndef TK_INTERNAL_H
#define TK_INTERNAL_H

/* Shared by this target's files; not for others. */

#include <libavcodec/avcodec.h>
#include <libavutil/audio_fifo.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

#include "include/tk_media.h"

#define TK_MICROSECONDS ((AVRational){1, 1000000})

/* Largest picture that is decoded (4096 x 2304): a file's header must not decide how much memory is taken. */
enum { TK_MAX_PIXELS = 4096 * 2304 };

struct tk_flag {
  int raised;
};
int tk_flag_is_raised(const tk_flag *flag);

/* Registers devices and network once and silences the library's own printing. */
void tk_media_start(void);
/* Notes words for tk_media_message and gives status back. */
int tk_fail(int status, const char *what, int av_error);

typedef struct {
  int encoding; /* TK_H264 or TK_VP8 */
  int width;
  int height;
  AVRational rate;
  int64_t bits_per_second;
  int key_frame_seconds;
  int b_frames;
  int is_fast;       /* least effort, for generated pictures */
  int global_header; /* parameter sets in extradata, for files */
} tk_video_settings;

typedef struct {
  AVCodecContext *context;
  AVFrame *frame; /* yuv420p of the encoder's size */
  AVPacket *packet;
  struct SwsContext *scaler;
  int64_t last_key_us;
  int64_t key_interval_us;
  int wants_key;
  int encoding;
} tk_video_encoder;

int tk_video_encoder_open(tk_video_encoder *encoder, const tk_video_settings *settings);
void tk_video_encoder_close(tk_video_encoder *encoder);
/* Makes encoder->frame writable, then its pixels may be painted. */
int tk_video_encoder_prepare(tk_video_encoder *encoder);
/* Scales any picture into encoder->frame. */
int tk_video_encoder_scale(tk_video_encoder *encoder, const AVFrame *picture);
int tk_video_encoder_send(tk_video_encoder *encoder, int64_t presentation_us);
/* TK_OK with encoder->packet, pts and dts in microseconds; TK_AGAIN; TK_END. */
int tk_video_encoder_receive(tk_video_encoder *encoder);

/* Any sound into 48 kHz stereo frames of one encoder, on a time line kept by counting samples. */
typedef struct {
  AVCodecContext *context;
  SwrContext *resampler;
  AVAudioFifo *fifo;
  AVFrame *frame;
  AVPacket *packet;
  int in_rate, in_format, in_channels;
  int64_t anchor_us; /* time of the first sample; INT64_MIN before */
  int64_t queued;    /* samples put into the FIFO since the anchor */
  int64_t encoded;   /* samples given to the encoder since the anchor */
  int delay;         /* samples a live decoder lags behind: Opus */
  int lead;          /* of these, how many are still to be dropped from the front */
} tk_audio_encoder;

int tk_audio_encoder_open(tk_audio_encoder *encoder, const char *name, int64_t bits_per_second, int global_header);
void tk_audio_encoder_close(tk_audio_encoder *encoder);
/* Puts a decoded frame in at a time; fills gaps over 60 ms with silence and drops what overlaps by as much. */
int tk_audio_encoder_feed(tk_audio_encoder *encoder, const AVFrame *sound, int64_t at_us);
/* Planar float samples as they are, without regard to time. */
int tk_audio_encoder_push(tk_audio_encoder *encoder, float *const planes[2], int count);
int tk_audio_encoder_silence(tk_audio_encoder *encoder, int64_t count);
/* Encodes one frame when enough is queued. TK_OK with encoder->packet, or TK_AGAIN. Its pts counts 1/48000 s: for Opus
   the time of the sound a decoder gives out first, for AAC less by the codec's priming, as files want it. */
int tk_audio_encoder_receive(tk_audio_encoder *encoder);

struct AVFormatContext;
/* avformat_find_stream_info with the limit on pictures; answers what it answers. */
int tk_find_streams(struct AVFormatContext *input);
AVCodecContext *tk_open_decoder(const AVCodecParameters *parameters, int *status);

/* Strip and flash patch of a yuv picture's luma plane. */
uint64_t tk_strip_read(const AVFrame *picture);
int tk_flash_read(const AVFrame *picture);
void tk_strip_paint(AVFrame *picture, uint64_t value);

/* Calls back for each NAL unit of an Annex B buffer (start codes excluded); stops when it answers 0. */
typedef int (*tk_nal_body)(void *context, const uint8_t *nal, size_t count);
void tk_each_nal(const uint8_t *bytes, size_t count, tk_nal_body body, void *context);

#endif
