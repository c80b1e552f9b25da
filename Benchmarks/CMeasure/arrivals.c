#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "CMeasure.h"

int tk_stamp_arrivals(int descriptor) {
  int on = 1;
  return setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0 ? 0 : -errno;
}

/* An IPv4 address, mapped into IPv6 or not; the bench sends and receives no other. */
static tk_address address_of(const void *bytes, int is_mapped, uint16_t port) {
  tk_address address = {.family = 4, .port = port};
  memcpy(address.bytes, (const uint8_t *)bytes + (is_mapped ? 12 : 0), 4);
  return address;
}

static void read_control(struct msghdr *message, tk_received *received, int64_t *stamp) {
  for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item != NULL; item = CMSG_NXTHDR(message, item)) {
    if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec time;
      memcpy(&time, CMSG_DATA(item), sizeof time);
      *stamp = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(item), sizeof info);
      received->local = address_of(&info.ipi6_addr, 1, 0);
    } else if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(item), sizeof info);
      received->local = address_of(&info.ipi_addr, 0, 0);
    }
  }
}

int tk_udp_receive_stamped(int descriptor, void *const *buffers, uint32_t room, tk_received *received, int64_t *stamps,
                           int limit) {
  struct mmsghdr messages[TK_BATCH];
  struct iovec vectors[TK_BATCH];
  struct sockaddr_in6 addresses[TK_BATCH];
  char control[TK_BATCH][256];
  if (limit > TK_BATCH) limit = TK_BATCH;
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < limit; i++) {
    vectors[i] = (struct iovec){buffers[i], room};
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = &addresses[i],
        .msg_namelen = sizeof addresses[i],
        .msg_iov = &vectors[i],
        .msg_iovlen = 1,
        .msg_control = control[i],
        .msg_controllen = sizeof control[i],
    };
  }
  int count = recvmmsg(descriptor, messages, (unsigned)limit, MSG_DONTWAIT, NULL);
  if (count < 0) return -errno;
  for (int i = 0; i < count; i++) {
    memset(&received[i], 0, sizeof received[i]);
    stamps[i] = 0;
    received[i].count = messages[i].msg_len;
    if (addresses[i].sin6_family == AF_INET6) {
      received[i].remote = address_of(&addresses[i].sin6_addr, 1, ntohs(addresses[i].sin6_port));
    } else {
      const struct sockaddr_in *plain = (const struct sockaddr_in *)&addresses[i];
      received[i].remote = address_of(&plain->sin_addr, 0, ntohs(plain->sin_port));
    }
    read_control(&messages[i].msg_hdr, &received[i], &stamps[i]);
  }
  return count;
}

int64_t tk_wall_offset(void) {
  struct timespec wall, monotonic;
  clock_gettime(CLOCK_REALTIME, &wall);
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  return (int64_t)(wall.tv_sec - monotonic.tv_sec) * 1000000000 + (wall.tv_nsec - monotonic.tv_nsec);
}
