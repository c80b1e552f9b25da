#define _GNU_SOURCE
#include "CMeasure.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The C library's own names, which nothing can stand in front of. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static __thread tk_calls calls;
static __thread int is_counting;
static __thread int traces_left;

/* Threads that count because of their name. Their calls are read by others while they go on: a figure, no more. */
/* Calls of a thread after which its name is not looked at again. */
enum { WATCHED_LIMIT = 16, KNOWN = 1000 };
static const char *watched_name;
static tk_calls *watched[WATCHED_LIMIT];
static int watched_count;
static __thread int is_known;

static void know(void) {
  char name[16] = "";
  const char *wanted = __atomic_load_n(&watched_name, __ATOMIC_ACQUIRE);
  if (wanted == NULL || pthread_getname_np(pthread_self(), name, sizeof name) != 0) return;
  /* A thread is named just after it has begun: until then it bears its maker's name. */
  if (strcmp(name, wanted) != 0) {
    is_known++;
    return;
  }
  is_known = KNOWN;
  int place = __atomic_fetch_add(&watched_count, 1, __ATOMIC_ACQ_REL);
  if (place >= WATCHED_LIMIT) return;
  __atomic_store_n(&watched[place], &calls, __ATOMIC_RELEASE);
  is_counting = 1;
}

static void trace(const char *what, size_t length) {
  traces_left--;
  is_counting = 0;
  void *frames[24];
  int count = backtrace(frames, 24);
  if (write(STDERR_FILENO, what, length) > 0) backtrace_symbols_fd(frames + 2, count - 2, STDERR_FILENO);
  is_counting = 1;
}

#define NOTE(field, what)                                  \
  do {                                                     \
    if (watched_name != NULL && is_known < KNOWN) know();  \
    if (is_counting) {                                     \
      calls.field++;                                       \
      if (traces_left > 0) trace(what "\n", sizeof(what)); \
    }                                                      \
  } while (0)

void *malloc(size_t size) {
  NOTE(allocations, "malloc");
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  NOTE(allocations, "calloc");
  return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  NOTE(allocations, "realloc");
  return __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t count, size_t size) {
  NOTE(allocations, "reallocarray");
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_realloc(memory, total);
}

void *memalign(size_t alignment, size_t size) {
  NOTE(allocations, "memalign");
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  NOTE(allocations, "aligned_alloc");
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  NOTE(allocations, "posix_memalign");
  void *got = __libc_memalign(alignment, size);
  if (got == NULL) return ENOMEM;
  *memory = got;
  return 0;
}

void free(void *memory) {
  if (is_counting && memory != NULL) calls.frees++;
  __libc_free(memory);
}

/* The next definition of a name; found at the first call, which may come before any constructor. */
#define LOCK(name, type)                                                               \
  int name(type *lock) {                                                               \
    static int (*next)(type *);                                                        \
    int (*found)(type *) = __atomic_load_n(&next, __ATOMIC_RELAXED);                   \
    if (found == NULL) {                                                               \
      found = (int (*)(type *))dlsym(RTLD_NEXT, #name);                                \
      __atomic_store_n(&next, found, __ATOMIC_RELAXED);                                \
    }                                                                                  \
    NOTE(locks, #name);                                                                \
    return found(lock);                                                                \
  }

LOCK(pthread_mutex_lock, pthread_mutex_t)
LOCK(pthread_mutex_trylock, pthread_mutex_t)
LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)
LOCK(pthread_spin_lock, pthread_spinlock_t)

void tk_calls_begin(void) { is_counting = 1; }
void tk_calls_end(void) { is_counting = 0; }
tk_calls tk_calls_read(void) { return calls; }
void tk_calls_clear(void) { calls = (tk_calls){0}; }

void tk_calls_watch(const char *thread_name) { __atomic_store_n(&watched_name, thread_name, __ATOMIC_RELEASE); }

tk_calls tk_calls_watched(void) {
  tk_calls sum = {0};
  for (int place = 0; place < WATCHED_LIMIT; place++) {
    const tk_calls *found = __atomic_load_n(&watched[place], __ATOMIC_ACQUIRE);
    if (found == NULL) continue;
    sum.allocations += found->allocations;
    sum.frees += found->frees;
    sum.locks += found->locks;
  }
  return sum;
}

void tk_calls_trace(int limit) {
  /* The first backtrace loads a library, which allocates. */
  void *frame;
  (void)backtrace(&frame, 1);
  traces_left = limit;
}

void tk_calls_plant(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  void *volatile memory = malloc(1);
  pthread_mutex_lock(&lock);
  pthread_mutex_unlock(&lock);
  free(memory);
}

static int64_t nanoseconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t tk_thread_nanoseconds(void) { return nanoseconds(CLOCK_THREAD_CPUTIME_ID); }
int64_t tk_monotonic_nanoseconds(void) { return nanoseconds(CLOCK_MONOTONIC); }
