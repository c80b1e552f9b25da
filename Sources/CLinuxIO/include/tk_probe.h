#ifndef TK_PROBE_H
#define TK_PROBE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the kernel takes the wall clock to be synchronised: 1, 0, or -errno where it does not tell. */
int tk_probe_clock_synchronised(void);
/* Whether UDP sockets segment trains (UDP_SEGMENT): 1 or 0. */
int tk_probe_segmentation(void);
/* Numbers of the processors that this process may use, rising. Returns how many were written, or -errno. */
int tk_probe_processors(int *out, int limit);
/* Binds the port and lets it go again: 0 when it is free, else -errno. address is 4 or 16 bytes in network order by
   family 4 or 6; an IPv6 wildcard covers IPv4 as well. */
int tk_probe_port(int family, const uint8_t *address, uint16_t port, int is_udp);

#ifdef __cplusplus
}
#endif

#endif
