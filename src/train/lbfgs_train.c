/* L-BFGS over the parameters of a context: one long vector of doubles stands for all of them. */
#include "core/options.h"
#include "graph/context.h"
#include "sigad/train.h"
#include <string.h>

typedef struct {
    sigad_context *context;
    const char *prefix;
    sigad_lbfgs_loss loss;
    void *user;
    void *room; /* for the bytes of any one parameter, on the host */
    size_t room_bytes;
} training;

static bool is_trained(const training *t, const sg_parameter *p)
{
    return !p->frozen && strncmp(p->name, t->prefix, strlen(t->prefix)) == 0;
}

static int64_t count_unknowns(const training *t)
{
    int64_t n = 0;
    for (size_t i = 0; i < t->context->parameter_count; i++)
        if (is_trained(t, t->context->parameters[i]))
            n += t->context->parameters[i]->value.elements;
    return n;
}

static void to_doubles(int32_t dtype, const void *from, int64_t n, double *to)
{
    if (dtype == SIGAD_F64) memcpy(to, from, (size_t)n * sizeof *to);
    for (int64_t i = 0; dtype == SIGAD_F32 && i < n; i++) to[i] = (double)((const float *)from)[i];
}

static void from_doubles(int32_t dtype, const double *from, int64_t n, void *to)
{
    if (dtype == SIGAD_F64) memcpy(to, from, (size_t)n * sizeof *from);
    for (int64_t i = 0; dtype == SIGAD_F32 && i < n; i++) ((float *)to)[i] = (float)from[i];
}

/* Also forgets the gradients: those at the old point mean nothing now. Where an error is held, the
 * best point is written all the same. */
static sigad_status write_parameters(const training *t, const double *x)
{
    sigad_context *context = t->context;
    for (size_t i = 0; i < context->parameter_count; i++) {
        sg_parameter *p = context->parameters[i];
        if (!is_trained(t, p)) continue;
        from_doubles(p->value.dtype, x, p->value.elements, t->room);
        if (sg_device_put(context, "lbfgs", p->value.data, t->room, sg_array_bytes(&p->value)))
            sg_device_wait(context, "lbfgs");
        p->version++;
        p->reached = false;
        x += p->value.elements;
    }
    return context->error.status;
}

/* An array of a parameter's kind, as doubles. */
static bool fetch(const training *t, const sg_parameter *p, const void *array, double *to)
{
    if (!sg_device_get(t->context, "lbfgs", t->room, array, sg_array_bytes(&p->value)))
        return false;
    to_doubles(p->value.dtype, t->room, p->value.elements, to);
    return true;
}

static sigad_status read_parameters(const training *t, double *x)
{
    for (size_t i = 0; i < t->context->parameter_count; i++) {
        const sg_parameter *p = t->context->parameters[i];
        if (!is_trained(t, p)) continue;
        if (!fetch(t, p, p->value.data, x)) break;
        x += p->value.elements;
    }
    return t->context->error.status;
}

static sigad_status read_gradients(const training *t, double *g)
{
    for (size_t i = 0; i < t->context->parameter_count; i++) {
        const sg_parameter *p = t->context->parameters[i];
        if (!is_trained(t, p)) continue;
        if (!p->reached)
            memset(g, 0, (size_t)p->value.elements * sizeof *g);
        else if (!fetch(t, p, p->gradient, g))
            break;
        g += p->value.elements;
    }
    return t->context->error.status;
}

static sigad_status evaluate(void *user, int64_t n, const double *x, double *loss, double *gradient)
{
    training *t = user;
    (void)n;
    sigad_status status = write_parameters(t, x);
    if (!status) status = t->loss(t->user, loss);
    return status ? status : read_gradients(t, gradient);
}

static size_t largest_parameter(const training *t)
{
    size_t most = 1;
    for (size_t i = 0; i < t->context->parameter_count; i++) {
        const size_t bytes = sg_array_bytes(&t->context->parameters[i]->value);
        if (bytes > most) most = bytes;
    }
    return most;
}

/* With x and room at hand. */
static sigad_status minimise(training *t, int64_t n, double *x, const sigad_lbfgs_options *given,
                             sigad_lbfgs_report *report)
{
    sigad_status status = read_parameters(t, x);
    if (status) return status;
    status = sigad_lbfgs_minimise(t->context, n, x, evaluate, t, given, report);
    write_parameters(t, x);
    return status;
}

sigad_status sigad_lbfgs_train(sigad_context *context, sigad_lbfgs_loss loss, void *user,
                               const sigad_lbfgs_options *given, sigad_lbfgs_report *report)
{
    sigad_lbfgs_options options;
    if (!context) return SIGAD_EINVAL;
    sg_error *error = &context->error;
    if (error->status) return error->status;
    if (sg_options(error, "sigad_lbfgs_options", given, &options, sizeof options))
        return error->status;
    if (!loss) return sg_fail(error, SIGAD_EINVAL, "lbfgs: there is no loss function");

    training t = {context, options.prefix ? options.prefix : "", loss, user, NULL, 0};
    int64_t n = count_unknowns(&t);
    if (!n)
        return sg_fail(error, SIGAD_EINVAL,
                       "lbfgs: no trainable parameter has a name that begins with '%.200s'",
                       t.prefix);
    size_t bytes = (size_t)n * sizeof(double);
    double *x = sg_context_allocate(context, bytes);
    t.room_bytes = largest_parameter(&t);
    t.room = sg_context_allocate(context, t.room_bytes);
    sigad_status status = x && t.room ? minimise(&t, n, x, given, report)
                                      : sg_context_no_memory(context, "lbfgs", bytes);
    sg_release(&context->allocator, t.room, t.room_bytes);
    sg_release(&context->allocator, x, bytes);
    return status;
}
