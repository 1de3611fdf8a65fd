#include "graph/context.h"
#include "io/safetensors.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, LARGEST_HEADER = 100000000 /* as in the reference implementation */ };

typedef struct {
    const sg_source *source;
    size_t data_start;
} reader;

/* Where entry number `entry` of the header begins: the JSON is known to be right here. */
static size_t entry_offset(const reader *r, size_t entry)
{
    size_t depth = 0, seen = 0;
    bool in_text = false;
    for (size_t i = LENGTH_BYTES; i < r->data_start; i++) {
        unsigned char c = r->source->bytes[i];
        if (in_text) {
            if (c == '\\') i++;
            if (c == '"') in_text = false;
            continue;
        }
        if (depth == 1 && c == ',') seen++;
        if (c == '"' && depth == 1 && seen == entry) return i;
        if (c == '"') in_text = true;
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
    }
    return LENGTH_BYTES;
}

static sigad_status parse_header(reader *r, json_t **header)
{
    const sg_source *source = r->source;
    if (source->count < LENGTH_BYTES)
        return sg_malformed(source, source->count,
                            "the file ends within the 8 bytes of the header's length");
    uint64_t length = sg_little_endian(source->bytes, LENGTH_BYTES);
    if (length > source->count - LENGTH_BYTES)
        return sg_malformed(source, 0, "a header of %" PRIu64 " bytes, but %zu follow", length,
                            source->count - LENGTH_BYTES);
    if (length > LARGEST_HEADER)
        return sg_malformed(source, 0, "a header of %" PRIu64 " bytes; at most %d are allowed",
                            length, LARGEST_HEADER);
    r->data_start = LENGTH_BYTES + (size_t)length;
    json_error_t why;
    *header = json_loadb((const char *)source->bytes + LENGTH_BYTES, (size_t)length,
                         JSON_REJECT_DUPLICATES, &why);
    if (!*header) {
        enum json_error_code code = json_error_code(&why);
        if (code == json_error_out_of_memory || code == json_error_unknown)
            return sg_source_no_memory(source, "the header", (size_t)length);
        return sg_malformed(source, LENGTH_BYTES + (size_t)(why.position < 0 ? 0 : why.position),
                            "the header is not JSON: %s", why.text);
    }
    if (!json_is_object(*header) || source->bytes[LENGTH_BYTES] != '{')
        return sg_malformed(source, LENGTH_BYTES, "the header must be a JSON object");
    return SIGAD_OK;
}

/* "PATH: byte OFFSET: tensor 'NAME': ..." */
static sigad_status refuse(const reader *r, const sg_safetensor *tensor, sigad_status status,
                           const char *format, ...) SIGAD_PRINTF(4, 5);
static sigad_status refuse(const reader *r, const sg_safetensor *tensor, sigad_status status,
                           const char *format, ...)
{
    char reason[256];
    va_list values;
    va_start(values, format);
    vsnprintf(reason, sizeof reason, format, values);
    va_end(values);
    return sg_refuse(r->source, status, entry_offset(r, tensor->entry), "tensor '%.60s': %s",
                     tensor->name, reason);
}

static sigad_status check_metadata(const reader *r, size_t entry, json_t *metadata)
{
    const char *key;
    json_t *value;
    bool good = json_is_object(metadata);
    json_object_foreach(metadata, key, value) good = good && json_is_string(value);
    if (good) return SIGAD_OK;
    return sg_malformed(r->source, entry_offset(r, entry),
                        SG_SAFETENSORS_METADATA " must be an object of strings");
}

static sigad_status parse_dtype(const reader *r, const json_t *json, sg_safetensor *tensor)
{
    static const char *const others[] = {
        "BOOL", "U8",  "I8", "I16",     "U16",     "I32",     "U32",     "U64",    "F16",
        "BF16", "C64", "F4", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F6_E2M3", "F6_E3M2"};
    static const struct {
        const char *text;
        int32_t dtype;
    } known[] = {{"F32", SIGAD_F32}, {"F64", SIGAD_F64}, {"I64", SIGAD_I64}};
    const char *text = json_string_value(json);
    if (!text) return refuse(r, tensor, SIGAD_EFORMAT, "dtype must be a string");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(text, known[i].text)) tensor->array.dtype = known[i].dtype;
    if (tensor->array.dtype) return SIGAD_OK;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(text, others[i]))
            return refuse(r, tensor, SIGAD_ENOTSUP, "dtype %s; F32, F64 and I64 can be read", text);
    return refuse(r, tensor, SIGAD_EFORMAT, "unknown dtype '%.20s'", text);
}

static sigad_status parse_shape(const reader *r, const json_t *json, sg_safetensor *tensor)
{
    sigad_array *array = &tensor->array;
    size_t rank = json_array_size(json);
    if (!json_is_array(json)) return refuse(r, tensor, SIGAD_EFORMAT, "shape must be a list");
    if (rank > SIGAD_MAX_RANK)
        return refuse(r, tensor, SIGAD_ENOTSUP, "%zu axes; the most are %d", rank, SIGAD_MAX_RANK);
    array->rank = (int32_t)rank;
    array->elements = 1;
    for (size_t i = 0; i < rank; i++) {
        const json_t *size = json_array_get(json, i);
        array->shape[i] = json_integer_value(size);
        if (!json_is_integer(size) || array->shape[i] < 0)
            return refuse(r, tensor, SIGAD_EFORMAT, "axis %zu is not a whole number >= 0", i);
        if (!sg_multiply(array->elements, array->shape[i], &array->elements))
            return refuse(r, tensor, SIGAD_EFORMAT, "the number of elements overflows");
    }
    return SIGAD_OK;
}

static sigad_status parse_offsets(const reader *r, const json_t *json, sg_safetensor *tensor)
{
    const json_t *first = json_array_get(json, 0), *last = json_array_get(json, 1);
    int64_t begin = json_integer_value(first), end = json_integer_value(last), bytes;
    int64_t there = (int64_t)(r->source->count - r->data_start);
    if (json_array_size(json) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return refuse(r, tensor, SIGAD_EFORMAT, "data_offsets must be two whole numbers");
    if (begin < 0 || end < begin || end > there)
        return refuse(r, tensor, SIGAD_EFORMAT,
                      "data_offsets [%" PRId64 ",%" PRId64 "] must rise within 0 and %" PRId64,
                      begin, end, there);
    int64_t width = (int64_t)sg_dtype_bytes(tensor->array.dtype);
    if (!sg_multiply(tensor->array.elements, width, &bytes) || bytes != end - begin)
        return refuse(r, tensor, SIGAD_EFORMAT,
                      "%" PRId64 " elements of %" PRId64 " bytes, but data_offsets span %" PRId64,
                      tensor->array.elements, width, end - begin);
    tensor->array.data = (void *)(r->source->bytes + r->data_start + begin);
    return SIGAD_OK;
}

static sigad_status parse_tensor(const reader *r, const json_t *json, sg_safetensor *tensor)
{
    if (json_object_size(json) != 3)
        return refuse(r, tensor, SIGAD_EFORMAT, "must have dtype, shape and data_offsets only");
    sigad_status status = parse_dtype(r, json_object_get(json, "dtype"), tensor);
    if (!status) status = parse_shape(r, json_object_get(json, "shape"), tensor);
    if (!status) status = parse_offsets(r, json_object_get(json, "data_offsets"), tensor);
    return status;
}

static sigad_status parse_tensors(const reader *r, sg_safetensors *file)
{
    const char *name;
    json_t *json;
    size_t entry = 0, entries = json_object_size(file->header),
           bytes = entries * sizeof *file->items;
    if (!entries) return SIGAD_OK;
    file->items = sg_allocate(file->allocator, bytes);
    if (!file->items) return sg_source_no_memory(r->source, "the list of tensors", bytes);
    file->capacity = entries;
    json_object_foreach(file->header, name, json)
    {
        sigad_status status;
        if (!strcmp(name, SG_SAFETENSORS_METADATA)) {
            status = check_metadata(r, entry, json);
        } else {
            sg_safetensor *tensor = &file->items[file->count++];
            *tensor = (sg_safetensor){.name = name, .entry = entry};
            status = parse_tensor(r, json, tensor);
        }
        if (status) return status;
        entry++;
    }
    return SIGAD_OK;
}

static int by_place(const void *left, const void *right)
{
    const sigad_array *a = &((const sg_safetensor *)left)->array,
                      *b = &((const sg_safetensor *)right)->array;
    if (a->data != b->data) return (const char *)a->data < (const char *)b->data ? -1 : 1;
    return (a->elements > b->elements) - (a->elements < b->elements);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const sg_safetensor *)left)->name, ((const sg_safetensor *)right)->name);
}

/* The arrays must lie one behind the other up to the end of the file. */
static sigad_status check_tiling(const reader *r, sg_safetensors *file)
{
    size_t reached = r->data_start;
    if (file->count) qsort(file->items, file->count, sizeof *file->items, by_place);
    for (size_t i = 0; i < file->count; i++) {
        const sg_safetensor *tensor = &file->items[i];
        size_t begin = (size_t)((const unsigned char *)tensor->array.data - r->source->bytes);
        if (begin < reached)
            return sg_malformed(r->source, begin,
                                "the data of tensor '%.60s' overlap those of tensor '%.60s'",
                                tensor->name, file->items[i - 1].name);
        if (begin > reached)
            return sg_malformed(r->source, reached,
                                "%zu bytes before the data of tensor '%.60s' belong to nothing",
                                begin - reached, tensor->name);
        reached = begin + sg_array_bytes(&tensor->array);
    }
    if (reached < r->source->count)
        return sg_malformed(r->source, reached, "%zu bytes follow the last tensor",
                            r->source->count - reached);
    return SIGAD_OK;
}

sigad_status sg_safetensors_parse(const sg_source *source, sg_safetensors *file)
{
    reader r = {.source = source};
    *file = (sg_safetensors){.allocator = source->allocator};
    sigad_status status = parse_header(&r, &file->header);
    if (!status) status = parse_tensors(&r, file);
    if (!status) status = check_tiling(&r, file);
    if (status)
        sg_safetensors_destroy(file);
    else if (file->count)
        qsort(file->items, file->count, sizeof *file->items, by_name);
    return status;
}

const sg_safetensor *sg_safetensors_find(const sg_safetensors *file, const char *name)
{
    sg_safetensor key = {.name = name};
    if (!file->count) return NULL;
    return bsearch(&key, file->items, file->count, sizeof *file->items, by_name);
}

void sg_safetensors_destroy(sg_safetensors *file)
{
    json_decref(file->header);
    sg_release(file->allocator, file->items, file->capacity * sizeof *file->items);
    *file = (sg_safetensors){.allocator = file->allocator};
}
