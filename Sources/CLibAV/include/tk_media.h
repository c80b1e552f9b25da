#ifndef TK_MEDIA_H
#define TK_MEDIA_H

#include <stddef.h>
#include <stdint.h>

/* What a call answers: TK_OK, TK_END or TK_AGAIN, else a negative failure. */
enum {
  TK_OK = 0,
  TK_END = 1,
  TK_AGAIN = 2,
  TK_CANNOT_OPEN = -1,
  TK_NO_STREAM = -2,
  TK_CODEC_MISSING = -3,
  TK_DECODE = -4,
  TK_ENCODE = -5,
  TK_WRITE = -6,
  TK_UNSUPPORTED = -7,
};

/* Encodings, the same numbers everywhere. */
enum { TK_NONE = 0, TK_H264 = 1, TK_VP8 = 2, TK_OPUS = 3 };

/* One encoded packet; the bytes belong to the object that gave it and last until the next call on it. */
typedef struct {
  const uint8_t *bytes;
  size_t count;
  int64_t presentation_us;
  int64_t duration_us;
  int is_key;
  int encoding;
} tk_packet;

/* A flag that any thread may raise to end a blocking open or read. */
typedef struct tk_flag tk_flag;
tk_flag *tk_flag_create(void);
void tk_flag_raise(tk_flag *flag);
void tk_flag_free(tk_flag *flag);

/* Words for the last failure of a call on this thread; never NULL. */
const char *tk_media_message(void);

/* 1 when this machine's libraries have an encoder, decoder or container of that name. */
int tk_media_has_encoder(const char *name);
int tk_media_has_decoder(const char *name);
int tk_media_has_container(const char *name);

/* Strip along the top edge: 36 bits of value, most significant first, and 8 check bits, in equal cells. */
enum { TK_STRIP_VALUE_BITS = 36, TK_STRIP_CHECK_BITS = 8, TK_STRIP_CELLS = 44 };
uint8_t tk_strip_check(uint64_t value);

/* Duration in microseconds of an Opus packet by its table of contents (RFC 6716 3.1); 0 when malformed. */
int64_t tk_opus_duration_us(const uint8_t *bytes, size_t count);

#endif
