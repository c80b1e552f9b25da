#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "tk_dtls.h"

void tk_free(char *text) { free(text); }

static char *text_of(BIO *bio) {
  char *data;
  long count = BIO_get_mem_data(bio, &data);
  char *copy = malloc((size_t)count + 1);
  if (!copy) return NULL;
  memcpy(copy, data, (size_t)count);
  copy[count] = 0;
  return copy;
}

static int add_extension(X509 *certificate, X509 *issuer, int kind, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
  if (!extension) return 0;
  int added = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return added;
}

/* A version 3 certificate without extensions, valid from a day ago, since clocks on old machines lag. */
static X509 *prepare(EVP_PKEY *key, const char *common_name, int days) {
  X509 *certificate = X509_new();
  uint8_t serial[16];
  if (!certificate || RAND_bytes(serial, sizeof serial) != 1) goto failed;
  serial[0] &= 0x7F;
  BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
  if (!number || !BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate))) {
    BN_free(number);
    goto failed;
  }
  BN_free(number);
  X509_NAME *name = X509_get_subject_name(certificate);
  if (X509_set_version(certificate, 2) != 1 || !X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) ||
      !X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, NULL) || X509_set_pubkey(certificate, key) != 1 ||
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0) != 1)
    goto failed;
  return certificate;
failed:
  X509_free(certificate);
  return NULL;
}

static int write_out(X509 *certificate, EVP_PKEY *key, char **certificate_pem, char **key_pem) {
  BIO *first = BIO_new(BIO_s_mem());
  BIO *second = BIO_new(BIO_s_mem());
  int good = first && second && PEM_write_bio_X509(first, certificate) == 1 &&
             PEM_write_bio_PrivateKey(second, key, NULL, NULL, 0, NULL, NULL) == 1;
  if (good) {
    *certificate_pem = text_of(first);
    *key_pem = text_of(second);
    good = *certificate_pem && *key_pem;
  }
  BIO_free(first);
  BIO_free(second);
  return good;
}

static int make_root(const char *common_name, int days, int is_authority, char **certificate_pem, char **key_pem) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = key ? prepare(key, common_name, days) : NULL;
  int good = certificate && X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1;
  if (good && is_authority)
    good = add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  good = good && X509_sign(certificate, key, EVP_sha256()) > 0 && write_out(certificate, key, certificate_pem, key_pem);
  X509_free(certificate);
  EVP_PKEY_free(key);
  ERR_clear_error();
  return good;
}

int tk_certificate_self_signed(const char *common_name, int days, char **certificate_pem, char **key_pem) {
  return make_root(common_name, days, 0, certificate_pem, key_pem);
}

int tk_certificate_authority(const char *common_name, int days, char **certificate_pem, char **key_pem) {
  return make_root(common_name, days, 1, certificate_pem, key_pem);
}

static X509 *read_certificate(const char *pem) {
  BIO *bio = BIO_new_mem_buf(pem, -1);
  X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
  BIO_free(bio);
  return certificate;
}

int tk_certificate_issue(const char *authority_pem, const char *authority_key_pem, const char *common_name,
                         const char *names, int days, char **certificate_pem, char **key_pem) {
  BIO *bio = BIO_new_mem_buf(authority_key_pem, -1);
  EVP_PKEY *authority_key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
  BIO_free(bio);
  X509 *authority = read_certificate(authority_pem);
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = authority && authority_key && key ? prepare(key, common_name, days) : NULL;
  int good = certificate && X509_set_issuer_name(certificate, X509_get_subject_name(authority)) == 1 &&
             add_extension(certificate, authority, NID_basic_constraints, "critical,CA:FALSE") &&
             add_extension(certificate, authority, NID_key_usage, "critical,digitalSignature") &&
             add_extension(certificate, authority, NID_ext_key_usage, "serverAuth") &&
             add_extension(certificate, authority, NID_subject_alt_name, names) &&
             add_extension(certificate, authority, NID_authority_key_identifier, "keyid") &&
             X509_sign(certificate, authority_key, EVP_sha256()) > 0 &&
             write_out(certificate, key, certificate_pem, key_pem);
  X509_free(certificate);
  X509_free(authority);
  EVP_PKEY_free(key);
  EVP_PKEY_free(authority_key);
  ERR_clear_error();
  return good;
}

int64_t tk_certificate_seconds_left(const char *certificate_pem) {
  X509 *certificate = read_certificate(certificate_pem);
  int days = 0, seconds = 0;
  int good = certificate && ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) == 1;
  X509_free(certificate);
  ERR_clear_error();
  return good ? (int64_t)days * 86400 + seconds : INT64_MIN;
}

int tk_certificate_fingerprint(const char *certificate_pem, uint8_t out[32]) {
  X509 *certificate = read_certificate(certificate_pem);
  unsigned count = 0;
  int good = certificate && X509_digest(certificate, EVP_sha256(), out, &count) == 1 && count == 32;
  X509_free(certificate);
  ERR_clear_error();
  return good;
}
