#include "ops/signature_op.h"
#include "sigad/ops.h"

static const sigad_op log_sig = SG_SIGNATURE_OP("log_sig");
static const sigad_op ragged = SG_SIGNATURE_OP("log_sig_ragged");

sigad_tensor sigad_log_sig(sigad_tape *tape, sigad_tensor path, const sigad_sig_spec *spec)
{
    return sg_signature_apply(tape, &log_sig, &sg_log_sig_kernels, 1, &path, spec);
}

sigad_tensor sigad_log_sig_ragged(sigad_tape *tape, sigad_tensor path, sigad_tensor lengths,
                                  const sigad_sig_spec *spec)
{
    const sigad_tensor x[] = {path, lengths};
    return sg_signature_apply(tape, &ragged, &sg_log_sig_kernels, 2, x, spec);
}
