#define _GNU_SOURCE
#include "tk_load.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "CMeasure.h"

enum { SOCKET_LIMIT = 64, ROOM = 2048, CONTROL = 128 };

struct tk_load {
  int descriptors[SOCKET_LIMIT];
  uint16_t ports[SOCKET_LIMIT];
  int sockets;
  int granted;
  uint32_t base;
  uint32_t peer_limit;
  uint32_t sample;
  int64_t wall_offset;
  int64_t began;
  uint32_t now; /* microseconds since it began, never 0 */
  tk_load_peer *peers;
  size_t peer_bytes;
  struct mmsghdr messages[TK_BATCH];
  struct iovec vectors[TK_BATCH];
  struct sockaddr_in addresses[TK_BATCH];
  _Alignas(16) uint8_t control[TK_BATCH][CONTROL];
  uint8_t bytes[TK_BATCH][ROOM];
};

static int open_socket(int room, uint16_t *port, int *granted) {
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address, size = sizeof *granted;
  setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, granted, &size);
  if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0 ||
      getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) {
    close(descriptor);
    return -1;
  }
  *port = ntohs(address.sin_port);
  return descriptor;
}

tk_load *tk_load_create(int sockets, uint32_t base, uint32_t peer_limit, int room, uint32_t sample) {
  if (sockets < 1 || sockets > SOCKET_LIMIT || peer_limit == 0) return NULL;
  tk_load *load = calloc(1, sizeof *load);
  if (load == NULL) return NULL;
  load->base = base;
  load->peer_limit = peer_limit;
  load->sample = sample;
  load->peer_bytes = sizeof(tk_load_peer) * peer_limit;
  load->peers = mmap(NULL, load->peer_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (load->peers == MAP_FAILED) {
    free(load);
    return NULL;
  }
  load->began = tk_monotonic_nanoseconds();
  for (int i = 0; i < TK_BATCH; i++) load->vectors[i] = (struct iovec){load->bytes[i], ROOM};
  for (; load->sockets < sockets; load->sockets++) {
    int place = load->sockets;
    load->descriptors[place] = open_socket(room, &load->ports[place], &load->granted);
    if (load->descriptors[place] < 0) {
      tk_load_free(load);
      return NULL;
    }
  }
  tk_load_begin_round(load);
  return load;
}

void tk_load_free(tk_load *load) {
  for (int i = 0; i < load->sockets; i++) close(load->descriptors[i]);
  munmap(load->peers, load->peer_bytes);
  free(load);
}

uint16_t tk_load_port(const tk_load *load, int socket) { return load->ports[socket]; }
int tk_load_descriptor(const tk_load *load, int socket) { return load->descriptors[socket]; }
int tk_load_room(const tk_load *load) { return load->granted; }
tk_load_peer *tk_load_peer_at(tk_load *load, uint32_t peer) { return &load->peers[peer]; }

void tk_load_set_stream(tk_load_peer *peer, uint32_t stream, uint32_t ssrc) {
  peer->streams[stream] = (tk_load_stream){.ssrc = ssrc, .first = -1, .highest = -1};
}

void tk_load_begin_round(tk_load *load) {
  load->wall_offset = tk_wall_offset();
  load->now = (uint32_t)((tk_monotonic_nanoseconds() - load->began) / 1000) + 1;
}

static uint16_t word16(const uint8_t *bytes) { return (uint16_t)(bytes[0] << 8 | bytes[1]); }
static uint32_t word32(const uint8_t *bytes) { return (uint32_t)word16(bytes) << 16 | word16(bytes + 2); }

/* Notes a number; 0 for one that was there before or is too old to tell. */
static int note_number(tk_load_stream *stream, uint16_t sequence) {
  if (stream->first < 0) {
    stream->first = stream->highest = sequence;
    stream->window = 1;
    return 1;
  }
  int64_t number = stream->highest + (int16_t)(sequence - (uint16_t)stream->highest);
  int64_t ahead = number - stream->highest;
  if (ahead > 0) {
    stream->window = ahead >= 64 ? 1 : stream->window << ahead | 1;
    stream->highest = number;
    return 1;
  }
  if (-ahead >= 64 || (stream->window >> -ahead & 1) != 0) return 0;
  stream->window |= 1ull << -ahead;
  return 1;
}

/* The transport-wide number in a block of one-byte extensions; -1 without. */
static int transport_number(const uint8_t *bytes, uint32_t count, uint32_t id) {
  if ((bytes[0] & 0x10) == 0 || id == 0) return -1;
  uint32_t offset = 12 + 4 * (bytes[0] & 15u);
  if (offset + 4 > count || word16(bytes + offset) != 0xBEDE) return -1;
  uint32_t end = offset + 4 + 4 * word16(bytes + offset + 2);
  if (end > count) return -1;
  for (offset += 4; offset < end;) {
    if (bytes[offset] == 0) {
      offset++;
      continue;
    }
    uint32_t length = (bytes[offset] & 15u) + 1;
    if (bytes[offset] >> 4 == id && length == 2 && offset + 2 < end) return word16(bytes + offset + 1);
    offset += 1 + length;
  }
  return -1;
}

static void note_arrival(tk_load_peer *peer, uint16_t sequence, uint32_t now) {
  if (!peer->has_transport) {
    peer->has_transport = 1;
    peer->transport_highest = peer->transport_reported = sequence;
  }
  int64_t number = peer->transport_highest + (int16_t)(sequence - (uint16_t)peer->transport_highest);
  if (number < peer->transport_reported) return;
  if (number - peer->transport_highest >= TK_LOAD_ARRIVALS) peer->transport_reported = number;
  for (int64_t skipped = peer->transport_highest + 1; skipped < number; skipped++) {
    peer->arrivals[skipped & (TK_LOAD_ARRIVALS - 1)] = 0;
    if (skipped - peer->transport_highest >= TK_LOAD_ARRIVALS) break;
  }
  peer->arrivals[number & (TK_LOAD_ARRIVALS - 1)] = now;
  if (number > peer->transport_highest) peer->transport_highest = number;
  if (peer->transport_highest - peer->transport_reported >= TK_LOAD_ARRIVALS)
    peer->transport_reported = peer->transport_highest - TK_LOAD_ARRIVALS + 1;
}

/* Counts an RTP packet. Returns its stream when it is one to be opened. */
static uint32_t count_packet(tk_load *load, tk_load_peer *peer, const uint8_t *bytes, uint32_t count) {
  uint32_t ssrc = word32(bytes + 8);
  peer->packets++;
  peer->bytes += count;
  for (uint32_t place = 0; place < TK_LOAD_STREAMS && peer->streams[place].ssrc != 0; place++) {
    tk_load_stream *stream = &peer->streams[place];
    if (stream->ssrc != ssrc) continue;
    int number = transport_number(bytes, count, peer->transport_id);
    if (number >= 0) note_arrival(peer, (uint16_t)number, load->now);
    if (!note_number(stream, word16(bytes + 2))) {
      stream->duplicates++;
      return TK_LOAD_NONE;
    }
    stream->received++;
    return stream->since_sample++ % load->sample == 0 ? place : TK_LOAD_NONE;
  }
  peer->strangers++;
  return TK_LOAD_NONE;
}

static void read_control(tk_load *load, struct msghdr *header, uint32_t *peer, int64_t *stamp) {
  *peer = TK_LOAD_NONE;
  *stamp = 0;
  for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item != NULL; item = CMSG_NXTHDR(header, item)) {
    if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec time;
      memcpy(&time, CMSG_DATA(item), sizeof time);
      *stamp = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec - load->wall_offset;
    } else if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(item), sizeof info);
      uint32_t place = ntohl(info.ipi_addr.s_addr) - load->base;
      if (place < load->peer_limit) *peer = place;
    }
  }
}

int tk_load_take(tk_load *load, uint32_t peer, uint8_t *bytes, uint32_t count, int64_t stamp, tk_load_item *item) {
  if (peer >= load->peer_limit || count < 2) return 0;
  uint32_t stream = TK_LOAD_NONE;
  if (bytes[0] >> 6 == 2 && count >= 12 && (bytes[1] < 192 || bytes[1] > 223)) {
    stream = count_packet(load, &load->peers[peer], bytes, count);
    if (stream == TK_LOAD_NONE) return 0;
  }
  *item = (tk_load_item){.bytes = bytes, .count = count, .peer = peer, .stream = stream, .stamp = stamp};
  return 1;
}

int tk_load_receive(tk_load *load, int socket, tk_load_item *items, int *item_count) {
  *item_count = 0;
  for (int i = 0; i < TK_BATCH; i++) {
    load->messages[i].msg_hdr = (struct msghdr){
        .msg_name = &load->addresses[i],
        .msg_namelen = sizeof load->addresses[i],
        .msg_iov = &load->vectors[i],
        .msg_iovlen = 1,
        .msg_control = load->control[i],
        .msg_controllen = CONTROL,
    };
  }
  int count = recvmmsg(load->descriptors[socket], load->messages, TK_BATCH, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) {
    uint32_t peer;
    int64_t stamp;
    read_control(load, &load->messages[i].msg_hdr, &peer, &stamp);
    tk_load_item *item = &items[*item_count];
    if (!tk_load_take(load, peer, load->bytes[i], load->messages[i].msg_len, stamp, item)) continue;
    item->remote = (tk_address){.family = 4, .port = ntohs(load->addresses[i].sin_port)};
    memcpy(item->remote.bytes, &load->addresses[i].sin_addr, 4);
    (*item_count)++;
  }
  return count < 0 ? 0 : count;
}

int tk_load_connect(tk_address remote, int room) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(remote.port)};
  memcpy(&address.sin_addr, remote.bytes, 4);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
    int error = errno;
    close(descriptor);
    return -error;
  }
  return descriptor;
}

int64_t tk_load_read(int descriptor, void *bytes, uint32_t count) {
  ssize_t got = recv(descriptor, bytes, count, MSG_DONTWAIT);
  return got < 0 ? -errno : got;
}

int tk_pin_process(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  DIR *tasks = opendir("/proc/self/task");
  if (tasks == NULL) return -errno;
  int result = 0;
  for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
    int thread = atoi(entry->d_name);
    if (thread > 0 && sched_setaffinity(thread, sizeof set, &set) != 0) result = -errno;
  }
  closedir(tasks);
  return result;
}

void tk_sleep_until(int64_t nanoseconds) {
  struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {
  }
}
