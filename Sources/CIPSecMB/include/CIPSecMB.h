#ifndef CIPSECMB_H
#define CIPSECMB_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* AES-GCM by intel-ipsec-mb, on x86-64. The library is looked for when the process runs, never linked: without it, or
   built without its header, everything here says that it is not available. */

/* One AES-GCM key, made once, then used in either direction for any number of messages without allocating. */
typedef struct tk_mb_gcm tk_mb_gcm;

/* 1 when the library is there, of a version this was built for, fit for this processor, and gets known answers right.
   Found out once in a process. */
int tk_mb_available(void);

/* key_count is 16 or 32. NULL when the library is not available. */
tk_mb_gcm *tk_mb_gcm_create(const uint8_t *key, size_t key_count);
void tk_mb_gcm_free(tk_mb_gcm *gcm);
/* Fetches the key into the processor's cache while something else is computed. */
void tk_mb_gcm_prefetch(const tk_mb_gcm *gcm);

/* The same for any memory that will be read and written soon; without effect where there is none. */
static inline void tk_prefetch(const void *bytes, size_t count) {
  for (size_t offset = 0; offset < count; offset += 64) __builtin_prefetch((const char *)bytes + offset, 1);
}

/* Copies aad to out, then writes the encrypted prefix, payload and RTP padding (padding_count bytes: zeros, the last
   is their count) and the 16-byte tag behind it, in one pass.
   out holds aad_count + prefix_count + payload_count + padding_count + 16 bytes and overlaps none of the inputs.
   Returns the bytes written. */
size_t tk_mb_gcm_seal(const tk_mb_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count,
                      const uint8_t *prefix, size_t prefix_count, const uint8_t *payload, size_t payload_count,
                      uint8_t padding_count, uint8_t *out);

/* Encrypts text_count bytes in place and writes the 16-byte tag right behind them. */
void tk_mb_gcm_seal_in_place(const tk_mb_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count,
                             uint8_t *text, size_t text_count);

/* Decrypts text_count bytes in place; the 16-byte tag lies right behind them. 1 when authentic; otherwise 0, and the
   text is worthless. */
int tk_mb_gcm_open(const tk_mb_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count, uint8_t *text,
                   size_t text_count);

#ifdef __cplusplus
}
#endif

#endif
