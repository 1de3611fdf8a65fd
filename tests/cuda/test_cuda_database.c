/* Every row of the operation database on the emulated device beside the CPU: the value, gradients
 * and tangents, and in float64 Hessian-vector products, recorded gradients and theirs. */
#include "emulation_control.h"
#include "support/database_check.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* Everything that a case is asked for, by name. */
enum { MOST_RESULTS = 2 + 4 * DB_INPUTS };
typedef struct {
    int count;
    const char *name[MOST_RESULTS];
    db_array array[MOST_RESULTS];
} results;

static void keep(results *r, const db_case *c, const char *name, sigad_tensor x)
{
    r->name[r->count] = name;
    r->array[r->count++] = db_read(c->tape, x);
}

static sigad_tensor contracted(const db_case *c, sigad_tensor x, sigad_tensor with)
{
    return sigad_sum(c->tape, sigad_mul(c->tape, x, with), SIGAD_ALL, 0);
}

static void second_order(results *r, db_case *c, int n, const sigad_tensor *x,
                         const sigad_tensor *tangent, sigad_tensor cotangent)
{
    sigad_tensor product[DB_INPUTS], grad[DB_INPUTS], twice[DB_INPUTS];
    sigad_hvp(c->tape, contracted(c, c->y, cotangent), n, x, tangent, product);
    for (int i = 0; i < n; i++) keep(r, c, "hvp", product[i]);
    sigad_grads(c->tape, c->y, n, x, cotangent, grad);
    for (int i = 0; i < n; i++) keep(r, c, "recorded gradient", grad[i]);
    sigad_tensor slope = contracted(c, grad[0], tangent[0]);
    for (int i = 1; i < n; i++)
        slope = sigad_add(c->tape, slope, contracted(c, grad[i], tangent[i]));
    sigad_grads(c->tape, slope, n, x, sigad_scalar(c->tape, (sigad_dtype)c->dtype, 1), twice);
    for (int i = 0; i < n; i++) keep(r, c, "gradient of a recorded gradient", twice[i]);
}

/* Up to that order of derivatives. */
static results results_of(db_case *c, int order)
{
    sigad_tensor x[DB_INPUTS], tangent[DB_INPUTS];
    double *entries[DB_INPUTS];
    results r = {0};
    keep(&r, c, "value", c->y);
    if (!db_any_differentiable(c)) return r;
    const int n = db_directions(c, DIRECTION_STREAM, x, tangent, entries);
    const sigad_tensor cotangent = db_drawn_like(c, c->y, COTANGENT_STREAM, NULL);
    sigad_backward_with(c->tape, c->y, cotangent);
    for (int k = 0; k < c->row->n; k++)
        if (db_differentiable(c, k)) keep(&r, c, "gradient", sigad_gradient(c->tape, c->input[k]));
    keep(&r, c, "jvp", sigad_jvp(c->tape, c->y, n, x, tangent));
    if (order > 1 && !(c->row->flags & DB_ONCE)) second_order(&r, c, n, x, tangent, cotangent);
    db_expect_ok(c, "sweeps");
    for (int k = 0; k < c->row->n; k++) free(entries[k]);
    return r;
}

static void agrees_with_the_cpu(db_case *host)
{
    const int order = host->dtype == SIGAD_F64 ? 2 : 1;
    db_case device;
    double wide = host->row->rtol > 0 ? host->row->rtol : 1e-12;
    double narrow = host->row->rtol32 > 0 ? host->row->rtol32 : 2e-5;
    results expected = results_of(host, order), got = {0};
    db_device = SIGAD_CUDA;
    if (db_open(&device, host->family, host->row, host->dtype, 1)) got = results_of(&device, order);
    db_device = SIGAD_CPU;
    cr_expect_eq(got.count, expected.count, "%s", db_name(&device));
    for (int i = 0; i < got.count && i < expected.count; i++)
        db_expect_close(&device, got.name[i], &got.array[i], &expected.array[i],
                        host->dtype == SIGAD_F64 ? 10 * wide : 5 * narrow);
    db_close(&device);
    for (int i = 0; i < expected.count; i++) free(expected.array[i].data);
    for (int i = 0; i < got.count; i++) free(got.array[i].data);
    cr_expect_eq(emulation_blocks(), 0, "%s: memory of the device is left", db_name(host));
}

Test(cuda_database, float64)
{
    db_for_all(SIGAD_F64, 0, agrees_with_the_cpu);
}

Test(cuda_database, float32)
{
    db_for_all(SIGAD_F32, 0, agrees_with_the_cpu);
}

/* Another order of threads changes no bit. */
static void schedules_change_no_bit(db_case *c)
{
    results expected = results_of(c, 1);
    for (int schedule = EMULATION_DOWNWARDS; schedule < EMULATION_SCHEDULES; schedule++) {
        db_case other;
        results got = {0};
        emulated.schedule = schedule;
        if (db_open(&other, c->family, c->row, c->dtype, 1)) got = results_of(&other, 1);
        for (int i = 0; i < got.count; i++) {
            db_expect_same_bits(&other, got.name[i], &got.array[i], &expected.array[i]);
            free(got.array[i].data);
        }
        db_close(&other);
        emulated.schedule = EMULATION_UPWARDS;
    }
    for (int i = 0; i < expected.count; i++) free(expected.array[i].data);
}

Test(cuda_database, schedules)
{
    db_device = SIGAD_CUDA;
    db_for_all(SIGAD_F64, 0, schedules_change_no_bit);
    db_device = SIGAD_CPU;
}
