#include "io/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST_STREAM = 1 << 28, LARGEST_READ = 1 << 30 };

sigad_status sg_file_fail(sg_error *error, const char *verb, const char *path, int reason)
{
    char text[256];
    if (strerror_r(reason, text, sizeof text)) strcpy(text, "unknown reason");
    return sg_fail(error, SIGAD_EIO, "cannot %s '%.600s': %s", verb, path, text);
}

static sigad_status no_memory(sg_error *error, const char *path, size_t bytes)
{
    return sg_fail(error, SIGAD_ENOMEM, "no memory to read '%.600s' (%zu bytes)", path, bytes);
}

static ssize_t read_some(int file, unsigned char *bytes, size_t count)
{
    ssize_t got;
    if (count > LARGEST_READ) count = LARGEST_READ;
    do got = read(file, bytes, count);
    while (got < 0 && errno == EINTR);
    return got;
}

/* Reads to the end, wherever the size said the end would be: a file may grow meanwhile. */
static sigad_status read_all(sg_error *error, const char *path, int descriptor, size_t limit,
                             sg_buffer *file)
{
    for (;;) {
        if (!sg_buffer_reserve(file, 1)) return no_memory(error, path, file->count + 1);
        unsigned char *end = file->bytes + file->count;
        ssize_t got = read_some(descriptor, end, file->capacity - file->count);
        if (got < 0) return sg_file_fail(error, "read", path, errno);
        if (got == 0) {
            *end = 0;
            return SIGAD_OK;
        }
        file->count += (size_t)got;
        if (file->count > limit) return sg_file_fail(error, "read", path, EFBIG);
    }
}

sigad_status sg_file_read(sg_error *error, const char *path, sg_buffer *file)
{
    struct stat about;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return sg_file_fail(error, "read", path, errno);
    sigad_status status = SIGAD_OK;
    size_t limit = LARGEST_STREAM;
    if (fstat(descriptor, &about)) {
        status = sg_file_fail(error, "read", path, errno);
    } else if (S_ISREG(about.st_mode)) {
        limit = PTRDIFF_MAX;
        /* One byte more than there should be, so that one read of nothing shows the end. */
        if (!sg_buffer_reserve(file, (size_t)about.st_size + 1))
            status = no_memory(error, path, (size_t)about.st_size + 1);
    }
    if (!status) status = read_all(error, path, descriptor, limit, file);
    close(descriptor);
    if (status) sg_buffer_destroy(file);
    return status;
}
