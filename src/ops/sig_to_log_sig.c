#include "ops/signature_op.h"
#include "sigad/ops.h"

static const sigad_op sig_to_log_sig = SG_SIGNATURE_OP("sig_to_log_sig");

sigad_tensor sigad_sig_to_log_sig(sigad_tape *tape, sigad_tensor sig, const sigad_sig_spec *spec)
{
    return sg_signature_apply(tape, &sig_to_log_sig, &sg_sig_to_log_sig_kernels, 1, &sig, spec);
}
