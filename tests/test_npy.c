/* .npy and .npz: what NumPy wrote (tests/data/make_numpy.py), what comes back, what is refused. */
#include "graph/context.h"
#include "io/npy.h"
#include "io/zip.h"
#include "support/failing_allocator.h"
#include "support/hostile.h"
#include <criterion/criterion.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA SIGAD_SOURCE_DIR "/tests/data/"

static sigad_context *context;
static sigad_tape *tape;

static void start(void)
{
    cr_assert_eq(sigad_context_create(NULL, &context), SIGAD_OK);
    cr_assert_eq(sigad_tape_create(context, &tape), SIGAD_OK);
}

static void stop(void)
{
    sigad_context_destroy(context);
    hostile_remove();
}

TestSuite(npy, .init = start, .fini = stop);

static void same(sigad_tensor x, int32_t dtype, int rank, const int64_t *shape, const void *bytes)
{
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    cr_assert_eq(sigad_describe(tape, x, &info), SIGAD_OK, "%s", sigad_context_message(context));
    cr_assert(info.dtype == dtype && info.rank == rank, "dtype %d, rank %d", info.dtype, info.rank);
    for (int i = 0; i < rank; i++) cr_assert_eq(info.shape[i], shape[i]);
    if (info.elements)
        cr_assert_eq(
            memcmp(sigad_data(tape, x), bytes, (size_t)info.elements * sg_dtype_bytes(info.dtype)),
            0);
}

static void failed(sigad_status status, const char *message)
{
    cr_expect_str_eq(sigad_context_message(context), message);
    cr_expect_eq(sigad_context_clear(context), status);
}

static const double *grid(void)
{
    static double values[24];
    for (int i = 0; i < 24; i++) values[i] = i / 7.0;
    return values;
}

static const uint32_t odd[4] = {0x7FC12345, 0x80000000, 1, 0xFF800000};

Test(npy, reads_what_numpy_wrote)
{
    static const char *const grids[] = {"f8.npy", "f8_fortran.npy", "version2.npy", "version3.npy"};
    char path[512];
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, DATA "%s", grids[i]);
        same(sigad_npy_read(tape, path), SIGAD_F64, SIGAD_SHAPE(2, 3, 4), grid());
    }
    same(sigad_npy_read(tape, DATA "f4.npy"), SIGAD_F32, SIGAD_SHAPE(4), odd);
    same(sigad_npy_read(tape, DATA "f4_empty.npy"), SIGAD_F32, SIGAD_SHAPE(0, 3), NULL);
    same(sigad_npy_read(tape, DATA "i8_scalar.npy"), SIGAD_I64, 0, NULL, &(int64_t){INT64_MIN});
}

Test(npy, widens_whole_numbers)
{
    static const int64_t whole[] = {-128, 0, 127, 1, 2, 3}, u1[] = {0, 255}, u2[] = {0, 65535},
                         u4[] = {0, 4294967295}, bools[] = {1, 0};
    same(sigad_npy_read(tape, DATA "i4_fortran.npy"), SIGAD_I64, SIGAD_SHAPE(2, 3), whole);
    same(sigad_npy_read(tape, DATA "i2.npy"), SIGAD_I64, SIGAD_SHAPE(2, 3), whole);
    same(sigad_npy_read(tape, DATA "i1.npy"), SIGAD_I64, SIGAD_SHAPE(2, 3), whole);
    same(sigad_npy_read(tape, DATA "u1.npy"), SIGAD_I64, SIGAD_SHAPE(2), u1);
    same(sigad_npy_read(tape, DATA "u2.npy"), SIGAD_I64, SIGAD_SHAPE(2), u2);
    same(sigad_npy_read(tape, DATA "u4.npy"), SIGAD_I64, SIGAD_SHAPE(2), u4);
    same(sigad_npy_read(tape, DATA "bool.npy"), SIGAD_I64, SIGAD_SHAPE(2), bools);
}

Test(npy, refuses_other_elements)
{
    sigad_npy_read(tape, DATA "big_endian.npy");
    failed(SIGAD_ENOTSUP, DATA "big_endian.npy: byte 20: elements of type '>f8'; <f4, <f8, <i8 and "
                               "smaller whole numbers can be read");
    sigad_npy_read(tape, DATA "half.npy");
    failed(SIGAD_ENOTSUP, DATA "half.npy: byte 20: elements of type '<f2'; <f4, <f8, <i8 and "
                               "smaller whole numbers can be read");
    sigad_npy_read(tape, DATA "structured.npy");
    failed(SIGAD_ENOTSUP, DATA "structured.npy: byte 20: structured arrays cannot be read");
}

Test(npy, round_trip_is_exact)
{
    static const uint64_t odd64[3] = {0xFFF0000000000001, 0x8000000000000000, 1};
    static const struct {
        int32_t dtype, rank;
        int64_t shape[SIGAD_MAX_RANK];
        const void *bytes;
    } cases[] = {{SIGAD_F32, 1, {4}, odd},
                 {SIGAD_F32, 2, {2, 2}, odd},
                 {SIGAD_F64, 1, {3}, odd64},
                 {SIGAD_F64, 0, {0}, odd64},
                 {SIGAD_I64, 8, {1, 1, 1, 1, 1, 1, 1, 3}, odd64},
                 {SIGAD_F64, 3, {2, 0, 5}, NULL},
                 {SIGAD_I64, 1, {0}, NULL}};
    char path[512];
    strcpy(path, hostile_path("a.npy"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count;
        sigad_tensor x = sigad_constant(tape, (sigad_dtype)cases[i].dtype, cases[i].rank,
                                        cases[i].shape, cases[i].bytes);
        cr_assert_eq(sigad_npy_write(tape, x, path), SIGAD_OK, "%s",
                     sigad_context_message(context));
        same(sigad_npy_read(tape, path), cases[i].dtype, cases[i].rank, cases[i].shape,
             cases[i].bytes);
        unsigned char *bytes = hostile_read(path, &count);
        size_t header = 10 + sg_little_endian(bytes + 8, 2);
        cr_expect(header % 64 == 0 && bytes[header - 1] == '\n');
        free(bytes);
    }
}

Test(npy, reads_archives)
{
    static const char *const archives[] = {"stored.npz", "deflated.npz", "zip64.npz"};
    static const float zeros[200];
    char path[512];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, DATA "%s", archives[i]);
        same(sigad_npz_read(tape, path, "x"), SIGAD_F64, SIGAD_SHAPE(2, 3, 4), grid());
        same(sigad_npz_read(tape, path, "y"), SIGAD_F32, SIGAD_SHAPE(4), odd);
        same(sigad_npz_read(tape, path, "zeros"), SIGAD_F32, SIGAD_SHAPE(20, 10), zeros);
    }
    sigad_npz_read(tape, DATA "stored.npz", "z");
    failed(SIGAD_EINVAL,
           DATA "stored.npz: there is no 'z.npy', only 'x.npy', 'y.npy', 'zeros.npy'");
    sigad_npz_read(tape, DATA "f8.npy", "x");
    failed(SIGAD_EFORMAT, DATA "f8.npy: byte 320: not a ZIP archive: no end record");
}

Test(npy, bad_arguments)
{
    sigad_tensor none = sigad_npy_read(NULL, "x");
    cr_expect(none.id == 0 && none.generation == 0);
    none = sigad_npy_read(tape, NULL);
    cr_expect(none.id == 0 && none.generation == 0);
    failed(SIGAD_EINVAL, "sigad_npy_read: path is NULL");
    sigad_npz_read(tape, "x", NULL);
    failed(SIGAD_EINVAL, "sigad_npz_read: name is NULL or too long");
    sigad_npy_read(tape, "/none.npy");
    failed(SIGAD_EIO, "cannot read '/none.npy': No such file or directory");
    cr_expect_eq(sigad_npy_write(NULL, none, "x"), SIGAD_EINVAL);
    cr_expect_eq(sigad_npy_write(tape, none, "x"), SIGAD_EINVAL);
    sigad_context_clear(context);
    sigad_tensor x = sigad_scalar(tape, SIGAD_F32, 1.0);
    cr_expect_eq(sigad_npy_write(tape, x, NULL), SIGAD_EINVAL);
    failed(SIGAD_EINVAL, "sigad_npy_write: path is NULL");
    cr_expect_eq(sigad_npy_write(tape, x, "/none/x.npy"), SIGAD_EIO);
    failed(SIGAD_EIO, "cannot write '/none/x.npy': No such file or directory");
    sigad_tape_reset(tape);
    cr_expect_eq(sigad_npy_write(tape, x, "x"), SIGAD_ESTALE);
}

/* ---- bytes ---- */

static sigad_status read_npy(const sg_source *source)
{
    sg_npy npy;
    sigad_status status = sg_npy_parse(source, &npy);
    if (status) return status;
    size_t bytes = sg_array_bytes(&npy.array);
    void *out = malloc(bytes + 1); /* the size was checked against the file */
    cr_assert_not_null(out);
    sg_npy_copy(&npy, out);
    free(out);
    return SIGAD_OK;
}

static sigad_status read_npz(const sg_source *source)
{
    sg_zip_member member;
    sigad_status status = sg_zip_open(source, "x.npy", &member);
    if (!status) status = read_npy(&member.source);
    sg_zip_close(&member);
    return status == SIGAD_EINVAL ? sg_error_clear(source->error), SIGAD_OK : status;
}

/* A file of version 1.0 with this dictionary and `data` bytes. */
static void answers(const char *header, size_t data, sigad_status status, const char *message)
{
    char got[SG_MESSAGE_BYTES];
    size_t length = strlen(header);
    unsigned char bytes[512] = "\x93NUMPY\x01";
    bytes[8] = (unsigned char)length;
    memcpy(bytes + 10, header, length);
    cr_expect_eq(hostile_try(read_npy, bytes, 10 + length + data, got), status, "%s", header);
    cr_expect_str_eq(got, message);
}

Test(npy, headers)
{
#define GOOD(header, data)         answers(header, data, SIGAD_OK, "")
#define BAD(header, data, message) answers(header, data, SIGAD_EFORMAT, "FILE: byte " message)
    GOOD("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8);
    GOOD("{\"shape\":(2,1),\"fortran_order\":True,\"descr\":\"<f4\"}  \n", 8);
    GOOD("{'descr': '|b1', 'fortran_order': False, 'shape': ()}", 1);
    BAD("", 0, "10: expected { in the header, not ''");
    BAD("{'descr': '<f4', 'fortran_order': False}", 0,
        "49: the header must have descr, fortran_order and shape");
    BAD("{'descr': '<f4', 'descr': '<f4'}", 0,
        "27: expected each key once in the header, not "
        "''descr': '<f4'}'");
    BAD("{'dtype': '<f4'}", 0,
        "11: expected descr, fortran_order or shape in the header, not "
        "''dtype': '<f4'}'");
    BAD("{'descr' '<f4'}", 0, "19: expected a colon in the header, not ''<f4'}'");
    BAD("{descr: '<f4'}", 0, "11: expected a key in the header, not 'descr: '<f4'}'");
    BAD("{'descr': 1}", 0, "20: expected an element type in the header, not '1}'");
    BAD("{'fortran_order': true}", 0, "28: expected True or False in the header, not 'true}'");
    BAD("{'shape': 3}", 0, "20: expected a shape in the header, not '3}'");
    BAD("{'shape': (3)}", 0, "23: expected a comma before ) in the header, not '}'");
    BAD("{'shape': (-3,)}", 0, "21: expected the size of an axis in the header, not '-3,)}'");
    BAD("{'shape': (3 4)}", 0, "23: expected a comma or ) in the header, not '4)}'");
    BAD("{'shape': (,)}", 0, "21: expected the size of an axis in the header, not ',)}'");
    BAD("{'shape': (99999999999999999999,)}", 0, "21: the size of an axis overflows");
    BAD("{'shape': () 'descr': '<f4'}", 0,
        "23: expected a comma or } in the header, not ''descr': '<f4'}'");
    BAD("{'descr': '<f4', 'fortran_order': False, 'shape': (), } x", 4,
        "66: expected its end in the header, not 'x'");
    BAD("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 11,
        "67: 3 elements of 4 bytes should follow, but 11 bytes do");
    BAD("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 8,
        "65: 1 elements of 4 bytes should follow, but 8 bytes do");
    BAD("{'descr':'<f4','fortran_order':True,'shape':(4294967296,4294967296)}", 0,
        "78: the size of the array overflows");
    BAD("{'descr':'<f4','fortran_order':True,'shape':(0,4294967296,4294967296)}", 0,
        "80: the size of the array overflows");
    answers("{'shape': (1,1,1,1,1,1,1,1,1)}", 0, SIGAD_ENOTSUP, "FILE: byte 20: more than 8 axes");
    char got[SG_MESSAGE_BYTES];
    cr_expect_eq(hostile_try(read_npy, "\x93NUMPY\x04\0\0\0", 10, got), SIGAD_ENOTSUP);
    cr_expect_str_eq(got, "FILE: byte 6: version 4.0; 1.0, 2.0 and 3.0 can be read");
    cr_expect_eq(hostile_try(read_npy, "\x93NUMPY\x02\0\0\0", 10, got), SIGAD_EFORMAT);
    cr_expect_str_eq(got, "FILE: byte 10: the file ends within the header's length");
    cr_expect_eq(hostile_try(read_npy, "\x93NUMPY\x01\0\2\0{", 11, got), SIGAD_EFORMAT);
    cr_expect_str_eq(got, "FILE: byte 8: a header of 2 bytes, but 1 follow");
}

static void bend(const char *path, hostile_reader reader, int mutations)
{
    size_t count;
    unsigned char *bytes = hostile_read(path, &count);
    cr_assert_not_null(bytes, "%s", path);
    cr_assert_gt(hostile_bend(reader, bytes, count, mutations), 0);
    free(bytes);
}

Test(npy, no_byte_is_trusted)
{
    bend(DATA "f8_fortran.npy", read_npy, 2000);
    bend(DATA "version2.npy", read_npy, 2000);
    bend(DATA "stored.npz", read_npz, 1000);
    bend(DATA "deflated.npz", read_npz, 2000);
    bend(DATA "zip64.npz", read_npz, 2000);
}

Test(npy, every_single_bit_of_a_member_is_checked)
{
    size_t count;
    unsigned char *bytes = hostile_read(DATA "stored.npz", &count);
    sigad_allocator allocator = sg_allocator_or_default((sigad_allocator){0});
    sg_error error = {0};
    sg_zip_member member;
    sg_source source = {&error, &allocator, "FILE", bytes, count, 0};
    cr_assert_eq(sg_zip_open(&source, "x.npy", &member), SIGAD_OK, "%s", error.message);
    size_t first = member.source.base, length = member.source.count;
    sg_zip_close(&member);
    for (size_t i = 0; i < length; i++) {
        char want[SG_MESSAGE_BYTES], got[SG_MESSAGE_BYTES];
        bytes[first + i] ^= 1;
        cr_assert_eq(hostile_try(read_npz, bytes, count, got), SIGAD_EFORMAT);
        snprintf(want, sizeof want,
                 "FILE: byte %zu: the member's bytes do not have the CRC of the directory", first);
        cr_assert_str_eq(got, want);
        bytes[first + i] ^= 1;
    }
    free(bytes);
}

/* The size that the directory states is what would be allocated. */
Test(npy, a_bomb_is_refused)
{
    size_t count;
    char got[SG_MESSAGE_BYTES];
    unsigned char *bytes = hostile_read(DATA "deflated.npz", &count);
    for (size_t i = 0; i + 46 <= count; i++)
        if (!memcmp(bytes + i, "PK\1\2", 4)) memset(bytes + i + 24, 0x7F, 4);
    cr_expect_eq(hostile_try(read_npz, bytes, count, got), SIGAD_EFORMAT);
    cr_expect(strstr(got, "2139062143 bytes cannot be packed into "), "%s", got);
    free(bytes);
}

Test(npy, starved_readers_say_so)
{
    static const char *const files[] = {"stored.npz", "deflated.npz"};
    for (int i = 0; i < 2; i++)
        for (int64_t k = 1;; k++) {
            failing_allocator memory = {0};
            sigad_context *starving;
            sigad_tape *its_tape;
            char path[512];
            snprintf(path, sizeof path, DATA "%s", files[i]);
            cr_assert_eq(sigad_context_create(
                             &(sigad_context_options){SIGAD_CONTEXT_OPTIONS_INIT,
                                                      .allocator = failing_allocator_hook(&memory)},
                             &starving),
                         SIGAD_OK);
            cr_assert_eq(sigad_tape_create(starving, &its_tape), SIGAD_OK);
            failing_allocator_arm(&memory, k, false);
            sigad_tensor x = sigad_npz_read(its_tape, path, "x");
            sigad_status status = sigad_context_status(starving);
            sigad_context_destroy(starving);
            cr_assert_eq(memory.live, 0);
            cr_assert_eq(x.generation == 0, status != SIGAD_OK);
            if (!memory.failed) {
                cr_assert_eq(status, SIGAD_OK);
                break;
            }
            cr_assert_eq(status, SIGAD_ENOMEM, "allocation %d of %s", (int)k, path);
        }
}
