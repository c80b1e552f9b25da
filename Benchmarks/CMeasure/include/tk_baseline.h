#ifndef TK_BASELINE_H
#define TK_BASELINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a relay cannot do without: the same packets sealed under as many keys and sent, and nothing else. */

typedef enum { TK_BASELINE_GCM = 0, TK_BASELINE_SHA1 = 1 } tk_baseline_profile;
typedef enum { TK_BASELINE_OPENSSL = 0, TK_BASELINE_MULTI_BUFFER = 1 } tk_baseline_cipher;

typedef struct {
  uint32_t address; /* IPv4 */
  uint16_t port;
} tk_baseline_receiver;

/* What leaves at one moment, to each receiver. */
typedef struct {
  int64_t at;       /* nanoseconds since the start */
  uint32_t packets; /* all of the same size, in one train; or in as many system calls */
  uint32_t plain;   /* bytes of payload of each */
  uint32_t ssrc;
  uint32_t first; /* receivers of this lesson: from here, so many */
  uint32_t count;
} tk_baseline_frame;

typedef struct {
  tk_baseline_profile profile;
  tk_baseline_cipher cipher;
  /* Trains a frame is cut into on average, 1 for whole frames; 0 sends each packet by a system call of its own. */
  double trains;
  uint32_t header; /* bytes of RTP header and extensions, authenticated and not encrypted */
} tk_baseline_plan;

typedef struct {
  uint64_t packets;
  uint64_t trains;
  uint64_t refused; /* trains the kernel did not take */
  int64_t processor_nanoseconds; /* of the process, while it ran */
  int64_t late_nanoseconds;      /* the latest a frame began after its moment */
} tk_baseline_result;

/* 0, or -1 when a cipher or a socket cannot be had, or a plan makes no sense. */
int tk_baseline_run(const tk_baseline_plan *plan, const tk_baseline_receiver *receivers, uint32_t receiver_count,
                    const tk_baseline_frame *frames, uint32_t frame_count, tk_baseline_result *result);

#ifdef __cplusplus
}
#endif

#endif
