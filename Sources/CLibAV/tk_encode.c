#include "tk_internal.h"

#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <string.h>

static void set_options(AVCodecContext *context, const tk_video_settings *settings) {
  if (settings->encoding == TK_VP8) {
    av_opt_set(context->priv_data, "deadline", "realtime", 0);
    /* Negative: a fixed effort. A positive one follows the clock, and the same lesson would never come twice. */
    av_opt_set_int(context->priv_data, "cpu-used", settings->is_fast ? -12 : -8, 0);
    av_opt_set_int(context->priv_data, "lag-in-frames", 0, 0);
    av_opt_set_int(context->priv_data, "auto-alt-ref", 0, 0);
  } else {
    av_opt_set(context->priv_data, "preset", settings->is_fast ? "ultrafast" : "veryfast", 0);
    av_opt_set_int(context->priv_data, "forced-idr", 1, 0);
    av_opt_set(context->priv_data, "x264-params", settings->b_frames ? "scenecut=0:b-adapt=0" : "scenecut=0", 0);
    if (settings->b_frames) {
      context->profile = FF_PROFILE_H264_MAIN;
    } else {
      av_opt_set(context->priv_data, "tune", "zerolatency", 0);
      av_opt_set(context->priv_data, "profile", "baseline", 0);
    }
  }
}

int tk_video_encoder_open(tk_video_encoder *encoder, const tk_video_settings *settings) {
  memset(encoder, 0, sizeof *encoder);
  tk_media_start();
  int is_vp8 = settings->encoding == TK_VP8;
  if (!is_vp8 && settings->encoding != TK_H264) return tk_fail(TK_UNSUPPORTED, "video encoding", 0);
  if (settings->width < 32 || settings->height < 32 || settings->rate.num <= 0 || settings->rate.den <= 0 ||
      (int64_t)settings->width * settings->height > TK_MAX_PIXELS) {
    return tk_fail(TK_UNSUPPORTED, "picture size or rate", 0);
  }
  const char *name = is_vp8 ? "libvpx" : "libx264";
  const AVCodec *codec = avcodec_find_encoder_by_name(name);
  if (!codec) return tk_fail(TK_CODEC_MISSING, name, 0);
  AVCodecContext *context = avcodec_alloc_context3(codec);
  if (!context) return tk_fail(TK_ENCODE, "memory", 0);
  context->width = settings->width & ~1;
  context->height = settings->height & ~1;
  context->pix_fmt = AV_PIX_FMT_YUV420P;
  context->time_base = TK_MICROSECONDS;
  context->framerate = settings->rate;
  context->bit_rate = settings->bits_per_second;
  context->rc_max_rate = settings->bits_per_second;
  context->rc_buffer_size = (int)(settings->bits_per_second < INT32_MAX ? settings->bits_per_second : INT32_MAX);
  context->thread_count = 1;
  /* Key frames are asked for by time, so that an uneven rate keeps the interval; this is only the outer bound. */
  int frames = (int)(av_q2d(settings->rate) * settings->key_frame_seconds + 0.5);
  context->gop_size = settings->b_frames ? (frames > 0 ? frames : 50) : 10000;
  context->max_b_frames = settings->b_frames ? 2 : 0;
  if (settings->global_header) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  set_options(context, settings);
  int result = avcodec_open2(context, codec, NULL);
  if (result < 0) {
    avcodec_free_context(&context);
    return tk_fail(TK_CODEC_MISSING, name, result);
  }
  encoder->context = context;
  encoder->encoding = settings->encoding;
  encoder->last_key_us = INT64_MIN;
  encoder->key_interval_us = settings->b_frames ? INT64_MAX : (int64_t)settings->key_frame_seconds * 1000000;
  encoder->packet = av_packet_alloc();
  encoder->frame = av_frame_alloc();
  if (encoder->frame) {
    encoder->frame->format = AV_PIX_FMT_YUV420P;
    encoder->frame->width = context->width;
    encoder->frame->height = context->height;
  }
  if (!encoder->packet || !encoder->frame || av_frame_get_buffer(encoder->frame, 0) < 0) {
    tk_video_encoder_close(encoder);
    return tk_fail(TK_ENCODE, "memory", 0);
  }
  return TK_OK;
}

void tk_video_encoder_close(tk_video_encoder *encoder) {
  avcodec_free_context(&encoder->context);
  av_frame_free(&encoder->frame);
  av_packet_free(&encoder->packet);
  sws_freeContext(encoder->scaler);
  encoder->scaler = NULL;
}

int tk_video_encoder_prepare(tk_video_encoder *encoder) {
  return av_frame_make_writable(encoder->frame) < 0 ? tk_fail(TK_ENCODE, "memory", 0) : TK_OK;
}

int tk_video_encoder_scale(tk_video_encoder *encoder, const AVFrame *picture) {
  if (tk_video_encoder_prepare(encoder) != TK_OK) return TK_ENCODE;
  encoder->scaler = sws_getCachedContext(encoder->scaler, picture->width, picture->height, picture->format,
                                         encoder->frame->width, encoder->frame->height, AV_PIX_FMT_YUV420P,
                                         SWS_BILINEAR, NULL, NULL, NULL);
  if (!encoder->scaler) return tk_fail(TK_UNSUPPORTED, "pixel format", 0);
  int lines = sws_scale(encoder->scaler, (const uint8_t *const *)picture->data, picture->linesize, 0, picture->height,
                        encoder->frame->data, encoder->frame->linesize);
  return lines > 0 ? TK_OK : tk_fail(TK_ENCODE, "scaling", lines);
}

int tk_video_encoder_send(tk_video_encoder *encoder, int64_t presentation_us) {
  AVFrame *frame = encoder->frame;
  frame->pts = presentation_us;
  int is_due = encoder->last_key_us == INT64_MIN || presentation_us - encoder->last_key_us >= encoder->key_interval_us;
  frame->pict_type = is_due || encoder->wants_key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
  if (frame->pict_type == AV_PICTURE_TYPE_I) {
    encoder->last_key_us = presentation_us;
    encoder->wants_key = 0;
  }
  int result = avcodec_send_frame(encoder->context, frame);
  return result < 0 ? tk_fail(TK_ENCODE, "encoder", result) : TK_OK;
}

int tk_video_encoder_receive(tk_video_encoder *encoder) {
  av_packet_unref(encoder->packet);
  int result = avcodec_receive_packet(encoder->context, encoder->packet);
  if (result == AVERROR(EAGAIN)) return TK_AGAIN;
  if (result == AVERROR_EOF) return TK_END;
  return result < 0 ? tk_fail(TK_ENCODE, "encoder", result) : TK_OK;
}

int tk_audio_encoder_open(tk_audio_encoder *encoder, const char *name, int64_t bits_per_second, int global_header) {
  memset(encoder, 0, sizeof *encoder);
  encoder->anchor_us = INT64_MIN;
  tk_media_start();
  const AVCodec *codec = avcodec_find_encoder_by_name(name);
  if (!codec) return tk_fail(TK_CODEC_MISSING, name, 0);
  AVCodecContext *context = avcodec_alloc_context3(codec);
  if (!context) return tk_fail(TK_ENCODE, "memory", 0);
  int is_opus = strcmp(name, "libopus") == 0;
  context->sample_rate = 48000;
  context->sample_fmt = is_opus ? AV_SAMPLE_FMT_FLT : AV_SAMPLE_FMT_FLTP;
  av_channel_layout_default(&context->ch_layout, 2);
  context->bit_rate = bits_per_second;
  context->time_base = (AVRational){1, 48000};
  if (global_header) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  if (is_opus) {
    av_opt_set(context->priv_data, "frame_duration", "20", 0);
    av_opt_set_int(context->priv_data, "fec", 1, 0);
    av_opt_set_int(context->priv_data, "packet_loss", 5, 0);
  } else {
    /* At 128 kbit/s the search of the default coder doubles the cost of a lesson's file. */
    av_opt_set(context->priv_data, "aac_coder", "fast", 0);
    av_opt_set_int(context->priv_data, "aac_tns", 0, 0);
    av_opt_set_int(context->priv_data, "aac_is", 0, 0);
    av_opt_set_int(context->priv_data, "aac_pns", 0, 0);
  }
  int result = avcodec_open2(context, codec, NULL);
  if (result < 0) {
    avcodec_free_context(&context);
    return tk_fail(TK_CODEC_MISSING, name, result);
  }
  encoder->context = context;
  /* A live Opus decoder does not skip the codec's delay, so the sound is moved ahead by it. */
  encoder->delay = is_opus ? context->initial_padding : 0;
  encoder->lead = encoder->delay;
  encoder->packet = av_packet_alloc();
  encoder->frame = av_frame_alloc();
  encoder->fifo = av_audio_fifo_alloc(AV_SAMPLE_FMT_FLTP, 2, 48000);
  int size = context->frame_size > 0 ? context->frame_size : 960;
  if (encoder->frame) {
    encoder->frame->format = context->sample_fmt;
    encoder->frame->sample_rate = 48000;
    encoder->frame->nb_samples = size;
    av_channel_layout_default(&encoder->frame->ch_layout, 2);
  }
  if (!encoder->packet || !encoder->frame || !encoder->fifo || av_frame_get_buffer(encoder->frame, 0) < 0) {
    tk_audio_encoder_close(encoder);
    return tk_fail(TK_ENCODE, "memory", 0);
  }
  return TK_OK;
}

void tk_audio_encoder_close(tk_audio_encoder *encoder) {
  avcodec_free_context(&encoder->context);
  swr_free(&encoder->resampler);
  if (encoder->fifo) av_audio_fifo_free(encoder->fifo);
  encoder->fifo = NULL;
  av_frame_free(&encoder->frame);
  av_packet_free(&encoder->packet);
}
