#ifndef TK_CRYPTO_H
#define TK_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One direction of AES-GCM under one key, made once, then used for any number of messages without allocating. */
typedef struct tk_gcm tk_gcm;

/* key_count is 16 or 32; sealing is 1 to encrypt and 0 to decrypt. NULL when the library refuses. */
tk_gcm *tk_gcm_create(const uint8_t *key, size_t key_count, int sealing);
void tk_gcm_free(tk_gcm *gcm);

/* Copies aad to out, then writes the encrypted prefix, payload and RTP padding (padding_count bytes: zeros, the last
   is their count) and the 16-byte tag behind it, in one pass.
   out holds aad_count + prefix_count + payload_count + padding_count + 16 bytes and overlaps none of the inputs.
   Returns the bytes written, 0 when the library fails. */
size_t tk_gcm_seal(tk_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count, const uint8_t *prefix,
                   size_t prefix_count, const uint8_t *payload, size_t payload_count, uint8_t padding_count,
                   uint8_t *out);

/* Encrypts text_count bytes in place and writes the 16-byte tag right behind them. 1 on success. */
int tk_gcm_seal_in_place(tk_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count, uint8_t *text,
                         size_t text_count);

/* Decrypts text_count bytes in place; the 16-byte tag lies right behind them. 1 when authentic; otherwise 0, and the
   text is worthless. */
int tk_gcm_open(tk_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count, uint8_t *text,
                size_t text_count);

/* AES_CM_128_HMAC_SHA1_80 (RFC 3711 4.1.1, 4.2.1) under one session key, either direction, without allocating. */
typedef struct tk_cm tk_cm;
enum { TK_CM_TAG_COUNT = 10 };

/* NULL when the library refuses. */
tk_cm *tk_cm_create(const uint8_t key[16], const uint8_t authentication_key[20]);
void tk_cm_free(tk_cm *cm);

/* Copies the header to out, then writes the encrypted prefix, payload and RTP padding (as tk_gcm_seal's) and the tag
   behind it. counter is the first counter block, rollover the upper 32 bits of the packet's index.
   out holds header_count + prefix_count + payload_count + padding_count + TK_CM_TAG_COUNT bytes and overlaps none of
   the inputs. Returns the bytes written, 0 when the library fails. */
size_t tk_cm_seal(tk_cm *cm, const uint8_t counter[16], uint32_t rollover, const uint8_t *header, size_t header_count,
                  const uint8_t *prefix, size_t prefix_count, const uint8_t *payload, size_t payload_count,
                  uint8_t padding_count, uint8_t *out);

/* Authenticates the packet, whose tag lies right behind its packet_count bytes, and then decrypts it in place behind
   its header. 1 when authentic; otherwise 0, with nothing changed. */
int tk_cm_open(tk_cm *cm, const uint8_t counter[16], uint32_t rollover, uint8_t *packet, size_t header_count,
               size_t packet_count);

/* AES counter-mode keystream from a 16-byte initial block (RFC 3711 4.1.1). 1 on success. */
int tk_aes_keystream(const uint8_t *key, size_t key_count, const uint8_t block[16], uint8_t *out, size_t count);

typedef struct {
  const void *bytes;
  size_t count;
} tk_part;

/* HMAC-SHA1 (RFC 2104) over the parts in order. 1 on success. */
int tk_hmac_sha1(const void *key, size_t key_count, const tk_part *parts, size_t part_count, uint8_t out[20]);

/* 1 on success. */
int tk_sha256(const void *bytes, size_t count, uint8_t out[32]);

/* Bytes of the system's secure generator. 1 on success. */
int tk_random(void *out, size_t count);

/* Overwrites a secret in a way that no compiler leaves out. */
void tk_cleanse(void *bytes, size_t count);

/* 1 when equal; takes the same time wherever they differ. */
int tk_equal(const void *left, const void *right, size_t count);

#ifdef __cplusplus
}
#endif

#endif
