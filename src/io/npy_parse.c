#include "graph/context.h"
#include "io/npy.h"
#include <inttypes.h>
#include <string.h>

struct sg_npy_type {
    const char *descr; /* without the mark of the byte order */
    int32_t dtype;     /* in memory */
    int32_t bytes;     /* in the file */
    bool is_signed;    /* of whole numbers */
};

static const sg_npy_type types[] = {
    {"f4", SIGAD_F32, 4, true},  {"f8", SIGAD_F64, 8, true},  {"i8", SIGAD_I64, 8, true},
    {"i4", SIGAD_I64, 4, true},  {"i2", SIGAD_I64, 2, true},  {"i1", SIGAD_I64, 1, true},
    {"b1", SIGAD_I64, 1, false}, {"u1", SIGAD_I64, 1, false}, {"u2", SIGAD_I64, 2, false},
    {"u4", SIGAD_I64, 4, false},
};

/* The header's text while it is taken apart. */
typedef struct {
    const sg_source *source;
    size_t at, end;
} text;

static sigad_status unexpected(const text *t, const char *what)
{
    char quote[SG_QUOTE_BYTES];
    return sg_malformed(t->source, t->at, "expected %s in the header, not '%s'", what,
                        sg_quote(t->source->bytes + t->at, t->end - t->at, quote));
}

static void skip_blanks(text *t)
{
    const unsigned char *bytes = t->source->bytes;
    while (t->at < t->end && (bytes[t->at] == ' ' || bytes[t->at] == '\n')) t->at++;
}

/* Takes `c`, with blanks before it; false, and only the blanks taken, if something else is there.
 */
static bool take(text *t, char c)
{
    skip_blanks(t);
    if (t->at == t->end || t->source->bytes[t->at] != (unsigned char)c) return false;
    t->at++;
    return true;
}

static bool take_word(text *t, const char *word)
{
    size_t length = strlen(word);
    if (t->end - t->at < length || memcmp(t->source->bytes + t->at, word, length)) return false;
    t->at += length;
    return true;
}

/* A text in single or double quotes, without escapes: where it begins, its length; false if there
 * is none. */
static bool take_string(text *t, const char **begin, size_t *length)
{
    char quote = take(t, '\'') ? '\'' : take(t, '"') ? '"' : 0;
    if (!quote) return false;
    *begin = (const char *)t->source->bytes + t->at;
    const char *end = memchr(*begin, quote, t->end - t->at);
    if (!end) return false;
    *length = (size_t)(end - *begin);
    t->at += *length + 1;
    return !memchr(*begin, '\\', *length);
}

static sigad_status parse_descr(text *t, sg_npy *npy)
{
    const char *descr;
    size_t length;
    char quote[SG_QUOTE_BYTES];
    if (take(t, '[')) {
        t->at--;
        return sg_refuse(t->source, SIGAD_ENOTSUP, t->at, "structured arrays cannot be read");
    }
    const size_t at = t->at;
    if (!take_string(t, &descr, &length)) return unexpected(t, "an element type");
    for (size_t i = 0; i < sizeof types / sizeof *types && length == 3; i++)
        if (!memcmp(descr + 1, types[i].descr, 2) &&
            (descr[0] == '<' || (descr[0] == '|' && types[i].bytes == 1)))
            npy->type = &types[i];
    if (npy->type) return SIGAD_OK;
    return sg_refuse(t->source, SIGAD_ENOTSUP, at,
                     "elements of type '%s'; <f4, <f8, <i8 and smaller whole numbers can be read",
                     sg_quote(descr, length, quote));
}

static sigad_status parse_order(text *t, sg_npy *npy)
{
    skip_blanks(t);
    npy->fortran_order = take_word(t, "True");
    return npy->fortran_order || take_word(t, "False") ? SIGAD_OK : unexpected(t, "True or False");
}

static sigad_status parse_size(text *t, int64_t *size)
{
    const unsigned char *bytes = t->source->bytes;
    size_t begin = t->at;
    for (*size = 0; t->at < t->end && bytes[t->at] >= '0' && bytes[t->at] <= '9'; t->at++)
        if (!sg_multiply(*size, 10, size) || !sg_add(*size, bytes[t->at] - '0', size))
            return sg_malformed(t->source, begin, "the size of an axis overflows");
    return t->at > begin ? SIGAD_OK : unexpected(t, "the size of an axis");
}

/* (), (3,), (3, 4) or (3, 4,) */
static sigad_status parse_shape(text *t, sg_npy *npy)
{
    sigad_array *array = &npy->array;
    if (!take(t, '(')) return unexpected(t, "a shape");
    const size_t begin = t->at - 1;
    bool comma = true;
    while (!take(t, ')')) {
        if (!comma) return unexpected(t, "a comma or )");
        if (array->rank == SIGAD_MAX_RANK)
            return sg_refuse(t->source, SIGAD_ENOTSUP, begin, "more than %d axes", SIGAD_MAX_RANK);
        sigad_status status = parse_size(t, &array->shape[array->rank++]);
        if (status) return status;
        comma = take(t, ',');
    }
    if (array->rank == 1 && !comma) return unexpected(t, "a comma before )");
    return SIGAD_OK;
}

static sigad_status parse_field(text *t, sg_npy *npy, bool seen[3])
{
    static const struct {
        const char *name;
        sigad_status (*parse)(text *t, sg_npy *npy);
    } fields[3] = {{"descr", parse_descr}, {"fortran_order", parse_order}, {"shape", parse_shape}};
    const char *name;
    size_t length;
    text before = *t;
    if (!take_string(t, &name, &length)) return unexpected(&before, "a key");
    for (int i = 0; i < 3; i++) {
        if (strlen(fields[i].name) != length || memcmp(fields[i].name, name, length)) continue;
        if (seen[i]) return unexpected(&before, "each key once");
        seen[i] = true;
        if (!take(t, ':')) return unexpected(t, "a colon");
        return fields[i].parse(t, npy);
    }
    return unexpected(&before, "descr, fortran_order or shape");
}

static sigad_status parse_dictionary(text *t, sg_npy *npy)
{
    bool seen[3] = {false, false, false}, comma = true;
    if (!take(t, '{')) return unexpected(t, "{");
    while (!take(t, '}')) {
        if (!comma) return unexpected(t, "a comma or }");
        sigad_status status = parse_field(t, npy, seen);
        if (status) return status;
        comma = take(t, ',');
    }
    if (!seen[0] || !seen[1] || !seen[2])
        return sg_malformed(t->source, t->at - 1,
                            "the header must have descr, fortran_order and shape");
    skip_blanks(t);
    return t->at == t->end ? SIGAD_OK : unexpected(t, "its end");
}

/* Magic, version and length of the header. */
static sigad_status parse_frame(const sg_source *source, text *t)
{
    const unsigned char *bytes = source->bytes;
    if (source->count < 10 || memcmp(bytes, "\x93NUMPY", 6))
        return sg_malformed(source, 0,
                            "not an .npy file: it must begin with \\x93NUMPY and have "
                            "at least 10 bytes");
    int version = bytes[6], length_bytes = version == 1 ? 2 : 4;
    if (version < 1 || version > 3 || bytes[7])
        return sg_refuse(source, SIGAD_ENOTSUP, 6, "version %d.%d; 1.0, 2.0 and 3.0 can be read",
                         version, bytes[7]);
    size_t begin = 8 + (size_t)length_bytes;
    if (source->count < begin)
        return sg_malformed(source, source->count, "the file ends within the header's length");
    uint64_t length = sg_little_endian(bytes + 8, length_bytes);
    if (length > source->count - begin)
        return sg_malformed(source, 8, "a header of %" PRIu64 " bytes, but %zu follow", length,
                            source->count - begin);
    *t = (text){source, begin, begin + (size_t)length};
    return SIGAD_OK;
}

static sigad_status check_size(const text *t, sg_npy *npy)
{
    sigad_array *array = &npy->array;
    sg_error ignored = {0};
    int64_t bytes, there = (int64_t)(t->source->count - t->end);
    array->dtype = npy->type->dtype;
    if (sg_array_measure(&ignored, "", array) ||
        !sg_multiply(array->elements, npy->type->bytes, &bytes))
        return sg_malformed(t->source, t->end, "the size of the array overflows");
    if (bytes == there) return SIGAD_OK;
    return sg_malformed(t->source, t->end,
                        "%" PRId64 " elements of %d bytes should follow, but %" PRId64 " bytes do",
                        array->elements, npy->type->bytes, there);
}

sigad_status sg_npy_parse(const sg_source *source, sg_npy *npy)
{
    text t;
    *npy = (sg_npy){0};
    sigad_status status = parse_frame(source, &t);
    if (!status) status = parse_dictionary(&t, npy);
    if (!status) status = check_size(&t, npy);
    if (status) return status;
    npy->elements = source->bytes + t.end;
    return SIGAD_OK;
}

/* One element from the file, at any address, into an array. */
static void copy_element(const sg_npy_type *type, const unsigned char *from, unsigned char *to)
{
    if (type->dtype != SIGAD_I64) {
        memcpy(to, from, (size_t)type->bytes);
        return;
    }
    uint64_t value = sg_little_endian(from, type->bytes);
    int shift = 64 - 8 * type->bytes;
    int64_t whole = type->is_signed ? (int64_t)(value << shift) >> shift : (int64_t)value;
    memcpy(to, &whole, sizeof whole);
}

void sg_npy_copy(const sg_npy *npy, void *out)
{
    const sigad_array *array = &npy->array;
    if (!array->elements) return;
    const size_t width = npy->type->dtype == SIGAD_F32 ? 4 : 8, from = (size_t)npy->type->bytes;
    if (from == width && (!npy->fortran_order || array->rank < 2)) {
        memcpy(out, npy->elements, (size_t)array->elements * width);
        return;
    }
    int64_t index[SIGAD_MAX_RANK] = {0}, stride[SIGAD_MAX_RANK], position = 0, product = 1;
    for (int i = 0; i < array->rank; i++) {
        int axis = npy->fortran_order ? i : array->rank - 1 - i;
        stride[axis] = product;
        product *= array->shape[axis];
    }
    for (int64_t n = 0; n < array->elements; n++) {
        copy_element(npy->type, npy->elements + (size_t)position * from,
                     (unsigned char *)out + (size_t)n * width);
        for (int axis = array->rank - 1; axis >= 0; axis--) { /* the next index, last axis first */
            position += stride[axis];
            if (++index[axis] < array->shape[axis]) break;
            position -= index[axis] * stride[axis];
            index[axis] = 0;
        }
    }
}
