#ifndef TK_INSPECT_H
#define TK_INSPECT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Unix seconds between which the first certificate of the text is good. 1 on success. */
int tk_certificate_period(const char *certificate_pem, int64_t *not_before, int64_t *not_after);
/* 1 when the certificate's subjectAltName covers the DNS name, or with is_address the IP address in text form. */
int tk_certificate_covers(const char *certificate_pem, const char *name, int is_address);
/* 1 when the private key, unencrypted PEM, is the first certificate's. */
int tk_certificate_matches_key(const char *certificate_pem, const char *key_pem);
/* 1 when the first certificate is signed by the authority's key. */
int tk_certificate_is_signed_by(const char *certificate_pem, const char *authority_pem);

#ifdef __cplusplus
}
#endif

#endif
