#define _GNU_SOURCE
#include "CIPSecMB.h"

#include <stdlib.h>

#if defined(__x86_64__) && defined(__linux__) && __has_include(<intel-ipsec-mb.h>)

#include <dlfcn.h>
#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <string.h>

enum { TAG_COUNT = 16 };

/* The library's functions for one key size. They keep no state but what they are handed: any thread may call them. */
struct functions {
  aes_gcm_pre_t expand;
  aes_gcm_enc_dec_t seal;
  aes_gcm_enc_dec_t open;
  aes_gcm_init_t begin;
  aes_gcm_enc_dec_update_t update;
  aes_gcm_enc_dec_finalize_t finish;
};

struct tk_mb_gcm {
  _Alignas(64) struct gcm_key_data key;
  const struct functions *functions;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int available;
static struct functions functions128;
static struct functions functions256;

/* Sixteen zeros under the key of zeros (McGrew and Viega, "The Galois/Counter Mode of Operation", cases 2 and 14), and
   whether the expanded key stays within the size this was built with. */
static int answers(const struct functions *functions, const uint8_t expected[32]) {
  static const uint8_t zeros[32];
  struct {
    _Alignas(64) struct gcm_key_data key;
    uint8_t behind[512];
  } memory;
  struct gcm_context_data state;
  uint8_t sealed[16 + TAG_COUNT];
  memset(&memory, 0xA5, sizeof memory);
  functions->expand(zeros, &memory.key);
  for (size_t index = 0; index < sizeof memory.behind; index++) {
    if (memory.behind[index] != 0xA5) return 0;
  }
  functions->seal(&memory.key, &state, sealed, zeros, 16, zeros, zeros, 0, sealed + 16, TAG_COUNT);
  return memcmp(sealed, expected, sizeof sealed) == 0;
}

static int answers_are_right(void) {
  static const uint8_t expected128[32] = {0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92, 0xf3, 0x28, 0xc2,
                                          0xb9, 0x71, 0xb2, 0xfe, 0x78, 0xab, 0x6e, 0x47, 0xd4, 0x2c, 0xec,
                                          0x13, 0xbd, 0xf5, 0x3a, 0x67, 0xb2, 0x12, 0x57, 0xbd, 0xdf};
  static const uint8_t expected256[32] = {0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5,
                                          0xd3, 0xba, 0xf3, 0x9d, 0x18, 0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99,
                                          0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19};
  return answers(&functions128, expected128) && answers(&functions256, expected256);
}

static void take_functions(const IMB_MGR *library) {
  functions128 = (struct functions){library->gcm128_pre,  library->gcm128_enc,        library->gcm128_dec,
                                    library->gcm128_init, library->gcm128_enc_update, library->gcm128_enc_finalize};
  functions256 = (struct functions){library->gcm256_pre,  library->gcm256_enc,        library->gcm256_dec,
                                    library->gcm256_init, library->gcm256_enc_update, library->gcm256_enc_finalize};
}

/* The library is never closed again: its functions are called until the process ends. */
static void look(void) {
  void *handle = dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return;
  unsigned (*version)(void) = (unsigned (*)(void))dlsym(handle, "imb_get_version");
  IMB_MGR *(*create)(uint64_t) = (IMB_MGR * (*)(uint64_t)) dlsym(handle, "alloc_mb_mgr");
  void (*initialise)(IMB_MGR *, IMB_ARCH *) = (void (*)(IMB_MGR *, IMB_ARCH *))dlsym(handle, "init_mb_mgr_auto");
  void (*release)(IMB_MGR *) = (void (*)(IMB_MGR *))dlsym(handle, "free_mb_mgr");
  if (version == NULL || create == NULL || initialise == NULL || release == NULL) return;
  /* Within a major version the functions keep their places in the structure. */
  if (version() < IMB_VERSION(1, 0, 0) || version() >> 16 != IMB_VERSION_NUM >> 16) return;
  IMB_MGR *library = create(0);
  if (library == NULL) return;
  IMB_ARCH architecture = IMB_ARCH_NONE;
  initialise(library, &architecture);
  /* Without the processor's own AES it would be slower than OpenSSL. */
  const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
  int is_fit = architecture != IMB_ARCH_NONE && architecture != IMB_ARCH_NOAESNI &&
               (library->features & needed) == needed;
  if (is_fit) take_functions(library);
  /* What is called here works on keys of our own: only its choice of functions was wanted. */
  release(library);
  available = is_fit && answers_are_right();
}

int tk_mb_available(void) {
  pthread_once(&once, look);
  return available;
}

tk_mb_gcm *tk_mb_gcm_create(const uint8_t *key, size_t key_count) {
  if (!tk_mb_available() || (key_count != 16 && key_count != 32)) return NULL;
  tk_mb_gcm *gcm = aligned_alloc(_Alignof(tk_mb_gcm), sizeof *gcm);
  if (gcm == NULL) return NULL;
  memset(gcm, 0, sizeof *gcm);
  gcm->functions = key_count == 16 ? &functions128 : &functions256;
  gcm->functions->expand(key, &gcm->key);
  return gcm;
}

void tk_mb_gcm_prefetch(const tk_mb_gcm *gcm) { tk_prefetch(gcm, sizeof *gcm); }

void tk_mb_gcm_free(tk_mb_gcm *gcm) {
  if (gcm == NULL) return;
  explicit_bzero(gcm, sizeof *gcm);
  free(gcm);
}

size_t tk_mb_gcm_seal(const tk_mb_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count,
                      const uint8_t *prefix, size_t prefix_count, const uint8_t *payload, size_t payload_count,
                      uint8_t padding_count, uint8_t *out) {
  const struct functions *functions = gcm->functions;
  struct gcm_context_data state;
  memcpy(out, aad, aad_count);
  uint8_t *text = out + aad_count;
  if (prefix_count == 0 && padding_count == 0) {
    uint8_t *tag = text + payload_count;
    functions->seal(&gcm->key, &state, text, payload, payload_count, iv, aad, aad_count, tag, TAG_COUNT);
    return aad_count + payload_count + TAG_COUNT;
  }
  functions->begin(&gcm->key, &state, iv, aad, aad_count);
  if (prefix_count > 0) functions->update(&gcm->key, &state, text, prefix, prefix_count);
  text += prefix_count;
  if (payload_count > 0) functions->update(&gcm->key, &state, text, payload, payload_count);
  text += payload_count;
  if (padding_count > 0) {
    uint8_t padding[UINT8_MAX] = {0};
    padding[padding_count - 1] = padding_count;
    functions->update(&gcm->key, &state, text, padding, padding_count);
    text += padding_count;
  }
  functions->finish(&gcm->key, &state, text, TAG_COUNT);
  return (size_t)(text + TAG_COUNT - out);
}

void tk_mb_gcm_seal_in_place(const tk_mb_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count,
                             uint8_t *text, size_t text_count) {
  struct gcm_context_data state;
  gcm->functions->seal(&gcm->key, &state, text, text, text_count, iv, aad, aad_count, text + text_count, TAG_COUNT);
}

int tk_mb_gcm_open(const tk_mb_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count, uint8_t *text,
                   size_t text_count) {
  struct gcm_context_data state;
  uint8_t tag[TAG_COUNT];
  const uint8_t *given = text + text_count;
  gcm->functions->open(&gcm->key, &state, text, text, text_count, iv, aad, aad_count, tag, TAG_COUNT);
  /* Every byte is looked at, so that the time does not tell where the tags differ. */
  volatile uint8_t difference = 0;
  for (int index = 0; index < TAG_COUNT; index++) difference |= tag[index] ^ given[index];
  return difference == 0;
}

#else

int tk_mb_available(void) { return 0; }

tk_mb_gcm *tk_mb_gcm_create(const uint8_t *key, size_t key_count) {
  (void)key, (void)key_count;
  return NULL;
}

void tk_mb_gcm_free(tk_mb_gcm *gcm) { (void)gcm; }

void tk_mb_gcm_prefetch(const tk_mb_gcm *gcm) { (void)gcm; }

/* No key can have been made, so none of these is ever called. */

size_t tk_mb_gcm_seal(const tk_mb_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count,
                      const uint8_t *prefix, size_t prefix_count, const uint8_t *payload, size_t payload_count,
                      uint8_t padding_count, uint8_t *out) {
  (void)gcm, (void)iv, (void)aad, (void)aad_count, (void)prefix, (void)prefix_count;
  (void)payload, (void)payload_count, (void)padding_count, (void)out;
  return 0;
}

void tk_mb_gcm_seal_in_place(const tk_mb_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count,
                             uint8_t *text, size_t text_count) {
  (void)gcm, (void)iv, (void)aad, (void)aad_count, (void)text, (void)text_count;
  abort();
}

int tk_mb_gcm_open(const tk_mb_gcm *gcm, const uint8_t iv[12], const uint8_t *aad, size_t aad_count, uint8_t *text,
                   size_t text_count) {
  (void)gcm, (void)iv, (void)aad, (void)aad_count, (void)text, (void)text_count;
  return 0;
}

#endif
