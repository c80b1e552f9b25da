#include <string.h>

#include "tk_mux_internal.h"

typedef struct {
  uint8_t *bytes;
  size_t count, capacity;
  int has_sps, has_pps;
} parameter_sets;

static int collect_parameters(void *context, const uint8_t *nal, size_t count) {
  parameter_sets *sets = context;
  int type = nal[0] & 0x1F;
  if ((type != 7 && type != 8) || sets->count + count + 4 > sets->capacity) return 1;
  static const uint8_t start_code[4] = {0, 0, 0, 1};
  memcpy(sets->bytes + sets->count, start_code, 4);
  memcpy(sets->bytes + sets->count + 4, nal, count);
  sets->count += count + 4;
  sets->has_sps |= type == 7;
  sets->has_pps |= type == 8;
  return 1;
}

/* Size of the picture by the library's parser; 0 when it does not read as a key frame. */
static int read_size(enum AVCodecID codec, const AVPacket *key, AVCodecParameters *parameters) {
  if (codec == AV_CODEC_ID_VP8) {
    if (key->size < 10 || key->data[0] & 1 || memcmp(key->data + 3, "\x9D\x01\x2A", 3) != 0) return 0;
    parameters->width = (key->data[6] | key->data[7] << 8) & 0x3FFF;
    parameters->height = (key->data[8] | key->data[9] << 8) & 0x3FFF;
    return parameters->width > 0 && parameters->height > 0;
  }
  AVCodecContext *context = avcodec_alloc_context3(NULL);
  AVCodecParserContext *parser = av_parser_init(codec);
  if (context && parser) {
    context->codec_id = codec;
    context->codec_type = AVMEDIA_TYPE_VIDEO;
    parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
    uint8_t *out;
    int count;
    av_parser_parse2(parser, context, &out, &count, key->data, key->size, 0, 0, 0);
    parameters->width = parser->width;
    parameters->height = parser->height;
    parameters->profile = context->profile;
    parameters->level = context->level;
    parameters->format = parser->format;
  }
  if (parser) av_parser_close(parser);
  avcodec_free_context(&context);
  return parameters->width > 0 && parameters->height > 0;
}

static int fill_parameters(const tk_muxer *muxer, const AVPacket *key, AVCodecParameters *parameters) {
  parameters->codec_type = AVMEDIA_TYPE_VIDEO;
  parameters->codec_id = muxer->container == TK_MP4 ? AV_CODEC_ID_H264 : AV_CODEC_ID_VP8;
  if (!read_size(parameters->codec_id, key, parameters)) return 0;
  if (muxer->container == TK_WEBM) return 1;
  parameters->extradata = av_mallocz((size_t)key->size + AV_INPUT_BUFFER_PADDING_SIZE);
  if (!parameters->extradata) return 0;
  parameter_sets sets = {.bytes = parameters->extradata, .capacity = (size_t)key->size};
  tk_each_nal(key->data, (size_t)key->size, collect_parameters, &sets);
  parameters->extradata_size = (int)sets.count;
  return sets.has_sps && sets.has_pps;
}

int tk_mux_picture_is_usable(const tk_muxer *muxer, const AVPacket *packet) {
  AVCodecParameters *parameters = avcodec_parameters_alloc();
  int is_usable = parameters && fill_parameters(muxer, packet, parameters);
  avcodec_parameters_free(&parameters);
  return is_usable;
}

int tk_mux_picture_open(tk_muxer *muxer) {
  muxer->video = avformat_new_stream(muxer->output, NULL);
  if (!muxer->video) return tk_fail(TK_WRITE, "memory", 0);
  muxer->video->time_base = (AVRational){1, 90000};
  if (!fill_parameters(muxer, muxer->first_key, muxer->video->codecpar)) return tk_fail(TK_WRITE, "parameter sets", 0);
  return TK_OK;
}

void tk_mux_picture_note(tk_muxer *muxer, const AVPacket *key, int64_t at_us) {
  AVCodecParameters *parameters = avcodec_parameters_alloc();
  enum AVCodecID codec = muxer->container == TK_MP4 ? AV_CODEC_ID_H264 : AV_CODEC_ID_VP8;
  if (parameters && read_size(codec, key, parameters)) {
    const tk_picture_size *last = muxer->size_count > 0 ? &muxer->sizes[muxer->size_count - 1] : NULL;
    int is_other = !last || last->width != parameters->width || last->height != parameters->height;
    if (is_other && muxer->size_count < TK_SIZE_LIMIT) {
      tk_picture_size *size = &muxer->sizes[muxer->size_count];
      *size = (tk_picture_size){at_us - muxer->zero_us, parameters->width, parameters->height};
      muxer->size_count += 1;
    }
  }
  avcodec_parameters_free(&parameters);
}
