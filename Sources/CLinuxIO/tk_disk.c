#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "CLinuxIO.h"

/* The reflected Castagnoli polynomial. */
#define POLYNOMIAL 0x82F63B78u

static uint32_t table[8][256];

__attribute__((constructor)) static void fill_table(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    table[0][i] = crc;
  }
  for (int slice = 1; slice < 8; slice++)
    for (int i = 0; i < 256; i++) {
      uint32_t crc = table[slice - 1][i];
      table[slice][i] = crc >> 8 ^ table[0][crc & 0xFF];
    }
}

static uint32_t crc_by_table(uint32_t crc, const uint8_t *bytes, size_t count) {
  for (; count >= 8; bytes += 8, count -= 8) {
    uint32_t low = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    low ^= crc;
    crc = table[7][low & 0xFF] ^ table[6][low >> 8 & 0xFF] ^ table[5][low >> 16 & 0xFF] ^ table[4][low >> 24] ^
          table[3][bytes[4]] ^ table[2][bytes[5]] ^ table[1][bytes[6]] ^ table[0][bytes[7]];
  }
  for (; count > 0; bytes++, count--) crc = crc >> 8 ^ table[0][(crc ^ *bytes) & 0xFF];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static uint32_t crc_by_instruction(uint32_t crc, const uint8_t *bytes, size_t count) {
  uint64_t wide = crc;
  for (; count >= 8; bytes += 8, count -= 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  crc = (uint32_t)wide;
  for (; count > 0; bytes++, count--) crc = __builtin_ia32_crc32qi(crc, *bytes);
  return crc;
}
#endif

uint32_t tk_crc32c(uint32_t crc, const void *bytes, size_t count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ~crc_by_instruction(~crc, bytes, count);
#endif
  return ~crc_by_table(~crc, bytes, count);
}

uint32_t tk_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
  return ~crc_by_table(~crc, bytes, count);
}

int64_t tk_disk_write(int descriptor, const struct iovec *pieces, int count, int64_t offset) {
  ssize_t written;
  do written = pwritev(descriptor, pieces, count, offset);
  while (written < 0 && errno == EINTR);
  return written < 0 ? -errno : written;
}

int64_t tk_disk_read(int descriptor, void *bytes, size_t count, int64_t offset) {
  size_t got = 0;
  while (got < count) {
    ssize_t part = pread(descriptor, (char *)bytes + got, count - got, offset + (int64_t)got);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) return -errno;
    if (part == 0) break;
    got += (size_t)part;
  }
  return (int64_t)got;
}

int tk_disk_allocate(int descriptor, int64_t offset, int64_t count) {
  return fallocate(descriptor, 0, offset, count) == 0 ? 0 : -errno;
}

int tk_disk_sync(int descriptor) { return fdatasync(descriptor) == 0 ? 0 : -errno; }

int tk_folder_sync(const char *path) {
  int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  int result = fsync(descriptor) == 0 ? 0 : -errno;
  close(descriptor);
  return result;
}

int64_t tk_disk_free(const char *path) {
  struct statvfs volume;
  if (statvfs(path, &volume) != 0) return -errno;
  return (int64_t)volume.f_bavail * (int64_t)volume.f_frsize;
}

int tk_lock_file(const char *path) {
  int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return -errno;
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  int error = errno;
  close(descriptor);
  return -error;
}

int tk_memory_file(const void *bytes, size_t count) {
  int descriptor = memfd_create("tongke", MFD_CLOEXEC);
  if (descriptor < 0) return -errno;
  if (write(descriptor, bytes, count) == (ssize_t)count) return descriptor;
  close(descriptor);
  return -EIO;
}

static int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

void tk_boot_identity(uint8_t bytes[16]) {
  memset(bytes, 0, 16);
  int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  char text[64];
  ssize_t count = read(descriptor, text, sizeof text);
  close(descriptor);
  int digits = 0;
  for (ssize_t i = 0; i < count && digits < 32; i++) {
    int value = hex_value(text[i]);
    if (value < 0) continue;
    bytes[digits / 2] = (uint8_t)(bytes[digits / 2] << 4 | value);
    digits++;
  }
}
