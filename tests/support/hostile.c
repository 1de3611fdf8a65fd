#include "support/hostile.h"
#include "core/random.h"
#include "support/failing_allocator.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- files ---- */

static char directory[256], path_text[512];

const char *hostile_path(const char *name)
{
    if (!directory[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(directory, sizeof directory, "%s/sigad-test-XXXXXX", base ? base : "/tmp");
        cr_assert_not_null(mkdtemp(directory));
    }
    snprintf(path_text, sizeof path_text, "%s/%s", directory, name);
    return path_text;
}

static int each_file(bool remove_them)
{
    int count = 0;
    DIR *handle = directory[0] ? opendir(directory) : NULL;
    if (!handle) return 0;
    for (struct dirent *entry; (entry = readdir(handle));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        count++;
        if (remove_them) remove(hostile_path(entry->d_name));
    }
    closedir(handle);
    return count;
}

int hostile_files(void)
{
    return each_file(false);
}

void hostile_fill_disk(size_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes ? (rlim_t)bytes : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

void hostile_remove(void)
{
    each_file(true);
    if (directory[0]) rmdir(directory);
    directory[0] = '\0';
}

void hostile_write(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(bytes, 1, count, file) == count && !fclose(file), "%s", path);
}

unsigned char *hostile_read(const char *path, size_t *count)
{
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *count = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = calloc(*count + 1, 1);
    cr_assert(bytes && fread(bytes, 1, *count, file) == *count);
    fclose(file);
    return bytes;
}

/* ---- readers ---- */

static sigad_status attempt(hostile_reader reader, const void *bytes, size_t count,
                            failing_allocator *memory, char message[SG_MESSAGE_BYTES])
{
    sigad_allocator allocator = failing_allocator_hook(memory);
    sg_error error = {0};
    unsigned char *copy = malloc(count + 1);
    cr_assert_not_null(copy);
    memcpy(copy, bytes, count);
    copy[count] = 0;
    sg_source source = {&error, &allocator, "FILE", copy, count, 0};
    sigad_status status = reader(&source);
    free(copy);
    cr_assert_eq(status, error.status, "returned %d, holds %d: %s", status, error.status,
                 error.message);
    cr_assert_eq(memory->live, 0, "%d bytes left, status %d: %s", (int)memory->live, status,
                 error.message);
    if (message) strcpy(message, error.message);
    return status;
}

sigad_status hostile_try(hostile_reader reader, const void *bytes, size_t count,
                         char message[SG_MESSAGE_BYTES])
{
    failing_allocator memory = {0};
    return attempt(reader, bytes, count, &memory, message);
}

static int survives(hostile_reader reader, const void *bytes, size_t count)
{
    char message[SG_MESSAGE_BYTES];
    sigad_status status = hostile_try(reader, bytes, count, message);
    cr_assert(status == SIGAD_OK || status == SIGAD_EFORMAT || status == SIGAD_ENOTSUP,
              "status %d: %s", status, message);
    if (status)
        cr_assert(!strncmp(message, "FILE: ", 6) && strstr(message, "byte "), "%s", message);
    return status == SIGAD_OK;
}

static int mutate(hostile_reader reader, const unsigned char *bytes, size_t count, uint64_t key)
{
    size_t room = count + 64, length = count;
    unsigned char *bent = malloc(room);
    cr_assert_not_null(bent);
    memcpy(bent, bytes, count);
    uint64_t draw = 0;
    int edits = 1 + (int)(4 * sg_random_uniform(key, draw++));
    for (int i = 0; i < edits && length; i++) {
        size_t at = (size_t)((double)length * sg_random_uniform(key, draw++));
        size_t other = (size_t)((double)length * sg_random_uniform(key, draw++));
        size_t most = length - (at > other ? at : other), span = most < 9 ? most : 9;
        switch ((int)(5 * sg_random_uniform(key, draw++))) {
        case 0:
            bent[at] = (unsigned char)(256 * sg_random_uniform(key, draw++));
            break;
        case 1:
            bent[at] ^= (unsigned char)(1u << (int)(8 * sg_random_uniform(key, draw++)));
            break;
        case 2:
            memmove(bent + at, bent + other, span);
            break;
        case 3:
            memmove(bent + at, bent + at + 1, length - at - 1);
            length--;
            break;
        default:
            if (length + 1 > room) break;
            memmove(bent + at + 1, bent + at, length - at);
            bent[at] =
                (unsigned char)("0129-,:[]{}\"'e.\n"[(int)(16 * sg_random_uniform(key, draw++))]);
            length++;
        }
    }
    int good = survives(reader, bent, length);
    free(bent);
    return good;
}

int hostile_bend(hostile_reader reader, const void *bytes, size_t count, int mutations)
{
    static const unsigned char values[] = {0x00, 0xFF, 0x7F, 0x80, '0', '9', '-', '"', ',', '\n'};
    int good = 0;
    for (size_t n = 0; n < count; n++) good += survives(reader, bytes, n);
    unsigned char *bent = malloc(count);
    cr_assert_not_null(bent);
    memcpy(bent, bytes, count);
    for (size_t i = 0; i < count; i++) {
        unsigned char old = bent[i];
        for (size_t v = 0; v < sizeof values; v++) {
            bent[i] = values[v];
            good += survives(reader, bent, count);
        }
        for (int bit = 0; bit < 8; bit++) {
            bent[i] = (unsigned char)(old ^ 1 << bit);
            good += survives(reader, bent, count);
        }
        bent[i] = old;
    }
    free(bent);
    for (int i = 0; i < mutations; i++)
        good += mutate(reader, bytes, count, sg_random_key(count, (uint64_t)i));
    return good;
}

void hostile_starve(hostile_reader reader, const void *bytes, size_t count)
{
    for (int for_ever = 0; for_ever < 2; for_ever++)
        for (int64_t k = 1;; k++) {
            failing_allocator memory = {.fail_at = k, .for_ever = for_ever};
            sigad_status status = attempt(reader, bytes, count, &memory, NULL);
            if (!memory.failed) {
                cr_assert_eq(status, SIGAD_OK);
                cr_assert_gt(k, 1, "the reader allocates nothing");
                break;
            }
            cr_assert_eq(status, SIGAD_ENOMEM, "allocation %d", (int)k);
        }
}
