/* Parameters and optimizer state, to and from safetensors. Both directions go through one list of
 * what the context has. */
#include "core/arena.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "sigad/io.h"
#include "train/optimizer.h"
#include <string.h>

#define OPTIMIZER_PREFIX "optimizer/"

typedef struct {
    sigad_context *context;
    const char *caller;
    sg_arena arena;
    sg_safetensor *items; /* the parameters, then the state of the optimizer */
    size_t count, parameters;
} state;

static bool has_prefix(const char *name)
{
    return !strncmp(name, OPTIMIZER_PREFIX, strlen(OPTIMIZER_PREFIX));
}

static sigad_status no_memory(state *all, size_t bytes)
{
    return sg_context_no_memory(all->context, all->caller, bytes);
}

static sigad_status collect_parameters(state *all)
{
    for (size_t i = 0; i < all->parameters; i++) {
        const sg_parameter *parameter = all->context->parameters[i];
        if (has_prefix(parameter->name))
            return sg_fail(&all->context->error, SIGAD_EINVAL,
                           "%s: the name of parameter '%.200s' may not begin with " OPTIMIZER_PREFIX
                           ", as optimizer state does",
                           all->caller, parameter->name);
        all->items[i] = (sg_safetensor){parameter->name, parameter->value, 0};
    }
    return SIGAD_OK;
}

static sigad_status collect_optimizer(state *all, sigad_optimizer *optimizer)
{
    for (size_t i = all->parameters; i < all->count; i++) {
        const char *name;
        sg_safetensor *item = &all->items[i];
        sg_optimizer_state_at(optimizer, i - all->parameters, &name, &item->array);
        size_t bytes = strlen(OPTIMIZER_PREFIX) + strlen(name) + 1;
        char *full = sg_arena_take(&all->arena, bytes);
        if (!full) return no_memory(all, bytes);
        item->name = strcat(strcpy(full, OPTIMIZER_PREFIX), name);
    }
    return SIGAD_OK;
}

static void release(state *all)
{
    sg_arena_destroy(&all->arena);
}

/* Parameters and slots live on the context's device; numbers of updates on the host. */
static bool is_on_device(const sigad_array *array)
{
    return array->dtype != SIGAD_I64;
}

/* Brings all arrays to the host. */
static sigad_status fetch(state *all)
{
    sigad_context *context = all->context;
    if (sg_device_is_host(&context->device)) return SIGAD_OK;
    for (size_t i = 0; i < all->count; i++) {
        sigad_array *array = &all->items[i].array;
        const size_t bytes = sg_array_bytes(array);
        if (!is_on_device(array)) continue;
        void *copy = sg_arena_take(&all->arena, bytes);
        if (!copy) return no_memory(all, bytes);
        if (!sg_device_get(context, all->caller, copy, array->data, bytes)) break;
        array->data = copy;
    }
    return context->error.status;
}

/* Everything that belongs into a checkpoint, by name; release it, also after a failure. */
static sigad_status collect(sigad_context *context, sigad_optimizer *optimizer, const char *caller,
                            const char *path, state *all)
{
    *all = (state){.context = context, .caller = caller, .parameters = context->parameter_count};
    sg_arena_init(&all->arena, &context->allocator);
    if (!path) return sg_fail(&context->error, SIGAD_EINVAL, "%s: path is NULL", caller);
    if (optimizer && optimizer->context != context)
        return sg_fail(&context->error, SIGAD_EINVAL,
                       "%s: the optimizer belongs to another context", caller);
    sigad_status status = optimizer ? sg_optimizer_state_prepare(optimizer) : SIGAD_OK;
    if (status) return status;
    all->count = all->parameters + (optimizer ? sg_optimizer_state_count(optimizer) : 0);
    size_t bytes = all->count * sizeof *all->items;
    all->items = sg_arena_take(&all->arena, bytes);
    if (!all->items) return no_memory(all, bytes);
    status = collect_parameters(all);
    return status ? status : collect_optimizer(all, optimizer);
}

sigad_status sigad_save(sigad_context *context, const sigad_optimizer *optimizer, const char *path)
{
    state all;
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    /* Preparing the state changes nothing that the optimizer's user can see. */
    sigad_status status = collect(context, (sigad_optimizer *)optimizer, "sigad_save", path, &all);
    if (!status) status = fetch(&all);
    if (!status)
        status =
            sg_safetensors_write(&context->error, &context->allocator, path, all.items, all.count);
    release(&all);
    return status;
}

/* ---- loading ---- */

static sigad_status check_item(const state *all, const sg_safetensor *item,
                               const sg_safetensor *given, const char *path)
{
    sg_error *error = &all->context->error;
    char want[SG_SHAPE_TEXT], got[SG_SHAPE_TEXT];
    if (!given)
        return sg_fail(error, SIGAD_EFORMAT, "%.400s: there is no tensor '%.200s'%s", path,
                       item->name,
                       has_prefix(item->name) ? "; was it saved with this optimizer?"
                                              : ", which the context has");
    if (given->array.dtype != item->array.dtype)
        return sg_fail(error, SIGAD_EDTYPE, "%.400s: '%.200s' is %s, but %s in the context", path,
                       item->name, sg_dtype_name(given->array.dtype),
                       sg_dtype_name(item->array.dtype));
    if (given->array.rank != item->array.rank ||
        memcmp(given->array.shape, item->array.shape, sizeof item->array.shape))
        return sg_fail(error, SIGAD_ESHAPE, "%.400s: '%.200s' is %s, but %s in the context", path,
                       item->name, sg_shape_text(&given->array, got),
                       sg_shape_text(&item->array, want));
    return SIGAD_OK;
}

static bool is_known(const state *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (!strcmp(all->items[i].name, name)) return true;
    return false;
}

/* Each tensor of the context is in the file, and the file has no others. */
static sigad_status check_file(const state *all, const sg_safetensors *file, bool with_optimizer,
                               const char *path)
{
    size_t expected = all->count;
    for (size_t i = 0; i < all->count; i++) {
        const sg_safetensor *item = &all->items[i];
        sigad_status status = check_item(all, item, sg_safetensors_find(file, item->name), path);
        if (status) return status;
    }
    for (size_t i = 0; i < file->count && !with_optimizer; i++)
        expected += has_prefix(file->items[i].name);
    for (size_t i = 0; i < file->count && file->count > expected; i++) {
        const char *name = file->items[i].name;
        if (is_known(all, name) || (has_prefix(name) && !with_optimizer)) continue;
        return sg_fail(&all->context->error, SIGAD_EFORMAT,
                       "%.400s: tensor '%.200s' is not one of the context's", path, name);
    }
    return SIGAD_OK;
}

static sigad_status copy_all(state *all, const sg_safetensors *file)
{
    sigad_context *context = all->context;
    for (size_t i = 0; i < all->count && !context->error.status; i++) {
        const sigad_array *array = &all->items[i].array;
        size_t bytes = sg_array_bytes(array);
        const sg_safetensor *given = sg_safetensors_find(file, all->items[i].name);
        if (is_on_device(array))
            sg_device_put(context, all->caller, array->data, given->array.data, bytes);
        else if (bytes)
            memcpy(array->data, given->array.data, bytes);
        if (i < all->parameters) context->parameters[i]->version++;
    }
    sg_device_wait(context, all->caller); /* for the file's bytes, which go */
    return context->error.status;
}

static sigad_status load(sigad_context *context, sigad_optimizer *optimizer, const char *caller,
                         const char *path, const void *bytes, size_t count)
{
    state all;
    sg_safetensors file = {0};
    sg_source source = {&context->error, &context->allocator, path, bytes, count, 0};
    sigad_status status = collect(context, optimizer, caller, path, &all);
    if (!status) status = sg_safetensors_parse(&source, &file);
    if (!status) status = check_file(&all, &file, optimizer != NULL, path);
    if (!status) status = copy_all(&all, &file);
    sg_safetensors_destroy(&file);
    release(&all);
    return status;
}

sigad_status sigad_load_memory(sigad_context *context, sigad_optimizer *optimizer,
                               const void *bytes, size_t count)
{
    const char *caller = "sigad_load_memory";
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    if (!bytes) return sg_fail(&context->error, SIGAD_EINVAL, "%s: bytes is NULL", caller);
    return load(context, optimizer, caller, "memory", bytes, count);
}

sigad_status sigad_load(sigad_context *context, sigad_optimizer *optimizer, const char *path)
{
    const char *caller = "sigad_load";
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    if (!path) return sg_fail(&context->error, SIGAD_EINVAL, "%s: path is NULL", caller);
    sg_buffer file = {.allocator = &context->allocator};
    sigad_status status = sg_file_read(&context->error, path, &file);
    if (!status) status = load(context, optimizer, caller, path, file.bytes, file.count);
    sg_buffer_destroy(&file);
    return status;
}
