#include "ops/signature_op.h"
#include "sigad/ops.h"

static const sigad_op logsig_to_sig = SG_SIGNATURE_OP("logsig_to_sig");

sigad_tensor sigad_logsig_to_sig(sigad_tape *tape, sigad_tensor log_sig, const sigad_sig_spec *spec)
{
    return sg_signature_apply(tape, &logsig_to_sig, &sg_logsig_to_sig_kernels, 1, &log_sig, spec);
}
