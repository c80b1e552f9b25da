#include "CSRTP.h"

#include <pthread.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

struct tk_srtp {
  srtp_t session;
  srtp_policy_t policy;
  /* Master key and salt, which policy points to. */
  unsigned char key[SRTP_MAX_KEY_LEN];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static srtp_err_status_t initialised;
static void initialise(void) { initialised = srtp_init(); }

tk_srtp *tk_srtp_create(int profile, const uint8_t *key, int key_count, const uint8_t *salt, int salt_count,
                        int outbound) {
  pthread_once(&once, initialise);
  if (initialised != srtp_err_status_ok) return NULL;
  if (key_count < 0 || salt_count < 0 || key_count + salt_count > SRTP_MAX_KEY_LEN) return NULL;
  tk_srtp *self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  memcpy(self->key, key, (size_t)key_count);
  memcpy(self->key + key_count, salt, (size_t)salt_count);
  self->policy.key = self->key;
  self->policy.window_size = 128;
  self->policy.ssrc.type = outbound ? ssrc_any_outbound : ssrc_any_inbound;
  srtp_profile_t number = (srtp_profile_t)profile;
  if (srtp_crypto_policy_set_from_profile_for_rtp(&self->policy.rtp, number) != srtp_err_status_ok ||
      srtp_crypto_policy_set_from_profile_for_rtcp(&self->policy.rtcp, number) != srtp_err_status_ok ||
      srtp_profile_get_master_key_length(number) != (unsigned)key_count ||
      srtp_profile_get_master_salt_length(number) != (unsigned)salt_count ||
      srtp_create(&self->session, &self->policy) != srtp_err_status_ok) {
    free(self);
    return NULL;
  }
  return self;
}

void tk_srtp_free(tk_srtp *self) {
  if (self == NULL) return;
  srtp_dealloc(self->session);
  volatile unsigned char *key = self->key;
  for (size_t index = 0; index < sizeof self->key; index++) key[index] = 0;
  free(self);
}

static tk_srtp_status status(srtp_err_status_t code) {
  switch (code) {
    case srtp_err_status_ok: return TK_SRTP_OK;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old: return TK_SRTP_REPLAYED;
    case srtp_err_status_auth_fail: return TK_SRTP_AUTHENTICATION;
    default: return TK_SRTP_MALFORMED;
  }
}

tk_srtp_status tk_srtp_protect(tk_srtp *self, void *packet, int *count) {
  return status(srtp_protect(self->session, packet, count));
}

tk_srtp_status tk_srtp_unprotect(tk_srtp *self, void *packet, int *count) {
  return status(srtp_unprotect(self->session, packet, count));
}

tk_srtp_status tk_srtp_protect_rtcp(tk_srtp *self, void *packet, int *count) {
  return status(srtp_protect_rtcp(self->session, packet, count));
}

tk_srtp_status tk_srtp_unprotect_rtcp(tk_srtp *self, void *packet, int *count) {
  return status(srtp_unprotect_rtcp(self->session, packet, count));
}

tk_srtp_status tk_srtp_set_rollover(tk_srtp *self, uint32_t ssrc, uint32_t rollover) {
  srtp_err_status_t code = srtp_set_stream_roc(self->session, ssrc, rollover);
  if (code == srtp_err_status_bad_param) {
    /* Not seen yet: a stream of its own instead of one made from the template by its first packet. */
    srtp_policy_t policy = self->policy;
    policy.ssrc.type = ssrc_specific;
    policy.ssrc.value = ssrc;
    code = srtp_add_stream(self->session, &policy);
    if (code == srtp_err_status_ok) code = srtp_set_stream_roc(self->session, ssrc, rollover);
  }
  return status(code);
}
