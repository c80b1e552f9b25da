#include "tk_inspect.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* Never asks at the terminal for a key's passphrase. */
static int no_passphrase(char *buffer, int size, int is_writing, void *context) {
  (void)buffer;
  (void)size;
  (void)is_writing;
  (void)context;
  return -1;
}

static X509 *read_certificate(const char *pem) {
  BIO *bio = BIO_new_mem_buf(pem, -1);
  X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
  BIO_free(bio);
  return certificate;
}

static int unix_seconds(const ASN1_TIME *time, int64_t *out) {
  ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
  int days = 0, seconds = 0;
  int good = epoch && time && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
  ASN1_TIME_free(epoch);
  if (good) *out = (int64_t)days * 86400 + seconds;
  return good;
}

int tk_certificate_period(const char *certificate_pem, int64_t *not_before, int64_t *not_after) {
  X509 *certificate = read_certificate(certificate_pem);
  int good = certificate && unix_seconds(X509_get0_notBefore(certificate), not_before) &&
             unix_seconds(X509_get0_notAfter(certificate), not_after);
  X509_free(certificate);
  ERR_clear_error();
  return good;
}

int tk_certificate_covers(const char *certificate_pem, const char *name, int is_address) {
  X509 *certificate = read_certificate(certificate_pem);
  int covers = 0;
  if (certificate)
    covers = is_address ? X509_check_ip_asc(certificate, name, 0) == 1
                        : X509_check_host(certificate, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
  X509_free(certificate);
  ERR_clear_error();
  return covers;
}

int tk_certificate_matches_key(const char *certificate_pem, const char *key_pem) {
  X509 *certificate = read_certificate(certificate_pem);
  BIO *bio = BIO_new_mem_buf(key_pem, -1);
  EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
  BIO_free(bio);
  int matches = certificate && key && X509_check_private_key(certificate, key) == 1;
  X509_free(certificate);
  EVP_PKEY_free(key);
  ERR_clear_error();
  return matches;
}

int tk_certificate_is_signed_by(const char *certificate_pem, const char *authority_pem) {
  X509 *certificate = read_certificate(certificate_pem);
  X509 *authority = read_certificate(authority_pem);
  EVP_PKEY *key = authority ? X509_get0_pubkey(authority) : NULL;
  int is_signed = certificate && key && X509_verify(certificate, key) == 1;
  X509_free(certificate);
  X509_free(authority);
  ERR_clear_error();
  return is_signed;
}
