#include "ops/cpu/lanes/lanes.h"

bool sg_lanes_serve(const sigad_plan *plan)
{
    return plan->letters >= 2 && plan->letters <= SG_LANE_LETTERS && plan->degree >= 2 &&
           plan->degree <= SG_LANE_DEGREE && sg_plan_words(plan) <= SG_LANE_WORDS;
}

/* In how many chunks of time, 2^joins, the core's error is near that of all words, and how many of
 * the joins must be whole: completing all words amplifies errors, more so in high degrees
 * (docs/kernels.md has the figures). joins = -1 where all words are faster. */
typedef struct {
    int joins, whole;
} core_cut;

static core_cut core_cut_of(const sigad_plan *plan, int64_t steps)
{
    int32_t letters = plan->letters, degree = plan->degree;
    int64_t from = plan->spec.lead_lag ? SG_SUM_STEPS : letters <= 4 ? 16 : 30;
    if (degree == 3 && steps >= 6) return (core_cut){steps < 40 ? 0 : steps < 250 ? 1 : 2, 0};
    if (degree == 4 && steps >= from) return (core_cut){steps < 28 ? 0 : steps < 120 ? 1 : 2, 0};
    if (degree == 5 && steps >= (letters == 2 ? 60 : 48))
        return (core_cut){steps < 120 ? 1 : 2, steps < 90 || steps >= 250};
    if (degree == 6 && steps >= 60) return (core_cut){2, 1};
    if ((degree == 7 || degree == 8) && steps >= (letters == 2 ? 120 : 180))
        return (core_cut){2, 2};
    if ((degree == 9 || degree == 10) && steps >= 600) return (core_cut){4, 4};
    return (core_cut){-1, 0};
}

/* Where there is no room for whole joins, whether joins of cores will do. */
static bool bears_joins_of_cores(const sigad_plan *plan, int64_t steps)
{
    return plan->degree == 5 || (plan->degree == 6 && steps >= 250);
}

static bool wide_exists(const sigad_plan *plan)
{
    return plan->degree >= SG_WIDE_DEGREE && plan->degree <= SG_WIDE_MOST && !plan->spec.lead_lag &&
           plan->spec.kernel == SIGAD_KERNEL_AUTO;
}

/* The wide core amplifies errors, too, but much less: chunks are joined whole where it must be. */
static int wide_joins_of(const sigad_plan *plan, int64_t steps)
{
    int32_t degree = plan->degree;
    if (degree < 7 || (degree <= 8 && steps < 40)) return 0;
    return degree > 10 || steps >= 150 ? 2 : 1;
}

static bool wide_pays(const sigad_plan *plan, int64_t steps)
{
    int32_t degree = plan->degree;
    int64_t from = degree <= 7 ? SG_WIDE_STEPS : degree == 8 ? 40 : degree <= 10 ? 48 : 100;
    return wide_exists(plan) && steps >= from;
}

/* The largest number of joins up to this that there is room for. */
static int joins_with_room(int joins, int64_t state)
{
    while (joins > 0 && joins * state > SG_JOIN_BYTES) joins--;
    return joins;
}

/* Of a lead-lag path, from which completing iterated sums pays: where there is a core of one chunk,
 * which is completed sooner, later. */
static int64_t sum_steps(const sigad_plan *plan)
{
    if (plan->degree == 3) return 3 * ((int64_t)plan->letters - 1);
    return plan->degree == 4 ? 48 : plan->degree == 5 ? 12 : SG_SUM_STEPS;
}

sg_lane_route sg_lanes_route(const sigad_plan *plan, int64_t steps, bool single,
                             int64_t vector_bytes)
{
    const sg_sums *sums = plan->sums && steps >= sum_steps(plan) ? plan->sums : NULL;
    core_cut cut = core_cut_of(plan, steps);
    int64_t all = sg_plan_words(plan) * vector_bytes;
    if (cut.whole && joins_with_room(cut.joins, all) < cut.joins)
        cut = (core_cut){bears_joins_of_cores(plan, steps) ? cut.joins : -1, 0};
    bool core = !sums && plan->core && (cut.joins >= 0 || plan->spec.kernel == SIGAD_KERNEL_CORE);
    if (!core || cut.joins < 0) cut = (core_cut){0, 0};
    bool wide = !sums && !core && wide_pays(plan, steps);
    if (wide) cut.joins = wide_joins_of(plan, steps);
    if (cut.joins > 0 && wide && !joins_with_room(1, all)) { /* too inaccurate in one chunk */
        wide = false;
        cut.joins = 0;
    }
    int64_t state = core && !cut.whole ? plan->core->kept * vector_bytes : all;
    while (single && steps >> cut.joins > SG_CHUNK + SG_CHUNK / 2) cut.joins++;
    int joins = joins_with_room(cut.joins, state);
    bool area = !sums && plan->degree == 2 && plan->spec.kernel != SIGAD_KERNEL_PLAIN;
    return (sg_lane_route){sums, core ? plan->core : NULL, area, wide, joins, cut.whole};
}

/* Backward the core pays sooner. Errors of high degrees, and in float of long paths, grow beyond
 * those of all words. */
const sg_core *sg_lanes_vjp_core(const sigad_plan *plan, int64_t steps, bool single)
{
    bool pays = steps >= (plan->degree == 3 ? SG_CORE_STEPS : SG_CORE_PULL_STEPS);
    bool accurate =
        plan->degree <= SG_CORE_PULL_DEGREE && (!single || steps <= SG_CORE_FLOAT_STEPS);
    return plan->spec.kernel == SIGAD_KERNEL_CORE || (pays && accurate) ? plan->core : NULL;
}

bool sg_lanes_vjp_wide(const sigad_plan *plan, int64_t steps, bool single)
{
    return wide_exists(plan) && steps >= SG_WIDE_STEPS && !sg_lanes_vjp_core(plan, steps, single);
}

bool sg_lanes_serve_forward(const sigad_plan *plan, int64_t steps)
{
    if (sg_lanes_serve(plan)) return true;
    sg_lane_route route = sg_lanes_route(plan, steps, false, 0);
    return plan->letters > 1 && plan->letters <= SG_CORE_LANE_LETTERS &&
           (route.sums || route.core || route.area);
}

bool sg_lanes_serve_backward(const sigad_plan *plan, int64_t steps)
{
    return sg_lanes_serve(plan) ||
           (plan->letters <= SG_CORE_LANE_LETTERS && sg_lanes_vjp_sums(plan, steps));
}

bool sg_lanes_transform(const sigad_plan *plan)
{
    int64_t coordinates = sg_plan_has_tables(plan) ? plan->log_sig_length : 0;
    return plan->degree <= SG_LANE_DEGREE &&
           2 * sg_plan_low_words(plan) + coordinates <= SG_LANE_HELD;
}

extern const sg_lane_kernels sg_lanes_f32_base, sg_lanes_f64_base;
#if defined(__x86_64__)
extern const sg_lane_kernels sg_lanes_f32_avx2, sg_lanes_f64_avx2;
extern const sg_lane_kernels sg_lanes_f32_avx512, sg_lanes_f64_avx512;
extern const sg_lane_kernels sg_lanes_f32_avx512_half, sg_lanes_f64_avx512_half;
const sg_lane_kernels *const sg_lanes_f32[3] = {&sg_lanes_f32_base, &sg_lanes_f32_avx2,
                                                &sg_lanes_f32_avx512};
const sg_lane_kernels *const sg_lanes_f64[3] = {&sg_lanes_f64_base, &sg_lanes_f64_avx2,
                                                &sg_lanes_f64_avx512};
const sg_lane_kernels *const sg_half_lanes_f32[3] = {NULL, NULL, &sg_lanes_f32_avx512_half};
const sg_lane_kernels *const sg_half_lanes_f64[3] = {NULL, NULL, &sg_lanes_f64_avx512_half};
#else
const sg_lane_kernels *const sg_lanes_f32[3] = {&sg_lanes_f32_base, &sg_lanes_f32_base,
                                                &sg_lanes_f32_base};
const sg_lane_kernels *const sg_lanes_f64[3] = {&sg_lanes_f64_base, &sg_lanes_f64_base,
                                                &sg_lanes_f64_base};
const sg_lane_kernels *const sg_half_lanes_f32[3] = {NULL}, *const sg_half_lanes_f64[3] = {NULL};
#endif
