#include "tk_dtls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

/* Datagrams waiting in one direction of one association; a flight has fewer than ten. */
#define QUEUE_LIMIT 32
#define DATAGRAM_LIMIT 2048

typedef struct {
  uint8_t *bytes;
  size_t count;
} datagram;

typedef struct {
  datagram items[QUEUE_LIMIT];
  size_t head, count;
} queue;

struct tk_identity {
  SSL_CTX *context;
};

struct tk_dtls {
  SSL *ssl;
  queue in, out;
  int mtu;
  int done;
};

static int queue_push(queue *q, const void *bytes, size_t count) {
  if (q->count == QUEUE_LIMIT || count == 0 || count > DATAGRAM_LIMIT) return 0;
  uint8_t *copy = malloc(count);
  if (!copy) return 0;
  memcpy(copy, bytes, count);
  q->items[(q->head + q->count) % QUEUE_LIMIT] = (datagram){copy, count};
  q->count++;
  return 1;
}

static size_t queue_pop(queue *q, void *out, size_t room) {
  if (q->count == 0) return 0;
  datagram d = q->items[q->head];
  q->head = (q->head + 1) % QUEUE_LIMIT;
  q->count--;
  size_t count = d.count < room ? d.count : room;
  memcpy(out, d.bytes, count);
  free(d.bytes);
  return count;
}

static void queue_clear(queue *q) {
  uint8_t scratch[1];
  while (q->count) queue_pop(q, scratch, 0);
}

/* A BIO that keeps datagram boundaries, which OpenSSL's memory BIO does not. */
static int bio_write(BIO *bio, const char *bytes, int count) {
  tk_dtls *dtls = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  /* A full queue loses the datagram, as a network would; DTLS sends it again. */
  queue_push(&dtls->out, bytes, (size_t)count);
  return count;
}

static int bio_read(BIO *bio, char *out, int room) {
  tk_dtls *dtls = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  size_t count = queue_pop(&dtls->in, out, (size_t)room);
  if (count == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  return (int)count;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
  tk_dtls *dtls = BIO_get_data(bio);
  (void)number;
  (void)pointer;
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU: return dtls ? dtls->mtu : 1200;
    case BIO_CTRL_PENDING: return dtls && dtls->in.count ? (long)dtls->in.items[dtls->in.head].count : 0;
    default: return 0;
  }
}

static BIO_METHOD *method;
static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;

static void make_method(void) {
  method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_ctrl(method, bio_control);
}

static BIO_METHOD *bio_method(void) {
  CRYPTO_THREAD_run_once(&method_once, make_method);
  return method;
}

/* Any certificate passes here: WebRTC's are self-signed, and the fingerprint of the SDP is what counts. */
static int accept_any(int preverified, X509_STORE_CTX *store) {
  (void)preverified;
  (void)store;
  return 1;
}

tk_identity *tk_identity_create(const char *certificate_pem, const char *key_pem) {
  SSL_CTX *context = SSL_CTX_new(DTLS_method());
  BIO *certificate_bio = BIO_new_mem_buf(certificate_pem, -1);
  BIO *key_bio = BIO_new_mem_buf(key_pem, -1);
  X509 *certificate = certificate_bio ? PEM_read_bio_X509(certificate_bio, NULL, NULL, NULL) : NULL;
  EVP_PKEY *key = key_bio ? PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL) : NULL;
  int good = context && certificate && key && SSL_CTX_use_certificate(context, certificate) == 1 &&
             SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1 &&
             SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
             SSL_CTX_set_cipher_list(context,
                                     "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                     "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                     "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                                     "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
                                     "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA") == 1 &&
             /* This one returns 0 for success. */
             SSL_CTX_set_tlsext_use_srtp(
                 context, "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80") == 0;
  if (good) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 1);
  }
  X509_free(certificate);
  EVP_PKEY_free(key);
  BIO_free(certificate_bio);
  BIO_free(key_bio);
  tk_identity *identity = good ? calloc(1, sizeof *identity) : NULL;
  if (!identity) {
    SSL_CTX_free(context);
    ERR_clear_error();
    return NULL;
  }
  identity->context = context;
  return identity;
}

void tk_identity_free(tk_identity *identity) {
  if (!identity) return;
  SSL_CTX_free(identity->context);
  free(identity);
}

/* RFC 6347 4.2.4.1 leaves the first wait to the application; its 1 s would keep a room on a lossy line waiting for
   seconds. OpenSSL gives up after 12 waits, which are 10 s here. */
static unsigned int next_wait_us(SSL *ssl, unsigned int wait_us) {
  (void)ssl;
  return !wait_us ? 100000 : wait_us < 500000 ? wait_us * 2 : 1000000;
}

tk_dtls *tk_dtls_create(tk_identity *identity, int is_client, int mtu) {
  tk_dtls *dtls = calloc(1, sizeof *dtls);
  if (!dtls) return NULL;
  dtls->mtu = mtu;
  dtls->ssl = SSL_new(identity->context);
  BIO *bio = dtls->ssl ? BIO_new(bio_method()) : NULL;
  if (!bio) {
    SSL_free(dtls->ssl);
    free(dtls);
    return NULL;
  }
  BIO_set_data(bio, dtls);
  BIO_set_init(bio, 1);
  SSL_set_bio(dtls->ssl, bio, bio);
  SSL_set_mtu(dtls->ssl, mtu);
  DTLS_set_timer_cb(dtls->ssl, next_wait_us);
  if (is_client) SSL_set_connect_state(dtls->ssl);
  else SSL_set_accept_state(dtls->ssl);
  return dtls;
}

int tk_dtls_offer(tk_dtls *dtls, const char *profiles) {
  /* This one returns 0 for success. */
  return SSL_set_tlsext_use_srtp(dtls->ssl, profiles) == 0;
}

void tk_dtls_free(tk_dtls *dtls) {
  if (!dtls) return;
  SSL_free(dtls->ssl);
  queue_clear(&dtls->in);
  queue_clear(&dtls->out);
  free(dtls);
}

static tk_dtls_state advance(tk_dtls *dtls) {
  ERR_clear_error();
  if (!dtls->done) {
    int result = SSL_do_handshake(dtls->ssl);
    if (result == 1) {
      dtls->done = 1;
      return TK_DTLS_DONE;
    }
    int error = SSL_get_error(dtls->ssl, result);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? TK_DTLS_GOING : TK_DTLS_FAILED;
  }
  /* After the handshake: answer a repeated flight, see a close_notify; application data is thrown away. */
  uint8_t scratch[DATAGRAM_LIMIT];
  for (int reads = 0; reads < QUEUE_LIMIT; reads++) {
    int result = SSL_read(dtls->ssl, scratch, sizeof scratch);
    if (result > 0) continue;
    int error = SSL_get_error(dtls->ssl, result);
    ERR_clear_error();
    if (error == SSL_ERROR_ZERO_RETURN) return TK_DTLS_CLOSED;
    break;
  }
  return TK_DTLS_DONE;
}

tk_dtls_state tk_dtls_receive(tk_dtls *dtls, const uint8_t *bytes, size_t count) {
  if (count && !queue_push(&dtls->in, bytes, count)) return dtls->done ? TK_DTLS_DONE : TK_DTLS_GOING;
  return advance(dtls);
}

int64_t tk_dtls_milliseconds_to_timeout(tk_dtls *dtls) {
  struct timeval left;
  if (DTLSv1_get_timeout(dtls->ssl, &left) != 1) return -1;
  return (int64_t)left.tv_sec * 1000 + (left.tv_usec + 999) / 1000;
}

tk_dtls_state tk_dtls_timeout(tk_dtls *dtls) {
  ERR_clear_error();
  if (DTLSv1_handle_timeout(dtls->ssl) < 0) {
    ERR_clear_error();
    return dtls->done ? TK_DTLS_DONE : TK_DTLS_FAILED;
  }
  return dtls->done ? TK_DTLS_DONE : TK_DTLS_GOING;
}

size_t tk_dtls_next_datagram(tk_dtls *dtls, uint8_t *out, size_t room) { return queue_pop(&dtls->out, out, room); }

int tk_dtls_profile(tk_dtls *dtls) {
  SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(dtls->ssl);
  return profile ? (int)profile->id : 0;
}

int tk_dtls_export(tk_dtls *dtls, uint8_t *out, size_t count) {
  static const char label[] = "EXTRACTOR-dtls_srtp";
  return SSL_export_keying_material(dtls->ssl, out, count, label, sizeof label - 1, NULL, 0, 0) == 1;
}

size_t tk_dtls_peer_digest(tk_dtls *dtls, const char *algorithm, uint8_t out[64]) {
  const EVP_MD *digest = strcmp(algorithm, "sha-256") == 0   ? EVP_sha256()
                         : strcmp(algorithm, "sha-384") == 0 ? EVP_sha384()
                         : strcmp(algorithm, "sha-512") == 0 ? EVP_sha512()
                                                             : NULL;
  X509 *certificate = SSL_get0_peer_certificate(dtls->ssl);
  unsigned count = 0;
  if (!digest || !certificate || X509_digest(certificate, digest, out, &count) != 1) return 0;
  return count;
}

void tk_dtls_shutdown(tk_dtls *dtls) {
  if (dtls->done) SSL_shutdown(dtls->ssl);
  ERR_clear_error();
}
