#include "io/npy.h"
#include "graph/tape.h"
#include "io/file.h"
#include "io/zip.h"
#include "sigad/io.h"
#include <stdio.h>

static const sigad_tensor poison = {0, 0};

static sigad_tensor to_tape(sigad_tape *tape, const char *caller, const sg_source *source)
{
    sg_npy npy;
    sg_draft draft;
    if (sg_npy_parse(source, &npy)) return poison;
    void *bytes = sg_tape_leaf_begin(tape, caller, &npy.array, &draft);
    if (!bytes) return poison;
    sg_npy_copy(&npy, bytes);
    return sg_tape_leaf_end(tape, caller, &draft);
}

static bool ready(const sigad_tape *tape, const char *caller, const char *path)
{
    if (!sg_tape_ready(tape)) return false;
    if (!path) sg_fail(&tape->context->error, SIGAD_EINVAL, "%s: path is NULL", caller);
    return path != NULL;
}

/* The bytes of a file, as a source of the tape's context. */
static bool open_source(sigad_tape *tape, const char *path, sg_buffer *file, sg_source *source)
{
    sigad_context *context = tape->context;
    *file = (sg_buffer){.allocator = &context->allocator};
    if (sg_file_read(&context->error, path, file)) return false;
    *source = (sg_source){&context->error, &context->allocator, path, file->bytes, file->count, 0};
    return true;
}

sigad_tensor sigad_npy_read(sigad_tape *tape, const char *path)
{
    const char *caller = "sigad_npy_read";
    sg_buffer file;
    sg_source source;
    if (!ready(tape, caller, path) || !open_source(tape, path, &file, &source)) return poison;
    sigad_tensor result = to_tape(tape, caller, &source);
    sg_buffer_destroy(&file);
    return result;
}

sigad_tensor sigad_npz_read(sigad_tape *tape, const char *path, const char *name)
{
    const char *caller = "sigad_npz_read";
    sg_buffer file;
    sg_source source;
    sg_zip_member member;
    sigad_tensor result = poison;
    char member_name[256];
    if (!ready(tape, caller, path)) return poison;
    if (!name ||
        snprintf(member_name, sizeof member_name, "%s.npy", name) >= (int)sizeof member_name) {
        sg_fail(&tape->context->error, SIGAD_EINVAL, "%s: name is NULL or too long", caller);
        return poison;
    }
    if (!open_source(tape, path, &file, &source)) return poison;
    if (!sg_zip_open(&source, member_name, &member)) {
        result = to_tape(tape, caller, &member.source);
        sg_zip_close(&member);
    }
    sg_buffer_destroy(&file);
    return result;
}

/* The array's bytes on the host: its own, or a copy in the side arena; NULL with the error set. */
static void *bytes_on_host(sigad_tape *tape, const char *caller, const sigad_array *array)
{
    const size_t bytes = sg_array_bytes(array);
    if (sg_device_is_host(&tape->context->device)) return array->data;
    void *copy = sg_arena_take(&tape->side, bytes);
    if (!copy) sg_context_no_memory(tape->context, caller, bytes);
    return copy && sg_device_get(tape->context, caller, copy, array->data, bytes) ? copy : NULL;
}

sigad_status sigad_npy_write(sigad_tape *tape, sigad_tensor x, const char *path)
{
    const char *caller = "sigad_npy_write";
    unsigned char header[SG_NPY_HEADER_BYTES];
    sigad_array array;
    if (!tape) return SIGAD_EINVAL;
    sg_error *error = &tape->context->error;
    if (!ready(tape, caller, path) || !sg_tape_resolve(tape, caller, x, &array))
        return error->status;
    const sg_arena_mark before = sg_arena_position(&tape->side);
    void *bytes = bytes_on_host(tape, caller, &array);
    sg_piece pieces[] = {{header, sg_npy_header(&array, header)}, {bytes, sg_array_bytes(&array)}};
    if (!error->status) sg_file_write(error, path, pieces, 2);
    sg_arena_rewind(&tape->side, before);
    return error->status;
}
