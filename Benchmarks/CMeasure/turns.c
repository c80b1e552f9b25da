#define _GNU_SOURCE
#include "calls.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Turns of watched threads, told apart by what came in and went out: the system calls that bound a turn, carry its
   datagrams and wake other threads are the marks. */
static int is_open;
static void *planted;
static tk_turns media, control;
static __thread struct {
  int is_whole;
  tk_calls calls, srtcp;
  uint64_t packets_in, packets_out, others;
} turn;

static void add(tk_calls *sum, const tk_calls *after, const tk_calls *before) {
  uint64_t *to = (uint64_t *)sum;
  const uint64_t *from = (const uint64_t *)before, *until = (const uint64_t *)after;
  for (size_t field = 0; field < sizeof *sum / sizeof *to; field++) {
    __atomic_fetch_add(&to[field], until[field] - from[field], __ATOMIC_RELAXED);
  }
}

static void end_turn(void) {
  int is_media = turn.others == 0 && turn.packets_in + turn.packets_out > 0;
  int counts = turn.is_whole && __atomic_load_n(&is_open, __ATOMIC_ACQUIRE);
  if (tk_sites_wanted) tk_sites_end_turn(counts && is_media);
  if (!counts) return;
  tk_calls calls = tk_calls_read(), srtcp = tk_calls_read_srtcp();
  tk_turns *kind = is_media ? &media : &control;
  add(&kind->calls, &calls, &turn.calls);
  add(&kind->srtcp, &srtcp, &turn.srtcp);
  __atomic_fetch_add(&kind->turns, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&kind->packets_in, turn.packets_in, __ATOMIC_RELAXED);
  __atomic_fetch_add(&kind->packets_out, turn.packets_out, __ATOMIC_RELAXED);
}

static void begin_turn(void) {
  memset(&turn, 0, sizeof turn);
  turn.is_whole = __atomic_load_n(&is_open, __ATOMIC_ACQUIRE);
  turn.calls = tk_calls_read();
  turn.srtcp = tk_calls_read_srtcp();
}

/* RTP beside RTCP by the second byte (RFC 5761 §4), beside all else by the first (RFC 7983 §7). */
static int is_rtp(const uint8_t *bytes, size_t count) {
  return count >= 12 && bytes[0] >= 128 && bytes[0] < 192 && (bytes[1] < 192 || bytes[1] > 223);
}

static int is_watched(void) { return tk_watched_name != NULL && tk_is_known == TK_KNOWN && tk_is_counting; }

int epoll_pwait2(int epoll, struct epoll_event *events, int limit, const struct timespec *timeout,
                 const sigset_t *signals) {
  TK_NEXT(epoll_pwait2);
  int is_mine = is_watched();
  if (is_mine) end_turn();
  int count = found(epoll, events, limit, timeout, signals);
  if (is_mine) begin_turn();
  return count;
}

int recvmmsg(int descriptor, struct mmsghdr *messages, unsigned limit, int flags, struct timespec *timeout) {
  TK_NEXT(recvmmsg);
  int count = found(descriptor, messages, limit, flags, timeout);
  if (!is_watched()) return count;
  for (int message = 0; message < count; message++) {
    if (is_rtp(messages[message].msg_hdr.msg_iov[0].iov_base, messages[message].msg_len)) {
      turn.packets_in++;
    } else {
      turn.others++;
    }
  }
  return count;
}

/* A turn that tells other threads something has done more than forward. */
ssize_t write(int descriptor, const void *bytes, size_t count) {
  TK_NEXT(write);
  if (is_watched()) turn.others++;
  return found(descriptor, bytes, count);
}

/* The length of the datagrams that the kernel cuts a message into; 0 when it is one. */
static size_t segment_of(const struct msghdr *message) {
  struct msghdr *all = (struct msghdr *)message;
  for (struct cmsghdr *item = CMSG_FIRSTHDR(all); item != NULL; item = CMSG_NXTHDR(all, item)) {
    if (item->cmsg_level != IPPROTO_UDP || item->cmsg_type != UDP_SEGMENT) continue;
    uint16_t segment;
    memcpy(&segment, CMSG_DATA(item), sizeof segment);
    return segment;
  }
  return 0;
}

static void note_sent(const struct msghdr *message) {
  const struct iovec *bytes = &message->msg_iov[0];
  size_t segment = segment_of(message);
  if (segment == 0) segment = bytes->iov_len;
  for (size_t offset = 0; offset < bytes->iov_len; offset += segment) {
    if (!is_rtp((const uint8_t *)bytes->iov_base + offset, bytes->iov_len - offset)) {
      turn.others++;
      continue;
    }
    turn.packets_out++;
    if (planted != NULL) tk_calls_plant(planted);
  }
}

int sendmmsg(int descriptor, struct mmsghdr *messages, unsigned limit, int flags) {
  TK_NEXT(sendmmsg);
  int count = found(descriptor, messages, limit, flags);
  if (!is_watched()) return count;
  for (int message = 0; message < count; message++) note_sent(&messages[message].msg_hdr);
  return count;
}

void tk_turns_begin(void *object) {
  memset(&media, 0, sizeof media);
  memset(&control, 0, sizeof control);
  planted = object;
  __atomic_store_n(&is_open, 1, __ATOMIC_RELEASE);
}

void tk_turns_end(void) {
  __atomic_store_n(&is_open, 0, __ATOMIC_RELEASE);
  planted = NULL;
}

tk_turns tk_turns_media(void) { return media; }
tk_turns tk_turns_control(void) { return control; }
