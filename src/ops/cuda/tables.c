/* The sparse matrices of the Lyndon basis in the order in which threads read them: by rows of what
 * they compute, so that each entry has one writer; and for the unit triangle, which is solved by
 * substitution, rows in waves that do not depend on each other. */
#include "ops/cuda/tables.h"
#include <string.h>

/* A matrix by rows while it is made on the host. */
typedef struct {
    int64_t rows, columns;
    int64_t *start; /* [rows + 1] */
    sg_cuda_entry *entry;
} matrix;

typedef struct {
    matrix matrix;
    int32_t *row;
    int64_t *first;
    int64_t waves;
} substitution;

static bool matrix_take(sg_arena *arena, int64_t rows, int64_t columns, int64_t entries, matrix *m)
{
    m->rows = rows;
    m->columns = columns;
    m->start = sg_arena_take_zeroed(arena, (size_t)(rows + 1) * sizeof *m->start);
    m->entry = sg_arena_take(arena, (size_t)entries * sizeof *m->entry);
    return m->start && m->entry;
}

/* A table of the plan: its columns are our rows; its rows are moved by shift[length of the word],
 * if given. */
static bool from_plan(sg_arena *arena, const sigad_plan *plan, const sg_sparse *table,
                      const int64_t *shift, int64_t columns, matrix *m)
{
    int64_t rows = plan->log_sig_length;
    if (!matrix_take(arena, rows, columns, table->start[rows], m)) return false;
    memcpy(m->start, table->start, (size_t)(rows + 1) * sizeof *m->start);
    for (int32_t k = 1; k <= plan->degree; k++)
        for (int64_t e = m->start[plan->lyndon_first[k]]; e < m->start[plan->lyndon_first[k + 1]];
             e++)
            m->entry[e] = (sg_cuda_entry){table->entry[e].row + (int32_t)(shift ? shift[k] : 0),
                                          table->entry[e].value};
    return true;
}

/* Columns of each row ascend, since they are met in that order. */
static bool transpose(sg_arena *arena, const matrix *m, matrix *out)
{
    int64_t entries = m->start[m->rows];
    int64_t *next = sg_arena_take(arena, (size_t)(m->columns + 1) * sizeof *next);
    if (!next || !matrix_take(arena, m->columns, m->rows, entries, out)) return false;
    for (int64_t e = 0; e < entries; e++) out->start[m->entry[e].column + 1]++;
    for (int64_t r = 0; r < out->rows; r++) out->start[r + 1] += out->start[r];
    memcpy(next, out->start, (size_t)(m->columns + 1) * sizeof *next);
    for (int64_t r = 0; r < m->rows; r++)
        for (int64_t e = m->start[r]; e < m->start[r + 1]; e++)
            out->entry[next[m->entry[e].column]++] = (sg_cuda_entry){(int32_t)r, m->entry[e].value};
    return true;
}

/* The wave of each row: 0 if it reads nothing, else one more than the last wave that it reads.
 * Rows read rows before them (`ascending`) or after. */
static int64_t find_waves(const matrix *m, bool ascending, int64_t *wave)
{
    int64_t last = 0;
    for (int64_t i = 0; i < m->rows; i++) {
        int64_t r = ascending ? i : m->rows - 1 - i;
        wave[r] = 0;
        for (int64_t e = m->start[r]; e < m->start[r + 1]; e++)
            if (wave[m->entry[e].column] >= wave[r]) wave[r] = wave[m->entry[e].column] + 1;
        if (wave[r] > last) last = wave[r];
    }
    return last;
}

/* Rows that read nothing are left out. */
static bool order_by_wave(sg_arena *arena, const matrix *m, bool ascending, substitution *s)
{
    int64_t *wave = sg_arena_take(arena, (size_t)(m->rows + 1) * sizeof *wave), rows = 0;
    if (!wave) return false;
    s->waves = find_waves(m, ascending, wave);
    s->first = sg_arena_take(arena, (size_t)(s->waves + 1) * sizeof *s->first);
    for (int64_t r = 0; r < m->rows; r++) rows += wave[r] > 0;
    s->row = sg_arena_take(arena, (size_t)rows * sizeof *s->row);
    if (!s->first || !s->row ||
        !matrix_take(arena, rows, m->columns, m->start[m->rows], &s->matrix))
        return false;
    int64_t placed = 0, entries = 0;
    for (int64_t w = 1; w <= s->waves; w++) {
        s->first[w - 1] = placed;
        for (int64_t r = 0; r < m->rows; r++) {
            if (wave[r] != w) continue;
            int64_t n = m->start[r + 1] - m->start[r];
            memcpy(s->matrix.entry + entries, m->entry + m->start[r], (size_t)n * sizeof *m->entry);
            s->row[placed++] = (int32_t)r;
            s->matrix.start[placed] = entries += n;
        }
    }
    s->first[s->waves] = placed;
    return true;
}

/* ---- one block of bytes for the device ------------------------------------------------------ */

typedef struct {
    char *bytes; /* NULL: only counted */
    size_t used;
    char *device; /* where the block will lie */
} image;

/* The address on the device of a copy of `count` bytes. */
static const void *put(image *im, const void *from, int64_t count, size_t size)
{
    size_t at = im->used, bytes = (size_t)count * size;
    if (im->bytes && bytes) memcpy(im->bytes + at, from, bytes);
    im->used += (bytes + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
    return im->device ? im->device + at : NULL;
}

static sg_cuda_matrix put_matrix(image *im, const matrix *m)
{
    sg_cuda_matrix out = {.rows = m->rows};
    out.start = put(im, m->start, m->rows + 1, sizeof *m->start);
    out.entry = put(im, m->entry, m->start[m->rows], sizeof *m->entry);
    return out;
}

static sg_cuda_solve put_solve(image *im, const substitution *s)
{
    sg_cuda_solve out = {.waves = s->waves};
    out.matrix = put_matrix(im, &s->matrix);
    out.row = put(im, s->row, s->matrix.rows, sizeof *s->row);
    out.first = put(im, s->first, s->waves + 1, sizeof *s->first);
    return out;
}

typedef struct {
    int32_t *place;
    matrix expand, expand_bar;
    substitution down, up;
} host_tables;

static bool build(sg_arena *arena, const sigad_plan *plan, host_tables *h)
{
    int64_t count = plan->log_sig_length;
    matrix up, down;
    h->place = sg_arena_take(arena, (size_t)count * sizeof *h->place);
    if (!h->place) return false;
    for (int32_t k = 1; k <= plan->degree; k++)
        for (int64_t r = plan->lyndon_first[k]; r < plan->lyndon_first[k + 1]; r++)
            h->place[r] = (int32_t)plan->offset[k] + plan->lyndon[r];
    return from_plan(arena, plan, &plan->bracket, plan->offset, sg_plan_words(plan),
                     &h->expand_bar) &&
           transpose(arena, &h->expand_bar, &h->expand) &&
           from_plan(arena, plan, &plan->triangle, NULL, count, &up) &&
           transpose(arena, &up, &down) && order_by_wave(arena, &down, true, &h->down) &&
           order_by_wave(arena, &up, false, &h->up);
}

static void put_all(image *im, const host_tables *h, sg_cuda_tables *t)
{
    im->used = 0;
    t->place = put(im, h->place, t->count, sizeof *h->place);
    t->expand = put_matrix(im, &h->expand);
    t->expand_bar = put_matrix(im, &h->expand_bar);
    t->to_brackets = put_solve(im, &h->down);
    t->to_brackets_bar = put_solve(im, &h->up);
}

static sigad_status upload(const sigad_plan *plan, sg_cuda_tables *t)
{
    sg_arena arena;
    host_tables h;
    image im = {.used = 0};
    sg_arena_init(&arena, &plan->allocator);
    t->count = plan->log_sig_length;
    bool good = build(&arena, plan, &h);
    if (good) {
        put_all(&im, &h, t);
        im.bytes = sg_arena_take_zeroed(&arena, im.used);
        good = im.bytes != NULL;
    }
    if (good) {
        put_all(&im, &h, t);
        t->block = im.device = t->driver->upload(im.bytes, im.used);
        good = im.device != NULL;
    }
    if (good) {
        im.bytes = NULL;
        put_all(&im, &h, t); /* now the addresses are known */
    }
    sg_arena_destroy(&arena);
    return good ? SIGAD_OK : SIGAD_ENOMEM;
}

/* ---- on the plan ---------------------------------------------------------------------------- */

static void release(sg_plan_copy *copy, const sigad_allocator *allocator)
{
    sg_cuda_tables *t = (sg_cuda_tables *)copy;
    if (t->block) t->driver->release(t->head.device, t->block);
    sg_release(allocator, t->remembered, sizeof *t->remembered);
    sg_release(allocator, t, sizeof *t);
}

const sg_cuda_tables *sg_cuda_tables_find(const sigad_plan *plan, int32_t device)
{
    return (const sg_cuda_tables *)sg_plan_copy_find(plan, device);
}

sigad_status sg_cuda_tables_make(const sigad_plan *plan, const sg_cuda_driver *driver,
                                 int32_t device)
{
    if (sg_plan_words(plan) > INT32_MAX && sg_plan_has_tables(plan)) return SIGAD_ERANGE;
    sg_cuda_tables *t = sg_allocate(&plan->allocator, sizeof *t);
    if (!t) return SIGAD_ENOMEM;
    *t = (sg_cuda_tables){.head = {.device = device, .release = release}, .driver = driver};
    t->remembered = sg_allocate(&plan->allocator, sizeof *t->remembered);
    sigad_status status = t->remembered ? SIGAD_OK : SIGAD_ENOMEM;
    if (!status) memset(t->remembered, 0, sizeof *t->remembered);
    if (!status && sg_plan_has_tables(plan)) status = upload(plan, t);
    if (status || !sg_plan_copy_add(plan, &t->head)) release(&t->head, &plan->allocator);
    return status;
}
