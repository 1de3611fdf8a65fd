/* Checkpoints: all or nothing in both directions, and training that goes on as if it had never
 * stopped. */
#include "graph/context.h"
#include "support/failing_allocator.h"
#include "support/hostile.h"
#include <criterion/criterion.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8, IN = 3, HIDDEN = 8 };

TestSuite(checkpoint, .fini = hostile_remove);

/* ---- a model and its training ---- */

typedef struct {
    sigad_context *context;
    sigad_optimizer *optimizer;
    sigad_tensor w1, b1, w2, b2;
} model;

typedef sigad_status (*maker)(sigad_context *context, sigad_optimizer **optimizer);

static sigad_status no_optimizer(sigad_context *context, sigad_optimizer **optimizer)
{
    *optimizer = NULL;
    return sigad_context_status(context);
}

static sigad_status adam(sigad_context *context, sigad_optimizer **optimizer)
{
    const sigad_adam_options options = {SIGAD_ADAM_OPTIONS_INIT, .lr = 1e-2, .weight_decay = 1e-2,
                                        .clip_norm = 1.0};
    return sigad_adam_create(context, &options, optimizer);
}

static sigad_status plain_sgd(sigad_context *context, sigad_optimizer **optimizer)
{
    return sigad_sgd_create(context, NULL, optimizer);
}

static sigad_status nesterov(sigad_context *context, sigad_optimizer **optimizer)
{
    const sigad_sgd_options options = {SIGAD_SGD_OPTIONS_INIT, .momentum = 0.9, .nesterov = 1,
                                       .prefix = "fc"};
    return sigad_sgd_create(context, &options, optimizer);
}

static sigad_status rmsprop(sigad_context *context, sigad_optimizer **optimizer)
{
    const sigad_rmsprop_options options = {SIGAD_RMSPROP_OPTIONS_INIT, .centered = 1,
                                           .momentum = 0.5};
    return sigad_rmsprop_create(context, &options, optimizer);
}

static const maker makers[] = {adam, plain_sgd, nesterov, rmsprop};
enum { MAKERS = sizeof makers / sizeof *makers };

static void parameters(model *m, sigad_dtype dtype)
{
    sigad_context *c = m->context;
    m->w1 = sigad_parameter(c, "fc1.weight", dtype, SIGAD_SHAPE(IN, HIDDEN), SIGAD_INIT_HE);
    m->b1 = sigad_parameter(c, "fc1.bias", dtype, SIGAD_SHAPE(HIDDEN), SIGAD_INIT_ZERO);
    m->w2 = sigad_parameter(c, "fc2.weight", dtype, SIGAD_SHAPE(HIDDEN, 1), SIGAD_INIT_XAVIER);
    m->b2 = sigad_parameter(c, "fc2.bias", dtype, SIGAD_SHAPE(1), SIGAD_INIT_ZERO);
    sigad_parameter(c, "unreached", SIGAD_F64, SIGAD_SHAPE(2, 2), SIGAD_INIT_NORMAL(0, 1));
    sigad_parameter(c, "fc0.empty", SIGAD_F32, SIGAD_SHAPE(0, 2), SIGAD_INIT_ZERO);
}

static model create(maker make, sigad_dtype dtype, failing_allocator *memory)
{
    model m = {0};
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = 1};
    if (memory) options.allocator = failing_allocator_hook(memory);
    cr_assert_eq(sigad_context_create(&options, &m.context), SIGAD_OK);
    parameters(&m, dtype);
    cr_assert_eq(make(m.context, &m.optimizer), SIGAD_OK, "%s", sigad_context_message(m.context));
    return m;
}

static void train(const model *m, sigad_dtype dtype, int first, int count)
{
    sigad_tape *t;
    cr_assert_eq(sigad_tape_create(m->context, &t), SIGAD_OK);
    for (int step = first; step < first + count; step++) {
        sigad_tape_reset(t);
        sigad_tape_set_step(t, (uint64_t)step); /* also draws the batch and the dropout */
        sigad_tensor x = sigad_normal(t, dtype, SIGAD_SHAPE(BATCH, IN));
        sigad_tensor y = sigad_normal(t, dtype, SIGAD_SHAPE(BATCH, 1));
        sigad_tensor h = sigad_dropout(t, sigad_tanh(t, sigad_linear(t, x, m->w1, m->b1)), 0.25);
        sigad_tensor loss = sigad_mse(t, sigad_linear(t, h, m->w2, m->b2), y);
        sigad_optimizer_zero(m->optimizer);
        sigad_backward(t, loss);
        sigad_optimizer_step(m->optimizer);
    }
    cr_assert_eq(sigad_context_status(m->context), SIGAD_OK, "%s",
                 sigad_context_message(m->context));
    sigad_tape_destroy(t);
}

static bool same_parameters(const model *a, const model *b)
{
    bool same = a->context->parameter_count == b->context->parameter_count;
    for (size_t i = 0; same && i < a->context->parameter_count; i++) {
        const sigad_array *x = &a->context->parameters[i]->value;
        const sigad_array *y = &b->context->parameters[i]->value;
        same = !memcmp(x->data, y->data, sg_array_bytes(x));
    }
    return same;
}

static void failed(const model *m, sigad_status status, const char *message)
{
    cr_expect_str_eq(sigad_context_message(m->context), message);
    cr_expect_eq(sigad_context_clear(m->context), status);
}

static void save(const model *m, const char *path)
{
    cr_assert_eq(sigad_save(m->context, m->optimizer, path), SIGAD_OK, "%s",
                 sigad_context_message(m->context));
}

/* ---- tests ---- */

Test(checkpoint, training_goes_on_bit_for_bit)
{
    static const sigad_dtype dtypes[] = {SIGAD_F32, SIGAD_F64};
    const char *path = hostile_path("model.safetensors");
    for (int i = 0; i < 2 * MAKERS; i++) {
        sigad_dtype dtype = dtypes[i % 2];
        model straight = create(makers[i / 2], dtype, NULL);
        model first = create(makers[i / 2], dtype, NULL),
              second = create(makers[i / 2], dtype, NULL);
        train(&straight, dtype, 0, 20);
        train(&first, dtype, 0, 10);
        save(&first, path);
        cr_assert_eq(sigad_load(second.context, second.optimizer, path), SIGAD_OK, "%s",
                     sigad_context_message(second.context));
        cr_assert(same_parameters(&first, &second));
        cr_assert(!same_parameters(&first, &straight));
        train(&second, dtype, 10, 10);
        cr_expect(same_parameters(&second, &straight), "optimizer %d", i / 2);
        sigad_context_destroy(straight.context);
        sigad_context_destroy(first.context);
        sigad_context_destroy(second.context);
    }
}

/* The same file whether or not training has begun to fill the state, and again after a load. */
Test(checkpoint, files_are_deterministic)
{
    size_t count[3];
    unsigned char *bytes[3];
    const char *path = hostile_path("model.safetensors");
    model a = create(adam, SIGAD_F32, NULL), b = create(adam, SIGAD_F32, NULL);
    save(&a, path);
    cr_assert_eq(sigad_load(b.context, b.optimizer, path), SIGAD_OK);
    cr_assert(same_parameters(&a, &b));
    train(&a, SIGAD_F32, 0, 3);
    for (int i = 0; i < 3; i++) {
        save(i < 2 ? &a : &b, path);
        bytes[i] = hostile_read(path, &count[i]);
        if (i == 1) cr_assert_eq(sigad_load(b.context, b.optimizer, path), SIGAD_OK);
    }
    cr_assert(count[0] == count[1] && !memcmp(bytes[0], bytes[1], count[0]));
    cr_assert(count[0] == count[2] && !memcmp(bytes[0], bytes[2], count[0]));
    cr_assert_eq(sigad_load_memory(b.context, b.optimizer, bytes[0], count[0]), SIGAD_OK);
    for (int i = 0; i < 3; i++) free(bytes[i]);
    sigad_context_destroy(a.context);
    sigad_context_destroy(b.context);
}

Test(checkpoint, optimizer_state_is_optional)
{
    const char *path = hostile_path("model");
    model a = create(adam, SIGAD_F32, NULL), b = create(no_optimizer, SIGAD_F32, NULL);
    model c = create(nesterov, SIGAD_F32, NULL);
    char want[SG_MESSAGE_BYTES];
    train(&a, SIGAD_F32, 0, 2);
    save(&a, path);
    cr_assert_eq(sigad_load(b.context, NULL, path), SIGAD_OK);
    cr_assert(same_parameters(&a, &b));
    cr_expect_eq(sigad_load(c.context, c.optimizer, path), SIGAD_EFORMAT);
    cr_expect_not_null(strstr(sigad_context_message(c.context), "'optimizer/sgd."));
    sigad_context_clear(c.context);
    cr_assert_eq(sigad_save(a.context, NULL, path), SIGAD_OK);
    cr_assert_eq(sigad_load(b.context, NULL, path), SIGAD_OK);
    cr_expect_eq(sigad_load(a.context, a.optimizer, path), SIGAD_EFORMAT);
    snprintf(want, sizeof want,
             "%s: there is no tensor 'optimizer/adam.m/fc1.weight'; was it saved with this "
             "optimizer?",
             path);
    failed(&a, SIGAD_EFORMAT, want);
    cr_expect_eq(sigad_save(b.context, a.optimizer, path), SIGAD_EINVAL);
    failed(&b, SIGAD_EINVAL, "sigad_save: the optimizer belongs to another context");
    sigad_context_destroy(a.context);
    sigad_context_destroy(b.context);
    sigad_context_destroy(c.context);
}

/* A tape that used the old values must not go backward over the new ones. */
Test(checkpoint, a_load_is_a_write)
{
    const char *path = hostile_path("model");
    model m = create(adam, SIGAD_F32, NULL);
    sigad_tape *t;
    save(&m, path);
    cr_assert_eq(sigad_tape_create(m.context, &t), SIGAD_OK);
    sigad_tensor loss = sigad_mse(t, m.b1, sigad_normal(t, SIGAD_F32, SIGAD_SHAPE(HIDDEN)));
    cr_assert_eq(sigad_load(m.context, m.optimizer, path), SIGAD_OK);
    cr_expect_eq(sigad_backward(t, loss), SIGAD_EMODIFIED);
    sigad_context_destroy(m.context);
}

Test(checkpoint, load_is_strict_and_changes_nothing_else)
{
    char path[512], want[SG_MESSAGE_BYTES];
    strcpy(path, hostile_path("model"));
    model m = create(adam, SIGAD_F32, NULL), copy = create(adam, SIGAD_F32, NULL);
    model other = {0};
    train(&m, SIGAD_F32, 0, 1);
    train(&copy, SIGAD_F32, 0, 1);
    static const struct {
        sigad_dtype dtype;
        int64_t size;
        const char *extra;
        sigad_status status;
        const char *message;
    } files[] = {
        {SIGAD_F64, HIDDEN, NULL, SIGAD_EDTYPE,
         "'fc1.weight' is float64, but float32 in the context"},
        {SIGAD_F32, 5, NULL, SIGAD_ESHAPE, "'fc1.weight' is [3,5], but [3,8] in the context"},
        {SIGAD_F32, HIDDEN, NULL, SIGAD_EFORMAT,
         "there is no tensor 'fc2.weight', which the context has"},
        {SIGAD_F32, HIDDEN, "more", SIGAD_EFORMAT, "tensor 'more' is not one of the context's"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        cr_assert_eq(sigad_context_create(NULL, &other.context), SIGAD_OK);
        if (files[i].extra) {
            parameters(&other, files[i].dtype);
            sigad_parameter(other.context, files[i].extra, SIGAD_F32, 0, NULL, SIGAD_INIT_ZERO);
        } else {
            sigad_parameter(other.context, "fc1.weight", files[i].dtype,
                            SIGAD_SHAPE(IN, files[i].size), SIGAD_INIT_HE);
            sigad_parameter(other.context, "fc1.bias", files[i].dtype, SIGAD_SHAPE(HIDDEN),
                            SIGAD_INIT_HE);
        }
        cr_assert_eq(sigad_save(other.context, NULL, path), SIGAD_OK);
        cr_expect_eq(sigad_load(m.context, NULL, path), files[i].status);
        snprintf(want, sizeof want, "%s: %s", path, files[i].message);
        failed(&m, files[i].status, want);
        cr_expect(same_parameters(&m, &copy));
        sigad_context_destroy(other.context);
    }
    sigad_load(m.context, m.optimizer, hostile_path("none"));
    snprintf(want, sizeof want, "cannot read '%s': No such file or directory",
             hostile_path("none"));
    failed(&m, SIGAD_EIO, want);
    sigad_load_memory(m.context, m.optimizer, "12345", 5);
    failed(&m, SIGAD_EFORMAT,
           "memory: byte 5: the file ends within the 8 bytes of the header's length");
    train(&m, SIGAD_F32, 1, 2);
    train(&copy, SIGAD_F32, 1, 2);
    cr_expect(same_parameters(&m, &copy), "the optimizer's state has changed");
    sigad_context_destroy(m.context);
    sigad_context_destroy(copy.context);
}

Test(checkpoint, bad_arguments)
{
    model m = create(no_optimizer, SIGAD_F32, NULL);
    cr_expect_eq(sigad_save(NULL, NULL, "x"), SIGAD_EINVAL);
    cr_expect_eq(sigad_load(NULL, NULL, "x"), SIGAD_EINVAL);
    cr_expect_eq(sigad_load_memory(NULL, NULL, "x", 1), SIGAD_EINVAL);
    sigad_save(m.context, NULL, NULL);
    failed(&m, SIGAD_EINVAL, "sigad_save: path is NULL");
    sigad_load(m.context, NULL, NULL);
    failed(&m, SIGAD_EINVAL, "sigad_load: path is NULL");
    sigad_load_memory(m.context, NULL, NULL, 0);
    failed(&m, SIGAD_EINVAL, "sigad_load_memory: bytes is NULL");
    sigad_parameter(m.context, "optimizer/x", SIGAD_F32, 0, NULL, SIGAD_INIT_ZERO);
    sigad_save(m.context, NULL, hostile_path("x"));
    failed(&m, SIGAD_EINVAL,
           "sigad_save: the name of parameter 'optimizer/x' may not begin with optimizer/, as "
           "optimizer state does");
    cr_expect_eq(hostile_files(), 0);
    sigad_context_destroy(m.context);
}

Test(checkpoint, a_full_disk_keeps_the_old_checkpoint)
{
    char path[512], want[SG_MESSAGE_BYTES];
    strcpy(path, hostile_path("model"));
    model m = create(adam, SIGAD_F32, NULL), copy = create(adam, SIGAD_F32, NULL);
    train(&m, SIGAD_F32, 0, 2);
    save(&m, path);
    train(&copy, SIGAD_F32, 0, 2);
    train(&m, SIGAD_F32, 2, 2);
    hostile_fill_disk(1024);
    sigad_save(m.context, m.optimizer, path);
    hostile_fill_disk(0);
    snprintf(want, sizeof want, "cannot write '%s': File too large", path);
    failed(&m, SIGAD_EIO, want);
    cr_assert_eq(sigad_load(m.context, m.optimizer, path), SIGAD_OK);
    cr_expect(same_parameters(&m, &copy));
    cr_expect_eq(hostile_files(), 1);
    sigad_context_destroy(m.context);
    sigad_context_destroy(copy.context);
}

/* Fails each allocation of a save and of a load, once and for ever. */
Test(checkpoint, starvation)
{
    char good[512], path[512];
    strcpy(good, hostile_path("good"));
    strcpy(path, hostile_path("model"));
    model trained = create(adam, SIGAD_F32, NULL), fresh = create(adam, SIGAD_F32, NULL);
    train(&trained, SIGAD_F32, 0, 2);
    save(&trained, good);
    for (int what = 0; what < 4; what++)
        for (int64_t k = 1;; k++) {
            failing_allocator memory = {0};
            model m = create(adam, SIGAD_F32, &memory);
            failing_allocator_arm(&memory, k, what & 1);
            sigad_status status = what & 2 ? sigad_load(m.context, m.optimizer, good)
                                           : sigad_save(m.context, m.optimizer, path);
            bool ok = status == SIGAD_OK;
            cr_assert_eq(memory.failed == 0, ok);
            cr_assert_eq(hostile_files(), ok && !(what & 2) ? 2 : 1);
            cr_assert(same_parameters(&m, ok && what & 2 ? &trained : &fresh));
            if (!ok) { /* the same again, with memory */
                cr_assert_eq(sigad_context_clear(m.context), SIGAD_ENOMEM);
                failing_allocator_arm(&memory, 0, false);
                cr_assert_eq(sigad_load(m.context, m.optimizer, good), SIGAD_OK);
                cr_assert(same_parameters(&m, &trained));
            }
            sigad_context_destroy(m.context);
            cr_assert_eq(memory.live, 0);
            remove(path);
            if (ok) break;
        }
    sigad_context_destroy(trained.context);
    sigad_context_destroy(fresh.context);
}

/* Whatever a file says, the context holds afterwards what it held, or all of the file. */
Test(checkpoint, corrupted_files)
{
    size_t count;
    const char *path = hostile_path("model");
    model trained = create(adam, SIGAD_F32, NULL), fresh = create(adam, SIGAD_F32, NULL);
    model m = create(adam, SIGAD_F32, NULL);
    train(&trained, SIGAD_F32, 0, 2);
    save(&trained, path);
    unsigned char *bytes = hostile_read(path, &count);
    size_t header = 8 + (size_t)sg_little_endian(bytes, 8);
    for (size_t i = 0; i < header; i++) {
        bytes[i] ^= 1;
        sigad_status status = sigad_load_memory(m.context, m.optimizer, bytes, count);
        cr_assert(status == SIGAD_EFORMAT || status == SIGAD_ENOTSUP || status == SIGAD_ESHAPE ||
                      status == SIGAD_EDTYPE,
                  "byte %zu: status %d", i, status);
        sigad_context_clear(m.context);
        cr_assert(same_parameters(&m, &fresh));
        bytes[i] ^= 1;
    }
    for (size_t n = 0; n < count; n++) {
        cr_assert_eq(sigad_load_memory(m.context, m.optimizer, bytes, n), SIGAD_EFORMAT);
        sigad_context_clear(m.context);
    }
    cr_assert(same_parameters(&m, &fresh));
    cr_assert_eq(sigad_load_memory(m.context, m.optimizer, bytes, count), SIGAD_OK);
    cr_assert(same_parameters(&m, &trained));
    free(bytes);
    sigad_context_destroy(trained.context);
    sigad_context_destroy(fresh.context);
    sigad_context_destroy(m.context);
}
