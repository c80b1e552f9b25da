#ifndef CSRTP_H
#define CSRTP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One direction of an SRTP session, all of its SSRCs under one master key (libsrtp2). Used by one thread at a time. */
typedef struct tk_srtp tk_srtp;

typedef enum {
  TK_SRTP_OK = 0,
  TK_SRTP_REPLAYED = 1,
  TK_SRTP_AUTHENTICATION = 2,
  TK_SRTP_MALFORMED = 3,
} tk_srtp_status;

/* profile is the number of RFC 5764 and RFC 7714: 1, 7 or 8. NULL when libsrtp2 refuses. */
tk_srtp *tk_srtp_create(int profile, const uint8_t *key, int key_count, const uint8_t *salt, int salt_count,
                        int outbound);
void tk_srtp_free(tk_srtp *session);

/* All work in place. count is read and written. Protecting appends up to 16 bytes (RTP) or 20 (RTCP). */
tk_srtp_status tk_srtp_protect(tk_srtp *session, void *packet, int *count);
tk_srtp_status tk_srtp_unprotect(tk_srtp *session, void *packet, int *count);
tk_srtp_status tk_srtp_protect_rtcp(tk_srtp *session, void *packet, int *count);
tk_srtp_status tk_srtp_unprotect_rtcp(tk_srtp *session, void *packet, int *count);

/* Says which rollover count the next packet of an SSRC has, where it cannot be told from the packet before. */
tk_srtp_status tk_srtp_set_rollover(tk_srtp *session, uint32_t ssrc, uint32_t rollover);

#ifdef __cplusplus
}
#endif

#endif
