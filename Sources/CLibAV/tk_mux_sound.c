#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <string.h>

#include "tk_mux_internal.h"

enum {
  TK_RATE = 48000,
  TK_FRAME = 960,
  /* A hole this long is filled; less is jitter of the caller's times. */
  TK_HOLE = 720,
  /* Packets over which a time that is off is put right. */
  TK_SMOOTHING = 16,
  /* Distances between the AAC and its due place: left alone, drawn in slowly, put right at once. */
  TK_DEAD_BAND = 96,
  TK_OVERLAP = 1440,
  /* 2,000 ppm: ten times what a bad sound card is off, and far below what is heard. */
  TK_STRETCH = 96,
};

/* 20 ms of silence, mono, full band (RFC 6716 3.1: configuration 31). */
static const uint8_t SILENT_PACKET[3] = {0xF8, 0xFF, 0xFE};

static int add_opus(tk_muxer *muxer) {
  AVStream *stream = avformat_new_stream(muxer->output, NULL);
  /* OpusHead (RFC 7845 5.1): version 1, stereo, no pre-skip, since a live stream has none; 48 kHz, gain 0. */
  static const uint8_t head[19] = {'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 2, 0, 0, 0x80, 0xBB, 0, 0, 0, 0, 0};
  if (!stream) return tk_fail(TK_WRITE, "memory", 0);
  AVCodecParameters *parameters = stream->codecpar;
  parameters->codec_type = AVMEDIA_TYPE_AUDIO;
  parameters->codec_id = AV_CODEC_ID_OPUS;
  parameters->sample_rate = TK_RATE;
  parameters->frame_size = TK_FRAME;
  parameters->seek_preroll = 3840;
  av_channel_layout_default(&parameters->ch_layout, 2);
  parameters->extradata = av_mallocz(sizeof head + AV_INPUT_BUFFER_PADDING_SIZE);
  if (!parameters->extradata) return tk_fail(TK_WRITE, "memory", 0);
  memcpy(parameters->extradata, head, sizeof head);
  parameters->extradata_size = sizeof head;
  stream->time_base = (AVRational){1, TK_RATE};
  muxer->sound.opus = stream;
  return TK_OK;
}

static int open_stretcher(tk_mux_sound *sound) {
  AVChannelLayout stereo;
  av_channel_layout_default(&stereo, 2);
  int result = swr_alloc_set_opts2(&sound->stretcher, &stereo, AV_SAMPLE_FMT_FLTP, TK_RATE, &stereo,
                                   sound->decoder->sample_fmt, TK_RATE, 0, NULL);
  if (result < 0) return tk_fail(TK_ENCODE, "resampler", result);
  av_opt_set_int(sound->stretcher, "flags", SWR_FLAG_RESAMPLE, 0);
  result = swr_init(sound->stretcher);
  return result < 0 ? tk_fail(TK_ENCODE, "resampler", result) : TK_OK;
}

static int add_aac(tk_muxer *muxer) {
  tk_mux_sound *sound = &muxer->sound;
  int result = tk_audio_encoder_open(&sound->encoder, "aac", 128000, 1);
  if (result != TK_OK) return result;
  sound->aac = avformat_new_stream(muxer->output, NULL);
  if (!sound->aac || avcodec_parameters_from_context(sound->aac->codecpar, sound->encoder.context) < 0) {
    return tk_fail(TK_WRITE, "memory", 0);
  }
  sound->aac->time_base = (AVRational){1, TK_RATE};
  AVCodecParameters *parameters = avcodec_parameters_alloc();
  if (!parameters) return tk_fail(TK_WRITE, "memory", 0);
  parameters->codec_type = AVMEDIA_TYPE_AUDIO;
  parameters->codec_id = AV_CODEC_ID_OPUS;
  parameters->sample_rate = TK_RATE;
  av_channel_layout_default(&parameters->ch_layout, 2);
  sound->decoder = tk_open_decoder(parameters, &result);
  avcodec_parameters_free(&parameters);
  sound->frame = av_frame_alloc();
  if (!sound->decoder) return result;
  return sound->frame ? open_stretcher(sound) : tk_fail(TK_WRITE, "memory", 0);
}

int tk_mux_sound_open(tk_muxer *muxer) {
  muxer->sound.opus_last = -1;
  int result = muxer->container == TK_MP4 ? add_aac(muxer) : TK_OK;
  return result == TK_OK ? add_opus(muxer) : result;
}

void tk_mux_sound_close(tk_mux_sound *sound) {
  avcodec_free_context(&sound->decoder);
  av_frame_free(&sound->frame);
  swr_free(&sound->stretcher);
  tk_audio_encoder_close(&sound->encoder);
}

static int write_aac(tk_muxer *muxer) {
  tk_audio_encoder *encoder = &muxer->sound.encoder;
  for (;;) {
    int result = tk_audio_encoder_receive(encoder);
    if (result != TK_OK) return result < 0 ? result : TK_OK;
    result = tk_mux_write(muxer, encoder->packet, muxer->sound.aac, (AVRational){1, TK_RATE});
    if (result != TK_OK) return result;
  }
}

/* Any length in pieces, so that an hour's hole takes no more memory than a short one. */
static int silence_aac(tk_muxer *muxer, int64_t count) {
  muxer->sound.aac_next += count;
  int result = TK_OK;
  while (count > 0 && result == TK_OK) {
    int64_t part = count < TK_RATE ? count : TK_RATE;
    result = tk_audio_encoder_silence(&muxer->sound.encoder, part);
    if (result == TK_OK) result = write_aac(muxer);
    count -= part;
  }
  return result;
}

/* One decoded frame whose first sample is due at a position. */
static int place_sound(tk_muxer *muxer, int64_t at) {
  tk_mux_sound *sound = &muxer->sound;
  AVFrame *frame = sound->frame;
  int capacity = frame->nb_samples + 4096;
  float *samples = av_malloc_array((size_t)capacity * 2, sizeof *samples);
  if (!samples) return tk_fail(TK_WRITE, "memory", 0);
  float *planes[2] = {samples, samples + capacity};
  int64_t lag = at - sound->aac_next - swr_get_delay(sound->stretcher, TK_RATE);
  int result = lag >= TK_HOLE ? silence_aac(muxer, lag) : TK_OK;
  int is_near = lag > -TK_OVERLAP && lag < TK_HOLE;
  int64_t delta = is_near && (lag > TK_DEAD_BAND || lag < -TK_DEAD_BAND) ? lag / 4 : 0;
  if (delta > TK_STRETCH) delta = TK_STRETCH;
  if (delta < -TK_STRETCH) delta = -TK_STRETCH;
  swr_set_compensation(sound->stretcher, (int)delta, TK_RATE);
  int count = swr_convert(sound->stretcher, (uint8_t **)planes, capacity, (const uint8_t **)frame->extended_data,
                          frame->nb_samples);
  int64_t skip = lag <= -TK_OVERLAP ? -lag : 0;
  if (result == TK_OK && count > skip) {
    float *const rest[2] = {planes[0] + skip, planes[1] + skip};
    result = tk_audio_encoder_push(&sound->encoder, rest, count - (int)skip);
    sound->aac_next += count - skip;
  }
  av_free(samples);
  return result == TK_OK ? write_aac(muxer) : result;
}

static int take_aac(tk_muxer *muxer, const AVPacket *packet, int64_t at) {
  tk_mux_sound *sound = &muxer->sound;
  /* A packet that does not decode becomes a hole, which the next one fills. */
  if (avcodec_send_packet(sound->decoder, packet) < 0) return TK_OK;
  int result = TK_OK;
  while (result == TK_OK && avcodec_receive_frame(sound->decoder, sound->frame) >= 0) {
    int count = sound->frame->nb_samples;
    int is_usual = sound->frame->format == sound->decoder->sample_fmt && sound->frame->ch_layout.nb_channels == 2;
    if (is_usual) result = place_sound(muxer, at);
    at += count;
    av_frame_unref(sound->frame);
  }
  return result;
}

static int write_opus(tk_muxer *muxer, AVPacket *packet, int64_t at, int64_t duration) {
  tk_mux_sound *sound = &muxer->sound;
  /* Times that shake by a few milliseconds are drawn straight, so that players need not cut the sound to fit. */
  int64_t lag = at - sound->opus_next;
  if (sound->opus_last >= 0 && lag > -TK_HOLE && lag < TK_HOLE) at = sound->opus_next + lag / TK_SMOOTHING;
  /* Never before its predecessor: 1 ms is the finest that WebM tells apart. */
  if (sound->opus_last >= 0 && at < sound->opus_last + 48) at = sound->opus_last + 48;
  sound->opus_last = at;
  sound->opus_next = at + duration;
  packet->pts = packet->dts = at;
  packet->duration = duration;
  packet->flags = AV_PKT_FLAG_KEY;
  return tk_mux_write(muxer, packet, sound->opus, (AVRational){1, TK_RATE});
}

static int silence_opus(tk_muxer *muxer, AVPacket *packet, int64_t count) {
  int result = TK_OK;
  for (; count > 0 && result == TK_OK; count -= 1) {
    if (av_new_packet(packet, sizeof SILENT_PACKET) < 0) return tk_fail(TK_WRITE, "memory", 0);
    memcpy(packet->data, SILENT_PACKET, sizeof SILENT_PACKET);
    result = write_opus(muxer, packet, muxer->sound.opus_next, TK_FRAME);
  }
  return result;
}

/* Both tracks a second at a time, so that they stay side by side in the file. */
static int fill_hole(tk_muxer *muxer, int64_t until) {
  tk_mux_sound *sound = &muxer->sound;
  AVPacket *packet = av_packet_alloc();
  int result = packet ? TK_OK : tk_fail(TK_WRITE, "memory", 0);
  while (result == TK_OK && until - sound->opus_next >= TK_HOLE) {
    int64_t step = until - sound->opus_next < TK_RATE ? until - sound->opus_next : TK_RATE;
    result = silence_opus(muxer, packet, (step + TK_FRAME / 2) / TK_FRAME);
    int64_t lag = (sound->opus_next < until ? sound->opus_next : until) - sound->aac_next;
    if (result == TK_OK && sound->aac && lag > 0) result = silence_aac(muxer, lag);
  }
  av_packet_free(&packet);
  return result;
}

int tk_mux_sound_take(tk_muxer *muxer, AVPacket *packet, int64_t at) {
  tk_mux_sound *sound = &muxer->sound;
  if (sound->opus_last >= 0 && at < sound->opus_last - TK_RATE / 2) {
    muxer->dropped += 1;
    return TK_OK;
  }
  int64_t duration = av_rescale(tk_opus_duration_us(packet->data, (size_t)packet->size), TK_RATE, 1000000);
  int result = at - sound->opus_next >= TK_HOLE ? fill_hole(muxer, at) : TK_OK;
  if (result == TK_OK && sound->aac) result = take_aac(muxer, packet, at);
  return result == TK_OK ? write_opus(muxer, packet, at, duration) : result;
}

int tk_mux_sound_finish(tk_muxer *muxer) {
  tk_audio_encoder *encoder = &muxer->sound.encoder;
  if (!muxer->sound.aac || muxer->sound.aac_next == 0) return TK_OK;
  int size = encoder->frame->nb_samples;
  int left = av_audio_fifo_size(encoder->fifo) % size;
  int result = left > 0 ? tk_audio_encoder_silence(encoder, size - left) : TK_OK;
  if (result == TK_OK) result = write_aac(muxer);
  if (result != TK_OK) return result;
  avcodec_send_frame(encoder->context, NULL);
  return write_aac(muxer);
}
