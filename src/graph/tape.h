/* The short lifetime: nodes in recording order, their bytes in an arena, and the sweeps over them.
 */
#ifndef SG_TAPE_H
#define SG_TAPE_H
#include "core/arena.h"
#include "graph/context.h"

typedef enum {
    SG_NODE_INPUT,
    SG_NODE_CONSTANT,
    SG_NODE_RESULT /* of a sweep: a constant that replay makes stale */,
    SG_NODE_OPERATION
} sg_node_kind;

typedef struct {
    uint32_t generation; /* of the handles that name this node */
    uint8_t kind;        /* sg_node_kind */
    bool stale;          /* the result of a sweep from before a replay */
    bool watched;
    bool reached; /* the gradient of a watched node holds something */
    int32_t n;    /* inputs */
    sigad_array value;
    const sigad_op *op;   /* of an operation, else NULL */
    sigad_tensor *inputs; /* [n] in the arena */
    uint64_t *versions;   /* [n] of those inputs that are parameters, when they were read; NULL if
                             none is one */
    sg_arena_mark before; /* where the arena stood when the node was made */
    void *attributes, *saved;
    size_t attribute_bytes, saved_bytes;
    size_t workspace_bytes[4];
    void *gradient; /* of a watched node */
    char *label;    /* "", or in `label_bytes` of an arena */
    size_t label_bytes;
    uint64_t ticks; /* of the last fwd */
} sg_node;

/* What was given to a node that was not the newest: a stack in the side arena. */
typedef struct sg_note {
    struct sg_note *previous;
    size_t node;
    sg_arena_mark before;
} sg_note;

struct sigad_tape {
    sg_owned owned;
    sigad_context *context;
    sg_arena arena;
    sg_node *nodes;
    size_t count, capacity;
    uint32_t generation;
    uint32_t serial; /* which tape of the context */
    uint64_t step;
    uint32_t since_reset; /* the generation of the last reset */
    bool evaluating;
    sg_arena side; /* scratch of sweeps; labels and gradients given to nodes that are no longer the
                      newest: a rewind keeps those of the nodes that stay */
    sg_note *notes;
    bool recording; /* an operation is on its way into the next node */
};

/* What a function of an operation gets; the public struct comes first. */
typedef struct {
    sigad_op_call call;
    sigad_tape *tape;
    const char *name, *label;
    size_t position; /* of the node on the tape */
    uint32_t fresh;  /* see sg_call_fresh */
} sg_call;
/* The stream that this node draws from: a function of the context's seed, tape, step and position.
 */
uint64_t sg_call_random_key(const sigad_op_call *call);
/* In the vjp of an operation with SG_OP_FRESH: x_cotangent[i] holds nothing yet, and is to be
 * overwritten instead of added to. */
static inline bool sg_call_fresh(const sigad_op_call *call, int i)
{
    return ((const sg_call *)(const void *)call)->fresh >> i & 1;
}
static inline sg_place *sg_call_place(const sigad_op_call *call)
{
    return &((const sg_call *)(const void *)call)->tape->context->place;
}
static inline sigad_tape *sg_call_tape(const sigad_op_call *call)
{
    return ((const sg_call *)(const void *)call)->tape;
}

/* Flags of sigad_op that only our own operations set. */
#define SG_OP_ALIAS                                                                              \
    0x10000u /* y has the bytes of x[0]; where x[0] is itself computed, y shares them and fwd is \
                not called */
#define SG_OP_STOP  0x20000u /* no derivative passes */
#define SG_OP_FRESH 0x80000u /* vjp asks sg_call_fresh */
#define SG_OP_PASS                                                                             \
    0x100000u /* vjp adds y_cotangent as it is to the cotangent of each input that has as many \
                 elements: where nothing else was added yet, both may be one array */
#define SG_OP_GRADIENT \
    0x40000u /* a recorded gradient: a missing function means "differentiated too often" */

/* true if the context holds no error. Every function that makes a tensor begins with this; a label
 * for the poison that it returns otherwise says nothing of the error that is held. */
static inline bool sg_tape_ready(const sigad_tape *tape)
{
    if (!tape) return false;
    if (tape->context->error.status) sg_error_settle(&tape->context->error);
    return !tape->context->error.status;
}

/* dtype, rank, shape and data of any handle that is good on this tape; false with the error set. */
bool sg_tape_resolve(sigad_tape *tape, const char *caller, sigad_tensor handle, sigad_array *value);
/* The node of a handle, NULL with the error set; a parameter's handle is SIGAD_EINVAL here. */
sg_node *sg_tape_node(sigad_tape *tape, const char *caller, sigad_tensor handle);
sigad_tensor sg_tape_handle(const sigad_tape *tape, size_t index);

/* The name of what made a node: of its operation, or "input", "constant", "result". */
const char *sg_node_operation(const sg_node *node);

/* Room for one more node, started with the tape's generation, no operation and no label, not
 * counted yet; NULL with the error set. */
sg_node *sg_tape_next(sigad_tape *tape, const char *caller, sg_arena_mark before);
/* A new leaf with its own bytes (data NULL: cleared); poison with the error set. */
sigad_tensor sg_tape_leaf(sigad_tape *tape, const char *caller, sg_node_kind kind,
                          const sigad_array *value, const void *data);

/* Drops all nodes from `count` on, and their memory. */
void sg_tape_drop(sigad_tape *tape, size_t count);

/* ---- calling the functions of an operation
 * ------------------------------------------------------------------------------------------ */

/* Everything that one call of a node's function may need; the arrays have room for the node's
 * inputs. */
typedef struct {
    sg_call call;
    sigad_array *x, *x_cotangent, *x_tangent, *x_cotangent_tangent;
    sigad_array y, y_cotangent, y_tangent;
} sg_frame;

/* The frame's arrays, with room for calls of nodes with up to n inputs, lie in `memory` of
 * sg_frame_bytes(n). */
size_t sg_frame_bytes(int n);
void sg_frame_place(sigad_tape *tape, int n, void *memory, sg_frame *frame);
/* The same with memory of the side arena; false if it is short. */
bool sg_frame_create(sigad_tape *tape, int n, sg_frame *frame);
/* Points the frame at a node: x with present data, y, attributes, saved; what else the functions in
 * the bit set `functions` (1 << SIGAD_VJP ..) need, without data. False with the error set if an
 * input is stale. */
bool sg_frame_bind(sigad_tape *tape, sg_frame *frame, size_t position, unsigned functions);
/* The node is an alias that shares the bytes of its input: nothing to compute. */
bool sg_node_shares(const sg_node *node, const sigad_array *x);
/* Calls function number `which` (SIGAD_FWD ..). A missing one, or a failure without a message, is
 * reported by name. */
bool sg_frame_run(sg_frame *frame, const sigad_op *op, int which, void *workspace);
sigad_op_function sg_op_function_at(const sigad_op *op, int which);
const char *sg_op_function_name(int which);

/* sum += term, elementwise, both of the dtype and shape that `array` describes. */
void sg_array_accumulate(const sigad_array *array, void *sum, const void *term);
#endif
