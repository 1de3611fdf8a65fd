#include "core/options.h"
#include "sigad/train.h"
#include <float.h>
#include <math.h>

static double or_default(double given, double standard)
{
    return given == 0.0 ? standard : given;
}

static int is_valid(const sigad_schedule *s)
{
    int is_decay = s->kind == SIGAD_SCHEDULE_COSINE || s->kind == SIGAD_SCHEDULE_LINEAR;
    int is_step = s->kind == SIGAD_SCHEDULE_STEP;
    if (!is_decay && !is_step && s->kind != SIGAD_SCHEDULE_CONSTANT) return 0;
    if (!(s->lr >= 0.0 && s->lr <= DBL_MAX) || s->warmup < 0) return 0;
    if (is_decay) return s->lr_end >= 0.0 && s->lr_end <= DBL_MAX && s->steps > s->warmup;
    if (is_step) return s->factor >= 0.0 && s->factor <= DBL_MAX && s->steps > 0;
    return 1;
}

double sigad_schedule_lr(const sigad_schedule *schedule, int64_t step)
{
    sigad_schedule s;
    if (!schedule || sg_options(NULL, "sigad_schedule", schedule, &s, sizeof s) || !is_valid(&s))
        return NAN;
    double lr = or_default(s.lr, 1e-3);
    if (step < 0) step = 0;
    if (step < s.warmup) return lr * ((double)step + 1.0) / ((double)s.warmup + 1.0);

    double since = (double)(step - s.warmup), share = since / ((double)s.steps - (double)s.warmup);
    if (share > 1.0) share = 1.0;
    switch (s.kind) {
    case SIGAD_SCHEDULE_COSINE: /* Loshchilov, Hutter (2017), "SGDR", equation 5, without restarts
                                 */
        return s.lr_end + (lr - s.lr_end) * 0.5 * (1.0 + cos(3.141592653589793 * share));
    case SIGAD_SCHEDULE_LINEAR:
        return (1.0 - share) * lr + share * s.lr_end;
    case SIGAD_SCHEDULE_STEP:
        return lr * pow(or_default(s.factor, 0.1), floor(since / (double)s.steps));
    default:
        return lr;
    }
}
