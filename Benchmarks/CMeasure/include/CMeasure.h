#ifndef CMEASURE_H
#define CMEASURE_H

#include <CLinuxIO.h>
#include <stdint.h>

#include "tk_baseline.h"
#include "tk_load.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the calling thread has asked of the allocator and of locks while it was counting. */
typedef struct {
  uint64_t allocations; /* malloc, calloc, realloc, reallocarray, aligned_alloc, posix_memalign, memalign */
  uint64_t frees;
  uint64_t locks; /* pthread_mutex_lock, _trylock, pthread_rwlock_rdlock, _wrlock, pthread_spin_lock */
} tk_calls;

/* The executable that links this has these functions in place of the C library's; they count for threads that ask for
   it and otherwise cost one test. */
void tk_calls_begin(void);
void tk_calls_end(void);
tk_calls tk_calls_read(void);
void tk_calls_clear(void);

/* From now on threads of this name count without asking; their sum so far. To be named once, before they start. */
void tk_calls_watch(const char *thread_name);
tk_calls tk_calls_watched(void);

/* Prints where the next `limit` counted calls come from, to standard error. */
void tk_calls_trace(int limit);

/* One allocation, one lock and their ends, that no compiler takes out: a proof that counting works. */
void tk_calls_plant(void);

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
