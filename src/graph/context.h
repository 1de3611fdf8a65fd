/* The long lifetime: hooks, first error, parameters, plans, and the list of what the context owns.
 */
#ifndef SG_CONTEXT_H
#define SG_CONTEXT_H
#include "core/error.h"
#include "core/memory.h"
#include "graph/device.h"
#include "ops/place.h"
#include "sigad/op.h"

/* First member of each object that a context owns: tapes, optimizers, data sets. */
typedef struct sg_owned {
    struct sg_owned *next, *previous;
    uint64_t serial; /* no other object of the context ever has it */
    void (*destroy)(struct sg_owned *object);
} sg_owned;

typedef struct {
    char *name;
    sigad_array value; /* data owned, on the context's device */
    void *gradient;    /* of the same size, owned; NULL until the first backward that reaches the
                          parameter */
    uint64_t version;  /* grows with each write */
    bool frozen;
    bool reached;     /* the gradient holds something since it was last forgotten */
    uint64_t touches; /* how often the gradient was added to or forgotten */
} sg_parameter;

typedef struct {
    sigad_sig_spec spec;
    sigad_plan *plan;
} sg_cached_plan;

struct sigad_context {
    sigad_allocator allocator;
    sg_error error;
    sg_device device;
    sg_place place;
    uint64_t seed;
    uint32_t
        generation; /* the last one given to a tape; parameters have SG_PARAMETER_BIT set instead */
    uint32_t tag;   /* of parameter handles, to notice those of other contexts */
    uint32_t tapes_made;
    uint64_t ticks_at_start, nanoseconds_at_start;
    sg_parameter **parameters; /* in order of creation; each stays where it is */
    size_t parameter_count, parameter_capacity;
    sg_cached_plan *plans;
    size_t plan_count, plan_capacity;
    sg_owned owned; /* head of a ring; its serial is the last one given */
};

/* A handle of a parameter: this bit of the generation is set. */
#define SG_PARAMETER_BIT 0x80000000u

void sg_context_own(sigad_context *context, sg_owned *object);
void sg_owned_detach(sg_owned *object);
/* The object is still there. */
bool sg_context_owns(const sigad_context *context, uint64_t serial);
uint32_t sg_context_next_generation(sigad_context *context);

/* The allocator of a context for objects that outlive a step. */
static inline void *sg_context_allocate(sigad_context *context, size_t bytes)
{
    return sg_allocate(&context->allocator, bytes);
}

/* true if the context holds no error. Every public function with a context begins with this or its
 * tape twin. */
static inline bool sg_context_ready(const sigad_context *context)
{
    return context && !context->error.status;
}

sigad_status sg_context_no_memory(sigad_context *context, const char *what, size_t bytes);

/* The parameter behind a handle, or NULL with the error set (SIGAD_EINVAL: poison or not a
 * parameter; SIGAD_ESTALE: of another context). */
sg_parameter *sg_context_parameter(sigad_context *context, const char *caller, sigad_tensor handle);
sg_parameter *sg_context_parameter_named(
    const sigad_context *context, const char *name); /* NULL if there is none; sets no error */
sigad_tensor sg_context_parameter_handle(const sigad_context *context, size_t index);
static inline bool sg_is_parameter(sigad_tensor handle)
{
    return (handle.generation & SG_PARAMETER_BIT) != 0;
}

void sg_parameter_destroy(sigad_context *context, sg_parameter *parameter);

/* Makes room for a parameter's gradient; false if memory is short. */
bool sg_parameter_need_gradient(sigad_context *context, sg_parameter *parameter);

/* The plan of a spec, built on first use and kept; NULL with the error set. `caller` names the
 * operation in the message. */
const sigad_plan *sg_context_plan(sigad_context *context, const char *caller,
                                  const sigad_sig_spec *spec);

/* sigad_tensor_info of the caller's size; what we do not know of a longer one becomes zero. */
void sg_info_of_array(const sigad_context *context, const sigad_array *value,
                      sigad_tensor_info *info);
sigad_status sg_info_write(sigad_context *context, const sigad_tensor_info *full,
                           sigad_tensor_info *info);

/* ---- shapes
 * --------------------------------------------------------------------------------------------------------------------------
 */

static inline size_t sg_dtype_bytes(int32_t dtype) /* 0 for an unknown one */
{
    return dtype == SIGAD_F32 ? 4 : dtype == SIGAD_F64 || dtype == SIGAD_I64 ? 8 : 0;
}
const char *sg_dtype_name(int32_t dtype);
/* Fills dtype, rank, shape, elements; refuses bad rank, negative or overflowing sizes and unknown
 * dtypes with a message that names `caller`. */
sigad_status sg_array_describe(sg_error *error, const char *caller, sigad_dtype dtype, int rank,
                               const int64_t *shape, sigad_array *array);
/* The same for an array whose dtype, rank and shape stand: sets elements. */
sigad_status sg_array_measure(sg_error *error, const char *caller, sigad_array *array);
static inline size_t sg_array_bytes(const sigad_array *array)
{
    return (size_t)array->elements * sg_dtype_bytes(array->dtype);
}

/* "[64,12]" into a buffer that the caller provides; returns it. */
enum { SG_SHAPE_TEXT = 8 * 22 + 3 };
const char *sg_shape_text(const sigad_array *array, char buffer[SG_SHAPE_TEXT]);
#endif
