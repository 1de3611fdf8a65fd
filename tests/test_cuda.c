/* The functions on device pointers in this very build and on this very machine: with or without
 * CUDA they are there and answer. tests/cuda tests what they compute. */
#include <criterion/criterion.h>
#include <sigad/sigad.h>

Test(cuda, answers)
{
    sigad_plan *plan;
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 3};
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    size_t bytes = 1;
    sigad_status status = sigad_cuda_prepare(plan);
    cr_assert(status == SIGAD_OK || status == SIGAD_EDEVICE);
    cr_assert_eq(sigad_cuda_workspace(plan, SIGAD_CALL_SIG, SIGAD_F64, 3, 9, &bytes), status);
    if (status) {
        double x = 0;
        cr_assert_eq(bytes, 0);
        cr_assert_not_null(sigad_cuda_why_not(&bytes));
        cr_assert_eq(sigad_cuda_sig_f64(plan, 1, 1, NULL, &x, &x, NULL, 0, NULL), SIGAD_EDEVICE);
    }
    sigad_plan_destroy(plan);
}
