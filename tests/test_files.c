/* Whole files: read with every error named, replaced in one piece or not at all. */
#include "io/file.h"
#include "support/failing_allocator.h"
#include "support/hostile.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static sigad_allocator allocator;
static sg_error error;

/* ---- the system's calls, which fail on demand: these take the place of the C library's ---- */

static int fail_sync, fail_rename; /* errno; 0: no */
static bool in_bits;               /* short reads and writes, every other one interrupted */
static unsigned calls;
static char order[64]; /* f: a file synced, d: a directory, r: a rename */

static void note(char what)
{
    size_t n = strlen(order);
    if (n + 1 < sizeof order) order[n] = what;
}

int fsync(int descriptor)
{
    struct stat about;
    if (fstat(descriptor, &about)) return -1;
    note(S_ISDIR(about.st_mode) ? 'd' : 'f');
    if (fail_sync) {
        errno = fail_sync;
        return -1;
    }
    return (int)syscall(SYS_fsync, descriptor);
}

int rename(const char *from, const char *to)
{
    note('r');
    if (fail_rename) {
        errno = fail_rename;
        return -1;
    }
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

static bool interrupt(size_t *count)
{
    if (!in_bits) return false;
    if (*count > 7) *count = 7;
    errno = EINTR;
    return calls++ % 2;
}

ssize_t read(int descriptor, void *bytes, size_t count)
{
    return interrupt(&count) ? -1 : (ssize_t)syscall(SYS_read, descriptor, bytes, count);
}

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    return interrupt(&count) ? -1 : (ssize_t)syscall(SYS_write, descriptor, bytes, count);
}

/* ---- tests ---- */

static void start(void)
{
    allocator = sg_allocator_or_default((sigad_allocator){0});
    error = (sg_error){0};
}

TestSuite(files, .init = start, .fini = hostile_remove);

static sigad_status write_text(const char *path, const char *text)
{
    sg_piece piece = {text, strlen(text)};
    sg_error_clear(&error);
    return sg_file_write(&error, path, &piece, 1);
}

static void holds(const char *path, const char *text)
{
    size_t count = 0;
    unsigned char *bytes = hostile_read(path, &count);
    cr_assert_not_null(bytes, "%s is not there", path);
    cr_expect_str_eq((const char *)bytes, text);
    free(bytes);
}

/* The message is VERB 'PATH': REASON. */
static void failed(sigad_status status, const char *verb, const char *path, const char *reason)
{
    char want[SG_MESSAGE_BYTES];
    snprintf(want, sizeof want, "cannot %s '%s': %s", verb, path, reason);
    cr_expect_eq(status, SIGAD_EIO);
    cr_expect_str_eq(error.message, want);
}

Test(files, reads_any_size)
{
    static const size_t sizes[] = {0, 1, 255, 256, 4096, 100003};
    const char *path = hostile_path("file");
    unsigned char *bytes = malloc(100003);
    cr_assert_not_null(bytes);
    for (size_t i = 0; i < 100003; i++) bytes[i] = (unsigned char)(i * 7);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        sg_buffer file = {.allocator = &allocator};
        hostile_write(path, bytes, sizes[s]);
        cr_assert_eq(sg_file_read(&error, path, &file), SIGAD_OK, "%s", error.message);
        cr_expect(file.count == sizes[s] && !memcmp(file.bytes, bytes, sizes[s]));
        cr_expect_eq(file.bytes[file.count], 0);
        sg_buffer_destroy(&file);
    }
    free(bytes);
}

/* A pipe tells no size and gives its bytes in pieces. */
Test(files, reads_a_pipe)
{
    const char *path = hostile_path("pipe");
    cr_assert_eq(mkfifo(path, 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        FILE *pipe = fopen(path, "wb");
        for (int i = 0; i < 30000; i++) fprintf(pipe, "%06d\n", i);
        fclose(pipe);
        _exit(0);
    }
    sg_buffer file = {.allocator = &allocator};
    cr_assert_eq(sg_file_read(&error, path, &file), SIGAD_OK, "%s", error.message);
    cr_expect_eq(file.count, 210000);
    cr_expect_str_eq((const char *)file.bytes + 209993, "029999\n");
    sg_buffer_destroy(&file);
}

Test(files, unreadable)
{
    sg_buffer file = {.allocator = &allocator};
    const char *path = hostile_path("none");
    failed(sg_file_read(&error, path, &file), "read", path, "No such file or directory");
    sg_error_clear(&error);
    failed(sg_file_read(&error, "/", &file), "read", "/", "Is a directory");
    sg_error_clear(&error);
    failed(sg_file_read(&error, "/dev/zero", &file), "read", "/dev/zero", "File too large");
    cr_expect_null(file.bytes);
}

Test(files, starved_readers_say_so)
{
    const char *path = hostile_path("file");
    hostile_write(path, "abc", 3);
    failing_allocator memory = {.fail_at = 1};
    allocator = failing_allocator_hook(&memory);
    sg_buffer file = {.allocator = &allocator};
    cr_expect_eq(sg_file_read(&error, path, &file), SIGAD_ENOMEM);
    cr_expect(strstr(error.message, path) && strstr(error.message, "no memory"), "%s",
              error.message);
    cr_expect_eq(memory.live, 0);
}

Test(files, writes_pieces)
{
    const char *path = hostile_path("file");
    sg_piece pieces[] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};
    cr_assert_eq(sg_file_write(&error, path, pieces, 3), SIGAD_OK, "%s", error.message);
    holds(path, "abcde");
    cr_assert_eq(sg_file_write(&error, path, pieces, 0), SIGAD_OK, "%s", error.message);
    holds(path, "");
    cr_expect_eq(hostile_files(), 1);
}

/* The bytes are safe before the name is, and the name before we say so. */
Test(files, syncs_before_and_after_the_rename)
{
    memset(order, 0, sizeof order);
    cr_assert_eq(write_text(hostile_path("file"), "text"), SIGAD_OK);
    cr_expect_str_eq(order, "frd");
}

Test(files, a_failed_sync_or_rename_keeps_the_old_file)
{
    const char *path = hostile_path("file");
    cr_assert_eq(write_text(path, "old"), SIGAD_OK);
    fail_sync = EIO;
    failed(write_text(path, "new"), "write", path, "Input/output error");
    fail_sync = 0;
    fail_rename = EROFS;
    failed(write_text(path, "new"), "write", path, "Read-only file system");
    fail_rename = 0;
    holds(path, "old");
    cr_expect_eq(hostile_files(), 1);
}

Test(files, short_and_interrupted_calls_go_on)
{
    const char *path = hostile_path("file");
    char text[1001];
    for (int i = 0; i < 1000; i++) text[i] = (char)('a' + i % 26);
    text[1000] = '\0';
    sg_buffer file = {.allocator = &allocator};
    in_bits = true;
    sigad_status wrote = write_text(path, text), got = sg_file_read(&error, path, &file);
    in_bits = false;
    cr_assert(wrote == SIGAD_OK && got == SIGAD_OK, "%s", error.message);
    cr_expect_gt(calls, 2 * 1000 / 7);
    cr_expect_str_eq((const char *)file.bytes, text);
    sg_buffer_destroy(&file);
}

Test(files, keeps_permissions)
{
    struct stat about;
    const char *path = hostile_path("file");
    umask(022);
    cr_assert_eq(write_text(path, "old"), SIGAD_OK);
    cr_assert(!stat(path, &about) && (about.st_mode & 0777) == 0644);
    chmod(path, 0600);
    cr_assert_eq(write_text(path, "new"), SIGAD_OK);
    cr_assert(!stat(path, &about) && (about.st_mode & 0777) == 0600);
    holds(path, "new");
}

Test(files, follows_a_link)
{
    struct stat about;
    char file[512];
    strcpy(file, hostile_path("file"));
    const char *link = hostile_path("link");
    hostile_write(file, "old", 3);
    cr_assert_eq(symlink("file", link), 0);
    cr_assert_eq(write_text(link, "new"), SIGAD_OK, "%s", error.message);
    cr_assert(!lstat(link, &about) && S_ISLNK(about.st_mode));
    holds(file, "new");
}

Test(files, a_name_without_directory)
{
    hostile_path("");
    cr_assert_eq(chdir(hostile_path("")), 0);
    cr_assert_eq(write_text("file", "text"), SIGAD_OK, "%s", error.message);
    holds("file", "text");
    cr_expect_eq(hostile_files(), 1);
}

Test(files, a_full_disk_keeps_the_old_file)
{
    const char *path = hostile_path("file");
    cr_assert_eq(write_text(path, "old"), SIGAD_OK);
    hostile_fill_disk(1000);
    static const char zeros[4096];
    sg_piece pieces[] = {{zeros, 900}, {zeros, sizeof zeros}};
    sigad_status status = sg_file_write(&error, path, pieces, 2);
    hostile_fill_disk(0);
    failed(status, "write", path, "File too large");
    holds(path, "old");
    cr_expect_eq(hostile_files(), 1);
}

/* Devices are written to, never replaced. */
Test(files, a_full_device)
{
    struct stat about;
    if (stat("/dev/full", &about)) cr_skip_test("there is no /dev/full");
    failed(write_text("/dev/full", "text"), "write", "/dev/full", "No space left on device");
    cr_expect(!stat("/dev/full", &about) && S_ISCHR(about.st_mode));
    cr_expect_eq(write_text("/dev/null", "text"), SIGAD_OK);
    cr_expect(!stat("/dev/null", &about) && S_ISCHR(about.st_mode));
}

Test(files, unwritable)
{
    const char *path = hostile_path("none/file");
    failed(write_text(path, "text"), "write", path, "No such file or directory");
    path = hostile_path("");
    failed(write_text(path, "text"), "write", path, "Is a directory");
    path = "/proc/version";
    sigad_status status = write_text(path, "text");
    cr_expect_eq(status, SIGAD_EIO);
    cr_expect(strstr(error.message, "cannot write '/proc/version': "), "%s", error.message);
    char name[300];
    memset(name, 'n', 299);
    name[299] = '\0';
    path = hostile_path(name);
    failed(write_text(path, "text"), "write", path, "File name too long");
    cr_expect_eq(hostile_files(), 0);
}

/* As a user who may not write: the superuser may do anything. */
Test(files, without_permission)
{
    const char *path = hostile_path("file");
    cr_assert_eq(write_text(path, "old"), SIGAD_OK);
    chmod(hostile_path(""), 0777);
    if (geteuid() == 0 && (setegid(65534) || seteuid(65534))) cr_skip_test("cannot become nobody");
    path = hostile_path("file");
    chmod(path, 0444);
    failed(write_text(path, "new"), "write", path, "Permission denied");
    if (getuid() == 0) cr_assert(!seteuid(0) && !setegid(0));
    holds(path, "old");
    chmod(path, 0666);
    chmod(hostile_path(""), 0555);
    if (geteuid() == 0) cr_assert(!setegid(65534) && !seteuid(65534));
    path = hostile_path("file");
    failed(write_text(path, "new"), "write", path, "Permission denied");
    if (getuid() == 0) cr_assert(!seteuid(0) && !setegid(0));
    holds(path, "old");
    chmod(hostile_path(""), 0755);
    cr_expect_eq(hostile_files(), 1);
}
