#include "tk_lesson_internal.h"

#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <stdio.h>
#include <string.h>

static int64_t frame_count(const tk_lesson *lesson, double seconds) {
  if (!(seconds > 0)) seconds = 0;
  if (seconds > 86400) seconds = 86400;
  return (int64_t)(seconds * lesson->settings.frames_per_second + 0.5);
}

/* The encoders of one MP4 being written, and where they stand. */
typedef struct {
  AVFormatContext *output;
  AVStream *video_stream, *audio_stream;
  tk_video_encoder video;
  tk_audio_encoder audio;
} mp4_writer;

static int add_stream(AVFormatContext *output, const AVCodecContext *context, AVStream **stream) {
  *stream = avformat_new_stream(output, NULL);
  if (!*stream || avcodec_parameters_from_context((*stream)->codecpar, context) < 0) {
    return tk_fail(TK_WRITE, "memory", 0);
  }
  (*stream)->time_base = context->codec_type == AVMEDIA_TYPE_VIDEO ? (AVRational){1, 90000} : context->time_base;
  return TK_OK;
}

static int mp4_open(mp4_writer *writer, const tk_lesson *lesson, const char *path) {
  tk_video_settings video = {
      .encoding = TK_H264,
      .width = lesson->settings.width,
      .height = lesson->settings.height,
      .rate = {lesson->settings.frames_per_second, 1},
      .bits_per_second = lesson->settings.bits_per_second,
      .key_frame_seconds = lesson->settings.key_frame_seconds,
      .b_frames = lesson->settings.b_frames,
      .is_fast = 1,
      .global_header = 1,
  };
  int result = tk_video_encoder_open(&writer->video, &video);
  if (result == TK_OK) result = tk_audio_encoder_open(&writer->audio, "aac", 128000, 1);
  if (result != TK_OK) return result;
  if (avformat_alloc_output_context2(&writer->output, NULL, "mp4", path) < 0) return tk_fail(TK_WRITE, "mp4", 0);
  result = add_stream(writer->output, writer->video.context, &writer->video_stream);
  if (result == TK_OK) result = add_stream(writer->output, writer->audio.context, &writer->audio_stream);
  if (result != TK_OK) return result;
  int opened = avio_open(&writer->output->pb, path, AVIO_FLAG_WRITE);
  if (opened < 0) return tk_fail(TK_WRITE, "open", opened);
  AVDictionary *options = NULL;
  av_dict_set(&options, "movflags", "+faststart", 0);
  opened = avformat_write_header(writer->output, &options);
  av_dict_free(&options);
  return opened < 0 ? tk_fail(TK_WRITE, "header", opened) : TK_OK;
}

static int write_packet(mp4_writer *writer, AVPacket *packet, AVStream *stream, AVRational base) {
  av_packet_rescale_ts(packet, base, stream->time_base);
  packet->stream_index = stream->index;
  int result = av_interleaved_write_frame(writer->output, packet);
  return result < 0 ? tk_fail(TK_WRITE, "write", result) : TK_OK;
}

static int flush_video(mp4_writer *writer, int64_t duration_us) {
  for (;;) {
    int result = tk_video_encoder_receive(&writer->video);
    if (result != TK_OK) return result < 0 ? result : TK_OK;
    writer->video.packet->duration = duration_us;
    result = write_packet(writer, writer->video.packet, writer->video_stream, TK_MICROSECONDS);
    if (result != TK_OK) return result;
  }
}

static int flush_audio(mp4_writer *writer) {
  for (;;) {
    int result = tk_audio_encoder_receive(&writer->audio);
    if (result != TK_OK) return result < 0 ? result : TK_OK;
    result = write_packet(writer, writer->audio.packet, writer->audio_stream, (AVRational){1, 48000});
    if (result != TK_OK) return result;
  }
}

static int mp4_fill(mp4_writer *writer, tk_lesson *lesson, int64_t frames) {
  int rate = lesson->settings.frames_per_second;
  int64_t sample = 0, duration_us = 1000000 / rate;
  int result = TK_OK;
  for (int64_t frame = 0; frame < frames && result == TK_OK; frame += 1) {
    result = tk_video_encoder_prepare(&writer->video);
    if (result == TK_OK) result = tk_lesson_paint(lesson, writer->video.frame, frame, (uint64_t)frame);
    if (result == TK_OK) result = tk_video_encoder_send(&writer->video, frame * 1000000 / rate);
    if (result == TK_OK) result = flush_video(writer, duration_us);
    int64_t end = (frame + 1) * 48000 / rate;
    while (result == TK_OK && sample < end) {
      float samples[960];
      int count = end - sample < 960 ? (int)(end - sample) : 960;
      tk_lesson_sound(lesson, sample, samples, count);
      float *const planes[2] = {samples, samples};
      result = tk_audio_encoder_push(&writer->audio, planes, count);
      sample += count;
    }
    if (result == TK_OK) result = flush_audio(writer);
  }
  if (result != TK_OK) return result;
  avcodec_send_frame(writer->video.context, NULL);
  avcodec_send_frame(writer->audio.context, NULL);
  result = flush_video(writer, duration_us);
  return result == TK_OK ? flush_audio(writer) : result;
}

int tk_lesson_write_mp4(tk_lesson *lesson, const char *path, double seconds) {
  mp4_writer writer = {0};
  int result = mp4_open(&writer, lesson, path);
  if (result == TK_OK) result = mp4_fill(&writer, lesson, frame_count(lesson, seconds));
  if (result == TK_OK) {
    int closed = av_write_trailer(writer.output);
    if (closed < 0) result = tk_fail(TK_WRITE, "trailer", closed);
  }
  if (writer.output) {
    int closed = avio_closep(&writer.output->pb);
    if (closed < 0 && result == TK_OK) result = tk_fail(TK_WRITE, "close", closed);
    avformat_free_context(writer.output);
  }
  tk_video_encoder_close(&writer.video);
  tk_audio_encoder_close(&writer.audio);
  return result;
}

static int close_file(FILE *file, int result) {
  int failed = ferror(file);
  failed |= fclose(file);
  return result == TK_OK && failed ? tk_fail(TK_WRITE, "write", 0) : result;
}

int tk_lesson_write_y4m(tk_lesson *lesson, const char *path, double seconds) {
  AVFrame *picture = lesson->video.frame;
  FILE *file = fopen(path, "wb");
  if (!file) return tk_fail(TK_WRITE, "open", 0);
  fprintf(file, "YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420mpeg2\n", picture->width, picture->height,
          lesson->settings.frames_per_second);
  int64_t frames = frame_count(lesson, seconds);
  int result = TK_OK;
  for (int64_t frame = 0; frame < frames && result == TK_OK && !ferror(file); frame += 1) {
    result = tk_video_encoder_prepare(&lesson->video);
    if (result == TK_OK) result = tk_lesson_paint(lesson, picture, frame, (uint64_t)frame);
    if (result != TK_OK) break;
    fputs("FRAME\n", file);
    for (int plane = 0; plane < 3; plane += 1) {
      int half = plane > 0;
      for (int y = 0; y < picture->height >> half; y += 1) {
        const uint8_t *row = picture->data[plane] + (ptrdiff_t)y * picture->linesize[plane];
        fwrite(row, 1, (size_t)picture->width >> half, file);
      }
    }
  }
  return close_file(file, result);
}

static AVCodecContext *open_jpeg(const tk_lesson *lesson) {
  const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
  AVCodecContext *context = codec ? avcodec_alloc_context3(codec) : NULL;
  if (!context) return NULL;
  context->width = lesson->video.frame->width;
  context->height = lesson->video.frame->height;
  context->pix_fmt = AV_PIX_FMT_YUVJ420P;
  context->color_range = AVCOL_RANGE_JPEG;
  context->time_base = (AVRational){1, lesson->settings.frames_per_second};
  context->flags |= AV_CODEC_FLAG_QSCALE;
  context->global_quality = 4 * FF_QP2LAMBDA;
  context->thread_count = 1;
  if (avcodec_open2(context, codec, NULL) < 0) avcodec_free_context(&context);
  return context;
}

int tk_lesson_write_mjpeg(tk_lesson *lesson, const char *path, double seconds) {
  AVCodecContext *jpeg = open_jpeg(lesson);
  AVPacket *packet = av_packet_alloc();
  FILE *file = fopen(path, "wb");
  int result = jpeg && packet ? TK_OK : tk_fail(TK_CODEC_MISSING, "mjpeg", 0);
  if (!file) result = tk_fail(TK_WRITE, "open", 0);
  int64_t frames = frame_count(lesson, seconds);
  AVFrame *picture = lesson->video.frame;
  for (int64_t frame = 0; frame < frames && result == TK_OK && !ferror(file); frame += 1) {
    result = tk_video_encoder_prepare(&lesson->video);
    if (result == TK_OK) result = tk_lesson_paint(lesson, picture, frame, (uint64_t)frame);
    if (result != TK_OK) break;
    picture->pts = frame;
    picture->quality = 4 * FF_QP2LAMBDA;
    picture->pict_type = AV_PICTURE_TYPE_NONE;
    if (avcodec_send_frame(jpeg, picture) < 0 || avcodec_receive_packet(jpeg, packet) < 0) {
      result = tk_fail(TK_ENCODE, "mjpeg", 0);
      break;
    }
    fwrite(packet->data, 1, (size_t)packet->size, file);
    av_packet_unref(packet);
  }
  av_packet_free(&packet);
  avcodec_free_context(&jpeg);
  return file ? close_file(file, result) : result;
}

static void put(uint8_t *out, uint32_t value, int count) {
  for (int i = 0; i < count; i += 1) out[i] = (uint8_t)(value >> (8 * i));
}

int tk_lesson_write_wav(tk_lesson *lesson, const char *path, double seconds) {
  int64_t frames = frame_count(lesson, seconds);
  uint32_t total = (uint32_t)(frames * 48000 / lesson->settings.frames_per_second);
  FILE *file = fopen(path, "wb");
  if (!file) return tk_fail(TK_WRITE, "open", 0);
  uint8_t header[44] = "RIFF....WAVEfmt ................data....";
  put(header + 4, 36 + total * 2, 4);
  put(header + 16, 16, 4);
  put(header + 20, 1, 2);
  put(header + 22, 1, 2);
  put(header + 24, 48000, 4);
  put(header + 28, 96000, 4);
  put(header + 32, 2, 2);
  put(header + 34, 16, 2);
  memcpy(header + 36, "data", 4);
  put(header + 40, total * 2, 4);
  fwrite(header, 1, sizeof header, file);
  for (uint32_t from = 0; from < total && !ferror(file); from += 960) {
    int count = total - from < 960 ? (int)(total - from) : 960;
    float samples[960];
    uint8_t out[1920];
    tk_lesson_sound(lesson, from, samples, count);
    for (int i = 0; i < count; i += 1) put(out + 2 * i, (uint32_t)(int32_t)(samples[i] * 32767), 2);
    fwrite(out, 2, (size_t)count, file);
  }
  return close_file(file, TK_OK);
}
