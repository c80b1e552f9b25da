#ifndef CMEASURE_H
#define CMEASURE_H

#include <CLinuxIO.h>
#include <stddef.h>
#include <stdint.h>

#include "tk_baseline.h"
#include "tk_load.h"


#ifdef __cplusplus
extern "C" {
#endif

/* What a thread has asked of the allocator, of locks and of Swift's runtime while it was counting. */
typedef struct {
  uint64_t allocations; /* malloc, calloc, realloc, reallocarray, aligned_alloc, posix_memalign, memalign */
  uint64_t frees;
  uint64_t locks;    /* pthread_mutex_lock, _trylock, pthread_rwlock_rdlock, _wrlock, pthread_spin_lock */
  uint64_t retains;  /* swift_retain, _retain_n, _tryRetain, _bridgeObjectRetain, _bridgeObjectRetain_n */
  uint64_t releases; /* swift_release, _release_n, _bridgeObjectRelease, _bridgeObjectRelease_n */
  uint64_t accesses; /* swift_beginAccess */
  uint64_t objects;  /* swift_allocObject */
} tk_calls;

/* The executable that links this has these functions in place of the libraries'; they count for threads that ask for it
   and otherwise cost one test. Swift's standard library must be a shared one; calls within it are not seen. */
void tk_calls_begin(void);
void tk_calls_end(void);
tk_calls tk_calls_read(void);
/* What of it was within srtp_protect_rtcp and srtp_unprotect_rtcp; tk_calls_read is without it. */
tk_calls tk_calls_read_srtcp(void);
void tk_calls_clear(void);

/* From now on threads whose names begin like this count without asking; their sum so far. To be named once, before
   they start. */
void tk_calls_watch(const char *thread_name);
tk_calls tk_calls_watched(void);

/* Gathers where counted calls come from, as offsets into this executable, innermost first; of watched threads those of
   media turns. */
void tk_sites_begin(void);
void tk_sites_end(void);
typedef struct {
  const char *kind;
  uint64_t count;
  uint64_t offsets[4];
} tk_site_count;
/* The commonest places first; how many were written. */
int tk_sites_read(tk_site_count *sites, int limit);

/* One allocation, lock, retain, release and access, and one object, that no compiler takes out: a proof that counting
   works. `object` is an instance of a class without properties. */
void tk_calls_plant(void *object);

/* Turns of watched threads that had RTP come in or go out and nothing else, not even an event to tell: their calls,
   apart from all others. A turn lies between two waits for the sockets. */
typedef struct {
  tk_calls calls;
  tk_calls srtcp;
  uint64_t turns;
  uint64_t packets_in;
  uint64_t packets_out;
} tk_turns;

/* Turns that begin after `begin` and end before `end` count; then they are read. With a `planted` object, one of
   everything is planted for each RTP packet sent. */
void tk_turns_begin(void *planted);
void tk_turns_end(void);
/* Those with RTP only, and the others. */
tk_turns tk_turns_media(void);
tk_turns tk_turns_control(void);

/* Processor time of the calling thread, and the monotonic clock, nanoseconds. */
int64_t tk_thread_nanoseconds(void);
int64_t tk_monotonic_nanoseconds(void);

/* Makes the kernel note when a datagram reaches the socket. 0 or -errno. */
int tk_stamp_arrivals(int descriptor);
/* As tk_udp_receive, with the kernel's note of each datagram, nanoseconds of the wall clock; 0 where there is none. */
int tk_udp_receive_stamped(int descriptor, void *const *buffers, uint32_t room, tk_received *received, int64_t *stamps,
                           int limit);
/* Wall clock minus monotonic clock, nanoseconds. */
int64_t tk_wall_offset(void);

#ifdef __cplusplus
}
#endif

#endif
