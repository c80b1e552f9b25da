#include "tk_mux_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  TK_UNIT_LIMIT = 4 * 1024 * 1024,
  /* Units before the header: until both kinds have begun, at most this long; 64 MiB, or 3 h of sound alone. */
  TK_START_SPAN_US = 2 * 1000000,
  TK_PENDING_LIMIT = 64 * 1024 * 1024,
  TK_PENDING_OVERHEAD = 512,
  TK_BACKWARD_US = 500000,
};
/* A lesson is over within a day; a time past that is nonsense and would be a day of silence. */
static const int64_t LONGEST_US = 24LL * 3600 * 1000000;

enum { TK_KIND_VIDEO = 0, TK_KIND_AUDIO = 1 };

static AVPacket *copy_unit(const uint8_t *bytes, size_t count) {
  AVPacket *packet = av_packet_alloc();
  if (!packet || av_new_packet(packet, (int)count) < 0) {
    av_packet_free(&packet);
    return NULL;
  }
  memcpy(packet->data, bytes, count);
  return packet;
}

static void drop_oldest(tk_muxer *muxer) {
  tk_pending *pending = &muxer->pending;
  AVPacket *packet = pending->items[pending->first];
  pending->bytes -= (size_t)packet->size + TK_PENDING_OVERHEAD;
  av_packet_free(&packet);
  pending->first += 1;
  pending->count -= 1;
  muxer->dropped += 1;
}

/* Takes the packet over. */
static int hold(tk_muxer *muxer, AVPacket *packet) {
  tk_pending *pending = &muxer->pending;
  size_t size = (size_t)packet->size + TK_PENDING_OVERHEAD;
  while (pending->count > 0 && pending->bytes + size > TK_PENDING_LIMIT) drop_oldest(muxer);
  if (pending->first + pending->count == pending->capacity) {
    if (pending->first > pending->capacity / 2) {
      memmove(pending->items, pending->items + pending->first, pending->count * sizeof *pending->items);
      pending->first = 0;
    } else {
      size_t capacity = pending->capacity == 0 ? 256 : pending->capacity * 2;
      AVPacket **items = realloc(pending->items, capacity * sizeof *items);
      if (!items) {
        av_packet_free(&packet);
        return tk_fail(TK_WRITE, "memory", 0);
      }
      pending->items = items;
      pending->capacity = capacity;
    }
  }
  pending->items[pending->first + pending->count] = packet;
  pending->count += 1;
  pending->bytes += size;
  return TK_OK;
}

tk_muxer *tk_muxer_open(const char *path, int container, int has_video, int has_audio, int *status) {
  tk_media_start();
  if ((container != TK_MP4 && container != TK_WEBM) || (!has_video && !has_audio)) {
    *status = tk_fail(TK_UNSUPPORTED, "container or tracks", 0);
    return NULL;
  }
  tk_muxer *muxer = calloc(1, sizeof *muxer);
  size_t size = strlen(path) + 6;
  if (muxer) muxer->url = malloc(size);
  if (!muxer || !muxer->url) {
    free(muxer);
    *status = tk_fail(TK_WRITE, "memory", 0);
    return NULL;
  }
  snprintf(muxer->url, size, "file:%s", path);
  muxer->container = container;
  muxer->has_video = has_video;
  muxer->has_audio = has_audio;
  muxer->waits_for_key = 1;
  muxer->video_last_us = INT64_MIN;
  const char *name = container == TK_MP4 ? "mp4" : "webm";
  int result = avformat_alloc_output_context2(&muxer->output, NULL, name, muxer->url);
  *status = result < 0 ? tk_fail(TK_WRITE, name, result) : TK_OK;
  /* Opened now, so that a folder that cannot be written is told at once. */
  if (*status == TK_OK) {
    result = avio_open(&muxer->output->pb, muxer->url, AVIO_FLAG_WRITE);
    if (result < 0) *status = tk_fail(TK_WRITE, "open", result);
  }
  if (*status == TK_OK) return muxer;
  tk_muxer_free(muxer);
  return NULL;
}

void tk_muxer_free(tk_muxer *muxer) {
  if (!muxer) return;
  tk_mux_sound_close(&muxer->sound);
  for (size_t i = 0; i < muxer->pending.count; i += 1) av_packet_free(&muxer->pending.items[muxer->pending.first + i]);
  free(muxer->pending.items);
  av_packet_free(&muxer->first_key);
  if (muxer->output) avio_closep(&muxer->output->pb);
  avformat_free_context(muxer->output);
  free(muxer->url);
  free(muxer);
}

int tk_mux_write(tk_muxer *muxer, AVPacket *packet, AVStream *stream, AVRational base) {
  av_packet_rescale_ts(packet, base, stream->time_base);
  packet->stream_index = stream->index;
  int result = av_interleaved_write_frame(muxer->output, packet);
  if (result >= 0 && muxer->output->pb->error < 0) result = muxer->output->pb->error;
  return result < 0 ? tk_fail(TK_WRITE, "write", result) : TK_OK;
}

static int write_header(tk_muxer *muxer) {
  int result = muxer->first_key ? tk_mux_picture_open(muxer) : TK_OK;
  if (result == TK_OK && muxer->has_audio) result = tk_mux_sound_open(muxer);
  if (result != TK_OK) return result;
  AVDictionary *options = NULL;
  if (muxer->container == TK_MP4) av_dict_set(&options, "movflags", "+faststart", 0);
  int opened = avformat_write_header(muxer->output, &options);
  av_dict_free(&options);
  if (opened < 0) return tk_fail(TK_WRITE, "header", opened);
  muxer->has_header = 1;
  return TK_OK;
}

static int write_video(tk_muxer *muxer, AVPacket *packet, int64_t at_us, int is_key) {
  int64_t last = muxer->video_last_us;
  int is_late = last != INT64_MIN && at_us < last - TK_BACKWARD_US;
  if (!muxer->video || is_late || at_us - muxer->zero_us > LONGEST_US || (muxer->waits_for_key && !is_key)) {
    muxer->waits_for_key = 1;
    muxer->dropped += 1;
    return TK_OK;
  }
  muxer->waits_for_key = 0;
  if (at_us < muxer->zero_us) at_us = muxer->zero_us;
  if (is_key) tk_mux_picture_note(muxer, packet, at_us);
  /* 1 ms is the finest that WebM tells apart. */
  if (last != INT64_MIN && at_us < last + 1000) at_us = last + 1000;
  if (last != INT64_MIN) muxer->video_duration_us = at_us - last < 1000000 ? at_us - last : 1000000;
  muxer->video_last_us = at_us;
  muxer->video_frames += 1;
  int64_t duration = muxer->video_duration_us > 0 ? muxer->video_duration_us : 40000;
  muxer->video_end_us = at_us - muxer->zero_us + duration;
  packet->pts = packet->dts = at_us - muxer->zero_us;
  packet->duration = duration;
  packet->flags = is_key ? AV_PKT_FLAG_KEY : 0;
  return tk_mux_write(muxer, packet, muxer->video, TK_MICROSECONDS);
}

static int write_audio(tk_muxer *muxer, AVPacket *packet, int64_t at_us) {
  if (!muxer->sound.opus || at_us < muxer->zero_us - TK_BACKWARD_US || at_us - muxer->zero_us > LONGEST_US) {
    muxer->dropped += 1;
    return TK_OK;
  }
  int64_t at = av_rescale(at_us - muxer->zero_us, 48000, 1000000);
  return tk_mux_sound_take(muxer, packet, at < 0 ? 0 : at);
}

/* Writes the header and what has waited for it. */
static int begin(tk_muxer *muxer) {
  tk_pending *pending = &muxer->pending;
  muxer->zero_us = INT64_MAX;
  for (size_t i = 0; i < pending->count; i += 1) {
    int64_t at = pending->items[pending->first + i]->pts;
    if (at < muxer->zero_us) muxer->zero_us = at;
  }
  int result = write_header(muxer);
  for (; pending->count > 0; pending->first += 1, pending->count -= 1) {
    AVPacket *packet = pending->items[pending->first];
    int64_t at = packet->pts;
    if (result == TK_OK && packet->stream_index == TK_KIND_VIDEO) {
      result = write_video(muxer, packet, at, packet->flags & AV_PKT_FLAG_KEY);
    } else if (result == TK_OK) {
      result = write_audio(muxer, packet, at);
    }
    av_packet_free(&packet);
  }
  return result;
}

static int can_begin(const tk_muxer *muxer) {
  const tk_pending *pending = &muxer->pending;
  if (muxer->has_video && !muxer->first_key) return 0;
  if (!muxer->has_audio || !muxer->has_video || muxer->has_sound) return 1;
  int64_t span = pending->items[pending->first + pending->count - 1]->pts - pending->items[pending->first]->pts;
  return span > TK_START_SPAN_US || pending->count > 1000;
}

static int take(tk_muxer *muxer, AVPacket *packet, int kind, int64_t at_us, int is_key) {
  if (muxer->has_header) {
    int result = kind == TK_KIND_VIDEO ? write_video(muxer, packet, at_us, is_key) : write_audio(muxer, packet, at_us);
    av_packet_free(&packet);
    return result;
  }
  packet->stream_index = kind;
  packet->pts = at_us;
  packet->flags = is_key ? AV_PKT_FLAG_KEY : 0;
  if (kind == TK_KIND_AUDIO) {
    muxer->has_sound = 1;
  } else if (!muxer->first_key) {
    if (!is_key || !tk_mux_picture_is_usable(muxer, packet)) {
      av_packet_free(&packet);
      muxer->dropped += 1;
      return TK_OK;
    }
    muxer->first_key = av_packet_clone(packet);
  }
  int result = hold(muxer, packet);
  return result == TK_OK && can_begin(muxer) ? begin(muxer) : result;
}

static int is_acceptable(tk_muxer *muxer, int is_expected, size_t count, int64_t at_us) {
  /* A century either way: what is further away is nonsense that must not reach arithmetic. */
  int is_in_time = at_us > -LONGEST_US * 36525 && at_us < LONGEST_US * 36525;
  if (is_expected && count > 0 && count <= TK_UNIT_LIMIT && is_in_time) return 1;
  muxer->dropped += 1;
  return 0;
}

int tk_muxer_video(tk_muxer *muxer, const uint8_t *bytes, size_t count, int64_t at_us, int is_key) {
  if (!is_acceptable(muxer, muxer->has_video, count, at_us)) return TK_OK;
  AVPacket *packet = copy_unit(bytes, count);
  return packet ? take(muxer, packet, TK_KIND_VIDEO, at_us, is_key) : tk_fail(TK_WRITE, "memory", 0);
}

int tk_muxer_audio(tk_muxer *muxer, const uint8_t *bytes, size_t count, int64_t at_us) {
  int is_opus = tk_opus_duration_us(bytes, count) > 0 && count <= 0xFFFF;
  if (!is_acceptable(muxer, muxer->has_audio && is_opus, count, at_us)) return TK_OK;
  AVPacket *packet = copy_unit(bytes, count);
  return packet ? take(muxer, packet, TK_KIND_AUDIO, at_us, 1) : tk_fail(TK_WRITE, "memory", 0);
}

static int force_to_disk(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return tk_fail(TK_WRITE, "open", AVERROR(errno));
  int result = fsync(file) < 0 ? tk_fail(TK_WRITE, "sync", AVERROR(errno)) : TK_OK;
  close(file);
  return result;
}

int tk_muxer_flush(tk_muxer *muxer, tk_written *written) {
  memset(written, 0, sizeof *written);
  int result = TK_OK;
  if (!muxer->has_header) result = muxer->pending.count > 0 ? begin(muxer) : TK_NO_STREAM;
  if (result == TK_NO_STREAM) tk_fail(TK_NO_STREAM, "nothing to write", 0);
  if (result == TK_OK && muxer->sound.opus) result = tk_mux_sound_finish(muxer);
  if (result != TK_OK) return result;
  double video_end = (double)muxer->video_end_us / 1e6;
  written->audio_seconds = (double)muxer->sound.opus_next / 48000;
  written->duration_seconds = video_end > written->audio_seconds ? video_end : written->audio_seconds;
  written->video_frames = muxer->video_frames;
  written->start_us = muxer->zero_us;
  written->dropped = muxer->dropped;
  written->size_count = muxer->size_count;
  memcpy(written->sizes, muxer->sizes, sizeof written->sizes);
  return TK_OK;
}

int tk_muxer_chapter(tk_muxer *muxer, int64_t start_ms, int64_t end_ms, const char *title) {
  AVFormatContext *output = muxer->output;
  if (output->nb_chapters >= TK_CHAPTER_LIMIT || start_ms < 0 || end_ms <= start_ms) return TK_OK;
  AVChapter *chapter = av_mallocz(sizeof *chapter);
  AVChapter **chapters = chapter ? av_realloc_array(output->chapters, output->nb_chapters + 1, sizeof chapter) : NULL;
  if (!chapters) {
    av_free(chapter);
    return tk_fail(TK_WRITE, "memory", 0);
  }
  chapter->id = output->nb_chapters + 1;
  chapter->time_base = (AVRational){1, 1000};
  chapter->start = start_ms;
  chapter->end = end_ms;
  av_dict_set(&chapter->metadata, "title", title, 0);
  output->chapters = chapters;
  output->chapters[output->nb_chapters] = chapter;
  output->nb_chapters += 1;
  return TK_OK;
}

int tk_muxer_finish(tk_muxer *muxer) {
  int result = TK_OK;
  int closed = av_write_trailer(muxer->output);
  if (closed >= 0) closed = muxer->output->pb->error;
  if (closed < 0) result = tk_fail(TK_WRITE, "trailer", closed);
  closed = avio_closep(&muxer->output->pb);
  if (closed < 0 && result == TK_OK) result = tk_fail(TK_WRITE, "close", closed);
  return result == TK_OK ? force_to_disk(muxer->url + 5) : result;
}
