#ifndef TK_TCP_H
#define TK_TCP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that a connection takes before they can leave (TCP_NOTSENT_LOWAT). What the kernel has taken cannot be dropped
   any more: 32 KiB are 130 ms of 2 Mbit/s, and one wake-up for every 16 KiB that leave. */
enum { TK_TCP_UNSENT_LIMIT = 32 * 1024 };

/* A non-blocking listener on a port of all addresses; IPv6 with IPv4 mapped into it, or IPv4 alone where the kernel has
   no IPv6. Returns the descriptor or -errno. loopback_only binds 127.0.0.1. Its options are those of every connection
   it accepts: no Nagle, TK_TCP_UNSENT_LIMIT, BBR where the kernel has it, and an end after 20 s in which nothing sent
   was acknowledged or 25 s without an answer. */
int tk_tcp_listen(uint16_t port, int loopback_only);
/* The next connection, non-blocking, with both its addresses (struct tk_address). The descriptor or -errno. */
struct tk_address;
int tk_tcp_accept(int listener, struct tk_address *remote, struct tk_address *local);
/* Reads up to count bytes, and behind them up to next_count (1 or 2) more into `next`: the length of the frame that
   follows. Returns bytes read, 0 at the end of the stream, or -errno. */
int64_t tk_tcp_receive(int descriptor, void *bytes, uint32_t count, uint8_t *next, uint32_t next_count);
/* Writes datagrams of `segment` bytes, of which the last may be shorter, each behind its length (RFC 4571). At most
   TK_BATCH of them. Returns bytes taken, lengths included, or -errno. */
int64_t tk_tcp_send_frames(int descriptor, const void *bytes, uint32_t count, uint32_t segment);
/* Writes bytes as they are. Returns bytes taken or -errno. */
int64_t tk_tcp_send(int descriptor, const void *bytes, uint32_t count);
/* Bytes the kernel has taken and not sent yet (SIOCOUTQNSD), or -errno. */
int tk_tcp_unsent(int descriptor);

/* What a descriptor of a set is ready for; one that failed or ended is readable. */
enum { TK_READABLE = 1, TK_WRITABLE = 2 };
typedef struct {
  uint32_t key;
  uint32_t flags;
} tk_ready;

/* An empty epoll set; it becomes readable itself when one of its descriptors is ready. */
int tk_set_open(void);
/* Adds a descriptor (is_new) or changes what is asked of it. 0 or -errno. */
int tk_set_watch(int set, int descriptor, uint32_t key, int flags, int is_new);
/* What is ready now; never waits. Returns how many. */
int tk_set_ready(int set, tk_ready *ready, int limit);

#ifdef __cplusplus
}
#endif

#endif
