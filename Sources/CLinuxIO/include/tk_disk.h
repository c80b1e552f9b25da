#ifndef TK_DISK_H
#define TK_DISK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* CRC-32C (Castagnoli, RFC 3720 B.4) of more bytes after those that gave `crc`; 0, or a salt, to begin with. Uses the
   processor's instruction where there is one. */
uint32_t tk_crc32c(uint32_t crc, const void *bytes, size_t count);
/* The same without the instruction, for tests and other processors. */
uint32_t tk_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

/* One pwritev, repeated when interrupted. Bytes written, which may be fewer than asked for, or -errno. */
int64_t tk_disk_write(int descriptor, const struct iovec *pieces, int count, int64_t offset);
/* Reads until count bytes or the end of the file. Bytes read or -errno. */
int64_t tk_disk_read(int descriptor, void *bytes, size_t count, int64_t offset);
/* Sets space aside, which reads as zeros. 0 or -errno; -EOPNOTSUPP where the file system cannot. */
int tk_disk_allocate(int descriptor, int64_t offset, int64_t count);
/* 0 or -errno. */
int tk_disk_sync(int descriptor);
/* Makes a name that was given or taken in a folder last. 0 or -errno. */
int tk_folder_sync(const char *path);
/* Bytes an ordinary user may still write on the file system of path, or -errno. */
int64_t tk_disk_free(const char *path);
/* Opens path and takes its lock, which ends with the process. The descriptor, or -errno: -EWOULDBLOCK when it is
   taken. */
int tk_lock_file(const char *path);
/* A file without a name that holds these bytes. The descriptor, or -errno. */
int tk_memory_file(const void *bytes, size_t count);
/* Identifies the running boot of this machine: 16 bytes. Zeros where the kernel does not tell. */
void tk_boot_identity(uint8_t bytes[16]);

#ifdef __cplusplus
}
#endif

#endif
