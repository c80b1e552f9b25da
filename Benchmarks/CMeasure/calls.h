#ifndef TK_CALLS_H
#define TK_CALLS_H

#include "CMeasure.h"

/* What the parts of this target share; threads count each for themselves. */

extern __thread int tk_is_counting;
/* Where the thread's calls go: its own sum, or what is told apart while libsrtp2 works on RTCP. */
extern __thread tk_calls *tk_sum;
extern __thread tk_calls tk_own;

/* Calls of a thread after which its name is not looked at again. */
enum { TK_KNOWN = 1000 };
extern const char *tk_watched_name;
extern __thread int tk_is_known;
void tk_know(void);

/* Whether places of calls are being gathered; see sites.c. */
extern int tk_sites_wanted;
void tk_site(int kind);
/* Ends a turn of a watched thread: keeps or forgets its places. Not called: all are kept. */
void tk_sites_end_turn(int counts);

enum { TK_ALLOCATION, TK_LOCK, TK_RETAIN, TK_RELEASE, TK_ACCESS, TK_OBJECT };

#define TK_NOTE(field, kind)                                          \
  do {                                                                \
    if (tk_watched_name != NULL && tk_is_known < TK_KNOWN) tk_know(); \
    if (tk_is_counting) {                                             \
      tk_sum->field++;                                                \
      if (tk_sites_wanted) tk_site(kind);                             \
    }                                                                 \
  } while (0)

/* `found`: the next definition of a name, looked up at the first call, which may come before any constructor. */
#define TK_NEXT_AS(type, name)                        \
  static type next;                                   \
  type found = __atomic_load_n(&next, __ATOMIC_RELAXED); \
  if (found == NULL) {                                \
    found = (type)dlsym(RTLD_NEXT, name);             \
    __atomic_store_n(&next, found, __ATOMIC_RELAXED); \
  }                                                   \
  (void)0
#define TK_NEXT(name) TK_NEXT_AS(__typeof__(&name), #name)

#endif
