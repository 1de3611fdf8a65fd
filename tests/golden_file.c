#include "golden_file.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ENTRIES = 10000000 };
static const char *const array_name[ARRAYS] = {"x", "g", "v", "y", "vjp", "jvp", "soc"};

const char *const golden_operation[OPERATIONS] = {"sig", "log_sig", "sig_to_log_sig",
                                                  "logsig_to_sig"};

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
    while (c->operation < OPERATIONS && strcmp(name, golden_operation[c->operation]))
        c->operation++;
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

int golden_read(FILE *file, golden *c)
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

void golden_release(golden *c)
{
    for (int i = 0; i < ARRAYS; i++) free(c->array[i]);
}

/* ---- comparing ------------------------------------------------------------------------------- */

int golden_agrees(const golden *c, const char *where, int dtype, int which, const void *got)
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
           golden_operation[c->operation], where, dtype == SIGAD_F32 ? 32 : 64, array_name[which],
           worst / largest, c->spec.dimension, c->spec.degree, c->spec.time_aug, c->spec.lead_lag,
           c->spec.scalar_term, c->spec.method, c->spec.end_time, c->batch, c->length);
    return 0;
}

void *golden_converted(const golden *c, int which, int dtype)
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
