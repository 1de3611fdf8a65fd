#include "graph/init.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/vector.h"
#include <float.h>
#include <math.h>

enum {
    STREAM = 0x696E6974, /* keeps these draws apart from those of tapes under the same seed */
    BLOCK = 4096,        /* entries per piece of work */
    VECTORS = 16         /* vectors per piece of work */
};

typedef struct {
    const char *kind; /* for messages */
    int lowest_rank;
} kind_facts;

static const kind_facts facts[] = {
    [SIGAD_INIT_KIND_CONSTANT] = {"constant", 0}, [SIGAD_INIT_KIND_UNIFORM] = {"uniform", 0},
    [SIGAD_INIT_KIND_NORMAL] = {"normal", 0},     [SIGAD_INIT_KIND_HE] = {"He", 0},
    [SIGAD_INIT_KIND_XAVIER] = {"Xavier", 0},     [SIGAD_INIT_KIND_ORTHOGONAL] = {"orthogonal", 2},
};

static sigad_status check(sigad_context *context, const char *name, sigad_init init,
                          const sigad_array *value)
{
    sg_error *error = &context->error;
    double largest = value->dtype == SIGAD_F32 ? (double)FLT_MAX : DBL_MAX;
    if (init.kind < 0 || init.kind >= (int)(sizeof facts / sizeof *facts) || init.reserved)
        return sg_fail(
            error, SIGAD_EINVAL,
            "sigad_parameter '%.200s': unknown start (kind %d, reserved %d); use SIGAD_INIT_...",
            name, (int)init.kind, (int)init.reserved);
    const char *kind = facts[init.kind].kind;
    if (!(fabs(init.a) <= largest) || !(fabs(init.b) <= largest))
        return sg_fail(error, SIGAD_EINVAL,
                       "sigad_parameter '%.200s': %s start of %g, %g: both must be finite in %s",
                       name, kind, init.a, init.b, sg_dtype_name(value->dtype));
    if (value->rank < facts[init.kind].lowest_rank)
        return sg_fail(error, SIGAD_ESHAPE,
                       "sigad_parameter '%.200s': an orthogonal start needs rank 2 or more, not %d",
                       name, (int)value->rank);
    if (init.kind == SIGAD_INIT_KIND_UNIFORM && init.a > init.b)
        return sg_fail(
            error, SIGAD_EINVAL,
            "sigad_parameter '%.200s': uniform start from %g to %g: low must not exceed high", name,
            init.a, init.b);
    if (init.kind == SIGAD_INIT_KIND_NORMAL && init.b < 0.0)
        return sg_fail(
            error, SIGAD_EINVAL,
            "sigad_parameter '%.200s': normal start: stddev is %g, it must not be negative", name,
            init.b);
    if (init.kind >= SIGAD_INIT_KIND_HE && init.a <= 0.0)
        return sg_fail(error, SIGAD_EINVAL,
                       "sigad_parameter '%.200s': %s start: gain is %g, it must be positive", name,
                       kind, init.a);
    return SIGAD_OK;
}

static void store(const sigad_array *array, int64_t i, double value)
{
    if (array->dtype == SIGAD_F32)
        ((float *)array->data)[i] = (float)value;
    else
        ((double *)array->data)[i] = value;
}

/* ---- entries that do not depend on each other ------------------------------------------------ */

typedef struct {
    const sigad_array *array;
    uint64_t key;
    double (*draw)(uint64_t key, uint64_t index); /* NULL: 0 */
    double shift, scale;
} filling;

static void fill_block(void *user, int64_t block, int worker)
{
    (void)worker;
    const filling *f = user;
    int64_t first = block * BLOCK, left = f->array->elements - first;
    int64_t end = first + (left < BLOCK ? left : BLOCK);
    for (int64_t i = first; i < end; i++)
        store(f->array, i, f->shift + (f->draw ? f->scale * f->draw(f->key, (uint64_t)i) : 0.0));
}

/* [width, in, out]: fan_in = width * in, fan_out = width * out. In double: products may be large.
 */
static void fans(const sigad_array *array, double *in, double *out)
{
    *in = *out = 1.0;
    for (int axis = 0; axis < array->rank; axis++) {
        if (axis != array->rank - 1) *in *= (double)array->shape[axis];
        if (axis != array->rank - 2) *out *= (double)array->shape[axis];
    }
}

/* He: He, Zhang, Ren, Sun (2015), "Delving deep into rectifiers", section 2.2. Xavier: Glorot,
 * Bengio (2010), "Understanding the difficulty of training deep feedforward neural networks",
 * equation 16: the uniform distribution on [-r, r] has variance r^2 / 3. */
static filling filling_of(const sigad_array *array, uint64_t key, sigad_init init)
{
    filling f = {.array = array, .key = key, .shift = init.a};
    double in, out;
    fans(array, &in, &out);
    switch (init.kind) {
    case SIGAD_INIT_KIND_UNIFORM:
        f.draw = sg_random_uniform;
        f.scale = init.b - init.a;
        break;
    case SIGAD_INIT_KIND_NORMAL:
        f.draw = sg_random_normal;
        f.scale = init.b;
        break;
    case SIGAD_INIT_KIND_HE:
        f.draw = sg_random_normal;
        f.shift = 0.0;
        f.scale = init.a * sqrt(2.0 / in);
        break;
    case SIGAD_INIT_KIND_XAVIER:
        f.draw = sg_random_uniform;
        f.shift = -init.a * sqrt(6.0 / (in + out));
        f.scale = -2.0 * f.shift;
        break;
    default:
        break;
    }
    return f;
}

/* ---- orthogonal ------------------------------------------------------------------------------ */

/* `count` vectors of `length`, one after another; those from `first` to `end` are orthonormal. */
typedef struct {
    double *entries;
    int64_t count, length, first, end;
} vectors;

static void remove_direction(const vectors *v, int64_t pivot, int64_t k)
{
    const double *direction = v->entries + pivot * v->length;
    double *vector = v->entries + k * v->length;
    sg_add_scaled(vector, -sg_dot(direction, vector, v->length), direction, v->length);
}

/* Removes the directions first .. end from a few of the vectors behind. */
static void project_block(void *user, int64_t block, int worker)
{
    (void)worker;
    const vectors *v = user;
    int64_t k = v->end + block * VECTORS, end = k + VECTORS < v->count ? k + VECTORS : v->count;
    for (; k < end; k++)
        for (int64_t pivot = v->first; pivot < v->end; pivot++) remove_direction(v, pivot, k);
}

static void orthonormalise_block(const vectors *v)
{
    for (int64_t pivot = v->first; pivot < v->end; pivot++) {
        double *vector = v->entries + pivot * v->length;
        double norm = sqrt(sg_dot(vector, vector, v->length));
        for (int64_t i = 0; i < v->length; i++) vector[i] /= norm;
        for (int64_t k = pivot + 1; k < v->end; k++) remove_direction(v, pivot, k);
    }
}

/* Modified Gram-Schmidt, twice, which is enough for full precision (Giraud, Langou, Rozloznik,
 * 2005). R has a positive diagonal, so normal vectors come out uniformly distributed (Mezzadri
 * 2007, "How to generate random matrices from the classical compact groups", section 4). */
static void orthonormalise(vectors *v, int threads)
{
    for (int pass = 0; pass < 2; pass++)
        for (v->first = 0; v->first < v->count; v->first = v->end) {
            int64_t left = v->count - v->first;
            v->end = v->first + (left < VECTORS ? left : VECTORS);
            orthonormalise_block(v);
            sg_parallel(threads, (v->count - v->end + VECTORS - 1) / VECTORS, project_block, v);
        }
}

static sigad_status fill_orthogonal(sigad_context *context, uint64_t key, double gain,
                                    const sigad_array *array)
{
    int64_t columns = array->shape[array->rank - 1], rows = array->elements / columns;
    bool tall = rows >= columns;
    size_t bytes;
    if (__builtin_mul_overflow((size_t)array->elements, sizeof(double), &bytes))
        return sg_context_no_memory(context, "sigad_parameter", SIZE_MAX);
    double *entries = sg_context_allocate(context, bytes);
    if (!entries) return sg_context_no_memory(context, "sigad_parameter", bytes);

    vectors v = {
        .entries = entries, .count = tall ? columns : rows, .length = tall ? rows : columns};
    sigad_array normal = {.data = entries, .dtype = SIGAD_F64, .elements = array->elements};
    filling f = {.array = &normal, .key = key, .draw = sg_random_normal, .scale = 1.0};
    sg_parallel(context->place.threads, (array->elements + BLOCK - 1) / BLOCK, fill_block, &f);
    orthonormalise(&v, array->elements >= 1 << 16 ? context->place.threads : 1);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            store(array, i * columns + j,
                  gain * (tall ? entries[j * rows + i] : entries[i * columns + j]));
    sg_release(&context->allocator, entries, bytes);
    return SIGAD_OK;
}

sigad_status sg_initialise(sigad_context *context, const char *name, sigad_init init,
                           sigad_array *value)
{
    sigad_status status = check(context, name, init, value);
    if (status || !value->elements) return status;
    uint64_t key = sg_random_key_text(sg_random_key(context->seed, STREAM), name);
    if (init.kind == SIGAD_INIT_KIND_ORTHOGONAL)
        return fill_orthogonal(context, key, init.a, value);
    filling f = filling_of(value, key, init);
    sg_parallel(context->place.threads, (value->elements + BLOCK - 1) / BLOCK, fill_block, &f);
    return SIGAD_OK;
}
