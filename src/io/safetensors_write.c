#include "graph/context.h"
#include "io/buffer.h"
#include "io/file.h"
#include "io/safetensors.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH_BYTES = 8, NUMBER_TEXT = 24 };

static bool append_text(sg_buffer *header, const char *text)
{
    return sg_buffer_append(header, text, strlen(text));
}

static bool append_number(sg_buffer *header, int64_t value)
{
    char text[NUMBER_TEXT];
    snprintf(text, sizeof text, "%" PRId64, value);
    return append_text(header, text);
}

/* Bytes of the character that begins here, 0 if it is not UTF-8 (Unicode Standard, table 3-7). */
static size_t character_bytes(const unsigned char *c)
{
    unsigned char low = 0x80, high = 0xBF;
    if (c[0] < 0x80) return 1;
    size_t count = c[0] >= 0xC2 && c[0] <= 0xDF   ? 2
                   : c[0] >= 0xE0 && c[0] <= 0xEF ? 3
                   : c[0] >= 0xF0 && c[0] <= 0xF4 ? 4
                                                  : 0;
    if (c[0] == 0xE0) low = 0xA0;
    if (c[0] == 0xED) high = 0x9F;
    if (c[0] == 0xF0) low = 0x90;
    if (c[0] == 0xF4) high = 0x8F;
    for (size_t i = 1; i < count; i++, low = 0x80, high = 0xBF)
        if (c[i] < low || c[i] > high) return 0;
    return count;
}

static bool is_utf8(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    for (size_t step; *c; c += step)
        if (!(step = character_bytes(c))) return false;
    return true;
}

static bool append_string(sg_buffer *header, const char *text)
{
    bool good = append_text(header, "\"");
    for (; *text && good; text++) {
        char escaped[8] = {*text};
        if (*text == '"' || *text == '\\')
            snprintf(escaped, sizeof escaped, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)*text);
        good = append_text(header, escaped);
    }
    return good && append_text(header, "\"");
}

static bool append_entry(sg_buffer *header, const sg_safetensor *tensor, size_t *offset)
{
    const sigad_array *array = &tensor->array;
    bool good = append_string(header, tensor->name) && append_text(header, ":{\"dtype\":\"") &&
                append_text(header, array->dtype == SIGAD_F32   ? "F32"
                                    : array->dtype == SIGAD_F64 ? "F64"
                                                                : "I64") &&
                append_text(header, "\",\"shape\":[");
    for (int i = 0; i < array->rank && good; i++)
        good = (!i || append_text(header, ",")) && append_number(header, array->shape[i]);
    good = good && append_text(header, "],\"data_offsets\":[") &&
           append_number(header, (int64_t)*offset) && append_text(header, ",");
    *offset += sg_array_bytes(array);
    return good && append_number(header, (int64_t)*offset) && append_text(header, "]}");
}

/* Header and pieces go through the tensors in the same order. */
static bool append_all(sg_buffer *header, sg_piece *pieces, const sg_safetensor *items,
                       size_t count)
{
    static const size_t widths[] = {8, 4};
    size_t offset = 0, made = 0;
    const unsigned char length[LENGTH_BYTES] = {0};
    bool good = sg_buffer_append(header, length, sizeof length) && append_text(header, "{");
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (size_t i = 0; i < count && good; i++) {
            const sigad_array *array = &items[i].array;
            if (sg_dtype_bytes(array->dtype) != widths[w]) continue;
            good = (!made || append_text(header, ",")) && append_entry(header, &items[i], &offset);
            pieces[made++] = (sg_piece){array->data, sg_array_bytes(array)};
        }
    good = good && append_text(header, "}");
    while (good && header->count % 8) good = append_text(header, " ");
    for (int i = 0; i < LENGTH_BYTES && good; i++)
        header->bytes[i] = (unsigned char)((uint64_t)(header->count - LENGTH_BYTES) >> 8 * i);
    return good;
}

sigad_status sg_safetensors_write(sg_error *error, const sigad_allocator *allocator,
                                  const char *path, const sg_safetensor *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = items[i].name;
        const char *wrong = !strcmp(name, SG_SAFETENSORS_METADATA) ? "is a reserved name"
                            : !is_utf8(name)                       ? "is not UTF-8"
                                                                   : NULL;
        if (wrong)
            return sg_fail(error, SIGAD_EINVAL, "cannot write '%.300s': '%.60s' %s", path, name,
                           wrong);
    }
    sg_buffer header = {.allocator = allocator};
    size_t bytes = (count + 1) * sizeof(sg_piece);
    sg_piece *pieces = sg_allocate(allocator, bytes);
    sigad_status status;
    if (pieces && append_all(&header, pieces + 1, items, count)) {
        pieces[0] = (sg_piece){header.bytes, header.count};
        status = sg_file_write(error, path, pieces, count + 1);
    } else {
        status = sg_fail(error, SIGAD_ENOMEM, "no memory to write '%.300s'", path);
    }
    sg_buffer_destroy(&header);
    sg_release(allocator, pieces, bytes);
    return status;
}
