/* The short lifetime: nodes in recording order, their bytes in an arena, and the sweeps over them. */
#ifndef SG_TAPE_H
#define SG_TAPE_H
#include "core/arena.h"
#include "graph/context.h"

typedef enum { SG_NODE_INPUT, SG_NODE_CONSTANT, SG_NODE_RESULT /* of a sweep: a constant that replay makes stale */, SG_NODE_OPERATION } sg_node_kind;

typedef struct {
    uint32_t        generation;      /* of the handles that name this node; 0 once it is stale */
    uint8_t         kind;            /* sg_node_kind */
    bool            watched;
    bool            reached;         /* the gradient of a watched node holds something */
    int32_t         n;               /* inputs */
    sigad_array     value;
    const sigad_op *op;              /* of an operation, else NULL */
    sigad_tensor   *inputs;          /* [n] in the arena */
    void           *attributes, *saved;
    size_t          attribute_bytes, saved_bytes;
    size_t          workspace_bytes[4];
    void           *gradient;        /* of a watched node */
    const char     *label;           /* in the arena, or "" */
    uint64_t        ticks;           /* of the last fwd */
    uint64_t        random_key;      /* what fwd drew from */
} sg_node;

struct sigad_tape {
    sg_owned       owned;
    sigad_context *context;
    sg_arena       arena;
    sg_node       *nodes;
    size_t         count, capacity;
    uint32_t       generation;
    uint32_t       serial;           /* which tape of the context */
    uint64_t       step;
    bool           evaluating;
    bool           rewound;          /* nodes of several generations are alive */
    uint64_t      *used_versions;    /* by parameter index: version + 1 at first use on this tape, 0: not used */
    size_t         used_count;       /* entries of used_versions that mean something */
    size_t         used_capacity;
};

/* What a function of an operation gets; the public struct comes first. */
typedef struct {
    sigad_op_call  call;
    sigad_context *context;
    const char    *name, *label;
    uint64_t       random_key;       /* of this node, step and tape: the stream to draw from */
} sg_call;
static inline sigad_context *sg_call_context(const sigad_op_call *call) { return ((const sg_call *)(const void *)call)->context; }
static inline uint64_t sg_call_random_key(const sigad_op_call *call) { return ((const sg_call *)(const void *)call)->random_key; }

/* Flags of sigad_op that only our own operations set. */
#define SG_OP_ALIAS 0x10000u         /* y has the bytes of x[0]; where x[0] is itself computed, y shares them and fwd is not called */

static inline bool sg_tape_ready(const sigad_tape *tape) { return tape && !tape->context->error.status; }

/* dtype, rank, shape and data of any handle that is good on this tape; false with the error set. */
bool sg_tape_resolve(sigad_tape *tape, const char *caller, sigad_tensor handle, sigad_array *value);
/* The node of a handle, NULL with the error set; a parameter's handle is SIGAD_EINVAL here. */
sg_node *sg_tape_node(sigad_tape *tape, const char *caller, sigad_tensor handle);
sigad_tensor sg_tape_handle(const sigad_tape *tape, size_t index);

/* A new leaf with its own bytes (data NULL: cleared); poison with the error set. */
sigad_tensor sg_tape_leaf(sigad_tape *tape, const char *caller, sg_node_kind kind, const sigad_array *value, const void *data);
#endif
