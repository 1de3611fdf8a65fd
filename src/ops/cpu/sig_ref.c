#include "ops/cpu/signature_ref.h"
#include <stdlib.h>
#include <string.h>

/* The augmented path [*length, letters], *length updated. */
static double *augment(const sigad_sig_spec *spec, const double *path, int64_t *length)
{
    int64_t d = spec->dimension, n = spec->lead_lag && *length ? 2 * *length - 1 : *length;
    int64_t letters = sg_ref_shape_of(spec).letters;
    double *out = calloc((size_t)(n * letters) + 1, sizeof *out);
    for (int64_t i = 0; out && i < n; i++) {
        double *point = out + i * letters;
        int64_t lag = spec->lead_lag ? i / 2 : i, lead = (i + 1) / 2;
        memcpy(point, path + lag * d, (size_t)d * sizeof *point);
        if (spec->lead_lag) memcpy(point + d, path + lead * d, (size_t)d * sizeof *point);
        if (spec->time_aug && n > 1)
            point[letters - 1] = spec->end_time * (double)i / (double)(n - 1);
    }
    *length = n;
    return out;
}

/* The signature with its level 0. */
static double *signature(const sigad_sig_spec *spec, int64_t length, const double *path)
{
    sg_ref_shape shape = sg_ref_shape_of(spec);
    double *points = augment(spec, path, &length), *s = sg_ref_new(shape, 1);
    double *z = sg_ref_new(shape, 0), *next = sg_ref_new(shape, 0);
    int good = points && s && z && next;
    for (int64_t i = 0; good && i + 1 < length; i++) {
        const double *from = points + i * shape.letters;
        for (int64_t k = 0; k < shape.letters; k++) z[1 + k] = from[shape.letters + k] - from[k];
        double *e = sg_ref_power_series(shape, z, sg_ref_exp_coefficient);
        good = e != NULL;
        if (!good) break;
        e[0] = 1;
        sg_ref_multiply(shape, s, e, next);
        memcpy(s, next, (size_t)sg_ref_entries(shape) * sizeof *s);
        free(e);
    }
    free(points);
    free(z);
    free(next);
    if (good) return s;
    free(s);
    return NULL;
}

/* Moves a tensor into the layout of the interface: without its level 0 unless that is asked for. */
static double *laid_out(const sigad_sig_spec *spec, double *tensor, int64_t *entries)
{
    *entries = sg_ref_entries(sg_ref_shape_of(spec)) - !spec->scalar_term;
    if (tensor && !spec->scalar_term)
        memmove(tensor, tensor + 1, (size_t)*entries * sizeof *tensor);
    return tensor;
}

/* A tensor from that layout, with this level 0. */
static double *taken_in(const sigad_sig_spec *spec, const double *array, double scalar)
{
    sg_ref_shape shape = sg_ref_shape_of(spec);
    double *tensor = sg_ref_new(shape, scalar);
    if (tensor)
        memcpy(tensor + 1, array + spec->scalar_term,
               (size_t)(sg_ref_entries(shape) - 1) * sizeof *tensor);
    return tensor;
}

/* Releases the tensor and gives its logarithm in the form that the spec asks for. */
static double *logarithm(const sigad_sig_spec *spec, double *s, int64_t *entries)
{
    sg_ref_shape shape = sg_ref_shape_of(spec);
    if (s) s[0] = 0;
    double *l = s ? sg_ref_power_series(shape, s, sg_ref_log_coefficient) : NULL;
    free(s);
    if (!l || spec->method == SIGAD_EXPANDED) return laid_out(spec, l, entries);
    sg_ref_basis basis;
    int good = sg_ref_basis_create(shape, &basis);
    if (good) {
        *entries = basis.count;
        for (int64_t i = 0; i < basis.count; i++) l[i] = l[basis.place[i]];
        if (spec->method == SIGAD_LYNDON_BRACKETS) good = sg_ref_coordinates(shape, &basis, l);
        sg_ref_basis_destroy(&basis);
    }
    if (good) return l;
    free(l);
    return NULL;
}

/* The tensor that coordinates in Lyndon words or brackets stand for. */
static double *expanded(const sigad_sig_spec *spec, const double *coordinate)
{
    sg_ref_shape shape = sg_ref_shape_of(spec);
    sg_ref_basis basis;
    if (!sg_ref_basis_create(shape, &basis)) return NULL;
    double *tensor = sg_ref_new(shape, 0), *c = malloc((size_t)basis.count * sizeof *c);
    int good = tensor && c;
    if (good) memcpy(c, coordinate, (size_t)basis.count * sizeof *c);
    if (good && spec->method == SIGAD_LYNDON_WORDS) good = sg_ref_coordinates(shape, &basis, c);
    int64_t n = sg_ref_entries(shape);
    for (int64_t j = 0; good && j < basis.count; j++)
        for (int64_t i = 0; i < n; i++) tensor[i] += c[j] * basis.expansion[j * n + i];
    sg_ref_basis_destroy(&basis);
    free(c);
    if (good) return tensor;
    free(tensor);
    return NULL;
}

double *sg_sig_ref(const sigad_sig_spec *spec, int64_t length, const double *path, int64_t *entries)
{
    return laid_out(spec, signature(spec, length, path), entries);
}

double *sg_log_sig_ref(const sigad_sig_spec *spec, int64_t length, const double *path,
                       int64_t *entries)
{
    return logarithm(spec, signature(spec, length, path), entries);
}

double *sg_sig_to_log_sig_ref(const sigad_sig_spec *spec, const double *sig, int64_t *entries)
{
    return logarithm(spec, taken_in(spec, sig, 1), entries);
}

double *sg_logsig_to_sig_ref(const sigad_sig_spec *spec, const double *log_sig, int64_t *entries)
{
    double *x =
        spec->method == SIGAD_EXPANDED ? taken_in(spec, log_sig, 0) : expanded(spec, log_sig);
    double *s = x ? sg_ref_power_series(sg_ref_shape_of(spec), x, sg_ref_exp_coefficient) : NULL;
    free(x);
    if (s) s[0] = 1;
    return laid_out(spec, s, entries);
}
