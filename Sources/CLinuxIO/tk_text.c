#include "tk_text.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

/* Two bytes make three at most, four make four, one makes one. */
size_t tk_gb18030_limit(size_t count) { return count + count / 2 + 4; }

static int64_t convert(const char *to, const char *from, const uint8_t *bytes, size_t count, uint8_t *out,
                       size_t limit) {
  iconv_t conversion = iconv_open(to, from);
  if (conversion == (iconv_t)-1) return errno == EINVAL ? -EOPNOTSUPP : -errno;
  /* iconv does not write to its input, whatever its prototype says. */
  char *in = (char *)(uintptr_t)bytes;
  char *end = (char *)out;
  size_t in_left = count;
  size_t out_left = limit;
  size_t result = iconv(conversion, &in, &in_left, &end, &out_left);
  int error = result == (size_t)-1 ? errno : 0;
  iconv_close(conversion);
  /* Half a character at the end is no better than a wrong one. */
  if (error == EINVAL) error = EILSEQ;
  return error != 0 ? -error : (int64_t)(limit - out_left);
}

int64_t tk_gb18030_to_utf8(const uint8_t *bytes, size_t count, uint8_t *out, size_t limit) {
  if (count > 0 && memchr(bytes, 0, count) != NULL) return -EILSEQ;
  return convert("UTF-8", "GB18030", bytes, count, out, limit);
}

int64_t tk_utf8_to_gb18030(const uint8_t *bytes, size_t count, uint8_t *out, size_t limit) {
  return convert("GB18030", "UTF-8", bytes, count, out, limit);
}
