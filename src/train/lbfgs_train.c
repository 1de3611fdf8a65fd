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

/* Also forgets the gradients: those at the old point mean nothing now. */
static void write_parameters(const training *t, const double *x)
{
    for (size_t i = 0; i < t->context->parameter_count; i++) {
        sg_parameter *p = t->context->parameters[i];
        if (!is_trained(t, p)) continue;
        from_doubles(p->value.dtype, x, p->value.elements, p->value.data);
        p->version++;
        p->reached = false;
        x += p->value.elements;
    }
}

static void read_parameters(const training *t, double *x)
{
    for (size_t i = 0; i < t->context->parameter_count; i++) {
        const sg_parameter *p = t->context->parameters[i];
        if (!is_trained(t, p)) continue;
        to_doubles(p->value.dtype, p->value.data, p->value.elements, x);
        x += p->value.elements;
    }
}

static void read_gradients(const training *t, double *g)
{
    for (size_t i = 0; i < t->context->parameter_count; i++) {
        const sg_parameter *p = t->context->parameters[i];
        if (!is_trained(t, p)) continue;
        if (p->reached)
            to_doubles(p->value.dtype, p->gradient, p->value.elements, g);
        else
            memset(g, 0, (size_t)p->value.elements * sizeof *g);
        g += p->value.elements;
    }
}

static sigad_status evaluate(void *user, int64_t n, const double *x, double *loss, double *gradient)
{
    training *t = user;
    (void)n;
    write_parameters(t, x);
    sigad_status status = t->loss(t->user, loss);
    if (!status) read_gradients(t, gradient);
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

    training t = {context, options.prefix ? options.prefix : "", loss, user};
    int64_t n = count_unknowns(&t);
    if (!n)
        return sg_fail(error, SIGAD_EINVAL,
                       "lbfgs: no trainable parameter has a name that begins with '%.200s'",
                       t.prefix);
    size_t bytes = (size_t)n * sizeof(double);
    double *x = sg_context_allocate(context, bytes);
    if (!x) return sg_context_no_memory(context, "lbfgs", bytes);
    read_parameters(&t, x);
    sigad_status status = sigad_lbfgs_minimise(context, n, x, evaluate, &t, given, report);
    write_parameters(&t, x);
    sg_release(&context->allocator, x, bytes);
    return status;
}
