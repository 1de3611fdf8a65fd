/* What a route costs, in multiply-adds of whole vectors: 0.4 ns each on the machine where the
 * constants were measured (Zen 4, AVX-512). Only ratios matter to the choice. The constants are
 * fitted to what `bench-routes --ways` prints (docs/kernels.md, Measuring). */
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
    if (b->kernels == &sg_log_sig_kernels) s.log = s.product * plan->degree / 3;
    return s;
}

static double round_up(double x)
{
    if (!(x < 1e15)) return x; /* too large to have a fraction that counts */
    double whole = (double)(int64_t)x;
    return whole < x ? whole + 1 : whole;
}

/* ---- one item at a time -------------------------------------------------------------------------
 */

/* Degree 2 backward: points in a vector, or a point in some. */
static double cost_of_area(const sg_signature_shape *s)
{
    double channels = s->plan->spec.dimension, sides = s->plan->spec.lead_lag ? 2 : 1;
    double points = s->filled * s->steps / sides, wide = round_up(channels / s->lanes);
    if (sides < 2 && channels <= 8 && channels <= s->lanes)
        return 75 + points * (0.6 + channels / (double)(int)(s->lanes / channels));
    double letters = (double)s->plan->letters;
    return 220 + 1.2 * letters * letters * wide + points * (3 + 0.85 * sides * channels * wide);
}

/* Of a path's points, and of what the cotangent becomes first. */
static double cost_of_closed_form(const sg_signature_shape *s)
{
    double letters = (double)s->plan->letters, pairs = letters * letters / 2;
    double points = s->filled * s->steps;
    if (s->degree == 2) return cost_of_area(s);
    bool few = letters <= SG_FIELD_LETTERS;
    if (s->degree == 4 && few)
        return 400 + 1.2 * letters * letters * letters * pairs +
               round_up((points + 2) / s->lanes) *
                   (30 + (20 + letters + 1.5 * letters * letters) * (letters - 1) * letters / 2);
    if (s->degree == 4)
        return 1300 + 14 * letters * letters * pairs +
               points * (1.5 * letters + (28 + 13.5 * letters) * pairs / s->lanes);
    if (few) return 150 + 6.5 * letters * pairs + points * (2 + 3.5 * letters * pairs / s->lanes);
    return 1500 + 6.5 * letters * pairs + points * (10 + 22 * pairs / s->lanes);
}

/* Degree 3 by points: of the words, and of vectors of points. */
static double cost_of_volumes(const sg_signature_shape *s)
{
    double letters = (double)s->plan->letters,
           sums = letters * (letters + 1) * (2 * letters + 1) / 6;
    return 240 + 4.5 * s->words +
           s->filled * round_up(s->steps / s->lanes) * (1.35 * sums + 11 * letters);
}

/* Words of one tensor side by side. */
static double cost_of_tensor(const sg_signature_shape *s)
{
    double visits = s->degree * (s->degree - 1), low = (double)sg_plan_low_words(s->plan),
           increment;
    if (!s->forward)
        increment = 20 + 8 * visits + 27 * low / s->lanes;
    else if (sg_tensor_core(s->plan, (int64_t)s->steps, s->bytes))
        increment = 6 * visits + 0.55 * s->step / s->lanes;
    else
        increment = 6 + 2.2 * visits + (0.2 * s->step + 6 * low) / s->lanes;
    return (s->forward ? 240 : 570) + 3 * s->words / s->lanes + s->filled * s->steps * increment;
}

static double cost_of_item(const sg_signature_shape *s)
{
    if (s->degree == 1 || s->plan->letters == 1) /* a path's ends decide */
        return 50 + (s->forward ? s->words : s->steps * (double)s->plan->letters / 4);
    return s->volume ? cost_of_volumes(s) : s->field ? cost_of_closed_form(s) : cost_of_tensor(s);
}

/* The signatures whose logarithms a call goes back from. */
static sg_signature_shape signatures_of(const sg_signature_shape *s)
{
    sg_signature_shape f = *s;
    f.forward = true;
    f.field = false;
    f.volume = sg_tensor_sig_is_closed(s->plan, (int64_t)s->steps);
    return f;
}

/* Of a logarithm by itself; up to degree 3 it has a closed form. */
static double cost_of_log(const sg_signature_shape *s)
{
    if (s->log == 0) return 0;
    double n = s->degree;
    if (n <= 3) return s->log + (s->forward ? 0 : 250);
    return (13 * n * n * n + 0.55 * s->log) * (s->forward ? 1 : 2.3);
}

double sg_cost_of_items(const sg_signature_shape *s)
{
    double item = cost_of_item(s) + cost_of_log(s);
    if (!s->forward && s->log > 0) {
        sg_signature_shape f = signatures_of(s);
        item += cost_of_item(&f);
    }
    return s->batch * item;
}

/* ---- groups, one item a lane --------------------------------------------------------------------
 */

/* What kernels of half as many lanes take of the time of whole ones, and of that in leaves. */
static const double HALF_LEAF = 0.84;

static double unit_of(const sg_signature_shape *s)
{
    return s->half ? SG_HALF_COST : 1;
}

/* What a group costs once, and for each word and multiply-add of an increment, to be written and
 * completed; what each increment costs for each letter, word below the top level, multiply-add of
 * Horner's rule; and a join inside the kernels (lanes.c) for each multiply-add of a Chen product.
 */
typedef struct {
    double once, word, complete, letter, low, step, join;
} rates;

static const rates PLAIN = {.once = 260, .word = 4.5, .step = 0.86},
                   WIDE = {.once = 650, .word = 7, .letter = 1.5, .step = 0.62, .join = 2},
                   AREA = {.once = 280, .word = 7.3, .letter = 4, .step = 0.5},
                   CORE_THREE = {.once = 440, .word = 5.5, .letter = 2, .step = 0.29, .join = 3.2},
                   CORE_FOUR = {.once = 190, .word = 7, .letter = 3.3, .step = 0.244, .join = 1.9},
                   CORE = {.once = 1600, .complete = 0.8, .letter = 8.7, .low = 1.1, .join = 4.6},
                   SUMS = {.once = 250, .word = 10.5, .letter = 1.5, .low = 0.7},
                   PULL = {.once = 420, .complete = 6, .letter = 16, .low = 5, .step = 1.3},
                   PULL_WIDE = {.once = 1200, .word = 9, .step = 1.95},
                   PULL_CORE = {.once = 800,
                                .complete = 15,
                                .letter = 34,
                                .low = 1.7,
                                .step = 0.45},
                   PULL_DEEP = {.once = 1100, .word = 21, .letter = 45, .low = 1.9, .step = 0.32},
                   PULL_SUMS = {.once = 430, .word = 17, .letter = 9, .low = 2.4};

/* How lanes take so many increments forward. */
static sg_lane_route route_of(const sg_signature_shape *s, double steps)
{
    if (!s->forward || s->closed) return (sg_lane_route){0};
    return sg_lanes_route(s->plan, (int64_t)steps, false, 0);
}

static bool joins_cores(const sg_lane_route *route)
{
    return route->core && !route->whole;
}

static const rates *rates_forward(const sg_signature_shape *s, const sg_lane_route *route)
{
    if (route->sums) return &SUMS;
    if (route->area) return &AREA;
    if (route->wide) return &WIDE;
    if (!route->core) return &PLAIN;
    return s->degree <= 3 ? &CORE_THREE : s->degree == 4 ? &CORE_FOUR : &CORE;
}

static const rates *rates_backward(const sg_signature_shape *s, double longest)
{
    bool exact = s->bytes == sizeof(float);
    double piece = exact && longest > SG_EXACT_STEPS ? SG_EXACT_STEPS : longest;
    if (sg_lanes_vjp_sums(s->plan, (int64_t)longest)) return &PULL_SUMS;
    if (sg_lanes_vjp_core(s->plan, (int64_t)piece, exact))
        return s->degree <= 4 ? &PULL_CORE : &PULL_DEEP;
    return sg_lanes_vjp_wide(s->plan, (int64_t)piece, exact) ? &PULL_WIDE : &PULL;
}

/* Of increments, and of what comes after them, for so many rows of a group. */
static double cost_of_steps(const sg_signature_shape *s, const sg_lane_route *route, double longest,
                            double filled, double rows)
{
    double steps = filled * longest, letters = (double)s->plan->letters;
    if (s->forward && s->pathwise) /* a row after the other */
        return 60 + rows * (40 + steps) * ((double)s->plan->size[2] / s->lanes / 2 + 0.5);
    const rates *r = s->forward ? rates_forward(s, route) : rates_backward(s, longest);
    double leaf = r->step * s->step * (s->half ? HALF_LEAF : 1),
           low = (double)sg_plan_low_words(s->plan), step;
    if (r == &CORE) low *= 1 + low / 6000; /* large states leave the first cache */
    step = r->letter * letters + r->low * low + leaf;
    if (r == &PULL && s->plan->spec.lead_lag) step *= 0.75;
    return r->once + r->word * s->words + r->complete * s->step + steps * step +
           r->join * route->joins * s->product;
}

double sg_cost_of_steps(const sg_signature_shape *s, double longest, double filled)
{
    sg_lane_route route = route_of(s, longest);
    return unit_of(s) * cost_of_steps(s, &route, longest, filled, s->lanes);
}

/* No more than any of the rates make of it. */
sg_bound sg_least_cost_of_group(const sg_signature_shape *s)
{
    if (s->forward && s->pathwise) return (sg_bound){0, 0};
    double letters = (double)s->plan->letters, low = (double)sg_plan_low_words(s->plan), once, step;
    if (!s->forward) {
        once = 420 + 6 * s->words;
        step = 16 * letters + 1.7 * low + 0.32 * s->step;
    } else if (s->degree <= 4) {
        once = 190 + 4.5 * s->words;
        step = 2 * letters + 0.24 * s->step;
    } else {
        once = 260 + 0.8 * s->words;
        step = 1.5 * letters + low;
    }
    if (s->plan->sums || s->log > 0) step = 0;
    return (sg_bound){unit_of(s) * once, unit_of(s) * HALF_LEAF * s->filled * s->steps * step};
}

/* ---- joins -------------------------------------------------------------------------------------
 */

/* Backward rows are pulled apart level by level of each. */
double sg_cost_of_join(const sg_signature_shape *s)
{
    double part = s->product / s->lanes;
    return s->forward ? 400 + 6 * part : 70 * s->degree * (s->degree - 2) + 9 * part;
}

/* Tensors move between lanes and rows. */
static double cost_of_lanes_join(const sg_signature_shape *s)
{
    return s->forward ? 500 + 1.5 * s->product + 4 * s->words : 2500 + 15 * s->product;
}

double sg_cost_of_lanes_join(const sg_signature_shape *s)
{
    return unit_of(s) * cost_of_lanes_join(s);
}

/* Of the lanes of all paths of a group, before they leave them: vectors empty by halves, but
 * nothing is transposed, and a core is joined as a core, if slowly once it leaves the cache. */
static double cost_of_joined(const sg_signature_shape *s, bool core, int spread)
{
    double join = core ? (1 + s->words / 1300) * s->product + 0.7 * s->words
                       : 2 * s->product + 4 * s->words,
           all = core ? 1000 : 700;
    for (int by = 1; by < spread; by *= 2) all += join;
    return all;
}

/* The same backward, of a product and its transpose. */
static double cost_of_woven(const sg_signature_shape *s, int64_t spread)
{
    double all = 1500 + 16 * s->words;
    for (int64_t by = 1; by < spread; by *= 2) all += 100 + 5 * s->product;
    return all;
}

bool sg_lanes_pull_rows(const sg_signature_shape *s, int64_t spread)
{
    return s->field && s->log > 0 && s->degree <= 3 && spread == 1;
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

/* Of the lanes of the same path, and how they are best joined. */
static double cost_of_spread(const sg_signature_shape *s, const sg_lane_route *route, int spread,
                             double groups, bool *joined)
{
    double rows = s->batch * (spread - 1) * sg_cost_of_join(s), inside;
    *joined = false;
    if (spread == 1) return 0;
    if (!s->forward)
        return sg_lanes_are_woven(s, spread) ? groups * cost_of_woven(s, spread)
                                             : groups * (1300 + 6.5 * s->words) + rows;
    rows += 600 * groups;
    inside = groups * cost_of_joined(s, joins_cores(route), spread);
    *joined = !s->pathwise && inside < rows;
    return *joined ? inside : rows;
}

/* Backward the signatures of chunks come first, by Horner's rule and without their top level; or,
 * for their logarithms, all of them. */
static double cost_of_signatures(const sg_signature_shape *s, double steps, double filled,
                                 double rows, bool chunks)
{
    if (s->log > 0) {
        sg_signature_shape f = signatures_of(s);
        sg_lane_route route = route_of(&f, steps);
        return cost_of_steps(&f, &route, steps, filled, rows);
    }
    double increment = s->step - s->words + 3 * (double)s->plan->letters;
    return chunks ? filled * steps * increment : 0;
}

/* A group takes as long as its longest path. Sorted by length, if lengths are spread evenly, the
 * longest ones of G groups have a mean of (G + 1) / 2G of the longest of all. */
double sg_cost_of_groups(const sg_signature_shape *s, int spread, bool *joined)
{
    double groups = round_up(s->batch * spread / s->lanes);
    double filled = s->filled;
    if (filled < 1 && spread < s->lanes) filled += (1 - filled) / groups;
    bool by_rows = sg_lanes_pull_rows(s, spread);
    double steps = round_up(s->steps / spread), pieces = by_rows ? 1 : exact_pieces(s, steps);
    sg_lane_route route = route_of(s, steps);
    double all = s->batch * spread, rows = all < s->lanes ? all : s->lanes;
    double group =
        (by_rows ? rows * cost_of_closed_form(s) : cost_of_steps(s, &route, steps, filled, rows)) +
        (pieces - 1) * cost_of_lanes_join(s);
    if (!s->forward) group += cost_of_signatures(s, steps, filled, rows, spread * pieces > 1);
    if (spread * pieces > 1) /* logarithms are taken by themselves */
        group += rows / spread * cost_of_log(s);
    else if (s->log > 0)
        group += (1.3 * s->log + 150 * s->degree) * (s->forward ? 1 : 3.5);
    return unit_of(s) * (groups * group + cost_of_spread(s, &route, spread, groups, joined));
}

double sg_cost_of_joined_piece(const sg_signature_shape *s, int spread, double steps)
{
    sg_lane_route route = route_of(s, steps);
    return unit_of(s) * (1250 + 3 * s->words + sg_cost_of_join(s) +
                         cost_of_joined(s, joins_cores(&route), spread));
}

/* A product and its transpose, of vectors empty by halves; rows cost about half of what
 * sg_cost_of_join takes them for where they are long. */
bool sg_lanes_are_woven(const sg_signature_shape *s, int64_t spread)
{
    double level = 500 + 3 * s->product * (1 + s->words / 2000) + 3 * s->words, inside = 0,
           row = 1200 + 15 * s->product / s->lanes,
           paths = s->lanes / (double)spread < s->batch ? s->lanes / (double)spread : s->batch;
    for (int64_t by = 1; by < spread; by *= 2) inside += level;
    return !s->forward && spread > 1 && inside < paths * (double)(spread - 1) * row / 2;
}
