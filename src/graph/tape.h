/* The short lifetime: nodes in recording order, their bytes in an arena, and the sweeps over them.
 */
#ifndef SG_TAPE_H
#define SG_TAPE_H
#include "core/arena.h"
#include "core/clock.h"
#include "graph/context.h"

typedef enum {
    SG_NODE_INPUT,
    SG_NODE_CONSTANT,
    SG_NODE_RESULT /* of a sweep: a constant that replay makes stale */,
    SG_NODE_OPERATION
} sg_node_kind;

/* Where the arenas of a tape stand; on the host there is one only, and `values` is not used. */
typedef struct {
    sg_arena_mark host, values;
} sg_tape_mark;

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
    sg_tape_mark before;  /* where the arenas stood when the node was made */
    const void *source;   /* of an input: the caller's bytes on the host; NULL: value.data is the
                             caller's */
    void *attributes, *saved;
    size_t attribute_bytes, saved_bytes;
    size_t workspace_bytes[4];
    void *gradient; /* of a watched node */
    char *label;    /* "", or in `label_bytes` of an arena */
    size_t label_bytes;
    uint64_t ticks; /* of the last fwd; 0: not measured */
} sg_node;

/* What was given to a node that was not the newest: a stack in the side arena. */
typedef struct sg_note {
    struct sg_note *previous;
    size_t node;
    sg_tape_mark before;
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
    sg_arena device_arena, device_side; /* on a device: bytes of tensors, what operations keep, and
                                           workspaces go there instead */
    sg_arena *values, *side_values;     /* the arenas that those bytes lie in */
    void *uploads;                      /* an event: the last copy from the host has run */
    bool uploading;                     /* one was queued since the last wait */
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
#define SG_OP_QUICK \
    0x200000u /* what makes a result of few entries takes less time than to read the clock */
#define SG_OP_GRADIENT \
    0x40000u /* a recorded gradient: a missing function means "differentiated too often" */

/* Marks, and rewinding to them: of `arena` and what lies in `values`, or of `side` likewise. */
static inline sg_tape_mark sg_tape_here(const sigad_tape *tape)
{
    const sg_arena_mark host = sg_arena_position(&tape->arena);
    return (sg_tape_mark){host,
                          tape->values == &tape->arena ? host : sg_arena_position(tape->values)};
}
static inline sg_tape_mark sg_tape_side_here(const sigad_tape *tape)
{
    return (sg_tape_mark){sg_arena_position(&tape->side), sg_arena_position(tape->side_values)};
}
static inline void sg_tape_return(sigad_tape *tape, sg_tape_mark mark)
{
    sg_arena_rewind(&tape->arena, mark.host);
    if (tape->values != &tape->arena) sg_arena_rewind(tape->values, mark.values);
}
static inline void sg_tape_side_return(sigad_tape *tape, sg_tape_mark mark)
{
    sg_arena_rewind(&tape->side, mark.host);
    if (tape->side_values != &tape->side) sg_arena_rewind(tape->side_values, mark.values);
}

/* Copies from the host, from bytes that stay until the next sg_tape_wait_for_uploads. */
bool sg_tape_upload(sigad_tape *tape, const char *caller, void *to, const void *from, size_t bytes);
/* For computing again all at once: notes the parameters' versions, and copies inputs again. */
bool sg_tape_renew(sigad_tape *tape, const char *caller);
/* After this the host's bytes may change or go. */
void sg_tape_wait_for_uploads(sigad_tape *tape);

/* true if the context holds no error. Every function that makes a tensor begins with this; a label
 * for the poison that it returns otherwise says nothing of the error that is held. */
static inline bool sg_tape_ready(const sigad_tape *tape)
{
    if (!tape) return false;
    if (tape->context->error.status) sg_error_settle(&tape->context->error);
    return !tape->context->error.status;
}

/* The node of a handle that is good, else NULL: generations of nodes are neither 0 nor those of
 * parameters. Sets no error. */
static inline sg_node *sg_tape_find(const sigad_tape *tape, sigad_tensor handle)
{
    sg_node *node = handle.id < tape->count ? &tape->nodes[handle.id] : NULL;
    return node && node->generation == handle.generation && !node->stale ? node : NULL;
}
/* The same, with the error set; a parameter's handle is SIGAD_EINVAL here. */
sg_node *sg_tape_node(sigad_tape *tape, const char *caller, sigad_tensor handle);
/* dtype, rank, shape and data of any handle that is good on this tape, NULL with the error set.
 * They stand until the next node is made. */
const sigad_array *sg_tape_look_again(sigad_tape *tape, const char *caller, sigad_tensor handle);
static inline const sigad_array *sg_tape_look(sigad_tape *tape, const char *caller,
                                              sigad_tensor handle)
{
    const sg_node *node = sg_tape_find(tape, handle);
    return node ? &node->value : sg_tape_look_again(tape, caller, handle);
}
/* A copy of them; false with the error set. */
bool sg_tape_resolve(sigad_tape *tape, const char *caller, sigad_tensor handle, sigad_array *value);
static inline sigad_tensor sg_tape_handle(const sigad_tape *tape, size_t index)
{
    return (sigad_tensor){(uint32_t)index, tape->nodes[index].generation};
}

/* The name of what made a node: of its operation, or "input", "constant", "result". */
const char *sg_node_operation(const sg_node *node);

/* Room for one more node, with the tape's generation and no value, not counted yet; NULL with the
 * error set. What only operations have, and where the arenas stood, is the caller's to set. */
sg_node *sg_tape_next(sigad_tape *tape, const char *caller);
/* A new leaf with its own bytes: a copy of the host's (data NULL: cleared), or of the bytes of a
 * tensor on the same device; poison with the error set. */
sigad_tensor sg_tape_leaf(sigad_tape *tape, const char *caller, sg_node_kind kind,
                          const sigad_array *value, const void *data);
sigad_tensor sg_tape_leaf_copy(sigad_tape *tape, const char *caller, sg_node_kind kind,
                               const sigad_array *value, const void *data);
/* A new constant whose bytes the caller writes on the host, to what begin returns (NULL with the
 * error set), before end, which is the next call on this tape. */
typedef struct {
    sg_tape_mark before;
    sigad_array value;
    void *bytes;
} sg_draft;
void *sg_tape_leaf_begin(sigad_tape *tape, const char *caller, const sigad_array *value,
                         sg_draft *draft);
sigad_tensor sg_tape_leaf_end(sigad_tape *tape, const char *caller, const sg_draft *draft);

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

/* With room for calls of nodes with up to n inputs, in the side arena; false if memory is short. */
bool sg_frame_create(sigad_tape *tape, int n, sg_frame *frame);
/* Points the frame at a node: x with present data, y, attributes, saved; what else the functions in
 * the bit set `functions` (1 << SIGAD_VJP ..) need, without data. False with the error set if an
 * input is stale. */
bool sg_frame_bind(sigad_tape *tape, sg_frame *frame, size_t position, unsigned functions);
/* The node is an alias that shares the bytes of its input: nothing to compute. */
bool sg_node_shares(const sg_node *node, const sigad_array *x);
/* The clock for the listing of a graph; it stands still around what is quicker than reading it. */
static inline uint64_t sg_node_clock(const sg_node *node)
{
    return node->op->flags & SG_OP_QUICK && node->value.elements <= 64 ? 0 : sg_ticks();
}
/* Calls function number `which` (SIGAD_FWD ..). A missing one, or a failure without a message, is
 * reported by name. */
bool sg_frame_run(sg_frame *frame, const sigad_op *op, int which, void *workspace);
static inline sigad_op_function sg_op_function_at(const sigad_context *context, const sigad_op *op,
                                                  int which)
{
    const bool host = sg_device_is_host(&context->device);
    switch (which) {
    case SIGAD_FWD:
        return host ? op->fwd : op->cuda_fwd;
    case SIGAD_VJP:
        return host ? op->vjp : op->cuda_vjp;
    case SIGAD_JVP:
        return host ? op->jvp : op->cuda_jvp;
    default:
        return host ? op->soc : op->cuda_soc;
    }
}
const char *sg_op_function_name(const sigad_context *context, int which);

/* sum += term, elementwise, both of the dtype and shape that `array` describes. */
bool sg_array_accumulate(sigad_context *context, const char *caller, const sigad_array *array,
                         void *sum, const void *term);
#endif
