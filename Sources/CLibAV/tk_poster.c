#include <errno.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <string.h>

#include "tk_report_internal.h"

enum { TK_POSTER_WIDTH = 1280, TK_CANDIDATES = 5, TK_PACKETS_FOR_A_PICTURE = 3000 };

typedef struct {
  AVFormatContext *input;
  int index;
  AVCodecContext *decoder;
  AVPacket *packet;
  AVFrame *frame;
  AVFrame *best;
  double best_score;
} search;

/* Variance of the luma: a slide or a room has much, a black or white screen none. */
static double score(const AVFrame *picture) {
  int64_t sum = 0, squares = 0, count = 0;
  for (int y = 0; y < picture->height; y += 4) {
    const uint8_t *row = picture->data[0] + (ptrdiff_t)y * picture->linesize[0];
    for (int x = 0; x < picture->width; x += 4) {
      sum += row[x];
      squares += row[x] * row[x];
      count += 1;
    }
  }
  double average = (double)sum / (double)count;
  return (double)squares / (double)count - average * average;
}

/* Decodes the first picture after where the file stands. */
static void try_here(search *search) {
  avcodec_flush_buffers(search->decoder);
  for (int i = 0; i < TK_PACKETS_FOR_A_PICTURE; i += 1) {
    int read = av_read_frame(search->input, search->packet);
    if (read >= 0 && search->packet->stream_index != search->index) {
      av_packet_unref(search->packet);
      continue;
    }
    avcodec_send_packet(search->decoder, read >= 0 ? search->packet : NULL);
    av_packet_unref(search->packet);
    if (avcodec_receive_frame(search->decoder, search->frame) >= 0) {
      double value = score(search->frame);
      if (value > search->best_score) {
        search->best_score = value;
        av_frame_unref(search->best);
        av_frame_move_ref(search->best, search->frame);
      }
      av_frame_unref(search->frame);
      return;
    }
    if (read < 0) return;
  }
}

static int find_picture(search *search) {
  int64_t duration = search->input->duration > 0 ? search->input->duration : 0;
  int64_t start = search->input->start_time == AV_NOPTS_VALUE ? 0 : search->input->start_time;
  for (int i = 0; i < TK_CANDIDATES; i += 1) {
    int64_t at = start + duration / (2 * TK_CANDIDATES) * (2 * i + 1);
    if (duration > 0) avformat_seek_file(search->input, -1, INT64_MIN, at, at, 0);
    try_here(search);
  }
  return search->best_score >= 0 ? TK_OK : tk_fail(TK_DECODE, "no picture", 0);
}

static AVFrame *scale(const AVFrame *picture) {
  int width = picture->width < TK_POSTER_WIDTH ? picture->width : TK_POSTER_WIDTH;
  int height = (int)((int64_t)picture->height * width / picture->width);
  AVFrame *small = av_frame_alloc();
  if (!small) return NULL;
  small->format = AV_PIX_FMT_YUVJ420P;
  small->width = width & ~1;
  small->height = height & ~1;
  if (small->width < 2 || small->height < 2 || av_frame_get_buffer(small, 0) < 0) {
    av_frame_free(&small);
    return NULL;
  }
  struct SwsContext *scaler =
      sws_getContext(picture->width, picture->height, picture->format, small->width, small->height, small->format,
                     SWS_BICUBIC, NULL, NULL, NULL);
  int lines = scaler ? sws_scale(scaler, (const uint8_t *const *)picture->data, picture->linesize, 0, picture->height,
                                 small->data, small->linesize)
                     : 0;
  sws_freeContext(scaler);
  if (lines <= 0) av_frame_free(&small);
  return small;
}

static int write_jpeg(AVFrame *picture, AVPacket *packet, const char *path) {
  const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
  AVCodecContext *context = codec ? avcodec_alloc_context3(codec) : NULL;
  if (!context) return tk_fail(TK_CODEC_MISSING, "mjpeg", 0);
  context->width = picture->width;
  context->height = picture->height;
  context->pix_fmt = picture->format;
  context->color_range = AVCOL_RANGE_JPEG;
  context->time_base = (AVRational){1, 25};
  context->flags |= AV_CODEC_FLAG_QSCALE;
  context->global_quality = 4 * FF_QP2LAMBDA;
  context->thread_count = 1;
  picture->quality = context->global_quality;
  picture->pts = 0;
  int result = avcodec_open2(context, codec, NULL);
  if (result >= 0) result = avcodec_send_frame(context, picture);
  if (result >= 0) result = avcodec_receive_packet(context, packet);
  avcodec_free_context(&context);
  if (result < 0) return tk_fail(TK_ENCODE, "mjpeg", result);
  FILE *file = fopen(path, "wb");
  if (!file) return tk_fail(TK_WRITE, "open", AVERROR(errno));
  int failed = fwrite(packet->data, 1, (size_t)packet->size, file) != (size_t)packet->size;
  failed |= fclose(file) != 0;
  return failed ? tk_fail(TK_WRITE, "write", AVERROR(errno)) : TK_OK;
}

int tk_poster_write(const char *from, const char *to) {
  search search = {.best_score = -1};
  int status = tk_open_file(&search.input, from);
  if (status == TK_OK) {
    search.index = av_find_best_stream(search.input, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (search.index < 0) status = tk_fail(TK_NO_STREAM, "no video", 0);
  }
  if (status == TK_OK) search.decoder = tk_open_decoder(search.input->streams[search.index]->codecpar, &status);
  search.packet = av_packet_alloc();
  search.frame = av_frame_alloc();
  search.best = av_frame_alloc();
  if (status == TK_OK && (!search.packet || !search.frame || !search.best)) status = tk_fail(TK_DECODE, "memory", 0);
  if (status == TK_OK) status = find_picture(&search);
  if (status == TK_OK) {
    AVFrame *small = scale(search.best);
    av_packet_unref(search.packet);
    status = small ? write_jpeg(small, search.packet, to) : tk_fail(TK_UNSUPPORTED, "pixel format", 0);
    av_frame_free(&small);
  }
  avcodec_free_context(&search.decoder);
  av_packet_free(&search.packet);
  av_frame_free(&search.frame);
  av_frame_free(&search.best);
  avformat_close_input(&search.input);
  return status;
}
