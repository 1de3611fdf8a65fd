// A step of an optimizer on a device.
#include "ops/cuda/dense/tiling.cuh"

extern "C" {
#include "train/rules/rules.h"
}

#ifdef __CUDACC__
#    define SG_ENTRY static __device__ __forceinline__
#else
#    define SG_ENTRY static inline
#endif
// Entries of a parameter, of its gradient and of an optimizer's slots.
template <class T> struct update_arrays {
    int64_t n;
    const T *gradient;
    const double *clip, *record;
    T *p, *a, *b, *c;
};

// What a kernel computes with: the numbers that it was launched with or, in a graph, those that
// were posted for this launch, behind a 1. False: no update this time.
template <class N> SG_DEVICE bool find_numbers(const double *record, N *numbers)
{
    static_assert(sizeof(N) <= (SG_RECORD - 1) * sizeof(double), "a longer record is needed");
    if (!record) return true;
    *numbers = *reinterpret_cast<const N *>(record + 1);
    return record[0] != 0;
}
template <class N> static void write_record(const N &numbers, double *record)
{
    record[0] = 1;
    memcpy(record + 1, &numbers, sizeof numbers);
}

// All lanes of one result.
SG_DEVICE double sum_of_block(double *buffer, double part)
{
    tiling t = {block_threads(), 1, false, 1};
    return joined(tile_place(t), buffer, part, sum_of_two<double>());
}

#define SG_KERNELS "train/rules/device.inc"
#include "ops/cpu/both_reals.h"

// ---- the joint norm of all gradients ------------------------------------------------------------

SG_KERNEL(BLOCK) add_parts_kernel(int parts, const double *part, double *sum)
{
    SG_SHARED(double, buffer);
    const double all = sum_of_block(buffer, thread_index() < parts ? part[thread_index()] : 0);
    if (thread_index() == 0) *sum += all;
}

template <class T>
static void queue_squares(sg_place *place,
                          void (*kernel)(int64_t, const T *, T, const double *, double *),
                          const sg_update *u, double *sum)
{
    enum { ENTRIES = 16 * BLOCK }; // that are worth a block
    const int64_t n = u->count, wanted = (n + ENTRIES - 1) / ENTRIES;
    const int parts = static_cast<int>(wanted < BLOCK ? wanted : BLOCK);
    double *const part = place->scratch + 1; // the first one is the sum
    if (n == 0) return;
    queue(place, kernel, parts, BLOCK, BLOCK * sizeof(double), n, in<T>(u->gradient),
          static_cast<T>(u->clip_value), u->record, part);
    queue(place, add_parts_kernel, 1, BLOCK, BLOCK * sizeof(double), parts, part, sum);
}

static bool add_squares(sg_place *place, int32_t dtype, const sg_update *u, double *sum)
{
    if (dtype == SIGAD_F64)
        queue_squares(place, squares_f64, u, sum);
    else
        queue_squares(place, squares_f32, u, sum);
    return true;
}

SG_KERNEL(BLOCK) clip_kernel(sg_origin origin, double most, double *sum, sg_finding *finding)
{
    if (thread_index()) return;
    const double norm = sqrt(*sum);
    if (norm - norm == 0) {
        *sum = norm > most ? most / norm : 1.0;
        return;
    }
    *sum = norm - norm;
    if (finding->kind) return;
    finding->kind = SG_FOUND_NO_NORM;
    finding->origin = origin;
    finding->value = norm;
}

static void clip(sg_place *place, sg_origin origin, double most, double *sum)
{
    queue(place, clip_kernel, 1, WARP, 0, origin, most, sum, place->finding);
}

// ---- the update ---------------------------------------------------------------------------------

static void update(sg_place *place, int rule, int32_t dtype, const sg_update *u)
{
    if (dtype == SIGAD_F64)
        queue_update_f64(place, rule, u);
    else
        queue_update_f32(place, rule, u);
}

// ---- records of captured steps ------------------------------------------------------------------

static void record(int rule, int32_t dtype, const sg_update *u, double *record)
{
    if (dtype == SIGAD_F64)
        record_f64(rule, u, record);
    else
        record_f32(rule, u, record);
}

// By value, so that the host need not keep them.
struct posted {
    double number[SG_POSTED * SG_RECORD];
};
SG_KERNEL(BLOCK) post_kernel(posted from, int64_t n, double *to)
{
    SG_MINE(i, n) to[i] = from.number[i];
}

static void post(sg_place *place, int64_t count, const double *record, double *to)
{
    posted from = {};
    memcpy(from.number, record, static_cast<size_t>(count) * SG_RECORD * sizeof *record);
    queue_entries(place, post_kernel, count * SG_RECORD, from, count * SG_RECORD, to);
}

extern "C" const sg_rule_kernels sg_cuda_rules = {add_squares, clip, update, record, post};
