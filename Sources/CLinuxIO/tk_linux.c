#define _GNU_SOURCE
#include <errno.h>
#include <ifaddrs.h>
#include <malloc.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "CLinuxIO.h"

int tk_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void tk_eventfd_signal(int descriptor) {
  uint64_t one = 1;
  /* A full counter is already a signal. */
  if (write(descriptor, &one, sizeof one) < 0) return;
}

void tk_eventfd_clear(int descriptor) {
  uint64_t count;
  if (read(descriptor, &count, sizeof count) < 0) return;
}

void tk_eventfd_wait(int descriptor, int64_t nanoseconds) {
  struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
  struct timespec pause = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  ppoll(&wanted, 1, nanoseconds < 0 ? NULL : &pause, NULL);
  tk_eventfd_clear(descriptor);
}

int tk_epoll(int first, int second) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return -errno;
  struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = 1}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, first, &event) != 0) goto failed;
  event.data.u32 = 2;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, second, &event) != 0) goto failed;
  return epoll;
failed:;
  int error = errno;
  close(epoll);
  return -error;
}

int tk_epoll_third(int epoll, int third) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = 4}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, third, &event) == 0 ? 0 : -errno;
}

int tk_epoll_wait(int epoll, int64_t microseconds) {
  struct epoll_event events[3];
  struct timespec pause = {microseconds / 1000000, (microseconds % 1000000) * 1000};
  int count = epoll_pwait2(epoll, events, 3, microseconds < 0 ? NULL : &pause, NULL);
  int ready = 0;
  for (int i = 0; i < count; i++) ready |= (int)events[i].data.u32;
  return ready;
}

void tk_close(int descriptor) { close(descriptor); }

static int64_t microseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t tk_monotonic_microseconds(void) { return microseconds(CLOCK_MONOTONIC); }
int64_t tk_realtime_microseconds(void) { return microseconds(CLOCK_REALTIME); }
void tk_sleep(int64_t pause) {
  struct timespec length = {.tv_sec = pause / 1000000, .tv_nsec = pause % 1000000 * 1000};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &length, NULL);
}
int64_t tk_thread_microseconds(void) { return microseconds(CLOCK_THREAD_CPUTIME_ID); }

typedef struct {
  void (*body)(void *);
  void *context;
  char name[16];
} start;

static void *run(void *argument) {
  start begun = *(start *)argument;
  free(argument);
  pthread_setname_np(pthread_self(), begun.name);
  begun.body(begun.context);
  return NULL;
}

int tk_thread_start(const char *name, int processor, void (*body)(void *), void *context, uint64_t *handle) {
  start *begun = calloc(1, sizeof *begun);
  if (!begun) return ENOMEM;
  begun->body = body;
  begun->context = context;
  strncpy(begun->name, name, sizeof begun->name - 1);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 8 << 20);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, run, begun);
  pthread_attr_destroy(&attributes);
  if (error) {
    free(begun);
    return error;
  }
  if (processor >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    /* Not allowed in some containers; the thread then runs where it may. */
    pthread_setaffinity_np(thread, sizeof set, &set);
  }
  *handle = (uint64_t)thread;
  return 0;
}

void tk_thread_join(uint64_t handle) { pthread_join((pthread_t)handle, NULL); }

int tk_thread_set_nice(int nice) {
  return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice) == 0 ? 0 : errno;
}

int tk_thread_set_background(void) {
  int error = tk_thread_set_nice(19);
  /* IOPRIO_WHO_PROCESS, IOPRIO_CLASS_IDLE (linux/ioprio.h): only while nobody else wants the disk. */
  int failed = syscall(SYS_ioprio_set, 1, 0, 3 << 13) != 0;
  return error == 0 && failed ? errno : error;
}

void tk_memory_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

int tk_interfaces(tk_interface *out, int limit) {
  struct ifaddrs *list;
  if (getifaddrs(&list) != 0) return 0;
  int count = 0;
  for (struct ifaddrs *i = list; i && count < limit; i = i->ifa_next) {
    if (!i->ifa_addr || !(i->ifa_flags & IFF_UP)) continue;
    tk_interface *entry = &out[count];
    memset(entry, 0, sizeof *entry);
    if (i->ifa_addr->sa_family == AF_INET) {
      entry->address.family = 4;
      memcpy(entry->address.bytes, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, 4);
    } else if (i->ifa_addr->sa_family == AF_INET6) {
      entry->address.family = 6;
      memcpy(entry->address.bytes, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
      entry->address.scope = ((struct sockaddr_in6 *)i->ifa_addr)->sin6_scope_id;
    } else {
      continue;
    }
    strncpy(entry->name, i->ifa_name, sizeof entry->name - 1);
    entry->is_loopback = (i->ifa_flags & IFF_LOOPBACK) != 0;
    static const char *const bridges[] = {"docker", "br-", "veth", "virbr", "cni", "flannel", "podman"};
    for (size_t b = 0; b < sizeof bridges / sizeof *bridges; b++)
      if (strncmp(entry->name, bridges[b], strlen(bridges[b])) == 0) entry->is_bridge = 1;
    count++;
  }
  freeifaddrs(list);
  return count;
}
