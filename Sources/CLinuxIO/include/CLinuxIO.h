#ifndef CLINUXIO_H
#define CLINUXIO_H

#include <stddef.h>
#include <stdint.h>

#include "tk_disk.h"
#include "tk_probe.h"
#include "tk_tcp.h"
#include "tk_text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An address without a system structure: 16 bytes in network order (IPv4 in the first four), port in host order. */
typedef struct tk_address {
  uint8_t family; /* 4 or 6 */
  uint16_t port;
  uint32_t scope;
  uint8_t bytes[16];
} tk_address;

/* One received datagram: where it came from, where to, how long. */
typedef struct {
  tk_address remote;
  tk_address local; /* port is not filled in */
  uint32_t count;
} tk_received;

/* One train to send: segment_count equal datagrams but the last, which may be shorter. */
typedef struct {
  tk_address remote;
  tk_address local;
  const void *bytes;
  uint32_t count;
  uint32_t segment; /* 0: a single datagram */
} tk_train;

enum { TK_BATCH = 64 };

/* A non-blocking UDP socket on a port of all addresses; IPv6 with IPv4 mapped into it, or IPv4 alone where the kernel
   has no IPv6. Returns the descriptor or -errno; the bound port goes to *port. loopback_only binds 127.0.0.1. */
int tk_udp_open(uint16_t *port, int loopback_only, int *is_ipv6, int receive_bytes, int *receive_got);
/* Receives up to TK_BATCH datagrams into the given buffers of `room` bytes. Returns how many, or -errno. */
int tk_udp_receive(int descriptor, void *const *buffers, uint32_t room, tk_received *received, int limit);
/* Sends up to TK_BATCH trains. Returns how many went, or -errno when not even the first did. */
int tk_udp_send(int descriptor, int is_ipv6, const tk_train *trains, int count);

int tk_eventfd(void);
void tk_eventfd_signal(int descriptor);
void tk_eventfd_clear(int descriptor);
/* Blocks until the event or nanoseconds have passed; negative waits for ever. */
void tk_eventfd_wait(int descriptor, int64_t nanoseconds);

/* An epoll set of two descriptors; tk_epoll_wait returns bits 1 and 2 for those readable, and 4 for a third that
   tk_epoll_third has added (0 or -errno). */
int tk_epoll(int first, int second);
int tk_epoll_third(int epoll, int third);
int tk_epoll_wait(int epoll, int64_t microseconds);
void tk_close(int descriptor);

/* Sleeps so long, whatever becomes readable meanwhile. */
void tk_sleep(int64_t microseconds);

/* Microseconds of CLOCK_MONOTONIC and of CLOCK_REALTIME since 1970. */
int64_t tk_monotonic_microseconds(void);
int64_t tk_realtime_microseconds(void);
/* Processor time of the calling thread, microseconds. */
int64_t tk_thread_microseconds(void);

/* Starts a thread that runs body(context), named, pinned to a processor unless it is negative. 0 on success. */
int tk_thread_start(const char *name, int processor, void (*body)(void *), void *context, uint64_t *handle);
void tk_thread_join(uint64_t handle);
/* Gives the calling thread alone another nice value, as far as RLIMIT_NICE allows; 0, or errno. */
int tk_thread_set_nice(int nice);
/* The calling thread gets processor and disk that nobody else wants. 0 or errno. */
int tk_thread_set_background(void);
/* Gives free pages of every arena back to the system. */
void tk_memory_trim(void);

typedef struct {
  tk_address address;
  char name[16];
  uint8_t is_loopback;
  uint8_t is_bridge; /* docker0, br-…, veth…, virbr…: containers and machines of this host only */
} tk_interface;

/* Addresses of the interfaces that are up. Returns how many were written. */
int tk_interfaces(tk_interface *out, int limit);

#ifdef __cplusplus
}
#endif

#endif
