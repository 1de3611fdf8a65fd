#include <criterion/criterion.h>
#include <math.h>
#include <sigad/sigad.h>
#include <string.h>

static double at(sigad_schedule s, int64_t step)
{
    s.size = sizeof s;
    return sigad_schedule_lr(&s, step);
}

Test(schedules, constant_with_and_without_warm_up)
{
    cr_expect_eq(at((sigad_schedule){0}, 0), 1e-3);
    cr_expect_eq(at((sigad_schedule){.lr = 0.5}, INT64_MAX), 0.5);
    sigad_schedule s = {.lr = 1.0, .warmup = 3};
    const double expected[] = {0.25, 0.5, 0.75, 1.0, 1.0};
    for (int i = 0; i < 5; i++) cr_expect_eq(at(s, i), expected[i]);
    cr_expect_eq(at(s, -7), 0.25, "before the first step is the first step");
}

Test(schedules, cosine_passes_through_known_points)
{
    sigad_schedule s = {
        .kind = SIGAD_SCHEDULE_COSINE, .lr = 1.0, .lr_end = 0.2, .warmup = 4, .steps = 12};
    cr_expect_eq(at(s, 0), 0.2);
    cr_expect_eq(at(s, 3), 0.8);
    cr_expect_eq(at(s, 4), 1.0, "the peak comes right after the warm-up");
    cr_expect_float_eq(at(s, 6), 0.6 + 0.4 * sqrt(0.5), 1e-15);
    cr_expect_float_eq(at(s, 8), 0.6, 1e-15);
    cr_expect_eq(at(s, 12), 0.2);
    cr_expect_eq(at(s, 1000), 0.2);
}

Test(schedules, linear_is_a_line)
{
    sigad_schedule s = {.kind = SIGAD_SCHEDULE_LINEAR, .lr = 1.0, .steps = 4};
    const double expected[] = {1.0, 0.75, 0.5, 0.25, 0.0, 0.0};
    for (int i = 0; i < 6; i++) cr_expect_eq(at(s, i), expected[i]);
}

Test(schedules, step_drops_after_each_so_many)
{
    sigad_schedule s = {
        .kind = SIGAD_SCHEDULE_STEP, .lr = 1.0, .steps = 3, .factor = 0.5, .warmup = 1};
    const double expected[] = {0.5, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25};
    for (int i = 0; i < 8; i++) cr_expect_eq(at(s, i), expected[i]);
    s.factor = 0.0;
    cr_expect_float_eq(at(s, 4), 0.1, 1e-16);
}

Test(schedules, what_makes_no_sense_is_nan)
{
    cr_expect(isnan(sigad_schedule_lr(NULL, 0)));
    cr_expect(isnan(at((sigad_schedule){.kind = 9}, 0)));
    cr_expect(isnan(at((sigad_schedule){.kind = -1}, 0)));
    cr_expect(isnan(at((sigad_schedule){.lr = -1.0}, 0)));
    cr_expect(isnan(at((sigad_schedule){.lr = NAN}, 0)));
    cr_expect(isnan(at((sigad_schedule){.warmup = -1}, 0)));
    cr_expect(
        isnan(at((sigad_schedule){.kind = SIGAD_SCHEDULE_COSINE, .warmup = 5, .steps = 5}, 0)));
    cr_expect(
        isnan(at((sigad_schedule){.kind = SIGAD_SCHEDULE_LINEAR, .lr_end = -1, .steps = 5}, 0)));
    cr_expect(isnan(at((sigad_schedule){.kind = SIGAD_SCHEDULE_STEP}, 0)));
    cr_expect(
        isnan(at((sigad_schedule){.kind = SIGAD_SCHEDULE_STEP, .steps = 1, .factor = -1}, 0)));
    sigad_schedule unset = {0};
    cr_expect(isnan(sigad_schedule_lr(&unset, 0)));

    sigad_context *context;
    sigad_optimizer *optimizer;
    cr_assert_eq(sigad_context_create(NULL, &context), SIGAD_OK);
    cr_assert_eq(sigad_sgd_create(context, NULL, &optimizer), SIGAD_OK);
    cr_expect_eq(sigad_optimizer_set_lr(optimizer, sigad_schedule_lr(&unset, 0)), SIGAD_EINVAL);
    cr_expect_str_eq(sigad_context_message(context),
                     "sigad_optimizer_set_lr: lr is nan; it must be finite and not negative");
    sigad_context_destroy(context);
}
