/* Lets writes to files in a folder fail, from the k-th on, with an error of choice: a library to be preloaded.

   Python's hooks see files that are opened and renamed, but not what is written to them, and no library that
   is not Python's. Here every call counts that puts bytes into a file, whoever makes it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static size_t folder_length;
static long first = LONG_MAX, seen;
static int number;

/* From the k-th write (from 1) to a file in this folder on, writes fail with this error. */
void fail_writes(const char *in, long at, int with) {
    snprintf(folder, sizeof folder, "%s/", in);
    folder_length = strlen(folder);
    first = at;
    number = with;
    __atomic_store_n(&seen, 0, __ATOMIC_SEQ_CST);
}

/* How many there were, or would have been. */
long seen_writes(void) { return __atomic_load_n(&seen, __ATOMIC_SEQ_CST); }

static int fails(int file) {
    char link[64], path[PATH_MAX];
    ssize_t length;
    int before = errno;
    if (!folder_length) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    length = readlink(link, path, sizeof path);
    errno = before;
    if (length < (ssize_t)folder_length || memcmp(path, folder, folder_length)) return 0;
    if (__atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST) < first) return 0;
    errno = number;
    return 1;
}

#define STAND_IN(type, name, file, types, values)                          \
    type name types {                                                      \
        static type(*real) types;                                          \
        if (!real) real = (type(*) types)dlsym(RTLD_NEXT, #name);          \
        return fails(file) ? -1 : real values;                             \
    }

STAND_IN(ssize_t, write, file, (int file, const void *data, size_t size), (file, data, size))
STAND_IN(ssize_t, pwrite, file, (int file, const void *data, size_t size, off_t at), (file, data, size, at))
STAND_IN(ssize_t, pwrite64, file, (int file, const void *data, size_t size, off64_t at), (file, data, size, at))
STAND_IN(ssize_t, writev, file, (int file, const struct iovec *parts, int count), (file, parts, count))
STAND_IN(ssize_t, pwritev, file, (int file, const struct iovec *parts, int count, off_t at), (file, parts, count, at))
STAND_IN(ssize_t, pwritev64, file, (int file, const struct iovec *parts, int count, off64_t at),
         (file, parts, count, at))
STAND_IN(ssize_t, sendfile, file, (int file, int from, off_t *at, size_t size), (file, from, at, size))
STAND_IN(ssize_t, sendfile64, file, (int file, int from, off64_t *at, size_t size), (file, from, at, size))
STAND_IN(ssize_t, copy_file_range, file,
         (int from, off64_t *at, int file, off64_t *to, size_t size, unsigned flags),
         (from, at, file, to, size, flags))
STAND_IN(int, ftruncate, file, (int file, off_t size), (file, size))
STAND_IN(int, ftruncate64, file, (int file, off64_t size), (file, size))
STAND_IN(int, fsync, file, (int file), (file))
STAND_IN(int, fdatasync, file, (int file), (file))
