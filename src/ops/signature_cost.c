/* What a route costs, in multiply-adds of whole vectors: 0.4 ns each on the machine where the
 * constants were measured (Zen 4, AVX-512). Only ratios matter to the choice. */
#include "ops/signature_cost.h"
#include "ops/cpu/steps.h"
#include "ops/cpu/tensor/tensor.h"

/* Kernels that take the paths of a group one after the other, with vectors along points. */
static bool is_closed(const sg_signature_batch *b, int what, const sg_lane_kernels *lanes)
{
    return b->kernels == &sg_sig_kernels && what == SG_BATCH_FWD &&
           sg_lanes_sig_is_closed(b->plan, lanes->pairs_letters);
}

sg_signature_shape sg_signature_shape_of(const sg_signature_batch *b, int what,
                                         const sg_lane_kernels *lanes)
{
    const sigad_plan *plan = b->plan;
    sg_signature_shape s = {.plan = plan,
                            .forward = sg_signature_is_forward(what),
                            .closed = is_closed(b, what, lanes),
                            .pathwise = sg_lanes_sig_is_closed(plan, lanes->pairs_letters),
                            .degree = plan->degree,
                            .bytes = sg_scalar_bytes(b->scalar),
                            .lanes = lanes->lanes,
                            .batch = b->batch ? (double)b->batch : 1,
                            .steps = (double)sg_steps(plan, b->length),
                            .words = (double)sg_plan_words(plan),
                            .step = (double)plan->letters * (plan->degree - 1),
                            .filled = b->ragged ? 0.5 : 1};
    for (int n = 2; n <= plan->degree; n++) {
        s.step += (plan->degree - n + 1) * (double)plan->size[n];
        s.product += (n - 1) * (double)plan->size[n];
    }
    s.volume = s.forward && sg_tensor_sig_is_closed(plan, sg_steps(plan, b->length));
    s.field = what == SG_BATCH_VJP && sg_tensor_vjp_is_closed(plan, sg_steps(plan, b->length));
    if (s.closed) {
        double paths = s.batch < s.lanes ? s.batch : s.lanes;
        s.run = paths * ((double)plan->size[2] / s.lanes / 2 + 0.5);
    }
    if (b->kernels == &sg_log_sig_kernels) s.log = s.product * plan->degree / 3;
    return s;
}

static double round_up(double x)
{
    if (!(x < 1e15)) return x; /* too large to have a fraction that counts */
    double whole = (double)(int64_t)x;
    return whole < x ? whole + 1 : whole;
}

/* Degree 2 backward: points in a vector, or a point in some. */
static double cost_of_area(const sg_signature_shape *s)
{
    double channels = s->plan->spec.dimension, sides = s->plan->spec.lead_lag ? 2 : 1;
    double points = s->filled * s->steps / sides, wide = round_up(channels / s->lanes);
    if (sides < 2 && channels <= 8 && channels <= s->lanes)
        return 60 + points * (0.6 + channels / (double)(int)(s->lanes / channels));
    return 150 + 6 * (double)s->plan->letters * wide + points * (3 + 1.1 * sides * channels * wide);
}

/* Of a path's points, and of what the cotangent becomes first. */
static double cost_of_closed_form(const sg_signature_shape *s)
{
    double letters = (double)s->plan->letters, pairs = letters * letters / 2;
    double point = s->plan->spec.lead_lag ? 2 + 3 * letters : 2;
    if (s->degree == 2) return cost_of_area(s);
    if (s->degree == 3) {
        bool few = letters <= SG_FIELD_LETTERS;
        double tables = letters * pairs * (few ? 6 / s->lanes : 9);
        return (few ? 400 : 1000) + tables +
               s->filled * s->steps * (point + (2 * letters + 6) * pairs / s->lanes);
    }
    double features = letters + letters * letters * 1.5;
    return 2500 + 10 * letters * letters * pairs +
           s->filled * s->steps *
               ((letters > 2 ? 18 : 4) + point + (features + 20 + 2 * letters) * pairs / s->lanes);
}

/* Degree 3 by points: of the words, and of vectors of points. */
static double cost_of_volumes(const sg_signature_shape *s)
{
    double letters = (double)s->plan->letters,
           sums = letters * (letters + 1) * (2 * letters + 1) / 6;
    return 900 + 6 * s->words + s->filled * round_up(s->steps / s->lanes) * (1.3 * sums + 55);
}

double sg_cost_of_items(const sg_signature_shape *s)
{
    if (s->degree == 1 || s->plan->letters == 1) /* a path's ends decide */
        return s->batch * (50 + (s->forward ? s->words : s->steps * (double)s->plan->letters / 4));
    if (s->volume) return s->batch * (cost_of_volumes(s) + 3 * s->log / s->lanes);
    if (s->field) return s->batch * (cost_of_closed_form(s) + 9 * s->log / s->lanes);
    bool core = s->forward && sg_tensor_core(s->plan, (int64_t)s->steps, s->bytes);
    bool few = s->plan->letters <= 4; /* whose tiles load as much as they multiply */
    bool cached = s->forward && s->words < 1500;
    double level = s->forward ? 3.75 : few ? 4 : 7.5;
    double step = (few && !cached ? 2 : 1) * (core ? 0.4 : 1) * s->step / s->lanes +
                  level * s->degree * (s->degree - 1);
    double item = 1000 + s->filled * s->steps * step + 3 * s->log / s->lanes;
    if (core) item += 6 * s->words / s->lanes;
    return s->batch * item * (s->forward ? 1 : 3);
}

double sg_cost_of_join(const sg_signature_shape *s)
{
    return (400 + 5 * s->product / s->lanes) * (s->forward ? 1 : 3);
}

/* Tensors move between lanes and rows. */
double sg_cost_of_lanes_join(const sg_signature_shape *s)
{
    return (500 + 1.5 * s->product + 4 * s->words) * (s->forward ? 1 : 3);
}

/* Of the lanes of all paths of a group, before they leave them: vectors empty by halves, but
 * nothing is transposed, and a core is joined as a core, if slowly once it leaves the cache. */
static double cost_of_joined(const sg_signature_shape *s, bool core, int spread)
{
    double part = core ? 0.5 + s->words / 2000 : 1.8,
           join = 100 + part * s->product + (core ? 1 : 2) * s->words, all = 1000;
    for (int by = 1; by < spread; by *= 2) all += join;
    return all;
}

static bool joins_cores(const sg_lane_route *route)
{
    return route->core && !route->whole;
}

/* Of the words that trees with the wide core visit. */
static double wide_part(const sg_signature_shape *s)
{
    return 1 - 0.85 / (double)s->plan->letters;
}

/* How lanes take so many increments forward. */
static sg_lane_route route_of(const sg_signature_shape *s, double steps)
{
    if (!s->forward || s->closed) return (sg_lane_route){0};
    return sg_lanes_route(s->plan, (int64_t)steps, false, 0);
}

/* The core takes fewer operations, but each piece is completed; points are read into lanes for it
 * as for all words. */
static double cost_of_steps(const sg_signature_shape *s, const sg_lane_route *route, double longest,
                            double filled)
{
    double steps = filled * longest;
    if (s->field && s->log > 0 && s->degree <= 3)
        return s->lanes * cost_of_closed_form(s) * steps / (s->filled * s->steps + 1);
    if (s->closed) return steps * s->run;
    if (!s->forward) {
        const sg_sums *sums = sg_lanes_vjp_sums(s->plan, (int64_t)longest);
        if (sums) return 1.5 * sg_sum_words(sums) * steps + 8 * s->words;
        bool exact = s->bytes == sizeof(float);
        double piece = exact && longest > SG_EXACT_STEPS ? SG_EXACT_STEPS : longest;
        bool core = sg_lanes_vjp_core(s->plan, (int64_t)piece, exact) != NULL;
        double part = core                                                ? 0.45
                      : sg_lanes_vjp_wide(s->plan, (int64_t)piece, exact) ? wide_part(s)
                                                                          : 1;
        double still = s->plan->spec.lead_lag ? 0.75 : 1;
        return steps * (20 * (double)s->plan->letters + still * part * 2 * s->step);
    }
    if (route->sums) return 0.55 * sg_sum_words(route->sums) * steps + 4 * s->words;
    double part = route->core   ? 0.4
                  : route->area ? 0.5
                  : route->wide ? wide_part(s)
                                : 1,
           read = route->core ? 2 * (double)s->plan->letters : 0,
           complete = !route->core     ? 0
                      : s->degree <= 4 ? 3 * s->step
                                       : 6 * s->step;
    return (0.7 * part * s->step + read) * steps + complete;
}

double sg_cost_of_steps(const sg_signature_shape *s, double longest, double filled)
{
    sg_lane_route route = route_of(s, longest);
    return cost_of_steps(s, &route, longest, filled);
}

static double cost_of_group(const sg_signature_shape *s)
{
    return 2500 + 6 * s->words;
}

double sg_least_cost_of_groups(const sg_signature_shape *s, int spread)
{
    double groups = round_up(s->batch * spread / s->lanes),
           join = s->batch * (spread - 1) * sg_cost_of_join(s);
    if (s->forward && spread > 1) {
        double inside = groups * cost_of_joined(s, true, spread);
        if (inside < join) join = inside;
    }
    return groups * cost_of_group(s) + join;
}

/* Into how many pieces float's accuracy backward cuts so many increments. */
static double exact_pieces(const sg_signature_shape *s, double steps)
{
    double pieces = 1;
    if (s->forward || s->bytes != sizeof(float)) return pieces;
    if (sg_lanes_vjp_sums(s->plan, (int64_t)steps)) steps /= 2;
    while (steps > SG_EXACT_STEPS * pieces) pieces *= 2;
    return pieces;
}

/* A group takes as long as its longest path. Sorted by length, if lengths are spread evenly, the
 * longest ones of G groups have a mean of (G + 1) / 2G of the longest of all. */
double sg_cost_of_groups(const sg_signature_shape *s, int spread, bool *joined)
{
    double groups = round_up(s->batch * spread / s->lanes);
    double filled = s->filled;
    if (filled < 1 && spread < s->lanes) filled += (1 - filled) / groups;
    double steps = round_up(s->steps / spread);
    sg_lane_route route = route_of(s, steps);
    double group = cost_of_group(s) + cost_of_steps(s, &route, steps, filled) +
                   (exact_pieces(s, steps) - 1) * (cost_of_group(s) + sg_cost_of_lanes_join(s));
    double join = s->batch * (spread - 1) * sg_cost_of_join(s),
           inside = groups * cost_of_joined(s, joins_cores(&route), spread);
    *joined = s->forward && !s->pathwise && inside < join;
    if (*joined) join = inside;
    if (!s->forward && spread > 1) join += 1500;
    double log = spread == 1 ? groups * s->log : s->batch * 3 * s->log / s->lanes;
    return groups * group + join + log * (s->forward ? 1 : 3);
}

double sg_cost_of_joined_piece(const sg_signature_shape *s, int spread, double steps)
{
    sg_lane_route route = route_of(s, steps);
    return cost_of_group(s) / 2 + sg_cost_of_join(s) +
           cost_of_joined(s, joins_cores(&route), spread);
}

/* A product and its transpose, of vectors empty by halves; rows cost about half of what
 * sg_cost_of_join takes them for where they are long. */
bool sg_lanes_are_woven(const sg_signature_shape *s, int64_t spread)
{
    double level = 500 + 3 * s->product * (1 + s->words / 2000) + 3 * s->words, inside = 0,
           paths = s->lanes / (double)spread < s->batch ? s->lanes / (double)spread : s->batch;
    for (int64_t by = 1; by < spread; by *= 2) inside += level;
    return !s->forward && spread > 1 &&
           inside < paths * (double)(spread - 1) * sg_cost_of_join(s) / 2;
}
