#include "include/tk_decode.h"
#include "tk_internal.h"

#include <libavdevice/avdevice.h>
#include <libavformat/avformat.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char message[256] = "";

const char *tk_media_message(void) { return message; }

int tk_fail(int status, const char *what, int av_error) {
  char reason[128] = "";
  if (av_error < 0) av_strerror(av_error, reason, sizeof reason);
  snprintf(message, sizeof message, "%s%s%s", what, reason[0] ? ": " : "", reason);
  return status;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void) {
  av_log_set_level(AV_LOG_QUIET);
  avformat_network_init();
  avdevice_register_all();
}

void tk_media_start(void) { pthread_once(&once, start); }

tk_flag *tk_flag_create(void) { return calloc(1, sizeof(tk_flag)); }
void tk_flag_raise(tk_flag *flag) { __atomic_store_n(&flag->raised, 1, __ATOMIC_RELEASE); }
void tk_flag_free(tk_flag *flag) { free(flag); }
int tk_flag_is_raised(const tk_flag *flag) { return flag && __atomic_load_n(&flag->raised, __ATOMIC_ACQUIRE); }

int tk_media_has_encoder(const char *name) { return avcodec_find_encoder_by_name(name) != NULL; }
int tk_media_has_decoder(const char *name) { return avcodec_find_decoder_by_name(name) != NULL; }
int tk_media_has_container(const char *name) { return av_guess_format(name, NULL, NULL) != NULL; }

int64_t tk_opus_duration_us(const uint8_t *bytes, size_t count) {
  if (count < 1) return 0;
  int configuration = bytes[0] >> 3;
  int64_t frame_us;
  if (configuration < 12) {
    static const int silk[4] = {10000, 20000, 40000, 60000};
    frame_us = silk[configuration & 3];
  } else if (configuration < 16) {
    frame_us = configuration & 1 ? 20000 : 10000;
  } else {
    frame_us = 2500 << (configuration & 3);
  }
  int frames = 1;
  switch (bytes[0] & 3) {
    case 0: break;
    case 1:
    case 2: frames = 2; break;
    default:
      if (count < 2) return 0;
      frames = bytes[1] & 0x3F;
  }
  int64_t total = frame_us * frames;
  return total > 120000 ? 0 : total;
}

void tk_each_nal(const uint8_t *bytes, size_t count, tk_nal_body body, void *context) {
  size_t start = SIZE_MAX;
  size_t i = 0;
  while (i + 3 <= count) {
    if (bytes[i + 2] > 1) {
      i += 3;
    } else if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1) {
      if (start != SIZE_MAX) {
        size_t end = i;
        while (end > start && bytes[end - 1] == 0) end -= 1;
        if (end > start && !body(context, bytes + start, end - start)) return;
      }
      start = i + 3;
      i += 3;
    } else {
      i += 1;
    }
  }
  if (start != SIZE_MAX && start < count) {
    size_t end = count;
    while (end > start && bytes[end - 1] == 0) end -= 1;
    if (end > start) body(context, bytes + start, end - start);
  }
}

int tk_find_streams(AVFormatContext *input) {
  unsigned count = input->nb_streams;
  AVDictionary **options = count > 0 ? calloc(count, sizeof *options) : NULL;
  for (unsigned i = 0; options && i < count; i += 1) av_dict_set_int(&options[i], "max_pixels", TK_MAX_PIXELS, 0);
  int result = avformat_find_stream_info(input, options);
  for (unsigned i = 0; options && i < count; i += 1) av_dict_free(&options[i]);
  free(options);
  return result;
}

AVCodecContext *tk_open_decoder(const AVCodecParameters *parameters, int *status) {
  const AVCodec *codec = NULL;
  /* libopus conceals and resamples as browsers do; the rest by the library's own choice. */
  if (parameters->codec_id == AV_CODEC_ID_OPUS) codec = avcodec_find_decoder_by_name("libopus");
  if (!codec) codec = avcodec_find_decoder(parameters->codec_id);
  if (!codec) {
    *status = tk_fail(TK_CODEC_MISSING, avcodec_get_name(parameters->codec_id), 0);
    return NULL;
  }
  AVCodecContext *context = avcodec_alloc_context3(codec);
  if (!context || avcodec_parameters_to_context(context, parameters) < 0) {
    avcodec_free_context(&context);
    *status = tk_fail(TK_DECODE, "decoder parameters", 0);
    return NULL;
  }
  context->thread_count = 1;
  context->max_pixels = TK_MAX_PIXELS;
  int result = avcodec_open2(context, codec, NULL);
  if (result < 0) {
    avcodec_free_context(&context);
    *status = tk_fail(TK_CODEC_MISSING, codec->name, result);
    return NULL;
  }
  return context;
}

/* CRC-8 (polynomial 0x2F) over five bytes, complemented so that neither an all-black nor an all-white edge reads as a
   value. */
uint8_t tk_strip_check(uint64_t value) {
  uint8_t crc = 0x5A;
  for (int shift = 32; shift >= 0; shift -= 8) {
    crc ^= (uint8_t)(value >> shift);
    for (int bit = 0; bit < 8; bit += 1) crc = (uint8_t)(crc & 0x80 ? crc << 1 ^ 0x2F : crc << 1);
  }
  return crc ^ 0xFF;
}

/* The strip takes 2/45 of the height: 32 lines at 720, 8 at 180. */
void tk_strip_paint(AVFrame *picture, uint64_t value) {
  value &= (1ULL << TK_STRIP_VALUE_BITS) - 1;
  uint64_t bits = value << TK_STRIP_CHECK_BITS | tk_strip_check(value);
  int height = picture->height * 2 / 45;
  if (height < 4) height = 4;
  if (height > picture->height) height = picture->height;
  uint8_t *row = picture->data[0];
  for (int cell = 0; cell < TK_STRIP_CELLS; cell += 1) {
    int from = picture->width * cell / TK_STRIP_CELLS;
    int to = picture->width * (cell + 1) / TK_STRIP_CELLS;
    memset(row + from, bits >> (TK_STRIP_CELLS - 1 - cell) & 1 ? 235 : 16, (size_t)(to - from));
  }
  for (int y = 1; y < height; y += 1) memcpy(row + (ptrdiff_t)y * picture->linesize[0], row, (size_t)picture->width);
  for (int plane = 1; plane < 3; plane += 1) {
    for (int y = 0; y < (height + 1) / 2; y += 1) {
      memset(picture->data[plane] + (ptrdiff_t)y * picture->linesize[plane], 128, (size_t)(picture->width + 1) / 2);
    }
  }
}

static int mean(const AVFrame *picture, int x0, int x1, int y0, int y1) {
  int64_t sum = 0;
  for (int y = y0; y < y1; y += 1) {
    const uint8_t *row = picture->data[0] + (ptrdiff_t)y * picture->linesize[0];
    for (int x = x0; x < x1; x += 1) sum += row[x];
  }
  return (int)(sum / ((int64_t)(x1 - x0) * (y1 - y0)));
}

/* Pictures whose first plane is 8-bit luma; for others nothing can be read. */
static int has_luma(const AVFrame *picture) {
  switch (picture->format) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUV422P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUV444P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_NV12: return 1;
    default: return 0;
  }
}

uint64_t tk_strip_read(const AVFrame *picture) {
  int width = picture->width, height = picture->height;
  if (!has_luma(picture) || width < TK_STRIP_CELLS * 2 || height < 90) return TK_NO_STRIP;
  int y0 = height / 90, y1 = height / 30;
  uint64_t bits = 0;
  int darkest_white = 255, lightest_black = 0;
  for (int cell = 0; cell < TK_STRIP_CELLS; cell += 1) {
    int x0 = (int)((cell + 0.3) * width / TK_STRIP_CELLS);
    int x1 = (int)((cell + 0.7) * width / TK_STRIP_CELLS);
    int level = mean(picture, x0, x1 > x0 ? x1 : x0 + 1, y0, y1 > y0 ? y1 : y0 + 1);
    bits <<= 1;
    if (level >= 126) {
      bits |= 1;
      if (level < darkest_white) darkest_white = level;
    } else if (level > lightest_black) {
      lightest_black = level;
    }
  }
  if (darkest_white - lightest_black < 30) return TK_NO_STRIP;
  uint64_t value = bits >> TK_STRIP_CHECK_BITS;
  return tk_strip_check(value) == (bits & 0xFF) ? value : TK_NO_STRIP;
}

int tk_flash_read(const AVFrame *picture) {
  int width = picture->width, height = picture->height;
  if (!has_luma(picture) || width < 32 || height < 32) return 0;
  return mean(picture, width * 13 / 16, width * 15 / 16, height * 13 / 16, height * 15 / 16) >= 170;
}
