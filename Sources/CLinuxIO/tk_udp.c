#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CLinuxIO.h"
#include "tk_address.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

void tk_read_address(const struct sockaddr_storage *from, tk_address *to) {
  memset(to, 0, sizeof *to);
  if (from->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const void *)from;
    to->family = 4;
    to->port = ntohs(in->sin_port);
    memcpy(to->bytes, &in->sin_addr, 4);
    return;
  }
  const struct sockaddr_in6 *in = (const void *)from;
  to->port = ntohs(in->sin6_port);
  if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr)) {
    to->family = 4;
    memcpy(to->bytes, in->sin6_addr.s6_addr + 12, 4);
  } else {
    to->family = 6;
    to->scope = in->sin6_scope_id;
    memcpy(to->bytes, &in->sin6_addr, 16);
  }
}

socklen_t tk_write_address(const tk_address *from, int is_ipv6, struct sockaddr_storage *to) {
  memset(to, 0, sizeof *to);
  if (!is_ipv6) {
    struct sockaddr_in *in = (void *)to;
    in->sin_family = AF_INET;
    in->sin_port = htons(from->port);
    memcpy(&in->sin_addr, from->bytes, 4);
    return sizeof *in;
  }
  struct sockaddr_in6 *in = (void *)to;
  in->sin6_family = AF_INET6;
  in->sin6_port = htons(from->port);
  if (from->family == 4) {
    in->sin6_addr.s6_addr[10] = in->sin6_addr.s6_addr[11] = 0xFF;
    memcpy(in->sin6_addr.s6_addr + 12, from->bytes, 4);
  } else {
    memcpy(&in->sin6_addr, from->bytes, 16);
    in->sin6_scope_id = from->scope;
  }
  return sizeof *in;
}

int tk_udp_open(uint16_t *port, int loopback_only, int *is_ipv6, int receive_bytes, int *receive_got) {
  int on = 1, off = 0;
  *is_ipv6 = !loopback_only;
  int descriptor = loopback_only ? -1 : socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    *is_ipv6 = 0;
    descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
  }
  tk_address any = {.family = 4, .port = *port};
  if (loopback_only) memcpy(any.bytes, "\x7f\0\0\1", 4);
  struct sockaddr_storage address;
  socklen_t length;
  if (*is_ipv6) {
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    any.family = 6;
    length = tk_write_address(&any, 1, &address);
  } else {
    setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    length = tk_write_address(&any, 0, &address);
  }
  /* IPv4 packets on an IPv6 socket carry mapped addresses in IPV6_PKTINFO. */
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof receive_bytes);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &receive_bytes, sizeof receive_bytes);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &receive_bytes, sizeof receive_bytes);
  socklen_t size = sizeof *receive_got;
  getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, receive_got, &size);
  if (bind(descriptor, (struct sockaddr *)&address, length) != 0) {
    int error = errno;
    close(descriptor);
    return -error;
  }
  length = sizeof address;
  getsockname(descriptor, (struct sockaddr *)&address, &length);
  tk_address bound;
  tk_read_address(&address, &bound);
  *port = bound.port;
  return descriptor;
}

int tk_udp_receive(int descriptor, void *const *buffers, uint32_t room, tk_received *received, int limit) {
  struct mmsghdr messages[TK_BATCH];
  struct iovec vectors[TK_BATCH];
  struct sockaddr_storage addresses[TK_BATCH];
  char control[TK_BATCH][CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
  if (limit > TK_BATCH) limit = TK_BATCH;
  memset(messages, 0, sizeof(struct mmsghdr) * (size_t)limit);
  for (int i = 0; i < limit; i++) {
    vectors[i] = (struct iovec){buffers[i], room};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &addresses[i];
    messages[i].msg_hdr.msg_namelen = sizeof addresses[i];
    messages[i].msg_hdr.msg_control = control[i];
    messages[i].msg_hdr.msg_controllen = sizeof control[i];
  }
  int count = recvmmsg(descriptor, messages, (unsigned)limit, MSG_DONTWAIT, NULL);
  if (count < 0) return -errno;
  for (int i = 0; i < count; i++) {
    struct msghdr *header = &messages[i].msg_hdr;
    tk_read_address(&addresses[i], &received[i].remote);
    memset(&received[i].local, 0, sizeof received[i].local);
    received[i].local.family = received[i].remote.family;
    /* A truncated datagram is larger than any slot: nothing we speak. */
    received[i].count = header->msg_flags & MSG_TRUNC ? 0 : messages[i].msg_len;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
      if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        memcpy(received[i].local.bytes, &info.ipi_addr, 4);
      } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        if (IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr)) {
          memcpy(received[i].local.bytes, info.ipi6_addr.s6_addr + 12, 4);
        } else {
          memcpy(received[i].local.bytes, &info.ipi6_addr, 16);
          if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) received[i].local.scope = info.ipi6_ifindex;
        }
      }
    }
  }
  return count;
}

/* The source address and, for a train, the segment size. Returns the bytes used. */
static size_t write_control(const tk_train *train, int is_ipv6, char *control, size_t room) {
  struct msghdr header = {.msg_control = control, .msg_controllen = room};
  memset(control, 0, room);
  struct cmsghdr *c = CMSG_FIRSTHDR(&header);
  size_t used = 0;
  static const uint8_t none[16];
  if (memcmp(train->local.bytes, none, 16) != 0) {
    if (is_ipv6) {
      struct in6_pktinfo info = {0};
      if (train->local.family == 4) {
        info.ipi6_addr.s6_addr[10] = info.ipi6_addr.s6_addr[11] = 0xFF;
        memcpy(info.ipi6_addr.s6_addr + 12, train->local.bytes, 4);
      } else {
        memcpy(&info.ipi6_addr, train->local.bytes, 16);
        info.ipi6_ifindex = train->local.scope;
      }
      c->cmsg_level = IPPROTO_IPV6;
      c->cmsg_type = IPV6_PKTINFO;
      c->cmsg_len = CMSG_LEN(sizeof info);
      memcpy(CMSG_DATA(c), &info, sizeof info);
      used += CMSG_SPACE(sizeof info);
    } else {
      struct in_pktinfo info = {0};
      memcpy(&info.ipi_spec_dst, train->local.bytes, 4);
      c->cmsg_level = IPPROTO_IP;
      c->cmsg_type = IP_PKTINFO;
      c->cmsg_len = CMSG_LEN(sizeof info);
      memcpy(CMSG_DATA(c), &info, sizeof info);
      used += CMSG_SPACE(sizeof info);
    }
    c = CMSG_NXTHDR(&header, c);
  }
  if (train->segment && train->segment < train->count) {
    uint16_t segment = (uint16_t)train->segment;
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(c), &segment, sizeof segment);
    used += CMSG_SPACE(sizeof segment);
  }
  return used;
}

int tk_udp_send(int descriptor, int is_ipv6, const tk_train *trains, int count) {
  struct mmsghdr messages[TK_BATCH];
  struct iovec vectors[TK_BATCH];
  struct sockaddr_storage addresses[TK_BATCH];
  union {
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
    struct cmsghdr align;
  } control[TK_BATCH];
  if (count > TK_BATCH) count = TK_BATCH;
  memset(messages, 0, sizeof(struct mmsghdr) * (size_t)count);
  for (int i = 0; i < count; i++) {
    vectors[i] = (struct iovec){(void *)trains[i].bytes, trains[i].count};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &addresses[i];
    messages[i].msg_hdr.msg_namelen = tk_write_address(&trains[i].remote, is_ipv6, &addresses[i]);
    messages[i].msg_hdr.msg_control = control[i].bytes;
    messages[i].msg_hdr.msg_controllen = write_control(&trains[i], is_ipv6, control[i].bytes, sizeof control[i].bytes);
    if (messages[i].msg_hdr.msg_controllen == 0) messages[i].msg_hdr.msg_control = NULL;
  }
  int sent = sendmmsg(descriptor, messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? -errno : sent;
}
