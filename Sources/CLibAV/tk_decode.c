#include "include/tk_decode.h"

#include <stdlib.h>
#include <string.h>

#include "tk_internal.h"

/* An access unit larger than this is not media (4 MiB: over 30 times a 720p key frame). */
enum { TK_UNIT_LIMIT = 4 * 1024 * 1024 };

struct tk_decoder {
  AVCodecContext *context;
  AVPacket *packet;
  AVFrame *frame;
};

tk_decoder *tk_decoder_open(int encoding, int is_fast, int *status) {
  tk_media_start();
  if (encoding != TK_H264 && encoding != TK_VP8) {
    *status = tk_fail(TK_UNSUPPORTED, "video encoding", 0);
    return NULL;
  }
  AVCodecParameters *parameters = avcodec_parameters_alloc();
  tk_decoder *decoder = calloc(1, sizeof *decoder);
  *status = TK_OK;
  if (decoder && parameters) {
    parameters->codec_type = AVMEDIA_TYPE_VIDEO;
    parameters->codec_id = encoding == TK_H264 ? AV_CODEC_ID_H264 : AV_CODEC_ID_VP8;
    decoder->context = tk_open_decoder(parameters, status);
    decoder->packet = av_packet_alloc();
    decoder->frame = av_frame_alloc();
  }
  avcodec_parameters_free(&parameters);
  if (*status == TK_OK && (!decoder || !decoder->context || !decoder->packet || !decoder->frame)) {
    *status = tk_fail(TK_DECODE, "memory", 0);
  }
  if (*status != TK_OK) {
    tk_decoder_free(decoder);
    return NULL;
  }
  /* Live pictures come out as they go in: nothing is held back for reordering. */
  decoder->context->flags |= AV_CODEC_FLAG_LOW_DELAY;
  if (is_fast) {
    decoder->context->skip_loop_filter = AVDISCARD_ALL;
    decoder->context->flags2 |= AV_CODEC_FLAG2_FAST;
  }
  return decoder;
}

void tk_decoder_free(tk_decoder *decoder) {
  if (!decoder) return;
  avcodec_free_context(&decoder->context);
  av_packet_free(&decoder->packet);
  av_frame_free(&decoder->frame);
  free(decoder);
}

int tk_decoder_send(tk_decoder *decoder, const uint8_t *bytes, size_t count) {
  if (count == 0 || count > TK_UNIT_LIMIT) return tk_fail(TK_DECODE, "access unit size", 0);
  av_packet_unref(decoder->packet);
  /* The library reads past the end of what it is given, so the bytes move into padded memory. */
  if (av_new_packet(decoder->packet, (int)count) < 0) return tk_fail(TK_DECODE, "memory", 0);
  memcpy(decoder->packet->data, bytes, count);
  int result = avcodec_send_packet(decoder->context, decoder->packet);
  av_packet_unref(decoder->packet);
  return result < 0 ? tk_fail(TK_DECODE, "decoder", result) : TK_OK;
}

int tk_decoder_receive(tk_decoder *decoder, tk_picture *picture) {
  int result = avcodec_receive_frame(decoder->context, decoder->frame);
  if (result == AVERROR(EAGAIN)) return TK_AGAIN;
  if (result == AVERROR_EOF) return TK_END;
  if (result < 0) return tk_fail(TK_DECODE, "decoder", result);
  *picture = (tk_picture){tk_strip_read(decoder->frame), tk_flash_read(decoder->frame), decoder->frame->width,
                          decoder->frame->height};
  av_frame_unref(decoder->frame);
  return TK_OK;
}
