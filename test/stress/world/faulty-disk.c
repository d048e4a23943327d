/*
 * A file system that fails writes, for one process: preloaded, it stands between the process and the C library.
 *
 * CHAT_FAULT_FOLDER names the folder whose files are hit. CHAT_FAULT_FILE names a file whose first byte says what happens:
 * F: no space left (ENOSPC), also in the middle of a write, and after a first part of it;
 * E: input/output error (EIO), of writes and flushes;
 * S: writes and flushes take up to 60 ms;
 * anything else: nothing. Numbers are drawn from CHAT_FAULT_SEED.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *folder;
static size_t folder_length;
static volatile const char *mode;
static unsigned seed;

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("CHAT_FAULT_FILE");
  const char *text = getenv("CHAT_FAULT_SEED");
  folder = getenv("CHAT_FAULT_FOLDER");
  seed = text ? (unsigned)atoi(text) : 1;
  if (!file || !folder) return;
  folder_length = strlen(folder);
  int fd = open(file, O_RDONLY);
  if (fd < 0) return;
  void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (page != MAP_FAILED) mode = page;
}

/* What is wrong with this file now. */
static char fault_of(int fd) {
  if (!mode || (*mode != 'F' && *mode != 'E' && *mode != 'S')) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0 || (size_t)length < folder_length || memcmp(path, folder, folder_length)) return 0;
  return *mode;
}

static unsigned draw(unsigned below) {
  return (unsigned)rand_r(&seed) % below;
}

/* Of a write of `count` bytes: how many may be written, -1 with errno for none. */
static ssize_t allow(int fd, size_t count) {
  switch (fault_of(fd)) {
    case 'F':
      if (count > 1 && draw(4) == 0) return (ssize_t)(1 + draw((unsigned)count - 1));
      errno = ENOSPC;
      return -1;
    case 'E':
      errno = EIO;
      return -1;
    case 'S':
      usleep(draw(60000));
  }
  return (ssize_t)count;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
  ssize_t allowed = allow(fd, count);
  return allowed < 0 ? -1 : REAL(write)(fd, bytes, (size_t)allowed);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  ssize_t allowed = allow(fd, count);
  return allowed < 0 ? -1 : REAL(pwrite)(fd, bytes, (size_t)allowed, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  ssize_t allowed = allow(fd, count);
  return allowed < 0 ? -1 : REAL(pwrite64)(fd, bytes, (size_t)allowed, offset);
}

/* A full disk takes no new blocks; a broken one nothing. */
static int refuse(int fd, char also) {
  char fault = fault_of(fd);
  if (fault == 'S') usleep(draw(60000));
  if (fault == 0 || (fault != 'E' && fault != also)) return 0;
  errno = fault == 'E' ? EIO : ENOSPC;
  return -1;
}

int ftruncate(int fd, off_t length) {
  return refuse(fd, 0) ? -1 : REAL(ftruncate)(fd, length);
}

int ftruncate64(int fd, off64_t length) {
  return refuse(fd, 0) ? -1 : REAL(ftruncate64)(fd, length);
}

int posix_fallocate(int fd, off_t offset, off_t length) {
  return refuse(fd, 'F') ? errno : REAL(posix_fallocate)(fd, offset, length);
}

int fallocate(int fd, int flags, off_t offset, off_t length) {
  return refuse(fd, 'F') ? -1 : REAL(fallocate)(fd, flags, offset, length);
}

int fsync(int fd) {
  return refuse(fd, 0) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd) {
  return refuse(fd, 0) ? -1 : REAL(fdatasync)(fd);
}
