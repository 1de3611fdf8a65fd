/* Backward takes arrays for cotangents only when something comes, lets operations overwrite them,
 * and hands them on. On random graphs it must give what the recorded gradient gives, which does
 * none of that. */
#include "support/world.h"
#include <criterion/criterion.h>
#include <math.h>
#include <sigad/sigad.h>

enum { SIDE = 4, ENTRIES = SIDE * SIDE, NODES = 14, LEAVES = 3, GRAPHS = 400 };

static uint64_t state;

static int draw(int below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int)((state >> 33) % (uint64_t)below);
}

static double draw_entry(void)
{
    return draw(2000) / 1000.0 - 1.0;
}

/* ---- operations from [4,4] to [4,4], of operands that may be one and the same ---------------- */

typedef sigad_tensor (*operation)(sigad_tape *t, sigad_tensor a, sigad_tensor b);

static sigad_tensor product(sigad_tape *t, sigad_tensor a, sigad_tensor b)
{
    return sigad_tanh(t, sigad_matmul_transposed(t, a, draw(2), b, draw(2)));
}

static sigad_tensor dense(sigad_tape *t, sigad_tensor a, sigad_tensor b)
{
    sigad_tensor bias = sigad_mean(t, b, 0, 0);
    return sigad_sigmoid(t, sigad_linear(t, a, b, bias));
}

static sigad_tensor convolved(sigad_tape *t, sigad_tensor a, sigad_tensor b)
{
    sigad_tensor weight = sigad_reshape(t, b, SIGAD_SHAPE(1, SIDE, SIDE));
    return sigad_tanh(t, sigad_conv1d(t, a, weight));
}

static sigad_tensor halves(sigad_tape *t, sigad_tensor a, sigad_tensor b)
{
    int axis = draw(2), cut = draw(SIDE + 1);
    return sigad_concat(
        t, 2, (sigad_tensor[]){sigad_slice(t, a, axis, 0, cut), sigad_slice(t, b, axis, cut, SIDE)},
        axis);
}

static sigad_tensor turned(sigad_tape *t, sigad_tensor a, sigad_tensor b)
{
    (void)b;
    return sigad_permute(t, a, 2, (int[]){1, 0});
}

static sigad_tensor reshaped(sigad_tape *t, sigad_tensor a, sigad_tensor b)
{
    (void)b;
    return sigad_reshape(t, sigad_reshape(t, a, SIGAD_SHAPE(ENTRIES)), SIGAD_SHAPE(SIDE, SIDE));
}

static sigad_tensor scaled_rows(sigad_tape *t, sigad_tensor a, sigad_tensor b)
{
    return sigad_mul(t, sigad_mean(t, a, draw(2), 1), b);
}

static sigad_tensor shifted(sigad_tape *t, sigad_tensor a, sigad_tensor b)
{
    return sigad_add(t, a, sigad_mean(t, b, SIGAD_ALL, 0));
}

static sigad_tensor larger(sigad_tape *t, sigad_tensor a, sigad_tensor b)
{
    return sigad_maximum(t, a, b);
}

static sigad_tensor chosen(sigad_tape *t, sigad_tensor a, sigad_tensor b)
{
    return sigad_where(t, sigad_less(t, a, b), a, b);
}

static sigad_tensor bent(sigad_tape *t, sigad_tensor a, sigad_tensor b)
{
    (void)b;
    return sigad_tanh(t, a);
}

static const operation operations[] = {sigad_add, sigad_add, sigad_sub,   sigad_mul, product,
                                       dense,     convolved, halves,      turned,    reshaped,
                                       shifted,   bent,      scaled_rows, larger,    chosen};
enum { OPERATIONS = sizeof operations / sizeof *operations };

/* ---- random graphs --------------------------------------------------------------------------- */

typedef struct {
    double data[LEAVES][ENTRIES];
    sigad_tensor node[NODES], loss;
    bool watched[NODES];
} graph;

static void build(sigad_tape *t, graph *g)
{
    for (int i = 0; i < NODES; i++) {
        if (i < LEAVES) {
            for (int k = 0; k < ENTRIES; k++) g->data[i][k] = draw_entry();
            g->node[i] = sigad_input(t, SIGAD_F64, SIGAD_SHAPE(SIDE, SIDE), g->data[i]);
        } else {
            g->node[i] = operations[draw(OPERATIONS)](t, g->node[draw(i)], g->node[draw(i)]);
        }
        g->watched[i] = draw(2);
        if (g->watched[i]) g->node[i] = sigad_watch(t, g->node[i]);
    }
    g->node[NODES - 1] = sigad_watch(t, g->node[NODES - 1]);
    g->watched[NODES - 1] = true;
    g->loss = sigad_add(t, sigad_sum(t, g->node[NODES - 1], SIGAD_ALL, 0),
                        sigad_mean(t, g->node[draw(NODES)], SIGAD_ALL, 0));
}

static void compare(sigad_tape *t, const graph *g, int number)
{
    sigad_tensor one = sigad_scalar(t, SIGAD_F64, 1.0), wanted[NODES];
    sigad_grads(t, g->loss, NODES, g->node, one, wanted);
    cr_assert_eq(sigad_backward(t, g->loss), SIGAD_OK);
    for (int i = 0; i < NODES; i++) {
        if (!g->watched[i]) continue;
        const double *want = sigad_data(t, wanted[i]);
        const double *got = sigad_data(t, sigad_gradient(t, g->node[i]));
        for (int k = 0; k < ENTRIES; k++)
            cr_assert(fabs(got[k] - want[k]) <= 1e-12 * (1 + fabs(want[k])),
                      "graph %d, node %d, entry %d: %.17g, not %.17g", number, i, k, got[k],
                      want[k]);
    }
}

Test(cotangents, backward_agrees_with_the_recorded_gradient)
{
    world w;
    world_open(&w);
    for (int number = 0; number < GRAPHS; number++) {
        graph g;
        state = (uint64_t)number;
        sigad_tape_reset(w.tape);
        build(w.tape, &g);
        cr_assert_eq(sigad_context_status(w.context), SIGAD_OK, "%s",
                     sigad_context_message(w.context));
        compare(w.tape, &g, number);
    }
    world_close(&w);
}

/* ---- operations that misbehave --------------------------------------------------------------- */

static sigad_status infer_like(sigad_op_call *call)
{
    *call->y = call->x[0];
    return SIGAD_OK;
}

static sigad_tape *used;
static sigad_status record_inside(sigad_op_call *call)
{
    (void)call;
    sigad_scalar(used, SIGAD_F64, 1.0);
    return SIGAD_OK;
}

Test(cotangents, a_function_that_records_on_its_own_tape_is_refused)
{
    static const sigad_op op = {SIGAD_OP_INIT, .name = "inside", .infer = infer_like,
                                .fwd = record_inside};
    world w;
    world_open(&w);
    used = w.tape;
    sigad_tensor x = sigad_scalar(w.tape, SIGAD_F64, 2.0);
    int64_t count = sigad_tape_count(w.tape);
    cr_assert_eq(sigad_apply(w.tape, &op, 1, &x, NULL, 0).generation, 0);
    cr_assert_eq(sigad_context_status(w.context), SIGAD_EINVAL);
    sigad_context_clear(w.context);
    cr_assert_eq(sigad_tape_count(w.tape), count);
    cr_assert_eq(sigad_item(w.tape, sigad_square(w.tape, x)), 4.0);
    world_close(&w);
}
