#ifndef TK_LOAD_H
#define TK_LOAD_H

#include <CLinuxIO.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Many receivers in few sockets: told apart by the address of this machine that a datagram came to. Every RTP packet is
   counted by its number; what needs more than counting is handed out. One thread owns it. */

enum { TK_LOAD_STREAMS = 8, TK_LOAD_ARRIVALS = 1024, TK_LOAD_NONE = 0xFFFFFFFF };

/* One SSRC at one receiver. */
typedef struct {
  uint32_t ssrc; /* 0: unused */
  uint32_t unused;
  int64_t first; /* extended sequence numbers, -1 before the first packet */
  int64_t highest;
  uint64_t received; /* without duplicates */
  uint64_t duplicates;
  uint64_t window; /* the highest and the 63 below it */
  uint64_t since_sample;
} tk_load_stream;

typedef struct {
  tk_load_stream streams[TK_LOAD_STREAMS];
  uint64_t packets; /* RTP, all streams */
  uint64_t bytes;   /* of RTP datagrams */
  uint64_t strangers; /* RTP of an SSRC that nobody announced */
  uint32_t transport_id; /* id of the transport-wide number's extension, 0 without */
  uint32_t has_transport;
  int64_t transport_highest;  /* extended; before the first there is none */
  int64_t transport_reported; /* the next number to report */
  uint32_t arrivals[TK_LOAD_ARRIVALS]; /* microseconds since the load began, by transport-wide number; 0: none */
} tk_load_peer;

/* A datagram that is handed out: STUN, DTLS, RTCP, and one of `sample` packets of each stream. */
typedef struct {
  uint8_t *bytes; /* good until the next receive; may be decrypted in place */
  uint32_t count;
  uint32_t peer;
  uint32_t stream; /* of a sampled RTP packet, TK_LOAD_NONE otherwise */
  tk_address remote;
  int64_t stamp; /* when the kernel had it in the socket, nanoseconds of the monotonic clock */
} tk_load_item;

typedef struct tk_load tk_load;

/* Sockets on free ports of all IPv4 addresses, `room` bytes of receive buffer each. Addresses are base, base + 1, …,
   one for each of up to peer_limit peers. NULL when the system refuses. */
tk_load *tk_load_create(int sockets, uint32_t base, uint32_t peer_limit, int room, uint32_t sample);
void tk_load_free(tk_load *load);
uint16_t tk_load_port(const tk_load *load, int socket);
int tk_load_descriptor(const tk_load *load, int socket);
/* Receive buffer that the system granted to each socket. */
int tk_load_room(const tk_load *load);
/* Memory of a peer; stays where it is. */
tk_load_peer *tk_load_peer_at(tk_load *load, uint32_t peer);
static inline tk_load_stream *tk_load_stream_at(tk_load_peer *peer, uint32_t stream) { return &peer->streams[stream]; }
static inline uint32_t tk_load_arrival(const tk_load_peer *peer, int64_t number) {
  return peer->arrivals[number & (TK_LOAD_ARRIVALS - 1)];
}
/* Begins the count of a stream anew. */
void tk_load_set_stream(tk_load_peer *peer, uint32_t stream, uint32_t ssrc);

/* Takes one batch from a socket: writes what is to be looked at, TK_BATCH items at most. Returns datagrams read, so
   that TK_BATCH means there may be more; 0 when there was nothing. */
int tk_load_receive(tk_load *load, int socket, tk_load_item *items, int *item_count);
/* Takes one datagram that came in a connection. 1 when `item` is to be looked at; its remote is left unset. */
int tk_load_take(tk_load *load, uint32_t peer, uint8_t *bytes, uint32_t count, int64_t stamp, tk_load_item *item);
/* A TCP connection with `room` bytes of receive buffer; waits for it. The descriptor or -errno. */
int tk_load_connect(tk_address remote, int room);
/* What there is, without waiting: bytes, 0 at the end, or -errno. */
int64_t tk_load_read(int descriptor, void *bytes, uint32_t count);
/* Wall clock against monotonic clock for the stamps, and now; once a round. */
void tk_load_begin_round(tk_load *load);

/* Lets all threads of this process run on one processor, and those they start. 0 or -errno. */
int tk_pin_process(int processor);
/* Sleeps until a moment of the monotonic clock, nanoseconds. */
void tk_sleep_until(int64_t nanoseconds);

#ifdef __cplusplus
}
#endif

#endif
