#define _GNU_SOURCE
#include "calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The C library's own names, which nothing can stand in front of. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

__thread int tk_is_counting;
__thread tk_calls tk_own;
__thread tk_calls *tk_sum;
__thread int tk_is_known;
const char *tk_watched_name;

/* Threads that count because of their name. Their calls are read by others while they go on: a figure, no more. */
enum { WATCHED_LIMIT = 16 };
static tk_calls *watched[WATCHED_LIMIT];
static int watched_count;

void tk_know(void) {
  char name[16] = "";
  const char *wanted = __atomic_load_n(&tk_watched_name, __ATOMIC_ACQUIRE);
  if (wanted == NULL || pthread_getname_np(pthread_self(), name, sizeof name) != 0) return;
  /* A thread is named just after it has begun: until then it bears its maker's name. */
  if (strncmp(name, wanted, strlen(wanted)) != 0) {
    tk_is_known++;
    return;
  }
  tk_is_known = TK_KNOWN;
  int place = __atomic_fetch_add(&watched_count, 1, __ATOMIC_ACQ_REL);
  if (place >= WATCHED_LIMIT) return;
  __atomic_store_n(&watched[place], &tk_own, __ATOMIC_RELEASE);
  tk_calls_begin();
}

void *malloc(size_t size) {
  TK_NOTE(allocations, TK_ALLOCATION);
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  TK_NOTE(allocations, TK_ALLOCATION);
  return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  TK_NOTE(allocations, TK_ALLOCATION);
  return __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t count, size_t size) {
  TK_NOTE(allocations, TK_ALLOCATION);
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_realloc(memory, total);
}

void *memalign(size_t alignment, size_t size) {
  TK_NOTE(allocations, TK_ALLOCATION);
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  TK_NOTE(allocations, TK_ALLOCATION);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  TK_NOTE(allocations, TK_ALLOCATION);
  void *got = __libc_memalign(alignment, size);
  if (got == NULL) return ENOMEM;
  *memory = got;
  return 0;
}

void free(void *memory) {
  if (tk_is_counting && memory != NULL) tk_sum->frees++;
  __libc_free(memory);
}

#define LOCK(name, type)     \
  int name(type *lock) {     \
    TK_NEXT(name);            \
    TK_NOTE(locks, TK_LOCK); \
    return found(lock);      \
  }

LOCK(pthread_mutex_lock, pthread_mutex_t)
LOCK(pthread_mutex_trylock, pthread_mutex_t)
LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)
LOCK(pthread_spin_lock, pthread_spinlock_t)

void tk_calls_begin(void) {
  if (tk_sum == NULL) tk_sum = &tk_own;
  tk_is_counting = 1;
}
void tk_calls_end(void) { tk_is_counting = 0; }
tk_calls tk_calls_read(void) { return tk_own; }
void tk_calls_clear(void) { tk_own = (tk_calls){0}; }

void tk_calls_watch(const char *thread_name) { __atomic_store_n(&tk_watched_name, thread_name, __ATOMIC_RELEASE); }

tk_calls tk_calls_watched(void) {
  tk_calls sum = {0};
  for (int place = 0; place < WATCHED_LIMIT; place++) {
    const tk_calls *found = __atomic_load_n(&watched[place], __ATOMIC_ACQUIRE);
    if (found == NULL) continue;
    const uint64_t *from = (const uint64_t *)found;
    uint64_t *to = (uint64_t *)&sum;
    for (size_t field = 0; field < sizeof sum / sizeof *to; field++) to[field] += from[field];
  }
  return sum;
}

static int64_t nanoseconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t tk_thread_nanoseconds(void) { return nanoseconds(CLOCK_THREAD_CPUTIME_ID); }
int64_t tk_monotonic_nanoseconds(void) { return nanoseconds(CLOCK_MONOTONIC); }
