#include <string.h>

#include "tk_source_internal.h"

/* Frames that may pass without an IDR picture before a stream is taken to have none and is encoded again. */
enum { TK_FRAMES_TO_IDR = 250 };

static int64_t to_us(int64_t time, AVRational base) {
  return time == AV_NOPTS_VALUE ? AV_NOPTS_VALUE : av_rescale_q(time, base, TK_MICROSECONDS);
}

static AVRational frame_rate(const AVStream *stream) {
  AVRational rate = stream->avg_frame_rate;
  if (rate.num <= 0 || rate.den <= 0) rate = stream->r_frame_rate;
  double value = rate.den > 0 ? av_q2d(rate) : 0;
  return value < 1 || value > 60 ? (AVRational){25, 1} : rate;
}

/* What one H.264 access unit holds. */
typedef struct {
  tk_source *source;
  int has_idr, has_sps, has_b_slice;
} unit_scan;

/* Reads one Exp-Golomb number; -1 when the bits run out. */
static int exp_golomb(const uint8_t *bytes, size_t count, size_t *bit) {
  int zeros = 0;
  while (*bit < count * 8 && !(bytes[*bit / 8] >> (7 - *bit % 8) & 1)) {
    zeros += 1;
    *bit += 1;
  }
  if (zeros > 24 || *bit + (size_t)zeros + 1 > count * 8) return -1;
  int value = 0;
  for (int i = 0; i <= zeros; i += 1, *bit += 1) value = value << 1 | (bytes[*bit / 8] >> (7 - *bit % 8) & 1);
  return value - 1;
}

static void keep_parameters(tk_source *source, const uint8_t *nal, size_t count) {
  if (source->parameter_count + count + 4 > TK_PARAMETER_LIMIT) return;
  static const uint8_t start_code[4] = {0, 0, 0, 1};
  memcpy(source->parameters + source->parameter_count, start_code, 4);
  memcpy(source->parameters + source->parameter_count + 4, nal, count);
  source->parameter_count += count + 4;
}

static int scan_nal(void *context, const uint8_t *nal, size_t count) {
  unit_scan *scan = context;
  int type = nal[0] & 0x1F;
  if (type == 7) {
    if (!scan->has_sps) scan->source->parameter_count = 0;
    scan->has_sps = 1;
    keep_parameters(scan->source, nal, count);
  } else if (type == 8 && scan->has_sps) {
    keep_parameters(scan->source, nal, count);
  } else if (type == 5) {
    scan->has_idr = 1;
  } else if (type == 1) {
    size_t bit = 0;
    exp_golomb(nal + 1, count - 1, &bit);
    if (exp_golomb(nal + 1, count - 1, &bit) % 5 == 1) scan->has_b_slice = 1;
  }
  return 1;
}

static int start_reencoding(tk_source *source, const AVCodecParameters *parameters) {
  int status = TK_OK;
  source->reencodes_video = 1;
  source->video_encoding = TK_H264;
  source->waits_for_key = 1;
  if (!source->video_decoder) source->video_decoder = tk_open_decoder(parameters, &status);
  return source->video_decoder ? TK_OK : status;
}

int tk_source_prepare_video(tk_source *source, const AVStream *stream) {
  const AVCodecParameters *parameters = stream->codecpar;
  source->waits_for_key = 1;
  source->frames_without_idr = 0;
  if (parameters->codec_id == AV_CODEC_ID_VP8 && !source->reencodes_video) {
    source->video_encoding = TK_VP8;
    return TK_OK;
  }
  int is_plain = parameters->codec_id == AV_CODEC_ID_H264 && parameters->video_delay == 0 &&
                 (parameters->format == AV_PIX_FMT_YUV420P || parameters->format == AV_PIX_FMT_YUVJ420P) &&
                 (parameters->field_order == AV_FIELD_UNKNOWN || parameters->field_order == AV_FIELD_PROGRESSIVE);
  if (!is_plain || source->reencodes_video) return start_reencoding(source, parameters);
  source->video_encoding = TK_H264;
  const AVBitStreamFilter *filter = av_bsf_get_by_name("h264_mp4toannexb");
  if (!filter || av_bsf_alloc(filter, &source->to_annexb) < 0) return tk_fail(TK_CODEC_MISSING, "annexb", 0);
  source->to_annexb->time_base_in = stream->time_base;
  /* Broken extradata is the file's fault: decode it as far as it goes. */
  if (avcodec_parameters_copy(source->to_annexb->par_in, parameters) < 0 || av_bsf_init(source->to_annexb) < 0) {
    av_bsf_free(&source->to_annexb);
    return start_reencoding(source, parameters);
  }
  const AVCodecParameters *annexb = source->to_annexb->par_out;
  unit_scan scan = {.source = source};
  if (annexb->extradata_size > 0) {
    tk_each_nal(annexb->extradata, (size_t)annexb->extradata_size, scan_nal, &scan);
  }
  return TK_OK;
}

int tk_source_prepare_audio(tk_source *source, const AVStream *stream) {
  const AVCodecParameters *parameters = stream->codecpar;
  int family = parameters->extradata_size >= 19 ? parameters->extradata[18] : 0;
  int is_opus = parameters->codec_id == AV_CODEC_ID_OPUS && family == 0 && parameters->ch_layout.nb_channels <= 2;
  source->reencodes_audio = !is_opus;
  if (is_opus) return TK_OK;
  int status = TK_OK;
  source->audio_decoder = tk_open_decoder(parameters, &status);
  if (!source->audio_decoder) return status;
  source->audio_decoder->pkt_timebase = stream->time_base;
  return source->audio_encoder.context ? TK_OK : tk_audio_encoder_open(&source->audio_encoder, "libopus", 64000, 0);
}

void tk_source_close_codecs(tk_source *source) {
  av_bsf_free(&source->to_annexb);
  avcodec_free_context(&source->video_decoder);
  avcodec_free_context(&source->audio_decoder);
}

static int open_encoder(tk_source *source, const AVFrame *picture) {
  int width = picture->width, height = picture->height;
  if (width > 1920 || height > 1080) {
    double scale = 1920.0 / width < 1080.0 / height ? 1920.0 / width : 1080.0 / height;
    width = (int)(width * scale);
    height = (int)(height * scale);
  }
  int64_t pixels = (int64_t)width * height;
  tk_video_settings settings = {
      .encoding = TK_H264,
      .width = width,
      .height = height,
      .rate = frame_rate(source->input->streams[source->video.index]),
      .bits_per_second = pixels > 1280 * 720 ? 3000000 : pixels > 640 * 480 ? 1800000 : 800000,
      .key_frame_seconds = 2,
  };
  return tk_video_encoder_open(&source->video_encoder, &settings);
}

static int encode_picture(tk_source *source) {
  AVFrame *picture = source->frame;
  tk_video_encoder *encoder = &source->video_encoder;
  if (picture->width < 32 || picture->height < 32) return TK_OK;
  if (!encoder->context) {
    int result = open_encoder(source, picture);
    if (result != TK_OK) return result;
  }
  int64_t duration = to_us(1, av_inv_q(encoder->context->framerate));
  int64_t input = to_us(picture->best_effort_timestamp, source->video.time_base);
  int64_t at = tk_track_place(source, &source->video, input, duration);
  int result = tk_video_encoder_scale(encoder, picture);
  if (result == TK_OK) result = tk_video_encoder_send(encoder, at);
  while (result == TK_OK) {
    result = tk_video_encoder_receive(encoder);
    if (result != TK_OK) break;
    AVPacket *packet = encoder->packet;
    result = tk_track_push(&source->video, packet, packet->pts, duration, packet->flags & AV_PKT_FLAG_KEY);
  }
  return result == TK_AGAIN ? TK_OK : result;
}

static int reencode(tk_source *source, AVPacket *packet) {
  if (packet && source->waits_for_key) {
    if (!(packet->flags & AV_PKT_FLAG_KEY)) return TK_OK;
    source->waits_for_key = 0;
  }
  if (avcodec_send_packet(source->video_decoder, packet) < 0) source->decode_errors += 1;
  for (;;) {
    int result = avcodec_receive_frame(source->video_decoder, source->frame);
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return TK_OK;
    if (result < 0) {
      source->decode_errors += 1;
      return TK_OK;
    }
    result = encode_picture(source);
    av_frame_unref(source->frame);
    if (result != TK_OK) return result;
  }
}

/* An IDR access unit without parameter sets gets the latest ones in front. */
static int push_h264(tk_source *source, AVPacket *packet, const unit_scan *scan, int64_t at, int64_t duration) {
  if (!scan->has_idr || scan->has_sps || source->parameter_count == 0) {
    return tk_track_push(&source->video, packet, at, duration, scan->has_idr);
  }
  AVPacket *whole = av_packet_alloc();
  int size = (int)source->parameter_count + packet->size;
  if (!whole || av_new_packet(whole, size) < 0) {
    av_packet_free(&whole);
    return tk_fail(TK_DECODE, "memory", 0);
  }
  memcpy(whole->data, source->parameters, source->parameter_count);
  memcpy(whole->data + source->parameter_count, packet->data, (size_t)packet->size);
  int result = tk_track_push(&source->video, whole, at, duration, 1);
  av_packet_free(&whole);
  return result;
}

static int pass_h264(tk_source *source, AVPacket *packet, AVPacket *original) {
  unit_scan scan = {.source = source};
  tk_each_nal(packet->data, (size_t)packet->size, scan_nal, &scan);
  source->has_idr |= scan.has_idr;
  source->frames_without_idr += !source->has_idr;
  if (scan.has_b_slice || source->frames_without_idr > TK_FRAMES_TO_IDR) {
    int result = start_reencoding(source, source->input->streams[source->video.index]->codecpar);
    return result == TK_OK && original ? reencode(source, original) : result;
  }
  if (source->waits_for_key) {
    if (!scan.has_idr || (!scan.has_sps && source->parameter_count == 0)) return TK_OK;
    source->waits_for_key = 0;
  }
  AVStream *stream = source->input->streams[source->video.index];
  int64_t duration = to_us(packet->duration, source->video.time_base);
  if (duration <= 0) duration = to_us(1, av_inv_q(frame_rate(stream)));
  int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
  int64_t at = tk_track_place(source, &source->video, to_us(time, source->video.time_base), duration);
  return push_h264(source, packet, &scan, at, duration);
}

static int pass_vp8(tk_source *source, AVPacket *packet) {
  if (packet->size < 4) return TK_OK;
  int is_key = !(packet->data[0] & 1);
  if (source->waits_for_key && !is_key) return TK_OK;
  source->waits_for_key = 0;
  int64_t duration = to_us(packet->duration, source->video.time_base);
  int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
  int64_t at = tk_track_place(source, &source->video, to_us(time, source->video.time_base), duration);
  return tk_track_push(&source->video, packet, at, duration, is_key);
}

int tk_source_take_video(tk_source *source, AVPacket *packet) {
  if (source->reencodes_video) return reencode(source, packet);
  if (source->video_encoding == TK_VP8) return packet ? pass_vp8(source, packet) : TK_OK;
  AVPacket *copy = packet ? av_packet_clone(packet) : NULL;
  int result = av_bsf_send_packet(source->to_annexb, copy);
  if (result < 0) av_packet_free(&copy);
  int status = TK_OK;
  while (status == TK_OK && !source->reencodes_video) {
    av_packet_unref(source->filtered);
    result = av_bsf_receive_packet(source->to_annexb, source->filtered);
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) break;
    if (result < 0) {
      source->decode_errors += 1;
      break;
    }
    status = pass_h264(source, source->filtered, packet);
  }
  av_packet_free(&copy);
  return status;
}

static int encode_sound(tk_source *source) {
  AVFrame *sound = source->frame;
  if (sound->sample_rate < 1) return TK_OK;
  int64_t duration = av_rescale(sound->nb_samples, 1000000, sound->sample_rate);
  int64_t input = to_us(sound->best_effort_timestamp, source->audio.time_base);
  int64_t at = tk_track_place(source, &source->audio, input, duration);
  int result = tk_audio_encoder_feed(&source->audio_encoder, sound, at);
  while (result == TK_OK) {
    result = tk_audio_encoder_receive(&source->audio_encoder);
    if (result != TK_OK) break;
    AVPacket *packet = source->audio_encoder.packet;
    int64_t packet_at = av_rescale(packet->pts, 1000000, 48000);
    result = tk_track_push(&source->audio, packet, packet_at < 0 ? 0 : packet_at, 20000, 1);
  }
  return result == TK_AGAIN ? TK_OK : result;
}

int tk_source_take_audio(tk_source *source, AVPacket *packet) {
  if (!source->reencodes_audio) {
    int64_t duration = packet ? tk_opus_duration_us(packet->data, (size_t)packet->size) : 0;
    if (duration == 0) return TK_OK;
    int64_t input = to_us(packet->pts, source->audio.time_base);
    int64_t at = tk_track_place(source, &source->audio, input, duration);
    return tk_track_push(&source->audio, packet, at, duration, 1);
  }
  if (avcodec_send_packet(source->audio_decoder, packet) < 0) source->decode_errors += 1;
  for (;;) {
    int result = avcodec_receive_frame(source->audio_decoder, source->frame);
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return TK_OK;
    if (result < 0) {
      source->decode_errors += 1;
      return TK_OK;
    }
    result = encode_sound(source);
    av_frame_unref(source->frame);
    if (result != TK_OK) return result;
  }
}
