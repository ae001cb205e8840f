/* What a failing disk or a jumping clock does to a process that has this library preloaded; see bench/faults.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static char kind, below[4096];
static long left;

/* From now on the call number `after` of a kind (w, r, s: write, read, sync; c: the clock) under a folder goes wrong. */
void fault_arm(char which, const char *folder, long after) {
    kind = which;
    left = after;
    snprintf(below, sizeof below, "%s/", folder);
}

static int fails(char which, int descriptor) {
    char link[64], path[4096];
    if (kind != which) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    if (strncmp(path, below, strlen(below)) || left-- > 0) return 0;
    errno = EIO;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) { return fails('w', fd) ? -1 : REAL(write)(fd, data, size); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return fails('w', fd) ? -1 : REAL(pwrite64)(fd, data, size, at);
}
ssize_t read(int fd, void *data, size_t size) { return fails('r', fd) ? -1 : REAL(read)(fd, data, size); }
ssize_t pread64(int fd, void *data, size_t size, off64_t at) {
    return fails('r', fd) ? -1 : REAL(pread64)(fd, data, size, at);
}
int fsync(int fd) { return fails('s', fd) ? -1 : REAL(fsync)(fd); }
int clock_gettime(clockid_t which, struct timespec *now) {
    int status = REAL(clock_gettime)(which, now);
    /* A day forth and back, again and again, after so many calls. */
    if (kind == 'c' && which == CLOCK_REALTIME && left-- < 0 && left % 7 < -3) now->tv_sec += left % 2 ? 86400 : -86400;
    return status;
}
