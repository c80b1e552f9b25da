#define _GNU_SOURCE
#include "calls.h"

#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Where counted calls come from, by the innermost frames that lie in this executable. One thread at a time. */
enum { FRAMES = 4, PLACES = 1024, LIMIT = 200000 };
typedef struct {
  int kind;
  uint64_t count;
  uint64_t offsets[FRAMES];
} place;

int tk_sites_wanted;
static place places[PLACES];
static int place_count;
static int left;
/* Of the turn that is under way, when it is yet to be seen whether it counts. */
static place pending[256];
static int pending_count;
static int is_deferring;
static uintptr_t image_start, image_end;

static int find_image(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  (void)context;
  /* The first is the executable. */
  image_start = info->dlpi_addr;
  for (int header = 0; header < info->dlpi_phnum; header++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[header];
    if (part->p_type == PT_LOAD) image_end = image_start + part->p_vaddr + part->p_memsz;
  }
  return 1;
}

void tk_sites_begin(void) {
  dl_iterate_phdr(find_image, NULL);
  /* The first backtrace loads a library, which allocates. */
  void *frame;
  (void)backtrace(&frame, 1);
  memset(places, 0, sizeof places);
  place_count = 0;
  left = LIMIT;
  is_deferring = 0;
  pending_count = 0;
  tk_sites_wanted = 1;
}

void tk_sites_end(void) { tk_sites_wanted = 0; }

static void keep(const place *found) {
  int index = 0;
  while (index < place_count && (places[index].kind != found->kind ||
                                 memcmp(places[index].offsets, found->offsets, sizeof found->offsets) != 0)) {
    index++;
  }
  if (index == place_count && place_count < PLACES) places[place_count++] = *found;
  if (index < place_count) places[index].count++;
}

void tk_sites_end_turn(int counts) {
  is_deferring = 1;
  for (int index = 0; counts && index < pending_count; index++) keep(&pending[index]);
  pending_count = 0;
}

void tk_site(int kind) {
  if (tk_sum != &tk_own || left-- <= 0) return;
  int was_counting = tk_is_counting;
  tk_is_counting = 0;
  void *frames[32];
  int count = backtrace(frames, 32);
  place found = {.kind = kind};
  int own = 0;
  /* This function and the one that counted are no news. */
  for (int frame = 2; frame < count && own < FRAMES; frame++) {
    uintptr_t address = (uintptr_t)frames[frame] - 1;
    if (address < image_start || address >= image_end) continue;
    found.offsets[own++] = address - image_start;
  }
  if (!is_deferring) {
    keep(&found);
  } else if (pending_count < (int)(sizeof pending / sizeof pending[0])) {
    pending[pending_count++] = found;
  }
  tk_is_counting = was_counting;
}

static int by_count(const void *left_place, const void *right_place) {
  uint64_t a = ((const place *)left_place)->count, b = ((const place *)right_place)->count;
  return a < b ? 1 : a > b ? -1 : 0;
}

static const char *kind_name(int kind) {
  switch (kind) {
    case TK_ALLOCATION: return "malloc";
    case TK_LOCK: return "lock";
    case TK_RETAIN: return "swift_retain";
    case TK_RELEASE: return "swift_release";
    case TK_ACCESS: return "swift_beginAccess";
    default: return "swift_allocObject";
  }
}

int tk_sites_read(tk_site_count *sites, int limit) {
  qsort(places, (size_t)place_count, sizeof places[0], by_count);
  int count = place_count < limit ? place_count : limit;
  for (int index = 0; index < count; index++) {
    sites[index] = (tk_site_count){.kind = kind_name(places[index].kind), .count = places[index].count};
    memcpy(sites[index].offsets, places[index].offsets, sizeof sites[index].offsets);
  }
  return count;
}
