#ifndef TK_TEXT_H
#define TK_TEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that are enough for the UTF-8 of count bytes of GB18030. */
size_t tk_gb18030_limit(size_t count);
/* Writes the UTF-8 of GB18030 text to out. Bytes written, or -errno: -EILSEQ for what is not GB18030 or holds a NUL,
   -E2BIG when limit is too small, -EOPNOTSUPP when the system's library has no table for it. */
int64_t tk_gb18030_to_utf8(const uint8_t *bytes, size_t count, uint8_t *out, size_t limit);
/* The other way round; twice as many bytes are enough. Bytes written, or -errno as above. */
int64_t tk_utf8_to_gb18030(const uint8_t *bytes, size_t count, uint8_t *out, size_t limit);

#ifdef __cplusplus
}
#endif

#endif
