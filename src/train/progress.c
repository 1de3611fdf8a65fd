#include "core/clock.h"
#include "core/options.h"
#include "sigad/train.h"
#include "train/option.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { BAR = 24, TEXT = 64 };
static const double pause_between_drawings = 0.1;

struct sigad_progress {
    sg_owned owned;
    sigad_context *context;
    sigad_progress_options options;
    char *label;
    double started, drawn_at;
    int64_t done, drawn; /* drawn: `done` when it was drawn last; -1: never */
    double loss;
};

static double system_clock(void *user)
{
    (void)user;
    return 1e-9 * (double)sg_nanoseconds();
}

static double now(const sigad_progress *p)
{
    return p->options.clock(p->options.clock_user);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void destroy_owned(sg_owned *owned)
{
    sigad_progress_destroy((sigad_progress *)(void *)owned);
}

static sigad_status read_options(sigad_context *context, const sigad_progress_options *given,
                                 sigad_progress_options *o)
{
    sg_error *error = &context->error;
    if (sg_options(error, "sigad_progress_options", given, o, sizeof *o) ||
        sg_option_reserved(context, "sigad_progress_create", o->reserved))
        return error->status;
    if (o->total <= 0 || o->lines < 0)
        return sg_fail(error, SIGAD_EINVAL,
                       "sigad_progress_create: total %lld, lines %d: the total must be positive, "
                       "lines not negative",
                       (long long)o->total, (int)o->lines);
    if (!o->file) o->file = stderr;
    if (!o->lines) o->lines = 10;
    if (!o->label) o->label = "";
    if (!o->clock) o->clock = system_clock;
    if (!o->terminal) {
        int descriptor = fileno(o->file);
        o->terminal = descriptor >= 0 && isatty(descriptor) ? 1 : -1;
    }
    return SIGAD_OK;
}

sigad_status sigad_progress_create(sigad_context *context, const sigad_progress_options *given,
                                   sigad_progress **result)
{
    sigad_progress_options options;
    if (result) *result = NULL;
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    if (!result)
        return sg_fail(&context->error, SIGAD_EINVAL,
                       "sigad_progress_create: there is no place for the result");
    if (read_options(context, given, &options)) return context->error.status;

    sigad_progress *p = sg_context_allocate(context, sizeof *p);
    char *label = sg_copy_text(&context->allocator, options.label);
    if (!p || !label) {
        sg_release(&context->allocator, p, sizeof *p);
        sg_release(&context->allocator, label, strlen(options.label) + 1);
        return sg_context_no_memory(context, "sigad_progress_create", sizeof *p);
    }
    *p = (sigad_progress){.context = context, .options = options, .label = label, .drawn = -1};
    p->owned.destroy = destroy_owned;
    p->started = p->drawn_at = now(p);
    sg_context_own(context, &p->owned);
    *result = p;
    return SIGAD_OK;
}

void sigad_progress_destroy(sigad_progress *p)
{
    if (!p) return;
    sigad_progress_finish(p);
    sg_owned_detach(&p->owned);
    sg_release(&p->context->allocator, p->label, strlen(p->label) + 1);
    sg_release(&p->context->allocator, p, sizeof *p);
}

/* ---- drawing --------------------------------------------------------------------------------- */

/* "1:02:03" or "2:03" */
static void write_duration(double seconds, char text[TEXT])
{
    if (!(seconds >= 0.0 && seconds < 1e9)) {
        snprintf(text, TEXT, "-:--");
        return;
    }
    long whole = lround(seconds), minutes = whole / 60;
    if (minutes < 60)
        snprintf(text, TEXT, "%ld:%02ld", minutes, whole % 60);
    else
        snprintf(text, TEXT, "%ld:%02ld:%02ld", minutes / 60, minutes % 60, whole % 60);
}

static double share(const sigad_progress *p)
{
    return (double)p->done / (double)p->options.total;
}

/* "[######------]  " */
static void write_bar(const sigad_progress *p, char text[TEXT])
{
    int full = (int)(share(p) * BAR);
    char *at = text;
    *at++ = '[';
    for (int i = 0; i < BAR; i++) *at++ = i < full ? '#' : '-';
    strcpy(at, "]  ");
}

static void draw(sigad_progress *p, double time)
{
    bool on_terminal = p->options.terminal > 0, is_over = p->done == p->options.total;
    double elapsed = time - p->started, rate = (double)p->done / elapsed;
    char bar[TEXT] = "", loss[TEXT] = "", duration[TEXT];
    if (on_terminal) write_bar(p, bar);
    if (!p->options.hide_loss) snprintf(loss, sizeof loss, "  loss %.4g", p->loss);
    write_duration(is_over ? elapsed : (double)(p->options.total - p->done) / rate, duration);
    fprintf(p->options.file, "%s%s%s%s%lld/%lld  %3d%%%s  %.3g/s  %s%s%s", on_terminal ? "\r" : "",
            p->label, *p->label ? "  " : "", bar, (long long)p->done, (long long)p->options.total,
            (int)(100.0 * share(p)), loss, isfinite(rate) ? rate : 0.0, duration,
            is_over ? "" : " left", on_terminal ? "\033[K" : "\n");
    fflush(p->options.file);
    p->drawn = p->done;
    p->drawn_at = time;
}

static bool is_due(const sigad_progress *p, double time)
{
    if (p->done == p->options.total) return true;
    if (p->options.terminal > 0)
        return p->drawn < 0 || time - p->drawn_at >= pause_between_drawings;
    double part = (double)p->options.total / (double)p->options.lines;
    return floor((double)p->done / part) > floor((double)(p->drawn < 0 ? 0 : p->drawn) / part);
}

void sigad_progress_show(sigad_progress *p, int64_t done, double loss)
{
    if (!p || p->options.off) return;
    p->done = done < 0 ? 0 : done > p->options.total ? p->options.total : done;
    p->loss = loss;
    if (p->done == p->drawn) return;
    double time = now(p);
    if (is_due(p, time)) draw(p, time);
}

void sigad_progress_finish(sigad_progress *p)
{
    if (!p || p->options.off || p->done == 0) return;
    if (p->done != p->drawn) draw(p, now(p));
    if (p->options.terminal > 0) {
        fputc('\n', p->options.file);
        fflush(p->options.file);
    }
    p->done = 0;
    p->drawn = -1;
}
