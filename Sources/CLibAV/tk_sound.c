#include "tk_internal.h"

#include <libavutil/channel_layout.h>
#include <string.h>

/* Gaps up to this long are silence; a longer one starts a new time line. */
enum { TK_LONGEST_SILENCE_US = 12 * 1000000, TK_TOLERANCE_US = 60000 };

int tk_audio_encoder_push(tk_audio_encoder *encoder, float *const planes[2], int count) {
  int skip = 0;
  if (encoder->lead > 0) {
    skip = encoder->lead < count ? encoder->lead : count;
    encoder->lead -= skip;
  }
  if (count == skip) return TK_OK;
  void *data[2] = {planes[0] + skip, planes[1] + skip};
  if (av_audio_fifo_write(encoder->fifo, data, count - skip) < count - skip) {
    return tk_fail(TK_ENCODE, "memory", 0);
  }
  encoder->queued += count - skip;
  return TK_OK;
}

int tk_audio_encoder_silence(tk_audio_encoder *encoder, int64_t count) {
  static float zeros[960];
  float *const planes[2] = {zeros, zeros};
  while (count > 0) {
    int part = count < 960 ? (int)count : 960;
    int result = tk_audio_encoder_push(encoder, planes, part);
    if (result != TK_OK) return result;
    count -= part;
  }
  return TK_OK;
}

static int resample(tk_audio_encoder *encoder, const AVFrame *sound, float *planes[2], int capacity) {
  if (!encoder->resampler || encoder->in_rate != sound->sample_rate || encoder->in_format != sound->format ||
      encoder->in_channels != sound->ch_layout.nb_channels) {
    swr_free(&encoder->resampler);
    AVChannelLayout stereo, input;
    av_channel_layout_default(&stereo, 2);
    /* A layout without named channels cannot be mixed; the usual one for that many channels stands in. */
    if (sound->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
      av_channel_layout_default(&input, sound->ch_layout.nb_channels);
    } else if (av_channel_layout_copy(&input, &sound->ch_layout) < 0) {
      return -1;
    }
    int result = swr_alloc_set_opts2(&encoder->resampler, &stereo, AV_SAMPLE_FMT_FLTP, 48000, &input, sound->format,
                                     sound->sample_rate, 0, NULL);
    av_channel_layout_uninit(&input);
    if (result < 0 || swr_init(encoder->resampler) < 0) {
      swr_free(&encoder->resampler);
      return -1;
    }
    encoder->in_rate = sound->sample_rate;
    encoder->in_format = sound->format;
    encoder->in_channels = sound->ch_layout.nb_channels;
  }
  return swr_convert(encoder->resampler, (uint8_t **)planes, capacity, (const uint8_t **)sound->extended_data,
                     sound->nb_samples);
}

int tk_audio_encoder_feed(tk_audio_encoder *encoder, const AVFrame *sound, int64_t at_us) {
  if (sound->nb_samples <= 0 || sound->nb_samples > 192000 || sound->sample_rate < 4000 ||
      sound->sample_rate > 384000 || sound->ch_layout.nb_channels < 1) {
    return TK_OK;
  }
  int capacity = (int)((int64_t)sound->nb_samples * 48000 / sound->sample_rate) + 4096;
  float *samples = av_malloc_array((size_t)capacity * 2, sizeof *samples);
  if (!samples) return tk_fail(TK_ENCODE, "memory", 0);
  float *planes[2] = {samples, samples + capacity};
  int count = resample(encoder, sound, planes, capacity);
  if (count < 0) {
    av_free(samples);
    return tk_fail(TK_DECODE, "sound format", 0);
  }
  int result = TK_OK;
  int skip = 0;
  if (encoder->anchor_us != INT64_MIN) {
    int64_t lag = at_us - (encoder->anchor_us + av_rescale(encoder->queued, 1000000, 48000));
    if (lag > TK_LONGEST_SILENCE_US || lag < -TK_LONGEST_SILENCE_US) {
      encoder->anchor_us = INT64_MIN;
    } else if (lag > TK_TOLERANCE_US) {
      result = tk_audio_encoder_silence(encoder, av_rescale(lag, 48000, 1000000));
    } else if (lag < -TK_TOLERANCE_US) {
      int64_t overlap = av_rescale(-lag, 48000, 1000000);
      skip = overlap < count ? (int)overlap : count;
    }
  }
  if (encoder->anchor_us == INT64_MIN) {
    av_audio_fifo_reset(encoder->fifo);
    encoder->anchor_us = at_us;
    encoder->queued = 0;
    encoder->encoded = 0;
    encoder->lead = encoder->delay;
  }
  if (result == TK_OK && count > skip) {
    float *const rest[2] = {planes[0] + skip, planes[1] + skip};
    result = tk_audio_encoder_push(encoder, rest, count - skip);
  }
  av_free(samples);
  return result;
}

/* Moves one frame's worth out of the FIFO into encoder->frame, interleaving where the codec wants that. */
static int fill_frame(tk_audio_encoder *encoder) {
  AVFrame *frame = encoder->frame;
  if (av_frame_make_writable(frame) < 0) return tk_fail(TK_ENCODE, "memory", 0);
  int count = frame->nb_samples;
  if (frame->format == AV_SAMPLE_FMT_FLTP) {
    return av_audio_fifo_read(encoder->fifo, (void **)frame->data, count) == count ? TK_OK : TK_ENCODE;
  }
  float left[2048], right[2048];
  if (count > 2048) return tk_fail(TK_ENCODE, "frame size", 0);
  void *planes[2] = {left, right};
  if (av_audio_fifo_read(encoder->fifo, planes, count) != count) return tk_fail(TK_ENCODE, "queue", 0);
  float *out = (float *)frame->data[0];
  for (int i = 0; i < count; i += 1) {
    out[2 * i] = left[i];
    out[2 * i + 1] = right[i];
  }
  return TK_OK;
}

int tk_audio_encoder_receive(tk_audio_encoder *encoder) {
  for (;;) {
    av_packet_unref(encoder->packet);
    int result = avcodec_receive_packet(encoder->context, encoder->packet);
    if (result >= 0) {
      if (encoder->packet->pts != AV_NOPTS_VALUE) encoder->packet->pts += encoder->delay;
      return TK_OK;
    }
    if (result == AVERROR_EOF) return TK_END;
    if (result != AVERROR(EAGAIN)) return tk_fail(TK_ENCODE, "encoder", result);
    if (av_audio_fifo_size(encoder->fifo) < encoder->frame->nb_samples) return TK_AGAIN;
    if (fill_frame(encoder) != TK_OK) return TK_ENCODE;
    int64_t anchor = encoder->anchor_us == INT64_MIN ? 0 : encoder->anchor_us;
    encoder->frame->pts = av_rescale(anchor, 48000, 1000000) + encoder->encoded;
    encoder->encoded += encoder->frame->nb_samples;
    result = avcodec_send_frame(encoder->context, encoder->frame);
    if (result < 0) return tk_fail(TK_ENCODE, "encoder", result);
  }
}
