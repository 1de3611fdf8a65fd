/* What all derivative sweeps share: which nodes take part, and the buffers that run along with
 * them.
 *
 * A sweep goes from sources (what one differentiates by) to one output. Active nodes are those that
 * depend on a source and that the output depends on. All its memory comes from the tape's arena and
 * is given back when it ends. */
#ifndef SG_SWEEP_H
#define SG_SWEEP_H
#include "graph/tape.h"

typedef struct {
    sigad_tape *tape;
    const char *caller;
    sigad_tensor output;
    sigad_array output_value;
    size_t count;             /* nodes 0 .. count-1 may take part */
    uint8_t *state;           /* [count] */
    uint8_t *parameter_state; /* [parameters] */
    sg_frame frame;
    void *workspace; /* enough for the functions that were required */
    sg_tape_mark start;
} sg_sweep;

/* One array per active node and source parameter: cotangents, tangents. */
typedef struct {
    void **node, **parameter;
    void **room; /* for parameters, of a field of a pull: see sg_field_create_empty */
} sg_field;

bool sg_sweep_begin(sg_sweep *sweep, sigad_tape *tape, const char *caller, sigad_tensor output);
void sg_sweep_end(sg_sweep *sweep);
/* Before marking: what one differentiates by. False with the error set for a stale handle or an
 * int64 tensor. */
bool sg_sweep_source(sg_sweep *sweep, sigad_tensor source);
void sg_sweep_source_parameter(sg_sweep *sweep, size_t index);
void sg_sweep_source_node(sg_sweep *sweep, size_t position);
/* Finds the active nodes; afterwards sg_sweep_active answers. */
void sg_sweep_mark(sg_sweep *sweep);
bool sg_sweep_active(const sg_sweep *sweep, sigad_tensor tensor);
static inline bool sg_sweep_reaches(const sg_sweep *sweep)
{
    return sg_sweep_active(sweep, sweep->output);
}
/* An active node that passes derivatives on to its inputs; a source need not. */
bool sg_sweep_visits(const sg_sweep *sweep, size_t position);
/* Refuses if a parameter was written after a visited node had read it (SIGAD_EMODIFIED), or if a
   visited operation lacks one of the functions in the bit set `functions` (1 << SIGAD_VJP ..); a
   linear operation needs no soc. */
bool sg_sweep_check(const sg_sweep *sweep, unsigned functions);
/* The same, and makes frame and workspace for calling them. */
bool sg_sweep_require(sg_sweep *sweep, unsigned functions);

/* Cleared arrays for all active nodes and source parameters. */
bool sg_field_create(sg_sweep *sweep, sg_field *field);
/* No arrays yet: a pull takes one for a node when something is to be put there, and for parameter i
 * the one that room[i], NULL at first, then points at. */
bool sg_field_create_empty(sg_sweep *sweep, sg_field *field);
/* One such array; NULL with the error set. */
void *sg_field_array(sg_sweep *sweep, const sigad_array *like);
/* Gives a tensor an array, not cleared, if it has none yet: then *fresh is set. False if memory is
 * short. */
bool sg_field_need(sg_sweep *sweep, const sg_field *field, sigad_tensor tensor,
                   const sigad_array *like, bool *fresh);
bool sg_field_need_cleared(sg_sweep *sweep, const sg_field *field, sigad_tensor tensor,
                           const sigad_array *like);
void *sg_field_at(const sg_field *field, sigad_tensor tensor);

/* Sets the output's entry of a field to `cotangent`, broadcast to its shape; poison stands for all
 * ones. */
bool sg_sweep_seed(sg_sweep *sweep, const sg_field *field, sigad_tensor cotangent);

/* x_bar = J^T y_bar over all active nodes, newest first, into a field that was empty but for the
 * seed. */
bool sg_sweep_pull(sg_sweep *sweep, const sg_field *cotangent);
/* y_dot += J x_dot over all active nodes, oldest first. */
bool sg_sweep_push(sg_sweep *sweep, const sg_field *tangent);
/* The tangent of the pull: x_bar_dot += J^T y_bar_dot + (d^2 <y_bar, f> / dx^2) x_dot, beside the
 * pull itself. */
bool sg_sweep_pull_tangent(sg_sweep *sweep, const sg_field *cotangent, const sg_field *tangent,
                           const sg_field *cotangent_tangent);
#endif
