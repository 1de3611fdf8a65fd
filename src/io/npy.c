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
    if (sg_npy_parse(source, &npy)) return poison;
    sigad_tensor result = sg_tape_leaf(tape, caller, SG_NODE_CONSTANT, &npy.array, NULL);
    if (result.generation) sg_npy_copy(&npy, sg_tape_node(tape, caller, result)->value.data);
    return result;
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

sigad_status sigad_npy_write(sigad_tape *tape, sigad_tensor x, const char *path)
{
    const char *caller = "sigad_npy_write";
    unsigned char header[SG_NPY_HEADER_BYTES];
    sigad_array array;
    if (!tape) return SIGAD_EINVAL;
    sg_error *error = &tape->context->error;
    if (!ready(tape, caller, path) || !sg_tape_resolve(tape, caller, x, &array))
        return error->status;
    sg_piece pieces[] = {{header, sg_npy_header(&array, header)},
                         {array.data, sg_array_bytes(&array)}};
    return sg_file_write(error, path, pieces, 2);
}
