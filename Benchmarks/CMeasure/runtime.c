#define _GNU_SOURCE
#include "calls.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

/* Swift's runtime, as far as it is called from outside of its own library: by our code and by other libraries. Its
   hooks for instruments would show its own calls too, but those of 6.3 take short strings for objects.

   The functions are called with the C convention or with one that keeps nearly all registers, by machine and version:
   keeping them is right for both. What stands behind them is called as if it kept no more than C demands. */
#define KEEPING __attribute__((preserve_most))

typedef void *(*retain_function)(void *);
typedef void *(*retain_n_function)(void *, uint32_t);
typedef void (*release_function)(void *);
typedef void (*release_n_function)(void *, uint32_t);
typedef void *(*object_function)(const void *, size_t, size_t);

#define RETAIN(name)                    \
  KEEPING void *name(void *object) {    \
    TK_NEXT_AS(retain_function, #name); \
    TK_NOTE(retains, TK_RETAIN);        \
    return found(object);               \
  }

#define RETAIN_N(name)                               \
  KEEPING void *name(void *object, uint32_t times) { \
    TK_NEXT_AS(retain_n_function, #name);            \
    TK_NOTE(retains, TK_RETAIN);                     \
    return found(object, times);                     \
  }

#define RELEASE(name)                    \
  KEEPING void name(void *object) {      \
    TK_NEXT_AS(release_function, #name); \
    TK_NOTE(releases, TK_RELEASE);       \
    found(object);                       \
  }

#define RELEASE_N(name)                             \
  KEEPING void name(void *object, uint32_t times) { \
    TK_NEXT_AS(release_n_function, #name);          \
    TK_NOTE(releases, TK_RELEASE);                  \
    found(object, times);                           \
  }

RETAIN(swift_retain)
RETAIN(swift_tryRetain)
RETAIN(swift_bridgeObjectRetain)
RETAIN_N(swift_retain_n)
RETAIN_N(swift_bridgeObjectRetain_n)
RELEASE(swift_release)
RELEASE(swift_bridgeObjectRelease)
RELEASE_N(swift_release_n)
RELEASE_N(swift_bridgeObjectRelease_n)

KEEPING void *swift_allocObject(const void *metadata, size_t size, size_t mask) {
  TK_NEXT_AS(object_function, "swift_allocObject");
  TK_NOTE(objects, TK_OBJECT);
  return found(metadata, size, mask);
}

void swift_beginAccess(void *place, void *buffer, uintptr_t flags, void *counter) {
  TK_NEXT(swift_beginAccess);
  TK_NOTE(accesses, TK_ACCESS);
  found(place, buffer, flags, counter != NULL ? counter : __builtin_return_address(0));
}

extern void swift_endAccess(void *buffer);

void tk_calls_plant(void *object) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static uint64_t place;
  void *buffer[3];
  void *volatile memory = malloc(1);
  pthread_mutex_lock(&lock);
  pthread_mutex_unlock(&lock);
  free(memory);
  swift_release(swift_retain(object));
  /* To read, and to be ended. */
  swift_beginAccess(&place, buffer, 0x20, NULL);
  swift_endAccess(buffer);
  /* The object's first word is its class; an instance without properties is two words long. */
  swift_release(swift_allocObject(*(void **)object, 16, 7));
}

/* libsrtp2 on RTCP: told apart. */
static __thread tk_calls srtcp;

tk_calls tk_calls_read_srtcp(void) { return srtcp; }

#define APART(name)                                  \
  int name(void *context, void *bytes, int *count) { \
    TK_NEXT(name);                                   \
    tk_calls *before = tk_sum;                       \
    tk_sum = &srtcp;                                 \
    int result = found(context, bytes, count);       \
    tk_sum = before;                                 \
    return result;                                   \
  }

APART(srtp_protect_rtcp)
APART(srtp_unprotect_rtcp)
