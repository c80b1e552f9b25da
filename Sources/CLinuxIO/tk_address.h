#ifndef TK_ADDRESS_H
#define TK_ADDRESS_H

/* Addresses of the system as ours and back; within this target only. */
#include <sys/socket.h>

#include "CLinuxIO.h"

void tk_read_address(const struct sockaddr_storage *from, tk_address *to);
/* Returns the length of what it wrote; an IPv4 address becomes a mapped one where is_ipv6. */
socklen_t tk_write_address(const tk_address *from, int is_ipv6, struct sockaddr_storage *to);

#endif
