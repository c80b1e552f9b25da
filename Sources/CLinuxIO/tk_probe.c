#define _GNU_SOURCE
#include "tk_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

int tk_probe_clock_synchronised(void) {
  struct timex state = {0};
  if (adjtimex(&state) < 0) return -errno;
  return (state.status & STA_UNSYNC) == 0;
}

int tk_probe_segmentation(void) {
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return 0;
  int size = 1200;
  int works = setsockopt(descriptor, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size) == 0;
  close(descriptor);
  return works;
}

int tk_probe_processors(int *out, int limit) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return -errno;
  int count = 0;
  for (int number = 0; number < CPU_SETSIZE && count < limit; number++)
    if (CPU_ISSET(number, &set)) out[count++] = number;
  return count;
}

int tk_probe_port(int family, const uint8_t *address, uint16_t port, int is_udp) {
  int domain = family == 4 ? AF_INET : AF_INET6;
  int descriptor = socket(domain, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int on = 1, off = 0;
  struct sockaddr_storage storage = {0};
  socklen_t length = sizeof(struct sockaddr_in);
  /* A connection that lingers after a restart does not keep a server from listening; a listener does. */
  if (!is_udp) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == 4) {
    struct sockaddr_in *in = (void *)&storage;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    memcpy(&in->sin_addr, address, 4);
  } else {
    struct sockaddr_in6 *in = (void *)&storage;
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    in->sin6_family = AF_INET6;
    in->sin6_port = htons(port);
    memcpy(&in->sin6_addr, address, 16);
    length = sizeof *in;
  }
  int result = bind(descriptor, (struct sockaddr *)&storage, length) == 0 ? 0 : -errno;
  if (result == 0 && !is_udp && listen(descriptor, 1) != 0) result = -errno;
  close(descriptor);
  return result;
}
