/* sigad-golden FILE: runs the cases of a file of golden values through the functions on plain
 * arrays and through the operations on a tape, in float64 and float32: value and vector-Jacobian
 * product, on a tape also Jacobian-vector product and second-order contraction. Prints a line for
 * each disagreement, then 'N passed, N failed'. Exit status: 0 all passed, 1 some failed, 2 the
 * file is malformed, 77 there is no such file (ctest: skipped).
 *
 * The format: 'case OP dimension degree time_aug lead_lag scalar_term method end_time batch
 * length', then a line 'NAME count numbers..' for each of x g v y vjp jvp soc, then 'end'. Arrays
 * are row-major, batch first: y = f(x), vjp = J(x)^T g, jvp = J(x) v, soc = d/dt J(x + t v)^T g at
 * t = 0. */
#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { X, G, V, Y, VJP, JVP, SOC, ARRAYS, MOST_ENTRIES = 10000000, SKIPPED = 77 };
static const char *const array_name[ARRAYS] = {"x", "g", "v", "y", "vjp", "jvp", "soc"};

enum { SIG, LOG_SIG, SIG_TO_LOG_SIG, LOGSIG_TO_SIG, OPERATIONS };
static const char *const operation_name[OPERATIONS] = {"sig", "log_sig", "sig_to_log_sig",
                                                       "logsig_to_sig"};

typedef struct {
    int operation, batch, length;
    sigad_sig_spec spec;
    int64_t x_entries, y_entries; /* of one item */
    double *array[ARRAYS];
    int64_t count[ARRAYS];
} golden;

/* ---- reading: the file is not trusted ------------------------------------------------------- */

static int malformed(const char *what)
{
    fprintf(stderr, "malformed: %s\n", what);
    return 0;
}

static int read_header(FILE *file, golden *c)
{
    char name[32];
    sigad_sig_spec *s = &c->spec;
    *s = (sigad_sig_spec){SIGAD_SIG_SPEC_INIT};
    if (fscanf(file, "%31s %d %d %d %d %d %d %lf %d %d", name, &s->dimension, &s->degree,
               &s->time_aug, &s->lead_lag, &s->scalar_term, &s->method, &s->end_time, &c->batch,
               &c->length) != 10)
        return malformed("a case needs an operation and nine numbers");
    c->operation = 0;
    while (c->operation < OPERATIONS && strcmp(name, operation_name[c->operation])) c->operation++;
    if (c->operation == OPERATIONS) return malformed(name);
    if (c->batch < 0 || c->length < 0) return malformed("negative batch or length");
    int64_t sig, log_sig;
    if (sigad_sig_length(s, &sig) || sigad_log_sig_length(s, &log_sig))
        return malformed("a case whose sizes are not possible");
    int from_path = c->operation == SIG || c->operation == LOG_SIG;
    int to_sig = c->operation == SIG || c->operation == LOGSIG_TO_SIG;
    c->x_entries = from_path ? (int64_t)c->length * s->dimension : to_sig ? log_sig : sig;
    c->y_entries = to_sig ? sig : log_sig;
    if (c->x_entries > MOST_ENTRIES || c->y_entries > MOST_ENTRIES || c->batch > MOST_ENTRIES ||
        c->x_entries * c->batch > MOST_ENTRIES || c->y_entries * c->batch > MOST_ENTRIES)
        return malformed("a case that is too large");
    return 1;
}

static int read_array(FILE *file, golden *c, int which)
{
    char name[32];
    long long count;
    int of_y = which == G || which == Y || which == JVP;
    int64_t wanted = (of_y ? c->y_entries : c->x_entries) * c->batch;
    if (fscanf(file, "%31s %lld", name, &count) != 2 || strcmp(name, array_name[which]))
        return malformed(array_name[which]);
    if (count != wanted) return malformed("an array whose count does not fit the case");
    c->count[which] = count;
    c->array[which] = malloc((size_t)count * sizeof(double) + 1);
    if (!c->array[which]) return malformed("out of memory");
    for (int64_t i = 0; i < count; i++)
        if (fscanf(file, "%lf", &c->array[which][i]) != 1 || !isfinite(c->array[which][i]))
            return malformed("an array with too few numbers, or not finite");
    return 1;
}

/* 1: there is a case, 0: the file has ended, -1: it is malformed. */
static int read_case(FILE *file, golden *c)
{
    char word[32];
    memset(c, 0, sizeof *c);
    if (fscanf(file, "%31s", word) != 1) return 0;
    int good = !strcmp(word, "case") ? read_header(file, c) : malformed("'case' expected");
    for (int i = 0; good && i < ARRAYS; i++) good = read_array(file, c, i);
    if (good && (fscanf(file, "%31s", word) != 1 || strcmp(word, "end")))
        good = malformed("'end' expected");
    return good ? 1 : -1;
}

static void release(golden *c)
{
    for (int i = 0; i < ARRAYS; i++) free(c->array[i]);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static int agrees(const golden *c, const char *where, int dtype, int which, const void *got)
{
    double largest = 1.0, worst = 0.0;
    for (int64_t i = 0; i < c->count[which]; i++) {
        double want = c->array[which][i];
        double found =
            dtype == SIGAD_F32 ? (double)((const float *)got)[i] : ((const double *)got)[i];
        double error = fabs(found - want);
        if (fabs(want) > largest) largest = fabs(want);
        if (!(error <= worst)) worst = error; /* NaN stays */
    }
    double limit = dtype == SIGAD_F32 ? 2e-4 : 1e-10;
    if (worst / largest <= limit) return 1;
    printf("%s %s float%d %s: error %.3g; dimension %d, degree %d, time_aug %d, lead_lag %d, "
           "scalar_term %d, method %d, end_time %g, batch %d, length %d\n",
           operation_name[c->operation], where, dtype == SIGAD_F32 ? 32 : 64, array_name[which],
           worst / largest, c->spec.dimension, c->spec.degree, c->spec.time_aug, c->spec.lead_lag,
           c->spec.scalar_term, c->spec.method, c->spec.end_time, c->batch, c->length);
    return 0;
}

/* The array in a dtype; NULL if memory is short. */
static void *converted(const golden *c, int which, int dtype)
{
    int64_t n = c->count[which];
    void *bytes = malloc((size_t)n * sizeof(double) + 1);
    for (int64_t i = 0; bytes && i < n; i++)
        if (dtype == SIGAD_F32)
            ((float *)bytes)[i] = (float)c->array[which][i];
        else
            ((double *)bytes)[i] = c->array[which][i];
    return bytes;
}

/* ---- plain arrays ------------------------------------------------------------------------------
 */

#define RUN(S)                                                                                     \
    static sigad_status run_##S(const golden *c, const sigad_plan *plan, const void *x,            \
                                const void *g, void *y, void *vjp)                                 \
    {                                                                                              \
        sigad_status status;                                                                       \
        switch (c->operation) {                                                                    \
        case SIG:                                                                                  \
            status = sigad_sig_##S(plan, c->batch, c->length, NULL, x, y, 1);                      \
            return status ? status                                                                 \
                          : sigad_sig_backprop_##S(plan, c->batch, c->length, NULL, x, g, vjp, 1); \
        case LOG_SIG:                                                                              \
            status = sigad_log_sig_##S(plan, c->batch, c->length, NULL, x, y, 1);                  \
            return status ? status                                                                 \
                          : sigad_log_sig_backprop_##S(plan, c->batch, c->length, NULL, x, g, vjp, \
                                                       1);                                         \
        case SIG_TO_LOG_SIG:                                                                       \
            status = sigad_sig_to_log_sig_##S(plan, c->batch, x, y, 1);                            \
            return status ? status                                                                 \
                          : sigad_sig_to_log_sig_backprop_##S(plan, c->batch, x, g, vjp, 1);       \
        default:                                                                                   \
            status = sigad_logsig_to_sig_##S(plan, c->batch, x, y, 1);                             \
            return status ? status                                                                 \
                          : sigad_logsig_to_sig_backprop_##S(plan, c->batch, x, g, vjp, 1);        \
        }                                                                                          \
    }
RUN(f32)
RUN(f64)

static int check_arrays(const golden *c, int dtype)
{
    sigad_plan *plan = NULL;
    void *x = converted(c, X, dtype), *g = converted(c, G, dtype);
    void *y = converted(c, Y, dtype), *vjp = converted(c, VJP, dtype);
    sigad_status status = x && g && y && vjp ? sigad_plan_create(&c->spec, &plan) : SIGAD_ENOMEM;
    if (!status) {
        memset(y, 0xff, (size_t)c->count[Y] * sizeof(float));
        memset(vjp, 0xff, (size_t)c->count[VJP] * sizeof(float));
        status = (dtype == SIGAD_F32 ? run_f32 : run_f64)(c, plan, x, g, y, vjp);
    }
    int good = 0;
    if (status)
        printf("%s arrays: %s\n", operation_name[c->operation], sigad_status_string(status));
    else
        good = agrees(c, "arrays", dtype, Y, y) & agrees(c, "arrays", dtype, VJP, vjp);
    sigad_plan_destroy(plan);
    free(x);
    free(g);
    free(y);
    free(vjp);
    return good;
}

/* ---- a tape -------------------------------------------------------------------------------------
 */

static sigad_tensor apply(const golden *c, sigad_tape *tape, sigad_tensor x)
{
    static sigad_tensor (*const operation[OPERATIONS])(sigad_tape *, sigad_tensor,
                                                       const sigad_sig_spec *) = {
        sigad_sig, sigad_log_sig, sigad_sig_to_log_sig, sigad_logsig_to_sig};
    return operation[c->operation](tape, x, &c->spec);
}

static int check_tape(const golden *c, sigad_tape *tape, int dtype)
{
    int from_path = c->operation == SIG || c->operation == LOG_SIG;
    const int64_t path[] = {c->batch, c->length, c->spec.dimension};
    const int64_t x_shape[] = {c->batch, c->x_entries}, y_shape[] = {c->batch, c->y_entries};
    void *bytes[] = {converted(c, X, dtype), converted(c, G, dtype), converted(c, V, dtype)};
    int rank = from_path ? 3 : 2;
    const int64_t *shape = from_path ? path : x_shape;
    sigad_tensor x =
        sigad_watch(tape, sigad_input(tape, (sigad_dtype)dtype, rank, shape, bytes[X]));
    sigad_tensor g = sigad_input(tape, (sigad_dtype)dtype, 2, y_shape, bytes[G]);
    sigad_tensor v = sigad_input(tape, (sigad_dtype)dtype, rank, shape, bytes[V]);
    sigad_tensor y = apply(c, tape, x), result[ARRAYS] = {{0, 0}};
    sigad_backward_with(tape, y, g);
    result[Y] = y;
    result[VJP] = sigad_gradient(tape, x);
    result[JVP] = sigad_jvp(tape, y, 1, &x, &v);
    result[SOC] = sigad_jvp(tape, sigad_grad(tape, y, x, g), 1, &x, &v);
    int good = 1;
    for (int i = Y; i < ARRAYS; i++) {
        const void *found = sigad_data(tape, result[i]);
        if (found || (!c->count[i] && !sigad_context_status(sigad_tape_context(tape))))
            good &= agrees(c, "tape", dtype, i, found);
        else
            good = 0;
    }
    if (sigad_context_status(sigad_tape_context(tape))) {
        printf("%s tape: %s\n", operation_name[c->operation],
               sigad_context_message(sigad_tape_context(tape)));
        sigad_context_clear(sigad_tape_context(tape));
    }
    sigad_tape_reset(tape);
    for (int i = 0; i < 3; i++) free(bytes[i]);
    return good;
}

int main(int argc, char **argv)
{
    sigad_context *context = NULL;
    sigad_tape *tape = NULL;
    golden c;
    int passed = 0, failed = 0, more;
    if (argc != 2) {
        fprintf(stderr, "usage: sigad-golden FILE\n");
        return 2;
    }
    FILE *file = fopen(argv[1], "r");
    if (!file) {
        printf("skipped: cannot read %s\n", argv[1]);
        return SKIPPED;
    }
    if (sigad_context_create(NULL, &context) || sigad_tape_create(context, &tape)) {
        fprintf(stderr, "no context\n");
        return 2;
    }
    while ((more = read_case(file, &c)) > 0) {
        int good = 1;
        for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++)
            good &= check_arrays(&c, dtype) & check_tape(&c, tape, dtype);
        passed += good;
        failed += !good;
        release(&c);
    }
    if (more < 0) release(&c);
    fclose(file);
    sigad_context_destroy(context);
    printf("%d passed, %d failed\n", passed, failed);
    return more < 0 ? 2 : failed > 0;
}
