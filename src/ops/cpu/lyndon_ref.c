#include "ops/cpu/signature_ref.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Letters of the word at place `index` of level k. */
static void spell(sg_ref_shape shape, int k, int64_t index, int *letter)
{
    for (int i = k - 1; i >= 0; i--, index /= shape.letters)
        letter[i] = (int)(index % shape.letters);
}

/* -1, 0, 1 as a is less than, equal to, greater than b; a proper prefix is less. */
static int compare(const int *a, int a_length, const int *b, int b_length)
{
    for (int i = 0; i < a_length && i < b_length; i++)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return (a_length > b_length) - (a_length < b_length);
}

/* The definition: less than each of its proper suffixes. */
static int is_lyndon(const int *word, int length)
{
    for (int i = 1; i < length; i++)
        if (compare(word, length, word + i, length - i) >= 0) return 0;
    return 1;
}

/* The bracket of a Lyndon word as a tensor. */
static double *expand(sg_ref_shape shape, const int *word, int length)
{
    if (length == 1) {
        double *x = sg_ref_new(shape, 0);
        if (x) x[1 + word[0]] = 1;
        return x;
    }
    int cut = 1;
    while (!is_lyndon(word + cut, length - cut)) cut++;
    double *u = expand(shape, word, cut), *v = expand(shape, word + cut, length - cut);
    double *uv = sg_ref_new(shape, 0), *vu = sg_ref_new(shape, 0);
    if (u && v && uv && vu) {
        sg_ref_multiply(shape, u, v, uv);
        sg_ref_multiply(shape, v, u, vu);
        for (int64_t i = 0; i < sg_ref_entries(shape); i++) uv[i] -= vu[i];
    } else {
        free(uv);
        uv = NULL;
    }
    free(u);
    free(v);
    free(vu);
    return uv;
}

int sg_ref_basis_create(sg_ref_shape shape, sg_ref_basis *basis)
{
    int64_t entries = sg_ref_entries(shape);
    int *word = malloc((size_t)shape.degree * sizeof *word);
    *basis = (sg_ref_basis){0, malloc((size_t)entries * sizeof *basis->place), NULL};
    int good = word && basis->place;
    for (int k = 1; good && k <= shape.degree; k++)
        for (int64_t at = sg_ref_level(shape, k); at < sg_ref_level(shape, k + 1); at++) {
            spell(shape, k, at - sg_ref_level(shape, k), word);
            if (is_lyndon(word, k)) basis->place[basis->count++] = at;
        }
    if (good) basis->expansion = calloc((size_t)(basis->count * entries), sizeof(double));
    good = good && basis->expansion;
    for (int64_t i = 0; good && i < basis->count; i++) {
        int k = 1;
        while (basis->place[i] >= sg_ref_level(shape, k + 1)) k++;
        spell(shape, k, basis->place[i] - sg_ref_level(shape, k), word);
        double *row = expand(shape, word, k);
        good = row != NULL;
        if (row) memcpy(basis->expansion + i * entries, row, (size_t)entries * sizeof *row);
        free(row);
    }
    free(word);
    if (!good) sg_ref_basis_destroy(basis);
    return good;
}

void sg_ref_basis_destroy(sg_ref_basis *basis)
{
    free(basis->place);
    free(basis->expansion);
    *basis = (sg_ref_basis){0, NULL, NULL};
}

int sg_ref_coordinates(sg_ref_shape shape, const sg_ref_basis *basis, double *c)
{
    int64_t n = basis->count, entries = sg_ref_entries(shape);
    double *a = malloc((size_t)(n * n) * sizeof *a);
    if (!a) return 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            a[i * n + j] = basis->expansion[j * entries + basis->place[i]];
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[pivot * n + k])) pivot = i;
        for (int64_t j = 0; j < n; j++) {
            double swap = a[k * n + j];
            a[k * n + j] = a[pivot * n + j];
            a[pivot * n + j] = swap;
        }
        double swap = c[k];
        c[k] = c[pivot];
        c[pivot] = swap;
        for (int64_t i = 0; i < n; i++) {
            double factor = a[i * n + k] / a[k * n + k];
            if (i == k || factor == 0) continue;
            for (int64_t j = k; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
            c[i] -= factor * c[k];
        }
    }
    for (int64_t k = 0; k < n; k++) c[k] /= a[k * n + k];
    free(a);
    return 1;
}
