#include <libavutil/channel_layout.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tk_report_internal.h"

/* 4 hours at 60 pictures a second, and as many signals as seconds: 7 MB of strips, 2 × 115 KB of times. */
enum { TK_STRIP_LIMIT = 4 * 3600 * 60, TK_SIGNAL_LIMIT = 4 * 3600 };
/* Between whole stretches; a group of pictures is some 2 s. */
static const double SAMPLE_SECONDS = 10;
/* What counts as silent, and for how long: -70 dBFS. */
static const double SILENCE_SECONDS = 10;
static const float SILENCE_PEAK = 3.2e-4f;

/* A list that grows by doubling up to a limit; what is past it is not kept. */
static void *room_for_one(void *items, size_t count, size_t limit, size_t size) {
  if (count >= limit) return NULL;
  if (count > 0 && (count & (count - 1)) != 0) return items;
  return realloc(items, (count == 0 ? 1 : count * 2) * size);
}

static void add_strip(tk_report *report, uint64_t strip) {
  uint64_t *items = room_for_one(report->strips, report->strip_count, TK_STRIP_LIMIT, sizeof *items);
  if (!items) return;
  report->strips = items;
  items[report->strip_count] = strip;
  report->strip_count += 1;
}

static void add_time(double **times, size_t *count, double seconds) {
  double *items = room_for_one(*times, *count, TK_SIGNAL_LIMIT, sizeof *items);
  if (!items) return;
  *times = items;
  items[*count] = seconds;
  *count += 1;
}

typedef struct {
  tk_report *report;
  AVFormatContext *input;
  int video_index, audio_index;
  AVCodecContext *video, *audio;
  AVPacket *packet;
  AVFrame *frame;
  SwrContext *to_mono;
  int in_rate, in_format, in_channels;
  tk_tone tone;
  double heard_until; /* seconds; where the tone detector stands */
  double end;
  int was_flash; /* -1 before the first picture */
  double whole_seconds, last_sample;
  int takes_group;    /* whether the pictures up to the next key frame are decoded */
  double quiet_since; /* -1 while there is sound */
} reader;

int tk_open_file(AVFormatContext **input, const char *path) {
  tk_media_start();
  size_t size = strlen(path) + 6;
  char *url = malloc(size);
  *input = avformat_alloc_context();
  if (!url || !*input) {
    free(url);
    avformat_free_context(*input);
    *input = NULL;
    return tk_fail(TK_CANNOT_OPEN, "memory", 0);
  }
  snprintf(url, size, "file:%s", path);
  (*input)->protocol_whitelist = av_strdup("file");
  int result = avformat_open_input(input, url, NULL, NULL);
  free(url);
  if (result < 0) return tk_fail(TK_CANNOT_OPEN, "open", result);
  result = tk_find_streams(*input);
  if (result >= 0) return TK_OK;
  avformat_close_input(input);
  return tk_fail(TK_CANNOT_OPEN, "streams", result);
}

static double seconds_of(const AVFrame *frame, const AVStream *stream) {
  int64_t time = frame->best_effort_timestamp;
  return time == AV_NOPTS_VALUE ? -1 : (double)time * av_q2d(stream->time_base);
}

static void take_picture(reader *reader) {
  tk_report *report = reader->report;
  AVStream *stream = reader->input->streams[reader->video_index];
  double at = seconds_of(reader->frame, stream);
  double duration = (double)reader->frame->pkt_duration * av_q2d(stream->time_base);
  if (duration < 0 || duration > 3600) duration = 0;
  if (at >= 0 && at + duration > reader->end) reader->end = at + duration;
  if (reader->frame->decode_error_flags || reader->frame->flags & AV_FRAME_FLAG_CORRUPT) report->decode_errors += 1;
  report->video_frames += 1;
  add_strip(report, tk_strip_read(reader->frame));
  int is_flash = tk_flash_read(reader->frame);
  if (is_flash && reader->was_flash == 0 && at >= 0) add_time(&report->flashes, &report->flash_count, at);
  reader->was_flash = is_flash;
}

static void end_silence(reader *reader, double at) {
  tk_report *report = reader->report;
  if (reader->quiet_since >= 0 && at - reader->quiet_since >= SILENCE_SECONDS) {
    add_time(&report->silences, &report->silence_count, reader->quiet_since);
    add_time(&report->silences, &report->silence_count, at);
  }
  reader->quiet_since = -1;
}

static void hear(reader *reader, const float *samples, int count, double at) {
  float peak = 0;
  for (int i = 0; i < count; i += 1) {
    float size = samples[i] < 0 ? -samples[i] : samples[i];
    if (size > peak) peak = size;
  }
  if (peak > SILENCE_PEAK) {
    end_silence(reader, at);
  } else if (reader->quiet_since < 0) {
    reader->quiet_since = at;
  }
}

static int open_to_mono(reader *reader) {
  const AVFrame *sound = reader->frame;
  int is_same = reader->to_mono && reader->in_rate == sound->sample_rate && reader->in_format == sound->format &&
                reader->in_channels == sound->ch_layout.nb_channels;
  if (is_same) return 1;
  swr_free(&reader->to_mono);
  if (sound->sample_rate < 4000 || sound->sample_rate > 384000 || sound->ch_layout.nb_channels < 1) return 0;
  AVChannelLayout mono, input;
  av_channel_layout_default(&mono, 1);
  av_channel_layout_default(&input, sound->ch_layout.nb_channels);
  int result = swr_alloc_set_opts2(&reader->to_mono, &mono, AV_SAMPLE_FMT_FLT, 48000, &input, sound->format,
                                   sound->sample_rate, 0, NULL);
  if (result < 0 || swr_init(reader->to_mono) < 0) {
    swr_free(&reader->to_mono);
    return 0;
  }
  reader->in_rate = sound->sample_rate;
  reader->in_format = sound->format;
  reader->in_channels = sound->ch_layout.nb_channels;
  return 1;
}

static void take_sound(reader *reader) {
  tk_report *report = reader->report;
  AVFrame *sound = reader->frame;
  if (sound->nb_samples <= 0 || sound->nb_samples > 192000 || !open_to_mono(reader)) return;
  double at = seconds_of(sound, reader->input->streams[reader->audio_index]);
  double end = at + (double)sound->nb_samples / sound->sample_rate;
  if (at >= 0 && end > reader->end) reader->end = end;
  report->audio_seconds += (double)sound->nb_samples / sound->sample_rate;
  int capacity = (int)((int64_t)sound->nb_samples * 48000 / sound->sample_rate) + 1024;
  float *samples = av_malloc_array((size_t)capacity, sizeof *samples);
  if (!samples) return;
  uint8_t *out = (uint8_t *)samples;
  int count = swr_convert(reader->to_mono, &out, capacity, (const uint8_t **)sound->extended_data, sound->nb_samples);
  if (at >= 0) hear(reader, samples, count, at);
  double distance = at - reader->heard_until;
  if (at >= 0 && (distance > 0.002 || distance < -0.002)) {
    tk_tone_start(&reader->tone, at);
    reader->heard_until = at;
  }
  for (int i = 0; i < count; i += 1) {
    if (tk_tone_take(&reader->tone, samples[i])) add_time(&report->beeps, &report->beep_count, reader->tone.onset);
  }
  if (count > 0) reader->heard_until += count / 48000.0;
  av_free(samples);
}

/* Feeds one decoder; NULL drains it. */
static void decode(reader *reader, AVCodecContext *context, const AVPacket *packet) {
  int result = avcodec_send_packet(context, packet);
  if (result < 0 && result != AVERROR_EOF) reader->report->decode_errors += 1;
  while ((result = avcodec_receive_frame(context, reader->frame)) >= 0) {
    if (context == reader->video) {
      take_picture(reader);
    } else {
      take_sound(reader);
    }
    av_frame_unref(reader->frame);
  }
  if (result != AVERROR(EAGAIN) && result != AVERROR_EOF) reader->report->decode_errors += 1;
}

static int open_decoders(reader *reader, int audio_track) {
  tk_report *report = reader->report;
  AVFormatContext *input = reader->input;
  int status = TK_OK;
  int audio_seen = 0;
  for (unsigned i = 0; i < input->nb_streams && status == TK_OK; i += 1) {
    AVStream *stream = input->streams[i];
    const AVCodecParameters *parameters = stream->codecpar;
    const char *name = avcodec_get_name(parameters->codec_id);
    AVCodecContext **context = NULL;
    if (parameters->codec_type == AVMEDIA_TYPE_VIDEO && reader->video_index < 0) {
      reader->video_index = (int)i;
      snprintf(report->video_codec, sizeof report->video_codec, "%s", name);
      context = &reader->video;
    } else if (parameters->codec_type == AVMEDIA_TYPE_AUDIO) {
      if (report->audio_codec_count < 8) {
        snprintf(report->audio_codecs[report->audio_codec_count], sizeof report->audio_codecs[0], "%s", name);
        report->audio_codec_count += 1;
      }
      if (audio_seen == audio_track) {
        reader->audio_index = (int)i;
        context = &reader->audio;
      }
      audio_seen += 1;
    }
    stream->discard = context ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    if (!context) continue;
    *context = tk_open_decoder(parameters, &status);
    if (*context) (*context)->pkt_timebase = stream->time_base;
  }
  if (status == TK_OK && !reader->video && !reader->audio) status = tk_fail(TK_NO_STREAM, "no audio or video", 0);
  return status;
}

/* Makes a decoder that was left in the middle ready for another place. */
static void restart(reader *reader) {
  decode(reader, reader->video, NULL);
  avcodec_flush_buffers(reader->video);
  reader->was_flash = -1;
}

/* One packet of pictures: decoded, or in the middle of a long file mostly passed over. */
static void take_video(reader *reader) {
  tk_report *report = reader->report;
  const AVPacket *packet = reader->packet;
  double base = av_q2d(reader->input->streams[reader->video_index]->time_base);
  double at = packet->pts == AV_NOPTS_VALUE ? -1 : (double)packet->pts * base;
  double end = at + (double)packet->duration * base;
  if (at >= 0 && packet->duration >= 0 && end - at < 3600 && end > reader->end) reader->end = end;
  report->video_packets += 1;
  if (packet->flags & AV_PKT_FLAG_KEY) {
    double length = (double)reader->input->duration / AV_TIME_BASE;
    int is_whole = reader->whole_seconds <= 0 || at < reader->whole_seconds || at >= length - reader->whole_seconds;
    if (!is_whole && reader->takes_group) restart(reader);
    if (!is_whole && at - reader->last_sample >= SAMPLE_SECONDS) {
      reader->last_sample = at;
      report->video_tried += 1;
      decode(reader, reader->video, packet);
      restart(reader);
    }
    reader->takes_group = is_whole;
  }
  if (!reader->takes_group) return;
  report->video_tried += 1;
  decode(reader, reader->video, packet);
}

static void read_all(reader *reader) {
  int result;
  while ((result = av_read_frame(reader->input, reader->packet)) >= 0) {
    int index = reader->packet->stream_index;
    if (index == reader->video_index) take_video(reader);
    if (index == reader->audio_index) decode(reader, reader->audio, reader->packet);
    av_packet_unref(reader->packet);
  }
  if (result != AVERROR_EOF) reader->report->decode_errors += 1;
  if (reader->video) decode(reader, reader->video, NULL);
  if (reader->audio) decode(reader, reader->audio, NULL);
  end_silence(reader, reader->heard_until);
  reader->report->duration_seconds = reader->end;
}

int tk_report_fill(tk_report *report, const char *path, int audio_track, double whole_seconds) {
  memset(report, 0, sizeof *report);
  reader reader = {.report = report,
                   .video_index = -1,
                   .audio_index = -1,
                   .was_flash = -1,
                   .heard_until = -1,
                   .quiet_since = -1,
                   .takes_group = 1,
                   .whole_seconds = whole_seconds};
  int status = tk_open_file(&reader.input, path);
  if (status == TK_OK) status = open_decoders(&reader, audio_track);
  reader.packet = av_packet_alloc();
  reader.frame = av_frame_alloc();
  if (status == TK_OK && (!reader.packet || !reader.frame)) status = tk_fail(TK_DECODE, "memory", 0);
  if (status == TK_OK) read_all(&reader);
  avcodec_free_context(&reader.video);
  avcodec_free_context(&reader.audio);
  swr_free(&reader.to_mono);
  av_packet_free(&reader.packet);
  av_frame_free(&reader.frame);
  avformat_close_input(&reader.input);
  return status;
}

void tk_report_clear(tk_report *report) {
  free(report->strips);
  free(report->flashes);
  free(report->beeps);
  free(report->silences);
  memset(report, 0, sizeof *report);
}
