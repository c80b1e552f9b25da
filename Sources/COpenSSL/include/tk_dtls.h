#ifndef TK_DTLS_H
#define TK_DTLS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A certificate with its key, and the context DTLS sessions are made from. */
typedef struct tk_identity tk_identity;
/* One DTLS 1.2 association over memory; datagram boundaries are kept. */
typedef struct tk_dtls tk_dtls;

/* Makes a P-256 key and a self-signed certificate for `days`, both as PEM. Free both with tk_free. 1 on success. */
int tk_certificate_self_signed(const char *common_name, int days, char **certificate_pem, char **key_pem);
/* Makes a certificate authority that may sign server certificates. */
int tk_certificate_authority(const char *common_name, int days, char **certificate_pem, char **key_pem);
/* Issues a server certificate; names is the subjectAltName value, such as "DNS:a,IP:10.0.0.1". */
int tk_certificate_issue(const char *authority_pem, const char *authority_key_pem, const char *common_name,
                         const char *names, int days, char **certificate_pem, char **key_pem);
/* Seconds until the certificate ends, negative when it has; INT64_MIN when it cannot be read. */
int64_t tk_certificate_seconds_left(const char *certificate_pem);
/* SHA-256 of the certificate's DER form. 1 on success. */
int tk_certificate_fingerprint(const char *certificate_pem, uint8_t out[32]);
void tk_free(char *text);

/* NULL when the PEM texts cannot be used. */
tk_identity *tk_identity_create(const char *certificate_pem, const char *key_pem);
void tk_identity_free(tk_identity *identity);

tk_dtls *tk_dtls_create(tk_identity *identity, int is_client, int mtu);
void tk_dtls_free(tk_dtls *dtls);
/* Offers these SRTP profiles alone, in OpenSSL's names with colons between; before the handshake. 1 on success. */
int tk_dtls_offer(tk_dtls *dtls, const char *profiles);

typedef enum { TK_DTLS_GOING = 0, TK_DTLS_DONE = 1, TK_DTLS_FAILED = 2, TK_DTLS_CLOSED = 3 } tk_dtls_state;

/* Takes a datagram, or none (count 0) to begin or after a timer. */
tk_dtls_state tk_dtls_receive(tk_dtls *dtls, const uint8_t *bytes, size_t count);
/* Milliseconds until tk_dtls_timeout is to be called, -1 for never. */
int64_t tk_dtls_milliseconds_to_timeout(tk_dtls *dtls);
tk_dtls_state tk_dtls_timeout(tk_dtls *dtls);
/* The next datagram to send: its byte count, 0 for none, never more than room. */
size_t tk_dtls_next_datagram(tk_dtls *dtls, uint8_t *out, size_t room);
/* The SRTP profile both sides agreed on, 0 for none. */
int tk_dtls_profile(tk_dtls *dtls);
/* RFC 5764 4.2 keying material: client key, server key, client salt, server salt. 1 on success. */
int tk_dtls_export(tk_dtls *dtls, uint8_t *out, size_t count);
/* Digest of the peer's certificate by "sha-256", "sha-384" or "sha-512"; its byte count, 0 when it cannot be made. */
size_t tk_dtls_peer_digest(tk_dtls *dtls, const char *algorithm, uint8_t out[64]);
/* Queues close_notify. */
void tk_dtls_shutdown(tk_dtls *dtls);

#ifdef __cplusplus
}
#endif

#endif
