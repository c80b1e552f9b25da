#define _GNU_SOURCE
#include "tk_baseline.h"

#include <CIPSecMB.h>
#include <CLinuxIO.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <tk_crypto.h>

#include "CMeasure.h"

enum { PACKET_ROOM = 1600, PACKETS = 64, TEXT_RING = 4 << 20, HEADER_LIMIT = 64 };

typedef struct {
  tk_address address;
  struct sockaddr_in plain;
  void *cipher;
  uint8_t salt[16];
  uint32_t sequences[2]; /* by SSRC: even and odd */
} receiver;

typedef struct {
  const tk_baseline_plan *plan;
  receiver *receivers;
  uint32_t receiver_count;
  int descriptor;
  uint8_t *text;   /* plain payloads, taken in turn, so that each frame's are read from memory once */
  uint8_t *sealed; /* what one call sends */
  size_t text_used;
  size_t sealed_used;
  tk_train trains[TK_BATCH];
  int train_count;
  double train_credit;
  tk_baseline_result *result;
} baseline;

static void fill(uint8_t *bytes, size_t count, uint64_t seed) {
  for (size_t i = 0; i < count; i++) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    bytes[i] = (uint8_t)(seed >> 56);
  }
}

/* The other library seals GCM alone. */
static int is_multi_buffer(const tk_baseline_plan *plan) {
  return plan->profile == TK_BASELINE_GCM && plan->cipher == TK_BASELINE_MULTI_BUFFER;
}

static void *make_cipher(const tk_baseline_plan *plan, const uint8_t key[40]) {
  if (is_multi_buffer(plan)) return tk_mb_gcm_create(key, 16);
  if (plan->profile == TK_BASELINE_GCM) return tk_gcm_create(key, 16, 1);
  return tk_cm_create(key, key + 16);
}

static void free_cipher(const tk_baseline_plan *plan, void *cipher) {
  if (cipher == NULL) return;
  if (is_multi_buffer(plan)) {
    tk_mb_gcm_free(cipher);
  } else if (plan->profile == TK_BASELINE_GCM) {
    tk_gcm_free(cipher);
  } else {
    tk_cm_free(cipher);
  }
}

/* Writes header and sealed payload to `out`; returns the byte count. */
static size_t seal(baseline *run, receiver *to, const tk_baseline_frame *frame, uint32_t sequence, uint8_t *header,
                   const uint8_t *text, uint8_t *out) {
  header[2] = (uint8_t)(sequence >> 8);
  header[3] = (uint8_t)sequence;
  uint8_t iv[16];
  memcpy(iv, to->salt, 16);
  for (int i = 0; i < 4; i++) iv[2 + i] ^= header[8 + i];
  for (int i = 0; i < 4; i++) iv[8 + i] ^= (uint8_t)(sequence >> (24 - 8 * i));
  if (is_multi_buffer(run->plan)) {
    return tk_mb_gcm_seal(to->cipher, iv, header, run->plan->header, NULL, 0, text, frame->plain, 0, out);
  }
  if (run->plan->profile == TK_BASELINE_GCM) {
    return tk_gcm_seal(to->cipher, iv, header, run->plan->header, NULL, 0, text, frame->plain, 0, out);
  }
  return tk_cm_seal(to->cipher, iv, sequence >> 16, header, run->plan->header, NULL, 0, text, frame->plain, 0, out);
}

static void flush(baseline *run) {
  int start = 0;
  while (start < run->train_count) {
    int sent = tk_udp_send(run->descriptor, 0, run->trains + start, run->train_count - start);
    if (sent <= 0) {
      run->result->refused++;
      sent = 1;
    }
    start += sent;
  }
  run->result->trains += (uint64_t)run->train_count;
  run->train_count = 0;
  run->sealed_used = 0;
}

static void send_one(baseline *run, receiver *to, const uint8_t *bytes, size_t count) {
  struct iovec vector = {(void *)bytes, count};
  struct msghdr message = {
      .msg_name = &to->plain, .msg_namelen = sizeof to->plain, .msg_iov = &vector, .msg_iovlen = 1};
  if (sendmsg(run->descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) run->result->refused++;
  run->result->trains++;
}

/* Trains this frame is cut into, so that all together come to the plan's average. */
static uint32_t train_count(baseline *run, const tk_baseline_frame *frame) {
  run->train_credit += run->plan->trains;
  uint32_t count = (uint32_t)run->train_credit;
  if (count > frame->packets) count = frame->packets;
  if (count < 1) count = 1;
  run->train_credit -= count;
  return count;
}

static void send_frame(baseline *run, const tk_baseline_frame *frame) {
  uint8_t header[HEADER_LIMIT] = {0x90, 102};
  for (int i = 0; i < 4; i++) header[8 + i] = (uint8_t)(frame->ssrc >> (24 - 8 * i));
  int is_single = run->plan->trains <= 0;
  uint32_t trains = is_single ? 1 : frame->packets == 1 ? 1 : train_count(run, frame);
  size_t text_bytes = (size_t)frame->packets * frame->plain;
  if (run->text_used + text_bytes > TEXT_RING) run->text_used = 0;
  const uint8_t *text = run->text + run->text_used;
  run->text_used += text_bytes;
  for (uint32_t place = frame->first; place < frame->first + frame->count; place++) {
    receiver *to = &run->receivers[place];
    uint32_t *next = &to->sequences[frame->ssrc & 1];
    uint32_t packet = 0;
    for (uint32_t train = 0; train < trains; train++) {
      uint32_t until = frame->packets * (train + 1) / trains;
      uint8_t *start = run->sealed + run->sealed_used;
      uint8_t *out = start;
      for (; packet < until; packet++) {
        size_t count = seal(run, to, frame, (*next)++, header, text + (size_t)packet * frame->plain, out);
        if (is_single) {
          send_one(run, to, out, count);
        } else {
          out += count;
        }
      }
      if (is_single || out == start) continue;
      size_t bytes = (size_t)(out - start);
      uint32_t tag = run->plan->profile == TK_BASELINE_GCM ? 16 : TK_CM_TAG_COUNT;
      uint32_t segment = frame->plain + run->plan->header + tag;
      run->sealed_used += bytes;
      run->trains[run->train_count++] = (tk_train){
          .remote = to->address, .bytes = start, .count = (uint32_t)bytes, .segment = bytes > segment ? segment : 0};
      if (run->train_count == TK_BATCH) flush(run);
    }
  }
  flush(run);
  run->result->packets += (uint64_t)frame->packets * frame->count;
}

static int prepare(baseline *run, const tk_baseline_receiver *receivers) {
  uint16_t port = 0;
  int is_ipv6, got;
  run->descriptor = tk_udp_open(&port, 1, &is_ipv6, 4 << 20, &got);
  run->receivers = calloc(run->receiver_count, sizeof *run->receivers);
  run->text = malloc(TEXT_RING);
  run->sealed = malloc((size_t)TK_BATCH * PACKETS * PACKET_ROOM);
  if (run->descriptor < 0 || run->receivers == NULL || run->text == NULL || run->sealed == NULL) return -1;
  fill(run->text, TEXT_RING, 1);
  memset(run->sealed, 0, (size_t)TK_BATCH * PACKETS * PACKET_ROOM);
  for (uint32_t place = 0; place < run->receiver_count; place++) {
    receiver *to = &run->receivers[place];
    uint32_t address = htonl(receivers[place].address);
    to->address = (tk_address){.family = 4, .port = receivers[place].port};
    memcpy(to->address.bytes, &address, 4);
    to->plain = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(receivers[place].port), .sin_addr = {address}};
    uint8_t key[40];
    fill(key, sizeof key, 1000 + place);
    fill(to->salt, 14, 2000000 + place);
    to->salt[14] = to->salt[15] = 0;
    to->cipher = make_cipher(run->plan, key);
    if (to->cipher == NULL) return -1;
  }
  return 0;
}

static int64_t process_nanoseconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
         ((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static int is_sound(const tk_baseline_plan *plan, const tk_baseline_frame *frames, uint32_t count,
                    uint32_t receiver_count) {
  if (plan->header < 12 || plan->header > HEADER_LIMIT || plan->trains < 0) return 0;
  for (uint32_t place = 0; place < count; place++) {
    if (frames[place].packets == 0 || frames[place].packets > PACKETS) return 0;
    if (frames[place].plain + plan->header + 16 > 1500) return 0;
    if (frames[place].first > receiver_count || frames[place].count > receiver_count - frames[place].first) return 0;
    /* What one segmented send may hold. */
    if (frames[place].packets * (frames[place].plain + plan->header + 16) > 65000) return 0;
  }
  return 1;
}

int tk_baseline_run(const tk_baseline_plan *plan, const tk_baseline_receiver *receivers, uint32_t receiver_count,
                    const tk_baseline_frame *frames, uint32_t frame_count, tk_baseline_result *result) {
  memset(result, 0, sizeof *result);
  if (receiver_count == 0 || !is_sound(plan, frames, frame_count, receiver_count)) return -1;
  baseline *run = calloc(1, sizeof *run);
  if (run == NULL) return -1;
  run->plan = plan;
  run->receiver_count = receiver_count;
  run->result = result;
  int status = prepare(run, receivers);
  if (status == 0) {
    int64_t start = tk_monotonic_nanoseconds() + 1000000;
    int64_t before = process_nanoseconds();
    for (uint32_t place = 0; place < frame_count; place++) {
      tk_sleep_until(start + frames[place].at);
      int64_t late = tk_monotonic_nanoseconds() - start - frames[place].at;
      if (late > result->late_nanoseconds) result->late_nanoseconds = late;
      send_frame(run, &frames[place]);
    }
    result->processor_nanoseconds = process_nanoseconds() - before;
  }
  for (uint32_t place = 0; run->receivers != NULL && place < receiver_count; place++) {
    free_cipher(plan, run->receivers[place].cipher);
  }
  if (run->descriptor >= 0) tk_close(run->descriptor);
  free(run->receivers);
  free(run->text);
  free(run->sealed);
  free(run);
  return status;
}
