/* sigad-device COMMAND: checks the functions on device pointers, on whatever device it is linked
 * with: an emulation in the tests, a real one for tools/gpu-check.
 *
 *     golden FILE    the values of another implementation (77: there is no such file)
 *     random COUNT   problems drawn at random, against the functions on host pointers
 *     shapes         problems at and around every boundary of the kernels, the same way
 *     many COUNT     so many items in a batch, through every function, the same way
 *     repeat RUNS    the same bits in every run, and at each place of a batch
 *     name           which device it is
 *     train RUNS     a network as on the CPU, the same bits in every run and on several streams
 *     time           how long the functions take, and the share of the arithmetic floor
 *     steps RUNS BATCH  how long steps of training take, as CUDA graphs, too
 *     hurst STEPS    the example of that name
 *
 * Prints a line for each disagreement, then 'N passed, N failed'. Exit status: 0 all passed, 1 some
 * failed, 2 cannot run, 77 skipped (no file, or no device). */
#include "device_call.h"
#include "device_memory.h"
#include "device_steps.h"
#include "device_time.h"
#include "device_train.h"
#include "golden_file.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CANNOT_RUN = 2, SKIPPED = 77 };
static int passed, failed;

static void count(int good)
{
    passed += good;
    failed += !good;
}

/* Numbers that are the same everywhere (Steele and Vigna's SplitMix64). */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int draw_below(uint64_t *state, int n)
{
    return (int)(draw(state) % (uint64_t)n);
}

static void *draw_array(uint64_t *state, sigad_dtype dtype, int64_t n, double scale)
{
    void *out = malloc((size_t)n * sizeof(double) + 1);
    for (int64_t i = 0; out && i < n; i++) {
        double x = scale * ((double)(draw(state) >> 11) * 0x1p-52 - 1.0);
        if (dtype == SIGAD_F32)
            ((float *)out)[i] = (float)x;
        else
            ((double *)out)[i] = x;
    }
    return out;
}

/* ---- against the host -------------------------------------------------------------------------
 */

/* The device's result, or NULL; says why. */
static void *result_of(const device_call *c)
{
    void *out = malloc((size_t)call_out_entries(c) * sizeof(double) + 1);
    sigad_status status = out ? call_on_device(c, out) : SIGAD_ENOMEM;
    if (!status) return out;
    call_print(c);
    printf("%s\n", sigad_status_string(status));
    free(out);
    return NULL;
}

static int agrees_with_host(const device_call *c)
{
    int64_t n = call_out_entries(c);
    void *found = result_of(c), *want = malloc((size_t)n * sizeof(double) + 1);
    sigad_status status = call_on_host(c, want);
    int good = found && !status;
    if (good) {
        double error = call_distance(c->dtype, n, found, want);
        good = error <= (c->dtype == SIGAD_F32 ? 2e-4 : 1e-10);
        if (!good) {
            call_print(c);
            printf("error %.3g\n", error);
        }
    }
    free(found);
    free(want);
    return good;
}

/* One problem, drawn for a spec, through a function and the one behind it, in both dtypes. */
static void check_problem(uint64_t *state, const sigad_sig_spec *spec, int operation, int64_t batch,
                          int64_t length, int with_lengths)
{
    int64_t *lengths = malloc((size_t)batch * sizeof *lengths + 1);
    for (int64_t i = 0; i < batch; i++) lengths[i] = draw_below(state, (int)length + 1);
    for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++) {
        device_call c = {.call = (sigad_call)(2 * operation + 1),
                         .dtype = (sigad_dtype)dtype,
                         .spec = *spec,
                         .batch = batch,
                         .length = length,
                         .lengths = with_lengths && operation <= LOG_SIG ? lengths : NULL};
        double scale = 1.0 / sqrt((double)length + 1.0);
        void *x = draw_array(state, c.dtype, batch * call_x_entries(&c), scale);
        void *g = draw_array(state, c.dtype, batch * call_y_entries(&c), 1.0);
        c.x = x;
        count(agrees_with_host(&c));
        c.call = (sigad_call)(c.call + 1);
        c.y_bar = g;
        count(agrees_with_host(&c));
        free(x);
        free(g);
    }
    free(lengths);
}

/* The highest degree up to `most` whose tensors stay small. */
static int32_t degree_for(const sigad_sig_spec *spec, int64_t most_entries, int32_t most)
{
    sigad_sig_spec s = *spec;
    int64_t entries;
    for (s.degree = most; s.degree > 1; s.degree--)
        if (!sigad_sig_length(&s, &entries) && entries <= most_entries) break;
    return s.degree;
}

static void check_random(int problems)
{
    uint64_t state = 2026;
    for (int i = 0; i < problems; i++) {
        sigad_sig_spec s = {SIGAD_SIG_SPEC_INIT};
        s.dimension = 1 + draw_below(&state, 6);
        s.time_aug = draw_below(&state, 2);
        s.lead_lag = draw_below(&state, 2);
        s.scalar_term = draw_below(&state, 2);
        s.method = draw_below(&state, 3);
        s.end_time = 0.25 * draw_below(&state, 8);
        s.degree = degree_for(&s, 400, 1 + draw_below(&state, 6));
        int length = draw_below(&state, 4) ? draw_below(&state, 40) : draw_below(&state, 200);
        check_problem(&state, &s, i % OPERATIONS, 1 + draw_below(&state, 9), length,
                      draw_below(&state, 2));
    }
}

/* ---- at the boundaries ------------------------------------------------------------------------
 */

static void check_paths(uint64_t *state, int dimension, int degree, int64_t batch, int64_t length)
{
    sigad_sig_spec s = {SIGAD_SIG_SPEC_INIT, .dimension = dimension, .degree = degree};
    check_problem(state, &s, SIG, batch, length, 0);
}

static void check_shapes(void)
{
    uint64_t state = 7;
    for (int length = 0; length <= 3; length++) check_paths(&state, 3, 3, 2, length);
    static const int lengths[] = {32, 33, 34, 65, 66}; /* a block of steps */
    for (int i = 0; i < 5; i++) check_paths(&state, 3, 3, 3, lengths[i]);
    for (int d = 2; d <= 17; d++) /* every tile and degree that kernels are compiled for */
        for (int n = 1; n <= 6 && pow(d, n) <= 3000; n++) check_paths(&state, d, n, 2, 6);
    for (int n = 7; n <= 10; n++) check_paths(&state, 2, n, 2, 6); /* any degree */
    check_paths(&state, 1, 40, 3, 7);                              /* one letter */
    check_paths(&state, 8, 4, 1, 5);                               /* slices */
    check_paths(&state, 12, 3, 1, 35);
    check_paths(&state, 40, 2, 2, 9);   /* wide rows */
    check_paths(&state, 300, 1, 2, 40); /* rows that come from memory */
    check_paths(&state, 260, 2, 1, 3);
    check_paths(&state, 2, 3, 1, 700);    /* chunks of time */
    check_paths(&state, 2, 3, 2, 8194);   /* in runs, of which the last is short */
    check_paths(&state, 2, 2, 1, 131100); /* in runs of runs */
    check_paths(&state, 3, 4, 2, 260);
    check_paths(&state, 2, 2, 900, 5); /* more paths than blocks */
    sigad_sig_spec deep = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 9};
    for (deep.method = 0; deep.method < 3; deep.method++)
        for (int operation = LOG_SIG; operation < OPERATIONS; operation++)
            check_problem(&state, &deep, operation, 2, 5, 0);
}

static void check_many(int64_t count)
{
    uint64_t state = 5;
    sigad_sig_spec s = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 3};
    for (s.method = 0; s.method < 3; s.method++)
        for (int operation = SIG; operation < OPERATIONS; operation++)
            check_problem(&state, &s, operation, count, 4, 1);
}

/* ---- the same bits ----------------------------------------------------------------------------
 */

static int same_bits_again(const device_call *c, int runs)
{
    size_t bytes = (size_t)call_out_entries(c) * call_entry_bytes(c);
    void *first = result_of(c);
    int good = first != NULL;
    for (int run = 1; good && run < runs; run++) {
        void *again = result_of(c);
        good = again && !memcmp(first, again, bytes);
        if (again && !good) {
            call_print(c);
            printf("other bits in run %d\n", run);
        }
        free(again);
    }
    free(first);
    return good;
}

/* A batch of the same path all over. */
static int same_bits_in_batch(const device_call *c)
{
    size_t bytes = (size_t)(call_out_entries(c) / c->batch) * call_entry_bytes(c);
    char *y = result_of(c);
    int good = y != NULL;
    for (int64_t i = 1; good && i < c->batch; i++) {
        good = !memcmp(y, y + (size_t)i * bytes, bytes);
        if (good) continue;
        call_print(c);
        printf("other bits at place %d\n", (int)i);
    }
    free(y);
    return good;
}

static void check_repeat(int runs)
{
    enum { BATCH = 13, LENGTH = 150 };
    uint64_t state = 11;
    for (int call = SIGAD_CALL_SIG; call <= SIGAD_CALL_LOG_SIG_BACKPROP; call++)
        for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++) {
            device_call c = {.call = (sigad_call)call,
                             .dtype = (sigad_dtype)dtype,
                             .spec = {SIGAD_SIG_SPEC_INIT, .dimension = 3, .degree = 3,
                                      .method = SIGAD_LYNDON_BRACKETS},
                             .batch = BATCH,
                             .length = LENGTH};
            size_t x_bytes = (size_t)call_x_entries(&c) * call_entry_bytes(&c);
            size_t g_bytes = (size_t)call_y_entries(&c) * call_entry_bytes(&c);
            char *x = draw_array(&state, c.dtype, BATCH * call_x_entries(&c), 0.3);
            char *g = draw_array(&state, c.dtype, BATCH * call_y_entries(&c), 1.0);
            c.x = x;
            if (call_is_backward(c.call)) c.y_bar = g;
            count(same_bits_again(&c, runs));
            for (size_t i = 1; i < BATCH; i++) {
                memcpy(x + i * x_bytes, x, x_bytes);
                memcpy(g + i * g_bytes, g, g_bytes);
            }
            count(same_bits_in_batch(&c));
            free(x);
            free(g);
        }
}

/* ---- golden values ----------------------------------------------------------------------------
 */

static int check_golden_case(const golden *g, int dtype, int backward)
{
    void *x = golden_converted(g, X, dtype), *y_bar = golden_converted(g, G, dtype);
    device_call c = {.call = (sigad_call)(2 * g->operation + 1 + backward),
                     .dtype = (sigad_dtype)dtype,
                     .spec = g->spec,
                     .batch = g->batch,
                     .length = g->length,
                     .x = x,
                     .y_bar = backward ? y_bar : NULL};
    void *found = result_of(&c);
    int good = found && golden_agrees(g, "device", dtype, backward ? VJP : Y, found);
    free(x);
    free(y_bar);
    free(found);
    return good;
}

static int check_golden(const char *name)
{
    golden c;
    int more;
    FILE *file = fopen(name, "r");
    if (!file) {
        printf("skipped: cannot read %s\n", name);
        return SKIPPED;
    }
    while ((more = golden_read(file, &c)) > 0) {
        int good = 1;
        for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++)
            good &= check_golden_case(&c, dtype, 0) & check_golden_case(&c, dtype, 1);
        count(good);
        golden_release(&c);
    }
    if (more < 0) golden_release(&c);
    fclose(file);
    return more < 0 ? CANNOT_RUN : 0;
}

/* ---- the program ------------------------------------------------------------------------------
 */

static void say(void *user, sigad_log_level level, const char *message)
{
    (void)user;
    if (level == SIGAD_LOG_ERROR) printf("skipped: %s\n", message);
}

/* If there is none, why. */
static int there_is_a_device(void)
{
    sigad_context *context;
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .device = SIGAD_CUDA, .log = say};
    sigad_status status = sigad_context_create(&options, &context);
    if (!status) sigad_context_destroy(context);
    return status == SIGAD_OK;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "", *argument = argc > 2 ? argv[2] : NULL;
    setvbuf(stdout, NULL, _IOLBF, 0); /* who is stopped has said what was found until then */
    if (!there_is_a_device()) return SKIPPED;
    int status = 0;
    if (!strcmp(command, "golden") && argument)
        status = check_golden(argument);
    else if (!strcmp(command, "random") && argument)
        check_random(atoi(argument));
    else if (!strcmp(command, "shapes"))
        check_shapes();
    else if (!strcmp(command, "many") && argument)
        check_many(atoi(argument));
    else if (!strcmp(command, "repeat") && argument)
        check_repeat(atoi(argument));
    else if (!strcmp(command, "train") && argument)
        count(!device_train(atoi(argument)));
    else if (!strcmp(command, "name"))
        return printf("%s\n", device_name()) < 0;
    else if (!strcmp(command, "time"))
        return device_time();
    else if (!strcmp(command, "steps") && argument && argc > 3)
        return device_steps(atoi(argument), atoi(argv[3]));
    else if (!strcmp(command, "hurst") && argument)
        return device_hurst(argument);
    else
        status = CANNOT_RUN;
    if (status) return status;
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
