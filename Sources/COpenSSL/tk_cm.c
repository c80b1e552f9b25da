/* The plain hash functions: EVP_MAC of OpenSSL 3.0 allocates for every message. They have been called deprecated since
   3.0 and are in every release. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "tk_crypto.h"

struct tk_cm {
  EVP_CIPHER_CTX *cipher;
  /* SHA-1 after the block of the inner and of the outer key (RFC 2104): every message begins with a copy. */
  SHA_CTX inner;
  SHA_CTX outer;
};

static int begin_hash(SHA_CTX *hash, const uint8_t key[20], uint8_t pad) {
  uint8_t block[SHA_CBLOCK];
  memset(block, pad, sizeof block);
  for (int i = 0; i < 20; i++) block[i] ^= key[i];
  int done = SHA1_Init(hash) == 1 && SHA1_Update(hash, block, sizeof block) == 1;
  OPENSSL_cleanse(block, sizeof block);
  return done;
}

tk_cm *tk_cm_create(const uint8_t key[16], const uint8_t authentication_key[20]) {
  tk_cm *cm = calloc(1, sizeof *cm);
  if (cm == NULL) return NULL;
  cm->cipher = EVP_CIPHER_CTX_new();
  if (cm->cipher != NULL && EVP_EncryptInit_ex(cm->cipher, EVP_aes_128_ctr(), NULL, key, NULL) == 1 &&
      begin_hash(&cm->inner, authentication_key, 0x36) && begin_hash(&cm->outer, authentication_key, 0x5C)) {
    return cm;
  }
  tk_cm_free(cm);
  return NULL;
}

void tk_cm_free(tk_cm *cm) {
  if (cm == NULL) return;
  EVP_CIPHER_CTX_free(cm->cipher);
  OPENSSL_cleanse(cm, sizeof *cm);
  free(cm);
}

/* HMAC-SHA1 over the packet and its rollover count. */
static int authenticate(const tk_cm *cm, const uint8_t *packet, size_t count, uint32_t rollover,
                        uint8_t digest[SHA_DIGEST_LENGTH]) {
  const uint8_t behind[4] = {(uint8_t)(rollover >> 24), (uint8_t)(rollover >> 16), (uint8_t)(rollover >> 8),
                             (uint8_t)rollover};
  SHA_CTX hash = cm->inner;
  if (SHA1_Update(&hash, packet, count) != 1 || SHA1_Update(&hash, behind, sizeof behind) != 1) return 0;
  if (SHA1_Final(digest, &hash) != 1) return 0;
  hash = cm->outer;
  return SHA1_Update(&hash, digest, SHA_DIGEST_LENGTH) == 1 && SHA1_Final(digest, &hash) == 1;
}

size_t tk_cm_seal(tk_cm *cm, const uint8_t counter[16], uint32_t rollover, const uint8_t *header, size_t header_count,
                  const uint8_t *prefix, size_t prefix_count, const uint8_t *payload, size_t payload_count,
                  uint8_t padding_count, uint8_t *out) {
  if (prefix_count > INT_MAX || payload_count > INT_MAX) return 0;
  if (EVP_EncryptInit_ex(cm->cipher, NULL, NULL, NULL, counter) != 1) return 0;
  memcpy(out, header, header_count);
  uint8_t *text = out + header_count;
  int written = 0;
  if (prefix_count > 0) {
    if (EVP_EncryptUpdate(cm->cipher, text, &written, prefix, (int)prefix_count) != 1) return 0;
    text += prefix_count;
  }
  if (payload_count > 0) {
    if (EVP_EncryptUpdate(cm->cipher, text, &written, payload, (int)payload_count) != 1) return 0;
    text += payload_count;
  }
  if (padding_count > 0) {
    uint8_t padding[UINT8_MAX] = {0};
    padding[padding_count - 1] = padding_count;
    if (EVP_EncryptUpdate(cm->cipher, text, &written, padding, padding_count) != 1) return 0;
    text += padding_count;
  }
  uint8_t digest[SHA_DIGEST_LENGTH];
  if (!authenticate(cm, out, (size_t)(text - out), rollover, digest)) return 0;
  memcpy(text, digest, TK_CM_TAG_COUNT);
  return (size_t)(text - out) + TK_CM_TAG_COUNT;
}

int tk_cm_open(tk_cm *cm, const uint8_t counter[16], uint32_t rollover, uint8_t *packet, size_t header_count,
               size_t packet_count) {
  if (packet_count > INT_MAX || header_count > packet_count) return 0;
  uint8_t digest[SHA_DIGEST_LENGTH];
  if (!authenticate(cm, packet, packet_count, rollover, digest)) return 0;
  if (CRYPTO_memcmp(digest, packet + packet_count, TK_CM_TAG_COUNT) != 0) return 0;
  uint8_t *text = packet + header_count;
  int count = (int)(packet_count - header_count), written = 0;
  if (EVP_EncryptInit_ex(cm->cipher, NULL, NULL, NULL, counter) != 1) return 0;
  return count == 0 || EVP_EncryptUpdate(cm->cipher, text, &written, text, count) == 1;
}
