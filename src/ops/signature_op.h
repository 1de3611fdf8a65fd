/* What the signature operations on a tape share: all but their names and kernels. */
#ifndef SG_SIGNATURE_OP_H
#define SG_SIGNATURE_OP_H
#include "graph/tape.h"
#include "ops/signature_batch.h"

sigad_status sg_signature_infer(sigad_op_call *call);
sigad_status sg_signature_op_fwd(sigad_op_call *call);
sigad_status sg_signature_op_vjp(sigad_op_call *call);
sigad_status sg_signature_op_jvp(sigad_op_call *call);
sigad_status sg_signature_op_soc(sigad_op_call *call);

/* The same on a CUDA device, and the workspace of function `which` (SIGAD_FWD ..) there. */
sigad_status sg_signature_device_fwd(sigad_op_call *call);
sigad_status sg_signature_device_vjp(sigad_op_call *call);
sigad_status sg_signature_device_jvp(sigad_op_call *call);
sigad_status sg_signature_device_soc(sigad_op_call *call);
sigad_status sg_signature_device_work(const sigad_op_call *call, int which, size_t *bytes);

/* The call without its arrays. */
sg_signature_batch sg_signature_batch_of_call(const sigad_op_call *call);

#define SG_SIGNATURE_OP(op_name)                                                                 \
    {                                                                                            \
        SIGAD_OP_INIT, .name = op_name, .flags = SG_OP_FRESH, .infer = sg_signature_infer,       \
                       .fwd = sg_signature_op_fwd, .vjp = sg_signature_op_vjp,                   \
                       .jvp = sg_signature_op_jvp, .soc = sg_signature_op_soc,                   \
                       .cuda_fwd = sg_signature_device_fwd, .cuda_vjp = sg_signature_device_vjp, \
                       .cuda_jvp = sg_signature_device_jvp, .cuda_soc = sg_signature_device_soc  \
    }

/* Finds the plan (its dimension follows from the shape of x[0] where the spec has none) and applies
 * the operation to x[0 .. n-1]: a path, a signature or a log-signature, and the lengths of the
 * paths if n is 2. */
sigad_tensor sg_signature_apply(sigad_tape *tape, const sigad_op *op,
                                const sg_signature_kernels *kernels, int n, const sigad_tensor *x,
                                const sigad_sig_spec *spec);

#endif
