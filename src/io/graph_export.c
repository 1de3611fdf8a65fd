/* The recorded graph as a table for people, or as DOT for Graphviz. */
#include "core/clock.h"
#include "graph/tape.h"
#include "io/file.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    sg_buffer text;
    bool short_of_memory;
} writer;

SIGAD_PRINTF(2, 3) static void put(writer *out, const char *format, ...)
{
    va_list values, again;
    va_start(values, format);
    va_copy(again, values);
    int length = vsnprintf(NULL, 0, format, values);
    va_end(values);
    if (length < 0 || !sg_buffer_reserve(&out->text, (size_t)length + 1)) {
        out->short_of_memory = true;
    } else {
        vsnprintf((char *)out->text.bytes + out->text.count, (size_t)length + 1, format, again);
        out->text.count += (size_t)length;
    }
    va_end(again);
}

/* Labels and names come from users: quotes, backslashes and line ends must not end a DOT string. */
static void put_escaped(writer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') put(out, "\\");
        put(out, "%c", (unsigned char)*text < ' ' ? ' ' : *text);
    }
}

static double nanoseconds_per_tick(const sigad_context *context)
{
    uint64_t ticks = sg_ticks() - context->ticks_at_start;
    uint64_t nanoseconds = sg_nanoseconds() - context->nanoseconds_at_start;
    return ticks ? (double)nanoseconds / (double)ticks : 0.0;
}

static const char *parameter_name(const sigad_tape *tape, sigad_tensor parameter)
{
    return tape->context->parameters[parameter.id]->name;
}

/* ---- text ---------------------------------------------------------------------------------- */

static void put_inputs(writer *out, const sigad_tape *tape, const sg_node *node)
{
    for (int i = 0; i < node->n; i++) {
        put(out, i ? ", " : " ");
        if (sg_is_parameter(node->inputs[i]))
            put(out, "'%s'", parameter_name(tape, node->inputs[i]));
        else
            put(out, "%u", (unsigned)node->inputs[i].id);
    }
}

static void put_table(writer *out, const sigad_tape *tape)
{
    double scale = nanoseconds_per_tick(tape->context) / 1000.0;
    char shape[SG_SHAPE_TEXT];
    size_t bytes = 0;
    double time = 0.0;
    put(out, "%6s  %-20s  %-16s  %-20s  %-8s  %12s  %10s  %s\n", "tensor", "operation", "label",
        "shape", "dtype", "bytes", "time us", "inputs");
    for (size_t i = 0; i < tape->count; i++) {
        const sg_node *node = &tape->nodes[i];
        double microseconds = (double)node->ticks * scale;
        bytes += sg_array_bytes(&node->value);
        time += microseconds;
        put(out, "%6zu  %-20s  %-16s  %-20s  %-8s  %12zu  %10.2f ", i, sg_node_operation(node),
            node->label, sg_shape_text(&node->value, shape), sg_dtype_name(node->value.dtype),
            sg_array_bytes(&node->value), microseconds);
        put_inputs(out, tape, node);
        put(out, "\n");
    }
    put(out, "%6zu  tensors%*s%12zu  %10.2f\n", tape->count, 71, "", bytes, time);
}

/* ---- DOT ----------------------------------------------------------------------------------- */

static void put_dot_node(writer *out, const sigad_tape *tape, size_t index)
{
    const sg_node *node = &tape->nodes[index];
    char shape[SG_SHAPE_TEXT];
    put(out, "  n%zu [shape=%s, label=\"", index, node->op ? "box" : "ellipse");
    put_escaped(out, sg_node_operation(node));
    if (*node->label) {
        put(out, " '");
        put_escaped(out, node->label);
        put(out, "'");
    }
    put(out, "\\n%s %s\"];\n", sg_shape_text(&node->value, shape),
        sg_dtype_name(node->value.dtype));
    for (int i = 0; i < node->n; i++)
        put(out, "  %c%u -> n%zu;\n", sg_is_parameter(node->inputs[i]) ? 'p' : 'n',
            (unsigned)node->inputs[i].id, index);
}

static bool uses(const sigad_tape *tape, size_t parameter)
{
    for (size_t i = 0; i < tape->count; i++)
        for (int k = 0; k < tape->nodes[i].n; k++) {
            sigad_tensor input = tape->nodes[i].inputs[k];
            if (sg_is_parameter(input) && input.id == parameter) return true;
        }
    return false;
}

static void put_dot(writer *out, const sigad_tape *tape)
{
    const sigad_context *context = tape->context;
    char shape[SG_SHAPE_TEXT];
    put(out, "digraph tape {\n  rankdir=TB;\n  node [fontname=\"sans-serif\"];\n");
    for (size_t i = 0; i < context->parameter_count; i++) {
        if (!uses(tape, i)) continue;
        const sigad_array *value = &context->parameters[i]->value;
        put(out, "  p%zu [shape=cylinder, label=\"", i);
        put_escaped(out, context->parameters[i]->name);
        put(out, "\\n%s %s\"];\n", sg_shape_text(value, shape), sg_dtype_name(value->dtype));
    }
    for (size_t i = 0; i < tape->count; i++) put_dot_node(out, tape, i);
    put(out, "}\n");
}

/* Inspection: works while the context holds an error, too, and then leaves that error as it is. */
sigad_status sigad_tape_export(sigad_tape *tape, sigad_export format, const char *path)
{
    if (!tape) return SIGAD_EINVAL;
    sg_error *error = &tape->context->error;
    writer out = {.text = {.allocator = &tape->context->allocator}};
    if (!path) return sg_fail(error, SIGAD_EINVAL, "sigad_tape_export: path is NULL");
    if (format == SIGAD_EXPORT_TEXT)
        put_table(&out, tape);
    else if (format == SIGAD_EXPORT_DOT)
        put_dot(&out, tape);
    else
        return sg_fail(error, SIGAD_EINVAL,
                       "sigad_tape_export: format %d is neither SIGAD_EXPORT_TEXT nor "
                       "SIGAD_EXPORT_DOT",
                       (int)format);
    sigad_status status =
        out.short_of_memory
            ? sg_fail(error, SIGAD_ENOMEM, "sigad_tape_export: no memory for the text")
            : sg_file_write(error, path, &(sg_piece){out.text.bytes, out.text.count}, 1);
    sg_buffer_destroy(&out.text);
    return status;
}
