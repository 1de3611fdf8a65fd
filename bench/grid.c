/* Times the signature operations over a grid of shapes.
 *
 *     grid [--seconds S] [--threads N] [--kernel K] [--f32 | --f64] [--set NAME]
 *          [--operation NAME] [--quick]
 *
 * One line for each figure, in columns between tabs: the case, the median of the microseconds for
 * an item, the share of the rate at which this machine multiplies matrices, on as many threads, by
 * the floor of operations of bench_floor (0: unknown), the bytes of workspace, how many times
 * faster the threads are than one, and how many times as much so many threads get done that share
 * nothing, timed in turn. Comments (#) name the instruction set and that rate, which is measured
 * again before each shape, since the clock of a machine may drift. With --quick every case that is
 * not large is called once. */
#include "cases.h"
#include "gain.h"
#include "timing.h"
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *set;
    int64_t batch, length;
    int32_t dimension, degree;
    int32_t time_aug, lead_lag;
    int mixed;
} shape;

static const shape paths[] = {
    {"published", 32, 2000, 2, 2, 0, 0, 0},  {"published", 32, 2000, 2, 3, 0, 0, 0},
    {"published", 32, 2000, 4, 2, 0, 0, 0},  {"published", 32, 2000, 4, 3, 0, 0, 0},
    {"published", 32, 2000, 8, 2, 0, 0, 0},  {"published", 32, 2000, 8, 3, 0, 0, 0},
    {"published", 32, 2000, 16, 2, 0, 0, 0}, {"published", 32, 2000, 16, 3, 0, 0, 0},
    {"short", 512, 20, 3, 4, 0, 0, 0},       {"short", 512, 10, 5, 3, 0, 0, 0},
    {"short", 1024, 8, 2, 5, 0, 0, 0},       {"short", 256, 30, 12, 3, 0, 0, 0},
    {"short", 512, 2, 3, 4, 0, 0, 0},        {"short", 512, 3, 3, 4, 0, 0, 0},
    {"short", 512, 5, 3, 4, 0, 0, 0},        {"short", 512, 12, 3, 4, 0, 0, 0},
    {"deep", 64, 100, 2, 10, 0, 0, 0},       {"deep", 64, 100, 3, 6, 0, 0, 0},
    {"deep", 32, 100, 5, 5, 0, 0, 0},        {"deep", 16, 100, 8, 4, 0, 0, 0},
    {"deep", 8, 100, 8, 5, 0, 0, 0},         {"deep", 8, 100, 16, 4, 0, 0, 0},
    {"deep", 16, 100, 40, 3, 0, 0, 0},       {"single", 1, 30, 4, 4, 0, 0, 0},
    {"single", 1, 100, 8, 4, 0, 0, 0},       {"single", 1, 1000, 3, 5, 0, 0, 0},
    {"single", 1, 10000, 3, 4, 0, 0, 0},     {"single", 1, 1000000, 3, 4, 0, 0, 0},
    {"corners", 64, 100, 5, 1, 0, 0, 0},     {"corners", 64, 100, 1, 5, 0, 0, 0},
    {"corners", 16, 100, 100, 2, 0, 0, 0},   {"corners", 1, 20, 10, 7, 0, 0, 0},
    {"mixed", 64, 100, 3, 4, 0, 0, 0},       {"mixed", 64, 100, 3, 4, 0, 0, 1},
    {"mixed", 32, 2000, 4, 3, 0, 0, 1},      {"mixed", 32, 100, 5, 5, 0, 0, 1},
    {"augmented", 64, 100, 3, 4, 1, 0, 0},   {"augmented", 64, 100, 4, 4, 0, 0, 0},
    {"augmented", 64, 100, 3, 4, 0, 1, 0},   {"augmented", 64, 199, 6, 4, 0, 0, 0},
    {"augmented", 32, 100, 5, 3, 1, 1, 0},   {"augmented", 32, 199, 11, 3, 0, 0, 0},
};

static const shape transforms[] = {
    {"transforms", 512, 100, 2, 2, 0, 0, 0},  {"transforms", 512, 100, 2, 3, 0, 0, 0},
    {"transforms", 512, 100, 4, 2, 0, 0, 0},  {"transforms", 512, 100, 4, 3, 0, 0, 0},
    {"transforms", 512, 100, 8, 3, 0, 0, 0},  {"transforms", 512, 100, 16, 2, 0, 0, 0},
    {"transforms", 128, 100, 16, 3, 0, 0, 0}, {"transforms", 512, 100, 3, 4, 0, 0, 0},
    {"transforms", 512, 100, 5, 3, 0, 0, 0},  {"transforms", 1024, 100, 2, 5, 0, 0, 0},
    {"transforms", 256, 100, 12, 3, 0, 0, 0}, {"transforms", 1, 100, 4, 4, 0, 0, 0},
    {"transforms", 1, 100, 3, 5, 0, 0, 0},    {"transforms", 64, 100, 2, 10, 0, 0, 0},
    {"transforms", 64, 100, 3, 6, 0, 0, 0},   {"transforms", 32, 100, 5, 5, 0, 0, 0},
    {"transforms", 16, 100, 8, 4, 0, 0, 0},   {"transforms", 8, 100, 8, 5, 0, 0, 0},
    {"transforms", 8, 100, 16, 4, 0, 0, 0},   {"transforms", 16, 100, 40, 3, 0, 0, 0},
};

typedef struct {
    double seconds; /* for each figure */
    int threads, kernel;
    int f32, f64;
    const char *set, *operation;
    double rate[2]; /* of matrix products, of doubles and of floats */
} options;

static const char *const usage =
    "usage: %s [--seconds S] [--threads N] [--kernel K] [--f32 | --f64] "
    "[--set NAME] [--operation NAME] [--quick]\n";

/* On as many threads as it says, beside one and beside as many that share nothing. */
static int time_threads(const options *o, const bench_case *c, bench_problem *problem,
                        bench_gain *gain)
{
    bench_problem own[BENCH_MOST_THREADS];
    void *users[BENCH_MOST_THREADS];
    bench_case alone = *c;
    int opened = 0;
    alone.threads = 1;
    for (; opened < o->threads; opened++) {
        users[opened] = &own[opened];
        if (bench_open(&own[opened], &alone, NULL)) break;
    }
    int good = opened == o->threads &&
               bench_measure_gain(bench_call, problem, o->threads, users, o->seconds, gain);
    while (opened > 0) bench_close(&own[--opened]);
    return !good;
}

static int time_problem(const options *o, const bench_case *c, bench_gain *gain)
{
    bench_problem problem;
    int failed = 0;
    *gain = (bench_gain){-1.0, 1.0, 1.0};
    if (bench_open(&problem, c, NULL)) return 1;
    if (o->threads > 1)
        failed = time_threads(o, c, &problem, gain);
    else
        gain->seconds = bench_median(bench_call, &problem, o->seconds);
    bench_close(&problem);
    return failed || gain->seconds < 0;
}

static int time_case(const options *o, const char *set, const bench_case *c)
{
    const sigad_sig_spec *s = &c->spec;
    bench_gain gain;
    if (time_problem(o, c, &gain)) return 1;
    int64_t workspace = bench_workspace(c);
    double item = gain.seconds / (double)c->batch;
    printf("%s\t%s\t%s\t%d\t%d\t%s\t%d\t%lld\t%lld\t%d\t%d\t%d\t%d\t%d\t%.4f\t%.3f\t%lld\t%.2f"
           "\t%.2f\n",
           set, bench_operation_name[c->operation], c->backward ? "backward" : "forward", s->method,
           s->kernel, c->f32 ? "f32" : "f64", c->threads, (long long)c->batch, (long long)c->length,
           s->dimension, s->degree, s->time_aug, s->lead_lag, c->mixed, 1e6 * item,
           bench_floor(c) / item / (o->threads * o->rate[c->f32]), (long long)workspace, gain.gain,
           gain.limit);
    fflush(stdout);
    return workspace < 0;
}

static void measure_rates(options *o, double seconds)
{
    for (int f32 = !o->f64; f32 <= o->f32; f32++)
        o->rate[f32] = bench_product_rate(f32, o->seconds > 0 ? seconds : 0.0);
}

/* Both directions and both dtypes. */
static int time_shape(options *o, int operation, int method, const shape *s)
{
    sigad_sig_spec spec = {
        SIGAD_SIG_SPEC_INIT,     .dimension = s->dimension, .degree = s->degree,
        .time_aug = s->time_aug, .lead_lag = s->lead_lag,   .method = method,
        .kernel = o->kernel,
    };
    measure_rates(o, 0.03);
    for (int f32 = !o->f64; f32 <= o->f32; f32++)
        for (int backward = 0; backward < 2; backward++) {
            bench_case c = {operation, backward, f32,       o->threads,
                            s->mixed,  s->batch, s->length, spec};
            if (time_case(o, s->set, &c)) {
                fprintf(stderr, "a case failed\n");
                return 1;
            }
        }
    return 0;
}

static int time_list(options *o, int operation, int method, const shape *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const shape *s = &list[i];
        int large = s->length > 100000 || s->degree > 6 || s->dimension > 12;
        if (o->seconds <= 0 && large) continue;
        if (o->set && strcmp(o->set, s->set)) continue;
        if (o->operation && strcmp(o->operation, bench_operation_name[operation])) continue;
        if (time_shape(o, operation, method, s)) return 1;
    }
    return 0;
}

static int read_options(int argc, char **argv, options *o)
{
    *o = (options){.seconds = 0.05, .threads = 1, .f32 = 1, .f64 = 1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(argv[i], "--quick")) {
            o->seconds = 0;
            continue;
        }
        if (!strcmp(argv[i], "--f32") || !strcmp(argv[i], "--f64")) {
            o->f32 = argv[i][3] == '3';
            o->f64 = !o->f32;
            continue;
        }
        if (!value) return 1;
        if (!strcmp(argv[i], "--seconds"))
            o->seconds = atof(value);
        else if (!strcmp(argv[i], "--threads"))
            o->threads = atoi(value);
        else if (!strcmp(argv[i], "--kernel"))
            o->kernel = atoi(value);
        else if (!strcmp(argv[i], "--set"))
            o->set = value;
        else if (!strcmp(argv[i], "--operation"))
            o->operation = value;
        else
            return 1;
        i++;
    }
    return o->threads < 1 || o->threads > BENCH_MOST_THREADS;
}

int main(int argc, char **argv)
{
    enum {
        PATHS = sizeof paths / sizeof *paths,
        TRANSFORMS = sizeof transforms / sizeof *transforms
    };
    options o;
    if (read_options(argc, argv, &o)) {
        fprintf(stderr, usage, argv[0]);
        return 2;
    }
    printf("# instructions %s\n", sigad_instruction_set());
    measure_rates(&o, 1.0);
    if (o.f64) printf("# rate f64 %.4g\n", o.rate[0]);
    if (o.f32) printf("# rate f32 %.4g\n", o.rate[1]);
    printf(
        "set\toperation\tdirection\tmethod\tkernel\tdtype\tthreads\tbatch\tlength\tdimension\tdegree"
        "\ttime_aug\tlead_lag\tmixed\tmicroseconds\tshare\tworkspace\tgain\tlimit\n");
    int failed = time_list(&o, BENCH_SIG, SIGAD_EXPANDED, paths, PATHS);
    for (int operation = BENCH_LOG_SIG; !failed && operation < BENCH_OPERATIONS; operation++)
        for (int method = SIGAD_LYNDON_WORDS; !failed && method <= SIGAD_LYNDON_BRACKETS; method++)
            failed = time_list(&o, operation, method, transforms, TRANSFORMS);
    return failed;
}
