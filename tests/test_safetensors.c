/* safetensors at the level of bytes: what is written, what is refused and with which words. */
#include "graph/context.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "support/failing_allocator.h"
#include "support/hostile.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(safetensors, .fini = hostile_remove);

static sigad_status read_all(const sg_source *source)
{
    sg_safetensors file;
    sigad_status status = sg_safetensors_parse(source, &file);
    size_t last = source->count;
    for (size_t i = 0; i < file.count; i++) { /* every byte promised is there */
        const sigad_array *array = &file.items[i].array;
        size_t begin = (size_t)((const unsigned char *)array->data - source->bytes);
        cr_assert(begin <= last && sg_array_bytes(array) <= last - begin);
        cr_assert_eq(sg_safetensors_find(&file, file.items[i].name), &file.items[i]);
    }
    sg_safetensors_destroy(&file);
    return status;
}

/* A file of this header, its length in front, and `data` bytes. */
static unsigned char *make(const char *header, size_t data, size_t *count)
{
    size_t length = strlen(header);
    *count = 8 + length + data;
    unsigned char *bytes = calloc(*count, 1);
    cr_assert_not_null(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)((uint64_t)length >> 8 * i);
    memcpy(bytes + 8, header, length);
    return bytes;
}

static void answers(const char *header, size_t data, sigad_status status, const char *message)
{
    size_t count;
    char got[SG_MESSAGE_BYTES];
    unsigned char *bytes = make(header, data, &count);
    cr_expect_eq(hostile_try(read_all, bytes, count, got), status, "%s", header);
    cr_expect_str_eq(got, message);
    free(bytes);
}

#define ENTRY(name, dtype, shape, offsets) \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

Test(safetensors, good_files)
{
    answers("{}", 0, SIGAD_OK, "");
    answers("{\"__metadata__\":{\"format\":\"pt\"}}  ", 0, SIGAD_OK, "");
    answers("{" ENTRY("a", "F32", "[2]", "[8,16]") "," ENTRY("b", "F64", "[]", "[0,8]") "}", 16,
            SIGAD_OK, "");
    answers("{" ENTRY("a", "F32", "[0,3]", "[4,4]") "," ENTRY("b", "F32", "[1]", "[0,4]") "}", 4,
            SIGAD_OK, "");
    answers("{" ENTRY("a", "F32", "[0]", "[0,0]") "," ENTRY("b", "I64", "[1]", "[0,8]") "}", 8,
            SIGAD_OK, "");
}

Test(safetensors, refusals_say_where_and_why)
{
#define BAD(header, data, message) answers(header, data, SIGAD_EFORMAT, "FILE: byte " message)
    BAD("", 0, "8: the header is not JSON: '[' or '{' expected near end of file");
    BAD("[]", 0, "8: the header must be a JSON object");
    BAD(" {}", 0, "8: the header must be a JSON object");
    BAD("{\"a\":}", 0, "14: the header is not JSON: unexpected token near '}'");
    BAD("{\"a\":{},\"a\":{}}", 0, "19: the header is not JSON: duplicate object key near '\"a\"'");
    BAD("{\"a\":1}", 0, "9: tensor 'a': must have dtype, shape and data_offsets only");
    BAD("{\"__metadata__\":{\"a\":1}}", 0, "9: __metadata__ must be an object of strings");
    BAD("{" ENTRY("a", "F31", "[]", "[0,4]") "}", 4, "9: tensor 'a': unknown dtype 'F31'");
    BAD("{" ENTRY("a", "F32", "3", "[0,4]") "}", 4, "9: tensor 'a': shape must be a list");
    BAD("{" ENTRY("a", "F32", "[-1]", "[0,4]") "}", 4,
        "9: tensor 'a': axis 0 is not a whole number >= 0");
    BAD("{" ENTRY("a", "F32", "[1,1.0]", "[0,4]") "}", 4,
        "9: tensor 'a': axis 1 is not a whole number >= 0");
    BAD("{" ENTRY("a", "F32", "[4294967296,4294967296]", "[0,4]") "}", 4,
        "9: tensor 'a': the number of elements overflows");
    BAD("{" ENTRY("a", "F32", "[4611686018427387904]", "[0,0]") "}", 0,
        "9: tensor 'a': 4611686018427387904 elements of 4 bytes, but data_offsets span 0");
    BAD("{" ENTRY("a", "F32", "[2]", "[0,4]") "}", 4,
        "9: tensor 'a': 2 elements of 4 bytes, but data_offsets span 4");
    BAD("{" ENTRY("a", "F32", "[1]", "[0,4.0]") "}", 4,
        "9: tensor 'a': data_offsets must be two whole numbers");
    BAD("{" ENTRY("a", "F32", "[1]", "[0,4,4]") "}", 4,
        "9: tensor 'a': data_offsets must be two whole numbers");
    BAD("{" ENTRY("a", "F32", "[1]", "[4,0]") "}", 4,
        "9: tensor 'a': data_offsets [4,0] must rise within 0 and 4");
    BAD("{" ENTRY("a", "F32", "[1]", "[-4,0]") "}", 4,
        "9: tensor 'a': data_offsets [-4,0] must rise within 0 and 4");
    BAD("{" ENTRY("a", "F32", "[2]", "[0,8]") "}", 4,
        "9: tensor 'a': data_offsets [0,8] must rise within 0 and 4");
    BAD("{" ENTRY("a", "F32", "[1]", "[0,99999999999999999999]") "}", 4,
        "78: the header is not JSON: too big integer near '99999999999999999999'");
    /* The second entry is at 8 + 1 + 52 + 1, the data of 12 bytes behind the header of 107. */
    BAD("{" ENTRY("a", "F32", "[1]", "[0,4]") "," ENTRY("b", "F32", "[1]", "[4,9]") "}", 12,
        "62: tensor 'b': 1 elements of 4 bytes, but data_offsets span 5");
    BAD("{" ENTRY("a", "F32", "[2]", "[0,8]") "," ENTRY("b", "F32", "[2]", "[4,12]") "}", 12,
        "120: the data of tensor 'b' overlap those of tensor 'a'");
    BAD("{" ENTRY("a", "F32", "[1]", "[0,4]") "," ENTRY("b", "F32", "[1]", "[8,12]") "}", 12,
        "120: 4 bytes before the data of tensor 'b' belong to nothing");
    BAD("{" ENTRY("a", "F32", "[1]", "[0,4]") "}", 12, "66: 8 bytes follow the last tensor");
#undef BAD
}

Test(safetensors, other_dtypes_are_not_supported)
{
    answers("{" ENTRY("w", "BF16", "[2]", "[0,4]") "}", 4, SIGAD_ENOTSUP,
            "FILE: byte 9: tensor 'w': dtype BF16; F32, F64 and I64 can be read");
    answers("{" ENTRY("w", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, SIGAD_ENOTSUP,
            "FILE: byte 9: tensor 'w': 9 axes; the most are 8");
}

Test(safetensors, header_lengths)
{
    const unsigned char longer[9] = {3, 0, 0, 0, 0, 0, 0, 0, '{'};
    const unsigned char huge[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    char got[SG_MESSAGE_BYTES];
    cr_expect_eq(hostile_try(read_all, longer, 5, got), SIGAD_EFORMAT);
    cr_expect_str_eq(got, "FILE: byte 5: the file ends within the 8 bytes of the header's length");
    cr_expect_eq(hostile_try(read_all, longer, 9, got), SIGAD_EFORMAT);
    cr_expect_str_eq(got, "FILE: byte 0: a header of 3 bytes, but 1 follow");
    cr_expect_eq(hostile_try(read_all, huge, 8, got), SIGAD_EFORMAT);
    cr_expect_str_eq(got, "FILE: byte 0: a header of 18446744073709551615 bytes, but 0 follow");
}

static sg_safetensor tensor(const char *name, int32_t dtype, int rank, int64_t a, int64_t b,
                            void *data)
{
    int64_t elements = rank == 2 ? a * b : rank == 1 ? a : 1;
    return (sg_safetensor){name, {data, dtype, rank, {a, b}, elements}, 0};
}

/* Odd bit patterns of each dtype, empty and scalar arrays, and a name that needs escapes. */
static unsigned char *write_sample(const char *path, size_t *count)
{
    uint32_t f32[3] = {0x7FC12345, 0x80000000, 1};
    uint64_t f64[2] = {0xFFF0000000000001, 0x8000000000000001}, i64 = 0x8000000000000000;
    sg_safetensor items[] = {tensor("odd \"\\\n\x01 \xC3\xA9", SIGAD_F32, 2, 1, 3, f32),
                             tensor("m", SIGAD_F64, 1, 2, 0, f64),
                             tensor("none", SIGAD_F32, 2, 0, 5, NULL),
                             tensor("step", SIGAD_I64, 0, 0, 0, &i64)};
    sigad_allocator allocator = sg_allocator_or_default((sigad_allocator){0});
    sg_error error = {0};
    cr_assert_eq(sg_safetensors_write(&error, &allocator, path, items, 4), SIGAD_OK, "%s",
                 error.message);
    unsigned char *bytes = hostile_read(path, count);
    sg_source source = {&error, &allocator, path, bytes, *count, 0};
    sg_safetensors file;
    cr_assert_eq(sg_safetensors_parse(&source, &file), SIGAD_OK, "%s", error.message);
    cr_assert_eq(file.count, 4);
    for (int i = 0; i < 4; i++) {
        const sigad_array *want = &items[i].array;
        const sg_safetensor *got = sg_safetensors_find(&file, items[i].name);
        cr_assert(got && got->array.dtype == want->dtype && got->array.rank == want->rank);
        cr_assert_eq(memcmp(got->array.shape, want->shape, sizeof want->shape), 0);
        if (want->elements)
            cr_assert_eq(memcmp(got->array.data, want->data, sg_array_bytes(want)), 0);
    }
    cr_assert_null(sg_safetensors_find(&file, "None"));
    sg_safetensors_destroy(&file);
    return bytes;
}

Test(safetensors, round_trip_is_exact_and_deterministic)
{
    static const char want[] =
        "{" ENTRY("m", "F64", "[2]", "[0,16]") "," ENTRY("step", "I64", "[]", "[16,24]") "," ENTRY(
            "odd \\\"\\\\\\u000a\\u0001 \xC3\xA9", "F32", "[1,3]",
            "[24,36]") "," ENTRY("none", "F32", "[0,5]", "[36,36]") "}";
    size_t count, again;
    unsigned char *first = write_sample(hostile_path("a"), &count);
    unsigned char *second = write_sample(hostile_path("b"), &again);
    cr_assert(count == again && !memcmp(first, second, count));
    cr_assert_eq(memcmp(first + 8, want, sizeof want - 1), 0, "%s", (const char *)first + 8);
    cr_assert_eq((8 + sg_little_endian(first, 8)) % 8, 0, "the data are not aligned");
    free(first);
    free(second);
}

Test(safetensors, names_that_cannot_be_written)
{
    static const char *const names[][2] = {{"\xC3", "is not UTF-8"},
                                           {"\xED\xA0\x80", "is not UTF-8"},
                                           {"\xC0\x80", "is not UTF-8"},
                                           {"\xF4\x90\x80\x80", "is not UTF-8"},
                                           {"__metadata__", "is a reserved name"}};
    sigad_allocator allocator = sg_allocator_or_default((sigad_allocator){0});
    float value = 1.0f;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        sg_error error = {0};
        sg_safetensor item = tensor(names[i][0], SIGAD_F32, 0, 0, 0, &value);
        const char *path = hostile_path("file");
        cr_expect_eq(sg_safetensors_write(&error, &allocator, path, &item, 1), SIGAD_EINVAL);
        cr_expect(strstr(error.message, names[i][1]), "%s", error.message);
    }
    cr_expect_eq(hostile_files(), 0);
}

Test(safetensors, writers_survive_starvation)
{
    float value = 1.0f;
    sg_safetensor items[20];
    for (int i = 0; i < 20; i++) items[i] = tensor("name", SIGAD_F32, 0, 0, 0, &value);
    for (int64_t k = 1;; k++) {
        failing_allocator memory = {.fail_at = k};
        sigad_allocator allocator = failing_allocator_hook(&memory);
        sg_error error = {0};
        const char *path = hostile_path("file");
        sigad_status status = sg_safetensors_write(&error, &allocator, path, items, 20);
        cr_assert_eq(memory.live, 0);
        if (!memory.failed) {
            cr_assert(status == SIGAD_OK && k > 3);
            break;
        }
        cr_assert_eq(status, SIGAD_ENOMEM);
        cr_assert_eq(hostile_files(), 0);
    }
}

Test(safetensors, no_byte_is_trusted)
{
    size_t count;
    unsigned char *bytes = write_sample(hostile_path("a"), &count);
    cr_assert_gt(hostile_bend(read_all, bytes, count, 4000), 0);
    hostile_starve(read_all, bytes, count);
    free(bytes);
}

/* The JSON library has its own memory. It reports some failures of malloc as bad syntax. */
static struct {
    int64_t calls, fail_at, live;
    bool for_ever;
} json_memory;

static void *json_allocate(size_t bytes)
{
    int64_t past = json_memory.calls++ - json_memory.fail_at;
    if (past == 0 || (past > 0 && json_memory.for_ever)) return NULL;
    json_memory.live++;
    return malloc(bytes);
}

static void json_release(void *block)
{
    if (block) json_memory.live--;
    free(block);
}

Test(safetensors, the_json_library_starves)
{
    size_t count;
    unsigned char *bytes = make("{" ENTRY("a", "F32", "[1]", "[0,4]") "}", 4, &count);
    json_set_alloc_funcs(json_allocate, json_release);
    for (int for_ever = 0; for_ever < 2; for_ever++)
        for (int64_t k = 0;; k++) {
            json_memory.calls = json_memory.live = 0;
            json_memory.fail_at = k;
            json_memory.for_ever = for_ever;
            sigad_status status = hostile_try(read_all, bytes, count, NULL);
            cr_assert_eq(json_memory.live, 0);
            if (json_memory.calls <= k) {
                cr_assert_eq(status, SIGAD_OK);
                break;
            }
            cr_assert(status == SIGAD_ENOMEM || status == SIGAD_EFORMAT, "allocation %d", (int)k);
        }
    free(bytes);
}
