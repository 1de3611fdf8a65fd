#include "ops/signature_op.h"
#include "sigad/ops.h"

static const sigad_op sig = SG_SIGNATURE_OP("sig");
static const sigad_op ragged = SG_SIGNATURE_OP("sig_ragged");

sigad_tensor sigad_sig(sigad_tape *tape, sigad_tensor path, const sigad_sig_spec *spec)
{
    return sg_signature_apply(tape, &sig, &sg_sig_kernels, 1, &path, spec);
}

sigad_tensor sigad_sig_ragged(sigad_tape *tape, sigad_tensor path, sigad_tensor lengths,
                              const sigad_sig_spec *spec)
{
    const sigad_tensor x[] = {path, lengths};
    return sg_signature_apply(tape, &ragged, &sg_sig_kernels, 2, x, spec);
}
