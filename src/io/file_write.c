#include "core/clock.h"
#include "io/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS = 64, LARGEST_WRITE = 1 << 30 };

/* These return 0 or an errno. */

static int write_bytes(int descriptor, const unsigned char *bytes, size_t count)
{
    while (count) {
        ssize_t put = write(descriptor, bytes, count < LARGEST_WRITE ? count : LARGEST_WRITE);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return errno;
        if (put == 0) return ENOSPC;
        bytes += put;
        count -= (size_t)put;
    }
    return 0;
}

static int write_pieces(int descriptor, const sg_piece *pieces, size_t count)
{
    int reason = 0;
    for (size_t i = 0; i < count && !reason; i++)
        reason = write_bytes(descriptor, pieces[i].data, pieces[i].bytes);
    return reason;
}

static int sync_file(int descriptor)
{
    int failed;
    do failed = fsync(descriptor);
    while (failed && errno == EINTR);
    return failed ? errno : 0;
}

static int finish(int descriptor, int reason)
{
    int failed = close(descriptor);
    return reason ? reason : failed && errno != EINTR ? errno : 0;
}

/* The name has become durable once its directory is. Some file systems cannot sync a directory, and
 * one that may not be read cannot be opened: no harm. */
static int sync_directory(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    memcpy(directory, slash ? path : ".", slash ? length : 2);
    if (slash) directory[length] = '\0';
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    int reason = sync_file(descriptor);
    close(descriptor);
    return reason == EIO || reason == ENOSPC ? reason : 0;
}

/* Creates a file that was not there, in the directory of `path`. */
static int create_beside(const char *path, char temporary[PATH_MAX], int *descriptor)
{
    const char *slash = strrchr(path, '/');
    int directory_length = slash ? (int)(slash - path) + 1 : 0;
    for (int i = 0; i < ATTEMPTS; i++) {
        int length = snprintf(temporary, PATH_MAX, "%.*s.sigad-%ld-%llx.tmp", directory_length,
                              path, (long)getpid(), (unsigned long long)sg_nanoseconds());
        if (length >= PATH_MAX) return ENAMETOOLONG;
        *descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (*descriptor >= 0) return 0;
        if (errno != EEXIST) return errno;
    }
    return EEXIST;
}

/* `old` describes the file that is replaced, NULL if there is none. */
static int replace(const char *path, const struct stat *old, const sg_piece *pieces, size_t count)
{
    char temporary[PATH_MAX];
    int descriptor;
    /* A rename would not ask whether the old file may be written. */
    if (old && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS)) return errno;
    int reason = create_beside(path, temporary, &descriptor);
    if (reason) return reason;
    if (old && fchmod(descriptor, old->st_mode & 0777)) reason = errno;
    if (!reason) reason = write_pieces(descriptor, pieces, count);
    if (!reason) reason = sync_file(descriptor);
    reason = finish(descriptor, reason);
    if (!reason && rename(temporary, path)) reason = errno;
    if (reason) {
        unlink(temporary);
        return reason;
    }
    return sync_directory(path);
}

static int write_directly(const char *path, const sg_piece *pieces, size_t count)
{
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return errno;
    return finish(descriptor, write_pieces(descriptor, pieces, count));
}

sigad_status sg_file_write(sg_error *error, const char *path, const sg_piece *pieces, size_t count)
{
    char resolved[PATH_MAX];
    struct stat old;
    int reason;
    const char *target = realpath(path, resolved); /* of a link; fails if nothing is there yet */
    if (!target) target = path;
    if (stat(target, &old))
        reason = errno == ENOENT ? replace(target, NULL, pieces, count) : errno;
    else if (S_ISREG(old.st_mode))
        reason = replace(target, &old, pieces, count);
    else
        reason = write_directly(target, pieces, count);
    return reason ? sg_file_fail(error, "write", path, reason) : SIGAD_OK;
}
