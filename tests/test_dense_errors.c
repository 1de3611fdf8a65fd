/* Bad calls of dense operations, each with the message that says what would be right. */
#include <criterion/criterion.h>
#include <math.h>
#include <sigad/sigad.h>

typedef struct {
    sigad_context *context;
    sigad_tape *tape;
    sigad_tensor matrix, other, vector, narrow, scalar, empty, index, many; /* see create */
} things;

static double numbers[64] = {1, 2, NAN, 4};
static const float narrow_numbers[6] = {1, 2, 3, 4, 5, 6};
static const int64_t integers[3] = {0, 2, -1};

static things create(void)
{
    things t = {0};
    sigad_context_create(NULL, &t.context);
    sigad_tape_create(t.context, &t.tape);
    t.matrix = sigad_input(t.tape, SIGAD_F64, SIGAD_SHAPE(2, 3), numbers);
    t.other = sigad_input(t.tape, SIGAD_F64, SIGAD_SHAPE(4, 3), numbers);
    t.vector = sigad_input(t.tape, SIGAD_F64, SIGAD_SHAPE(4), numbers);
    t.narrow = sigad_input(t.tape, SIGAD_F32, SIGAD_SHAPE(2, 3), narrow_numbers);
    t.scalar = sigad_scalar(t.tape, SIGAD_F64, 1e300);
    t.empty = sigad_input(t.tape, SIGAD_F64, SIGAD_SHAPE(2, 0), numbers);
    t.index = sigad_input(t.tape, SIGAD_I64, SIGAD_SHAPE(3), integers);
    t.many = sigad_input(t.tape, SIGAD_F64, SIGAD_SHAPE(1, 1, 1, 1, 1, 1, 1, 2), numbers);
    return t;
}

typedef struct {
    sigad_tensor (*call)(const things *t);
    sigad_status status;
    const char *message;
} bad_call;

/* A call with t->tape as `tape`; operands are fields of t. */
#define BAD(name, expression, status, message) \
    static sigad_tensor name(const things *t)  \
    {                                          \
        sigad_tape *tape = t->tape;            \
        return expression;                     \
    }
#include "support/dense_errors.inc"
#undef BAD

static const bad_call calls[] = {
#define BAD(name, expression, status, message) {name, status, message},
#include "support/dense_errors.inc"
#undef BAD
};

Test(dense_errors, messages)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        things t = create();
        sigad_tensor y = calls[i].call(&t);
        cr_expect_eq(y.generation, 0, "%s: the result is not the zero tensor", calls[i].message);
        cr_expect_eq(sigad_context_status(t.context), calls[i].status, "%s: status is '%s'",
                     calls[i].message, sigad_status_string(sigad_context_status(t.context)));
        cr_expect_str_eq(sigad_context_message(t.context), calls[i].message);
        sigad_context_clear(t.context);
        cr_expect_neq(sigad_exp(t.tape, t.matrix).generation, 0, "%s: no call works after it",
                      calls[i].message);
        sigad_context_destroy(t.context);
    }
}

/* The label of an operation comes after its failure, and goes into the message. */
Test(dense_errors, label)
{
    things t = create();
    sigad_label(t.tape, sigad_add(t.tape, t.matrix, t.vector), "residual");
    cr_expect_str_eq(sigad_context_message(t.context),
                     "add 'residual': [2,3] and [4] do not broadcast: sizes of an axis, counted "
                     "from the last, must be equal or 1");
    sigad_context_destroy(t.context);
}
