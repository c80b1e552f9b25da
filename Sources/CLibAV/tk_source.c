#include <errno.h>
#include <libavutil/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tk_source_internal.h"

enum { TK_PATIENCE_US = 15 * 1000000, TK_JUMP_US = 10 * 1000000, TK_MERGE_US = 2 * 1000000 };
/* Times beyond a century are nonsense that must not reach arithmetic. */
static const int64_t LATEST_US = 3000000000LL * 1000000;

static int interrupted(void *context) {
  tk_source *source = context;
  return tk_flag_is_raised(source->stop) || av_gettime_relative() > source->deadline;
}

static int64_t clamp_duration(int64_t duration_us) {
  return duration_us < 0 ? 0 : duration_us > 1000000 ? 1000000 : duration_us;
}

int64_t tk_track_place(tk_source *source, tk_track *track, int64_t input_us, int64_t duration_us) {
  tk_track *other = track == &source->video ? &source->audio : &source->video;
  int is_first = track->last_us == INT64_MIN;
  int64_t expected = is_first ? track->offset_us : track->last_us + track->last_duration_us;
  int64_t at = expected;
  if (input_us != AV_NOPTS_VALUE && input_us > -LATEST_US && input_us < LATEST_US) {
    at = input_us - source->start_us + track->offset_us;
    /* Behind a seek the stream begins anew, wherever that is. */
    int is_jump = !track->is_sought && (at < expected - 1000000 || at > expected + TK_JUMP_US);
    /* A pause of one stream is no jump while the other has got that far. */
    if (is_jump && other->last_us != INT64_MIN && at > expected && at < other->last_us + TK_JUMP_US) is_jump = 0;
    if (is_jump) {
      int64_t shared = input_us - source->start_us + other->offset_us;
      int64_t distance = shared - expected;
      int is_shared = other->index >= 0 && other->offset_us != track->offset_us && distance > -2000000 &&
                      distance < 2000000;
      track->offset_us = is_shared ? other->offset_us : track->offset_us + expected - at;
      at = input_us - source->start_us + track->offset_us;
    }
  }
  if (!is_first && at < track->last_us + 1000) at = track->last_us + 1000;
  if (at < 0) at = 0;
  track->is_sought = 0;
  track->last_us = at;
  track->last_duration_us = clamp_duration(duration_us);
  return at;
}

int tk_track_push(tk_track *track, AVPacket *packet, int64_t at_us, int64_t duration_us, int is_key) {
  tk_queue *queue = &track->queue;
  if (queue->count == TK_QUEUE_LIMIT) return tk_fail(TK_DECODE, "streams too far apart", 0);
  AVPacket *copy = av_packet_clone(packet);
  if (!copy) return tk_fail(TK_DECODE, "memory", 0);
  tk_ready *item = &queue->items[(queue->head + queue->count) % TK_QUEUE_LIMIT];
  *item = (tk_ready){copy, at_us, clamp_duration(duration_us), is_key};
  queue->count += 1;
  return TK_OK;
}

void tk_track_clear(tk_track *track) {
  tk_queue *queue = &track->queue;
  for (; queue->count > 0; queue->count -= 1) {
    av_packet_free(&queue->items[queue->head].packet);
    queue->head = (queue->head + 1) % TK_QUEUE_LIMIT;
  }
}

static int read_bytes(void *context, uint8_t *out, int size) {
  tk_source *source = context;
  size_t left = source->byte_count - source->byte_position;
  if (left == 0) return AVERROR_EOF;
  size_t count = left < (size_t)size ? left : (size_t)size;
  memcpy(out, source->bytes + source->byte_position, count);
  source->byte_position += count;
  return (int)count;
}

static int64_t seek_bytes(void *context, int64_t offset, int whence) {
  tk_source *source = context;
  if (whence & AVSEEK_SIZE) return (int64_t)source->byte_count;
  size_t base = whence == SEEK_CUR ? source->byte_position : whence == SEEK_END ? source->byte_count : 0;
  int64_t place;
  if (__builtin_add_overflow((int64_t)base, offset, &place) || place < 0 || place > (int64_t)source->byte_count) {
    return AVERROR(EINVAL);
  }
  source->byte_position = (size_t)place;
  return place;
}

/* Bytes may name other files and hosts; none of these is opened. */
static int attach_bytes(tk_source *source) {
  enum { TK_BUFFER = 16 * 1024 };
  source->byte_position = 0;
  uint8_t *buffer = av_malloc(TK_BUFFER);
  source->memory = buffer ? avio_alloc_context(buffer, TK_BUFFER, 0, source, read_bytes, NULL, seek_bytes) : NULL;
  if (!source->memory) {
    av_free(buffer);
    return tk_fail(TK_CANNOT_OPEN, "memory", 0);
  }
  source->input->pb = source->memory;
  source->input->protocol_whitelist = av_strdup("none");
  return TK_OK;
}

static int open_input(tk_source *source) {
  source->input = avformat_alloc_context();
  if (!source->input) return tk_fail(TK_CANNOT_OPEN, "memory", 0);
  source->input->interrupt_callback = (AVIOInterruptCB){interrupted, source};
  source->deadline = av_gettime_relative() + TK_PATIENCE_US;
  if (source->bytes && attach_bytes(source) != TK_OK) return TK_CANNOT_OPEN;
  const char *url = source->url;
  const AVInputFormat *format = NULL;
  if (strncmp(url, "v4l2:", 5) == 0) url += 5;
  if (strncmp(url, "/dev/video", 10) == 0) format = av_find_input_format("v4l2");
  AVDictionary *options = NULL;
  if (strncmp(url, "rtsp", 4) == 0) av_dict_set(&options, "rtsp_transport", "tcp", 0);
  if (strstr(url, "://") && strncmp(url, "file:", 5) != 0) av_dict_set(&options, "analyzeduration", "2000000", 0);
  int result = avformat_open_input(&source->input, url, format, &options);
  av_dict_free(&options);
  if (result < 0) return tk_fail(TK_CANNOT_OPEN, "open", result);
  result = tk_find_streams(source->input);
  if (result < 0) return tk_fail(TK_CANNOT_OPEN, "streams", result);
  source->is_file = source->input->pb && source->input->pb->seekable & AVIO_SEEKABLE_NORMAL;
  source->is_drained = 0;
  source->pass_packets = 0;
  source->start_us = source->input->start_time;
  if (source->start_us == AV_NOPTS_VALUE || source->start_us < -LATEST_US || source->start_us > LATEST_US) {
    source->start_us = 0;
  }
  return TK_OK;
}

/* Where a file has the sound as it came beside what was made of it, that passes untouched. */
static int choose_sound(AVFormatContext *input, int video) {
  for (unsigned i = 0; i < input->nb_streams; i += 1) {
    if (input->streams[i]->codecpar->codec_id == AV_CODEC_ID_OPUS) return (int)i;
  }
  return av_find_best_stream(input, AVMEDIA_TYPE_AUDIO, -1, video, NULL, 0);
}

static int choose_streams(tk_source *source) {
  AVFormatContext *input = source->input;
  int video = av_find_best_stream(input, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
  int audio = choose_sound(input, video);
  if (video >= 0 && input->streams[video]->disposition & AV_DISPOSITION_ATTACHED_PIC) video = -1;
  source->video.index = video < 0 ? -1 : video;
  source->audio.index = audio < 0 ? -1 : audio;
  for (unsigned i = 0; i < input->nb_streams; i += 1) {
    int is_chosen = (int)i == source->video.index || (int)i == source->audio.index;
    input->streams[i]->discard = is_chosen ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
  if (source->video.index < 0 && source->audio.index < 0) return tk_fail(TK_NO_STREAM, "no audio or video", 0);
  int result = TK_OK;
  if (source->video.index >= 0) {
    source->video.time_base = input->streams[video]->time_base;
    result = tk_source_prepare_video(source, input->streams[video]);
  }
  if (result == TK_OK && source->audio.index >= 0) {
    source->audio.time_base = input->streams[audio]->time_base;
    result = tk_source_prepare_audio(source, input->streams[audio]);
  }
  return result;
}

static void close_input(tk_source *source) {
  tk_source_close_codecs(source);
  avformat_close_input(&source->input);
  if (source->memory) av_freep(&source->memory->buffer);
  avio_context_free(&source->memory);
}

static tk_source *open_source(const char *url, int loop, const tk_flag *stop, const uint8_t *bytes, size_t count,
                              int *status) {
  tk_media_start();
  tk_source *source = calloc(1, sizeof *source);
  if (!source) {
    *status = tk_fail(TK_CANNOT_OPEN, "memory", 0);
    return NULL;
  }
  source->url = strdup(url);
  source->loops = loop;
  source->stop = stop;
  source->bytes = bytes;
  source->byte_count = count;
  source->video.last_us = INT64_MIN;
  source->audio.last_us = INT64_MIN;
  source->video.index = -1;
  source->audio.index = -1;
  source->read = av_packet_alloc();
  source->filtered = av_packet_alloc();
  source->frame = av_frame_alloc();
  int is_whole = source->url && source->read && source->filtered && source->frame;
  *status = is_whole ? TK_OK : tk_fail(TK_CANNOT_OPEN, "memory", 0);
  if (*status == TK_OK) *status = open_input(source);
  if (*status == TK_OK) *status = choose_streams(source);
  if (*status == TK_OK) return source;
  tk_source_free(source);
  return NULL;
}

tk_source *tk_source_open(const char *url, int loop, const tk_flag *stop, int *status) {
  return open_source(url, loop, stop, NULL, 0, status);
}

tk_source *tk_source_open_bytes(const uint8_t *bytes, size_t count, int *status) {
  return open_source("", 0, NULL, bytes, count, status);
}

void tk_source_free(tk_source *source) {
  if (!source) return;
  close_input(source);
  tk_video_encoder_close(&source->video_encoder);
  tk_audio_encoder_close(&source->audio_encoder);
  tk_track_clear(&source->video);
  tk_track_clear(&source->audio);
  av_packet_free(&source->read);
  av_packet_free(&source->filtered);
  av_packet_free(&source->current);
  av_frame_free(&source->frame);
  free(source->url);
  free(source);
}

/* Opens the input again behind what has been given out; the encoders go on. */
static int start_over(tk_source *source) {
  int64_t end = 0;
  tk_track *tracks[2] = {&source->video, &source->audio};
  for (int i = 0; i < 2; i += 1) {
    int64_t last = tracks[i]->last_us == INT64_MIN ? 0 : tracks[i]->last_us + tracks[i]->last_duration_us;
    if (last > end) end = last;
  }
  /* A round that gave nothing would be repeated for ever. */
  if (end <= source->video.offset_us) return TK_END;
  int had_video = source->video.index >= 0, had_audio = source->audio.index >= 0;
  int had_encoding = source->video_encoding;
  close_input(source);
  source->video.offset_us = end;
  source->audio.offset_us = end;
  int result = open_input(source);
  if (result == TK_OK) result = choose_streams(source);
  if (result != TK_OK) return result;
  int is_same = had_video == (source->video.index >= 0) && had_audio == (source->audio.index >= 0) &&
                had_encoding == source->video_encoding;
  return is_same ? TK_OK : tk_fail(TK_UNSUPPORTED, "source changed between rounds", 0);
}

static int read_more(tk_source *source) {
  source->deadline = av_gettime_relative() + TK_PATIENCE_US;
  av_packet_unref(source->read);
  int result = av_read_frame(source->input, source->read);
  if (result == AVERROR(EAGAIN)) {
    av_usleep(2000);
    return TK_OK;
  }
  if (result < 0) {
    if (tk_flag_is_raised(source->stop)) return TK_END;
    int is_end = result == AVERROR_EOF || source->is_file;
    if (!is_end) return tk_fail(TK_DECODE, "read", result);
    source->is_drained = 1;
    result = source->video.index >= 0 ? tk_source_take_video(source, NULL) : TK_OK;
    if (result == TK_OK && source->audio.index >= 0) result = tk_source_take_audio(source, NULL);
    return result;
  }
  if (source->read->size <= 0) return TK_OK;
  source->pass_packets += 1;
  if (source->read->stream_index == source->video.index) return tk_source_take_video(source, source->read);
  if (source->read->stream_index == source->audio.index) return tk_source_take_audio(source, source->read);
  return TK_OK;
}

/* The track whose front goes out next. A file's streams are merged by time; a live source's go out as they come. */
static tk_track *front(tk_source *source) {
  tk_track *video = &source->video, *audio = &source->audio;
  if (video->queue.count == 0 && audio->queue.count == 0) return NULL;
  tk_track *ready = video->queue.count > 0 ? video : audio;
  if (video->queue.count > 0 && audio->queue.count > 0) {
    int64_t video_at = video->queue.items[video->queue.head].presentation_us;
    int64_t audio_at = audio->queue.items[audio->queue.head].presentation_us;
    return video_at <= audio_at ? video : audio;
  }
  if (!source->is_file || source->is_drained || video->index < 0 || audio->index < 0) return ready;
  int64_t span = ready->last_us - ready->queue.items[ready->queue.head].presentation_us;
  return span > TK_MERGE_US || ready->queue.count > TK_QUEUE_LIMIT / 2 ? ready : NULL;
}

int tk_source_next(tk_source *source, tk_packet *packet) {
  av_packet_free(&source->current);
  for (;;) {
    if (tk_flag_is_raised(source->stop)) return TK_END;
    tk_track *track = front(source);
    if (track) {
      tk_ready *item = &track->queue.items[track->queue.head];
      track->queue.head = (track->queue.head + 1) % TK_QUEUE_LIMIT;
      track->queue.count -= 1;
      source->current = item->packet;
      *packet = (tk_packet){item->packet->data, (size_t)item->packet->size, item->presentation_us, item->duration_us,
                            item->is_key, track == &source->video ? source->video_encoding : TK_OPUS};
      return TK_OK;
    }
    int result;
    if (!source->is_drained) {
      result = read_more(source);
    } else if (source->loops && source->is_file && source->pass_packets > 0) {
      result = start_over(source);
    } else {
      result = TK_END;
    }
    if (result != TK_OK) return result;
  }
}

/* Forgets what was read and half decoded before the input goes on elsewhere. */
static int begin_anew(tk_source *source) {
  tk_track *tracks[2] = {&source->video, &source->audio};
  for (int i = 0; i < 2; i += 1) {
    tk_track_clear(tracks[i]);
    tracks[i]->offset_us = 0;
    tracks[i]->last_us = INT64_MIN;
    tracks[i]->last_duration_us = 0;
    tracks[i]->is_sought = 1;
  }
  av_packet_free(&source->current);
  source->is_drained = 0;
  source->waits_for_key = 1;
  if (source->to_annexb) av_bsf_flush(source->to_annexb);
  if (source->video_decoder) avcodec_flush_buffers(source->video_decoder);
  if (source->audio_decoder) avcodec_flush_buffers(source->audio_decoder);
  tk_video_encoder_close(&source->video_encoder);
  if (!source->audio_encoder.context) return TK_OK;
  tk_audio_encoder_close(&source->audio_encoder);
  return tk_audio_encoder_open(&source->audio_encoder, "libopus", 64000, 0);
}

int tk_source_seek(tk_source *source, int64_t at_us) {
  if (!source->is_file) return tk_fail(TK_UNSUPPORTED, "seek", 0);
  int64_t at = at_us < 0 ? 0 : at_us > LATEST_US ? LATEST_US : at_us;
  tk_track *track = source->video.index >= 0 ? &source->video : &source->audio;
  source->deadline = av_gettime_relative() + TK_PATIENCE_US;
  int64_t place = av_rescale_q(at + source->start_us, TK_MICROSECONDS, track->time_base);
  int result = av_seek_frame(source->input, track->index, place, AVSEEK_FLAG_BACKWARD);
  /* Nothing lies before the first key frame. */
  if (result < 0) result = av_seek_frame(source->input, track->index, place, 0);
  if (result < 0) return tk_fail(TK_DECODE, "seek", result);
  return begin_anew(source);
}

int tk_source_video(const tk_source *source) { return source->video.index >= 0 ? source->video_encoding : TK_NONE; }
int tk_source_has_audio(const tk_source *source) { return source->audio.index >= 0; }
int tk_source_reencodes_video(const tk_source *source) { return source->reencodes_video; }
int tk_source_reencodes_audio(const tk_source *source) { return source->reencodes_audio; }
void tk_source_request_key(tk_source *source) { source->video_encoder.wants_key = 1; }
