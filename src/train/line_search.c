/* Nocedal, Wright (2006), "Numerical optimization", algorithms 3.5 and 3.6. */
#include "train/line_search.h"
#include <math.h>

enum { MOST_EXTENSIONS = 20, MOST_CUTS = 40 };

typedef struct {
    sg_line *line;
    sg_line_point start;
    sg_line_point low; /* the lowest point that decreases the loss enough; the one kept */
} search;

static sigad_status evaluate(search *s, double step, sg_line_point *point)
{
    point->step = step;
    s->line->evaluations_left--;
    return s->line->evaluate(s->line->user, step, &point->loss, &point->slope);
}

static void keep(search *s, sg_line_point point)
{
    s->low = point;
    s->line->keep(s->line->user);
}

static bool decreases(const search *s, sg_line_point p)
{
    return p.loss <= s->start.loss + s->line->decrease * p.step * s->start.slope &&
           p.loss < s->start.loss;
}

static bool is_flat(const search *s, sg_line_point p)
{
    return fabs(p.slope) <= -s->line->curvature * s->start.slope;
}

/* The minimum of the cubic through both points (equation 3.59), at least a tenth of the interval
 * away from its ends; the middle where there is no such minimum. */
static double step_between(sg_line_point a, sg_line_point b)
{
    double width = b.step - a.step, middle = a.step + 0.5 * width;
    double d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.step - b.step);
    double square = d1 * d1 - a.slope * b.slope;
    if (!(square >= 0.0) || !isfinite(square)) return middle;
    double d2 = copysign(sqrt(square), width);
    double step = b.step - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    double share = (step - a.step) / width;
    if (!isfinite(share)) return middle;
    return a.step + width * fmin(fmax(share, 0.1), 0.9);
}

/* Algorithm 3.6: the interval from s->low to `high` holds a point that satisfies both conditions.
 */
static sigad_status zoom(search *s, sg_line_point high)
{
    for (int cut = 0; cut < MOST_CUTS && s->line->evaluations_left > 0; cut++) {
        sg_line_point p;
        double step = step_between(s->low, high);
        if (step == s->low.step || step == high.step) break;
        sigad_status status = evaluate(s, step, &p);
        if (status) return status;
        if (!decreases(s, p) || p.loss >= s->low.loss) {
            high = p;
            continue;
        }
        if (p.slope * (high.step - s->low.step) >= 0.0) high = s->low;
        keep(s, p);
        if (is_flat(s, p)) break;
    }
    return SIGAD_OK;
}

/* Algorithm 3.5: longer and longer steps, until one is good or has gone too far. */
static sigad_status extend(search *s, double step)
{
    for (int i = 0; i < MOST_EXTENSIONS && s->line->evaluations_left > 0; i++, step *= 2.0) {
        sg_line_point p, before = s->low;
        sigad_status status = evaluate(s, step, &p);
        if (status) return status;
        if (!decreases(s, p) || (i > 0 && p.loss >= s->low.loss)) return zoom(s, p);
        keep(s, p);
        if (is_flat(s, p)) return SIGAD_OK;
        if (p.slope >= 0.0) return zoom(s, before);
    }
    return SIGAD_OK;
}

sigad_status sg_line_search(sg_line *line, sg_line_point start, double step, sg_line_point *found)
{
    search s = {.line = line, .start = start, .low = start};
    sigad_status status = extend(&s, step);
    *found = s.low;
    return status;
}
