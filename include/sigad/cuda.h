/* sigad/cuda.h - device pointers in and out; needs no CUDA header. Without CUDA the functions exist and answer SIGAD_EDEVICE.
 *
 * `stream` is a cudaStream_t. Work is queued, never waited for. Pointers, stream and the thread's current device belong together.
 *
 * The functions are those of signature.h with the same arrays, on the device, and the same results: outputs are overwritten and must not overlap
 * inputs. The same call gives the same bits on every run on one model of device. Further errors: SIGAD_EDEVICE (a library without CUDA, or no device),
 * SIGAD_EINVAL (a plan that was not prepared on the current device; an array that the device cannot reach), SIGAD_ERANGE (also: the top level has 2^31 words or more), SIGAD_ECUDA (a kernel
 * could not be launched). Arrays are memory of the current device, or managed, or pinned memory of the host (slow). spec.kernel is ignored. Nothing is allocated, and nothing waits, but for sigad_cuda_prepare.
 */
#ifndef SIGAD_CUDA_H
#define SIGAD_CUDA_H
#include "tape.h"
#ifdef __cplusplus
extern "C" {
#endif

/* ---- tensors of a context on a device --------------------------------------------------------------------------------------------------- */

/* Borrowed device memory (or managed or pinned; other memory of the host or of another device is SIGAD_EINVAL), ready on the context's stream; unchanged until reset AND until the work queued before it has run. */
SIGAD_API sigad_tensor sigad_cuda_input(sigad_tape *tape, sigad_dtype dtype, int rank, const int64_t *shape, const void *device_data);
SIGAD_API const void  *sigad_cuda_data (sigad_tape *tape, sigad_tensor x);      /* on the context's stream, until reset; NULL on error */

/* A recorded step as one launch (a CUDA graph). Between begin and end work is kept instead of done, and end launches it for the first time:
 *
 *     sigad_replay(tape);  sigad_optimizer_zero(adam);  sigad_backward(tape, loss);  sigad_optimizer_step(adam);      takes the memory that the capture must not take
 *     sigad_cuda_capture_begin(tape);
 *     sigad_replay(tape);  sigad_optimizer_zero(adam);  sigad_backward(tape, loss);  sigad_optimizer_step(adam);
 *     sigad_cuda_capture_end(tape, &graph);
 *     for (int i = 0; i < steps; i++) {
 *         ... new bytes for the inputs, or sigad_input_bind; sigad_optimizer_set_lr ...
 *         sigad_cuda_graph_launch(graph);
 *     }
 *
 * A launch has the bits of the captured calls at its time: it copies the inputs' bytes as sigad_replay does, sees the parameters' present values, counts the
 * optimizer's updates and takes its present rate and groups, repeats random draws, and leaves gradients as the calls would. The context needs a stream that is
 * no default one. SIGAD_EINVAL for what waits or takes memory in between, and for another tape; SIGAD_ENOTSUP for steps of optimizers by the dozen.
 * SIGAD_ESTALE for a launch after the tape was reset, rewound or destroyed or, where a step was captured, after its optimizer was destroyed or a parameter
 * frozen or thawed. A launch that fails counts no update. */
typedef struct sigad_cuda_graph sigad_cuda_graph;
SIGAD_API sigad_status sigad_cuda_capture_begin(sigad_tape *tape);
SIGAD_API sigad_status sigad_cuda_capture_end  (sigad_tape *tape, sigad_cuda_graph **graph);
SIGAD_API sigad_status sigad_cuda_graph_launch (sigad_cuda_graph *graph);
SIGAD_API void         sigad_cuda_graph_destroy(sigad_cuda_graph *graph);                     /* waits; the context's end does it, too */

/* ---- the eight functions of signature.h on device pointers -------------------------------------------------------------------------------- */

/* Uploads a plan's tables to the current device (waits for it). Needed before the first call of a plan on a device; safe to repeat, from any thread.
   The device's copy lives as long as the plan, so calls with it must have run before the plan is destroyed. SIGAD_ENOMEM, also of the device. */
SIGAD_API sigad_status sigad_cuda_prepare(const sigad_plan *plan);

typedef enum {
    SIGAD_CALL_SIG = 1, SIGAD_CALL_SIG_BACKPROP = 2, SIGAD_CALL_LOG_SIG = 3, SIGAD_CALL_LOG_SIG_BACKPROP = 4,
    SIGAD_CALL_SIG_TO_LOG_SIG = 5, SIGAD_CALL_SIG_TO_LOG_SIG_BACKPROP = 6, SIGAD_CALL_LOGSIG_TO_SIG = 7, SIGAD_CALL_LOGSIG_TO_SIG_BACKPROP = 8
} sigad_call;
/* Device bytes that one call on the current device needs; length is ignored by the transforms. A larger workspace is as good. */
SIGAD_API sigad_status sigad_cuda_workspace(const sigad_plan *plan, sigad_call call, sigad_dtype dtype, int64_t batch, int64_t length, size_t *bytes);

/* Why the current device cannot use an array that begins here, in words; NULL if it can. Sizes are not known. During a capture, too. */
SIGAD_API const char *sigad_cuda_why_not(const void *pointer);

/* lengths is device memory, or NULL, and is clamped to 0..length, not checked. workspace is 256-byte aligned; SIGAD_ESHAPE if too small. */
SIGAD_API sigad_status sigad_cuda_sig_f64                     (const sigad_plan *plan, int64_t batch, int64_t length, const int64_t *lengths, const double *path, double *sig, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_sig_backprop_f64            (const sigad_plan *plan, int64_t batch, int64_t length, const int64_t *lengths, const double *path, const double *sig_derivs, double *path_derivs, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_log_sig_f64                 (const sigad_plan *plan, int64_t batch, int64_t length, const int64_t *lengths, const double *path, double *log_sig, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_log_sig_backprop_f64        (const sigad_plan *plan, int64_t batch, int64_t length, const int64_t *lengths, const double *path, const double *log_sig_derivs, double *path_derivs, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_sig_to_log_sig_f64          (const sigad_plan *plan, int64_t batch, const double *sig, double *log_sig, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_sig_to_log_sig_backprop_f64 (const sigad_plan *plan, int64_t batch, const double *sig, const double *log_sig_derivs, double *sig_derivs, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_logsig_to_sig_f64           (const sigad_plan *plan, int64_t batch, const double *log_sig, double *sig, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_logsig_to_sig_backprop_f64  (const sigad_plan *plan, int64_t batch, const double *log_sig, const double *sig_derivs, double *log_sig_derivs, void *workspace, size_t workspace_bytes, void *stream);

SIGAD_API sigad_status sigad_cuda_sig_f32                     (const sigad_plan *plan, int64_t batch, int64_t length, const int64_t *lengths, const float *path, float *sig, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_sig_backprop_f32            (const sigad_plan *plan, int64_t batch, int64_t length, const int64_t *lengths, const float *path, const float *sig_derivs, float *path_derivs, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_log_sig_f32                 (const sigad_plan *plan, int64_t batch, int64_t length, const int64_t *lengths, const float *path, float *log_sig, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_log_sig_backprop_f32        (const sigad_plan *plan, int64_t batch, int64_t length, const int64_t *lengths, const float *path, const float *log_sig_derivs, float *path_derivs, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_sig_to_log_sig_f32          (const sigad_plan *plan, int64_t batch, const float *sig, float *log_sig, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_sig_to_log_sig_backprop_f32 (const sigad_plan *plan, int64_t batch, const float *sig, const float *log_sig_derivs, float *sig_derivs, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_logsig_to_sig_f32           (const sigad_plan *plan, int64_t batch, const float *log_sig, float *sig, void *workspace, size_t workspace_bytes, void *stream);
SIGAD_API sigad_status sigad_cuda_logsig_to_sig_backprop_f32  (const sigad_plan *plan, int64_t batch, const float *log_sig, const float *sig_derivs, float *log_sig_derivs, void *workspace, size_t workspace_bytes, void *stream);

#ifdef __cplusplus
}
#endif
#endif
