#define _GNU_SOURCE
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "CLinuxIO.h"
#include "tk_address.h"

static void set(int descriptor, int level, int name, int value) {
  /* What an older kernel lacks costs delay, not function. */
  setsockopt(descriptor, level, name, &value, sizeof value);
}

static int bind_all(int descriptor, uint16_t port, int loopback_only, int is_ipv6) {
  tk_address any = {.family = is_ipv6 ? 6 : 4, .port = port};
  if (loopback_only) memcpy(any.bytes, "\x7f\0\0\1", 4);
  struct sockaddr_storage address;
  socklen_t length = tk_write_address(&any, is_ipv6, &address);
  return bind(descriptor, (struct sockaddr *)&address, length);
}

int tk_tcp_listen(uint16_t port, int loopback_only) {
  int is_ipv6 = !loopback_only;
  int descriptor = is_ipv6 ? socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
  if (descriptor < 0) {
    is_ipv6 = 0;
    descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
  }
  if (is_ipv6) set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  /* Connections that linger after a restart do not keep us from listening. */
  set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, TK_TCP_UNSENT_LIMIT);
  setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3);
  set(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, 20000);
  set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 3);
  if (bind_all(descriptor, port, loopback_only, is_ipv6) != 0 || listen(descriptor, 256) != 0) {
    int error = errno;
    close(descriptor);
    return -error;
  }
  return descriptor;
}

int tk_tcp_accept(int listener, tk_address *remote, tk_address *local) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  int descriptor = accept4(listener, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) return -errno;
  tk_read_address(&address, remote);
  length = sizeof address;
  if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) {
    int error = errno;
    close(descriptor);
    return -error;
  }
  tk_read_address(&address, local);
  return descriptor;
}

int64_t tk_tcp_receive(int descriptor, void *bytes, uint32_t count, uint8_t *next, uint32_t next_count) {
  struct iovec vectors[2] = {{bytes, count}, {next, next_count}};
  ssize_t got = readv(descriptor, vectors, 2);
  return got < 0 ? -errno : got;
}

int64_t tk_tcp_send_frames(int descriptor, const void *bytes, uint32_t count, uint32_t segment) {
  uint8_t lengths[TK_BATCH][2];
  struct iovec vectors[TK_BATCH * 2];
  struct msghdr message = {.msg_iov = vectors};
  uint32_t offset = 0;
  for (int i = 0; i < TK_BATCH && offset < count; i++) {
    uint32_t size = count - offset < segment ? count - offset : segment;
    lengths[i][0] = (uint8_t)(size >> 8);
    lengths[i][1] = (uint8_t)size;
    vectors[i * 2] = (struct iovec){lengths[i], 2};
    vectors[i * 2 + 1] = (struct iovec){(uint8_t *)bytes + offset, size};
    message.msg_iovlen += 2;
    offset += size;
  }
  ssize_t sent = sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? -errno : sent;
}

int64_t tk_tcp_send(int descriptor, const void *bytes, uint32_t count) {
  ssize_t sent = send(descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? -errno : sent;
}

int tk_tcp_unsent(int descriptor) {
  int count = 0;
  return ioctl(descriptor, SIOCOUTQNSD, &count) == 0 ? count : -errno;
}

int tk_set_open(void) {
  int set = epoll_create1(EPOLL_CLOEXEC);
  return set < 0 ? -errno : set;
}

int tk_set_watch(int set, int descriptor, uint32_t key, int flags, int is_new) {
  struct epoll_event event = {.data = {.u32 = key}};
  if (flags & TK_READABLE) event.events |= EPOLLIN;
  if (flags & TK_WRITABLE) event.events |= EPOLLOUT;
  return epoll_ctl(set, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) == 0 ? 0 : -errno;
}

int tk_set_ready(int set, tk_ready *ready, int limit) {
  struct epoll_event events[TK_BATCH];
  int count = epoll_wait(set, events, limit < TK_BATCH ? limit : TK_BATCH, 0);
  for (int i = 0; i < count; i++) {
    uint32_t flags = 0;
    if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) flags |= TK_READABLE;
    if (events[i].events & EPOLLOUT) flags |= TK_WRITABLE;
    ready[i] = (tk_ready){events[i].data.u32, flags};
  }
  return count < 0 ? 0 : count;
}
