#include "tk_crypto.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

/* The pointer handed out is the cipher context itself. */
static EVP_CIPHER_CTX *context(tk_gcm *gcm) { return (EVP_CIPHER_CTX *)gcm; }

tk_gcm *tk_gcm_create(const uint8_t *key, size_t key_count, int sealing) {
  const EVP_CIPHER *cipher = key_count == 16 ? EVP_aes_128_gcm() : key_count == 32 ? EVP_aes_256_gcm() : NULL;
  if (cipher == NULL) return NULL;
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
  if (ctx == NULL) return NULL;
  /* 12 bytes is the default length of the initialisation vector. */
  if (EVP_CipherInit_ex(ctx, cipher, NULL, key, NULL, sealing ? 1 : 0) != 1) {
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
  }
  return (tk_gcm *)ctx;
}

void tk_gcm_free(tk_gcm *gcm) { EVP_CIPHER_CTX_free(context(gcm)); }

size_t tk_gcm_seal(tk_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count, const uint8_t *prefix,
                   size_t prefix_count, const uint8_t *payload, size_t payload_count, uint8_t padding_count,
                   uint8_t *out) {
  EVP_CIPHER_CTX *ctx = context(gcm);
  int written = 0;
  if (aad_count > INT_MAX || prefix_count > INT_MAX || payload_count > INT_MAX) return 0;
  if (EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv) != 1) return 0;
  if (aad_count > 0) {
    memcpy(out, aad, aad_count);
    if (EVP_EncryptUpdate(ctx, NULL, &written, aad, (int)aad_count) != 1) return 0;
  }
  uint8_t *text = out + aad_count;
  if (prefix_count > 0) {
    if (EVP_EncryptUpdate(ctx, text, &written, prefix, (int)prefix_count) != 1) return 0;
    text += prefix_count;
  }
  if (payload_count > 0) {
    if (EVP_EncryptUpdate(ctx, text, &written, payload, (int)payload_count) != 1) return 0;
    text += payload_count;
  }
  if (padding_count > 0) {
    uint8_t padding[UINT8_MAX] = {0};
    padding[padding_count - 1] = padding_count;
    if (EVP_EncryptUpdate(ctx, text, &written, padding, padding_count) != 1) return 0;
    text += padding_count;
  }
  /* GCM is a stream: nothing is left over for the final step to write. */
  if (EVP_EncryptFinal_ex(ctx, text, &written) != 1) return 0;
  if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, text) != 1) return 0;
  return (size_t)(text + 16 - out);
}

int tk_gcm_seal_in_place(tk_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count, uint8_t *text,
                         size_t text_count) {
  EVP_CIPHER_CTX *ctx = context(gcm);
  int written = 0;
  if (aad_count > INT_MAX || text_count > INT_MAX) return 0;
  if (EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv) != 1) return 0;
  if (aad_count > 0 && EVP_EncryptUpdate(ctx, NULL, &written, aad, (int)aad_count) != 1) return 0;
  if (text_count > 0 && EVP_EncryptUpdate(ctx, text, &written, text, (int)text_count) != 1) return 0;
  if (EVP_EncryptFinal_ex(ctx, text + text_count, &written) != 1) return 0;
  return EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, text + text_count) == 1;
}

int tk_gcm_open(tk_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count, uint8_t *text,
                size_t text_count) {
  EVP_CIPHER_CTX *ctx = context(gcm);
  int written = 0;
  uint8_t unused[16];
  if (aad_count > INT_MAX || text_count > INT_MAX) return 0;
  if (EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, iv) != 1) return 0;
  if (aad_count > 0 && EVP_DecryptUpdate(ctx, NULL, &written, aad, (int)aad_count) != 1) return 0;
  if (text_count > 0 && EVP_DecryptUpdate(ctx, text, &written, text, (int)text_count) != 1) return 0;
  if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, text + text_count) != 1) return 0;
  return EVP_DecryptFinal_ex(ctx, unused, &written) == 1;
}

int tk_aes_keystream(const uint8_t *key, size_t key_count, const uint8_t block[16], uint8_t *out, size_t count) {
  const EVP_CIPHER *cipher = key_count == 16 ? EVP_aes_128_ctr() : key_count == 32 ? EVP_aes_256_ctr() : NULL;
  if (cipher == NULL || count > INT_MAX) return 0;
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
  if (ctx == NULL) return 0;
  int written = 0;
  memset(out, 0, count);
  int done = EVP_EncryptInit_ex(ctx, cipher, NULL, key, block) == 1 &&
             EVP_EncryptUpdate(ctx, out, &written, out, (int)count) == 1;
  EVP_CIPHER_CTX_free(ctx);
  return done;
}

static pthread_once_t hmac_once = PTHREAD_ONCE_INIT;
static EVP_MAC *hmac;
static void fetch_hmac(void) { hmac = EVP_MAC_fetch(NULL, "HMAC", NULL); }

int tk_hmac_sha1(const void *key, size_t key_count, const tk_part *parts, size_t part_count, uint8_t out[20]) {
  /* Fetching takes locks and a search by name: once in a process is enough. */
  pthread_once(&hmac_once, fetch_hmac);
  EVP_MAC_CTX *ctx = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
  if (ctx == NULL) return 0;
  char digest[] = "SHA1";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  /* A null key would mean "the key of before", so an empty one needs an address. */
  static const unsigned char empty = 0;
  int done = EVP_MAC_init(ctx, key_count == 0 ? &empty : key, key_count, params) == 1;
  for (size_t index = 0; done && index < part_count; index++) {
    if (parts[index].count > 0) done = EVP_MAC_update(ctx, parts[index].bytes, parts[index].count) == 1;
  }
  size_t written = 0;
  done = done && EVP_MAC_final(ctx, out, &written, 20) == 1 && written == 20;
  EVP_MAC_CTX_free(ctx);
  return done;
}

int tk_sha256(const void *bytes, size_t count, uint8_t out[32]) {
  unsigned int written = 0;
  return EVP_Digest(bytes, count, out, &written, EVP_sha256(), NULL) == 1 && written == 32;
}

int tk_random(void *out, size_t count) { return count <= INT_MAX && RAND_bytes(out, (int)count) == 1; }

void tk_cleanse(void *bytes, size_t count) { OPENSSL_cleanse(bytes, count); }

int tk_equal(const void *left, const void *right, size_t count) { return CRYPTO_memcmp(left, right, count) == 0; }
