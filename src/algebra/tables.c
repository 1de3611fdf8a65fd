/* The tables of methods 1 and 2. b(w) = [b(u), b(v)] with v the longest proper Lyndon suffix of w =
 * u v; b(w) is w plus greater words of the same letters, so its coefficients at Lyndon words form a
 * unit lower triangular matrix (Reutenauer 1993, "Free Lie Algebras", theorem 5.1). */
#include "algebra/plan.h"
#include "algebra/words.h"
#include <string.h>

typedef struct {
    sigad_plan *plan;
    int64_t *next; /* [degree + 1] rank of the next word of each length */
} listing;

static void list_word(void *user, int32_t length, int64_t index)
{
    listing *list = user;
    list->plan->lyndon[list->next[length]++] = (int32_t)index;
}

/* Lexicographic order inside each length is what the visit in lexicographic order leaves. */
static sigad_status build_lyndon(sigad_plan *plan)
{
    size_t degree = (size_t)plan->degree;
    int64_t count, *first = sg_arena_take(&plan->arena, (degree + 2) * sizeof *first);
    plan->lyndon = sg_arena_take(&plan->arena, (size_t)plan->log_sig_length * sizeof *plan->lyndon);
    int64_t *next = sg_arena_take(&plan->arena, (degree + 2) * sizeof *next);
    int32_t *word = sg_arena_take(&plan->arena, degree * sizeof *word);
    if (!first || !plan->lyndon || !next || !word) return SIGAD_ENOMEM;
    first[0] = first[1] = 0;
    for (int32_t k = 1; k <= plan->degree; k++) {
        if (!sg_lyndon_count(plan->letters, k, &count)) return SIGAD_ERANGE;
        first[k + 1] = first[k] + count;
    }
    plan->lyndon_first = first;
    memcpy(next, first, (degree + 2) * sizeof *next);
    sg_lyndon_each(plan->letters, plan->degree, word, list_word, &(listing){plan, next});
    return SIGAD_OK;
}

static bool starts_run(const sigad_plan *plan, int32_t length, int64_t rank)
{
    return rank == plan->lyndon_first[length] ||
           plan->lyndon[rank] / plan->letters != plan->lyndon[rank - 1] / plan->letters;
}

static sigad_status build_runs(sigad_plan *plan)
{
    int64_t *first = sg_arena_take(&plan->arena, ((size_t)plan->degree + 2) * sizeof *first);
    if (!first) return SIGAD_ENOMEM;
    first[0] = first[1] = 0;
    for (int32_t k = 1; k <= plan->degree; k++) {
        first[k + 1] = first[k];
        for (int64_t r = plan->lyndon_first[k]; r < plan->lyndon_first[k + 1]; r++)
            first[k + 1] += starts_run(plan, k, r);
    }
    plan->run_first = first;
    sg_run *run = sg_arena_take(&plan->arena, (size_t)first[plan->degree + 1] * sizeof *run);
    if (!run) return SIGAD_ENOMEM;
    plan->run = run;
    for (int32_t k = 1; k <= plan->degree; k++)
        for (int64_t r = plan->lyndon_first[k]; r < plan->lyndon_first[k + 1]; r++)
            if (starts_run(plan, k, r))
                *run++ = (sg_run){plan->lyndon[r] / plan->letters, plan->lyndon[r] % plan->letters};
    return SIGAD_OK;
}

/* Rank of a word, -1 if it is not a Lyndon word. */
static int64_t rank_of(const sigad_plan *plan, int32_t length, int64_t index)
{
    int64_t low = plan->lyndon_first[length], high = plan->lyndon_first[length + 1];
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (plan->lyndon[middle] < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < plan->lyndon_first[length + 1] && plan->lyndon[low] == index ? low : -1;
}

typedef struct {
    const sigad_plan *plan;
    sg_entry *entry;
    size_t count, capacity;
} growing;

static bool reserve(growing *list, size_t more)
{
    size_t capacity = list->capacity ? list->capacity : 1024;
    while (capacity - list->count < more) capacity *= 2;
    if (capacity == list->capacity) return true;
    sg_entry *grown = sg_reallocate(&list->plan->allocator, list->entry,
                                    list->capacity * sizeof *grown, capacity * sizeof *grown);
    if (!grown) return false;
    list->entry = grown;
    list->capacity = capacity;
    return true;
}

/* The entry of place i in the product of two expansions; places ascend with the words, for the left
 * factor's words are the slow ones. */
static sg_entry product_entry(const sg_entry *left, const sg_entry *right, size_t right_count,
                              int64_t right_size, size_t i)
{
    sg_entry l = left[i / right_count], r = right[i % right_count];
    return (sg_entry){(int32_t)(l.row * right_size + r.row), l.value * r.value};
}

/* Appends b(u) b(v) - b(v) b(u) for columns u, v of lengths m, n: a merge of two ascending lists.
 * Coefficients are at most 2^(length - 1) < 2^31. */
static bool append_commutator(growing *list, const int64_t *start, int64_t u, int32_t m, int64_t v,
                              int32_t n)
{
    size_t u_count = (size_t)(start[u + 1] - start[u]), v_count = (size_t)(start[v + 1] - start[v]);
    size_t count = u_count * v_count;
    if (!reserve(list, 2 * count)) return false;
    const sg_entry *bu = list->entry + start[u], *bv = list->entry + start[v];
    const int64_t *size = list->plan->size;
    size_t i = 0, j = 0;
    while (i < count || j < count) {
        sg_entry a = {INT32_MAX, 0}, b = {INT32_MAX, 0};
        if (i < count) a = product_entry(bu, bv, v_count, size[n], i);
        if (j < count) b = product_entry(bv, bu, u_count, size[m], j);
        sg_entry next = a.row <= b.row ? a : (sg_entry){b.row, 0};
        if (a.row <= b.row) i++;
        if (b.row <= a.row) {
            next.value -= b.value;
            j++;
        }
        if (next.value) list->entry[list->count++] = next;
    }
    return true;
}

static bool append_bracket(growing *list, const int64_t *start, int32_t length, int64_t rank)
{
    const sigad_plan *plan = list->plan;
    int64_t index = plan->lyndon[rank];
    if (length == 1) {
        if (!reserve(list, 1)) return false;
        list->entry[list->count++] = (sg_entry){(int32_t)index, 1};
        return true;
    }
    for (int32_t n = length - 1;; n--) { /* ends at the last letter, if not before */
        int64_t v = rank_of(plan, n, index % plan->size[n]);
        if (v < 0) continue;
        int64_t u = rank_of(plan, length - n, index / plan->size[n]);
        return append_commutator(list, start, u, length - n, v, n);
    }
}

static bool keep(sigad_plan *plan, const growing *list, sg_sparse *table)
{
    table->entry = sg_arena_take(&plan->arena, list->count * sizeof *table->entry);
    if (table->entry && list->count)
        memcpy(table->entry, list->entry, list->count * sizeof *table->entry);
    return table->entry;
}

static bool fill_bracket(sigad_plan *plan, growing *list)
{
    int64_t *start = plan->bracket.start;
    start[0] = 0;
    for (int32_t k = 1; k <= plan->degree; k++)
        for (int64_t r = plan->lyndon_first[k]; r < plan->lyndon_first[k + 1]; r++) {
            if (!append_bracket(list, start, k, r)) return false;
            start[r + 1] = (int64_t)list->count;
        }
    return keep(plan, list, &plan->bracket);
}

static bool fill_triangle(sigad_plan *plan, growing *list)
{
    int64_t *start = plan->triangle.start;
    start[0] = 0;
    for (int32_t k = 1; k <= plan->degree; k++)
        for (int64_t r = plan->lyndon_first[k]; r < plan->lyndon_first[k + 1]; r++) {
            const sg_entry *e = plan->bracket.entry + plan->bracket.start[r];
            const sg_entry *end = plan->bracket.entry + plan->bracket.start[r + 1];
            if (!reserve(list, (size_t)(end - e))) return false;
            for (; e < end; e++) {
                int64_t row = rank_of(plan, k, e->row);
                if (row > r) list->entry[list->count++] = (sg_entry){(int32_t)row, e->value};
            }
            start[r + 1] = (int64_t)list->count;
        }
    return keep(plan, list, &plan->triangle);
}

static sigad_status build_sparse(sigad_plan *plan, sg_sparse *table,
                                 bool (*fill)(sigad_plan *, growing *))
{
    table->start =
        sg_arena_take(&plan->arena, ((size_t)plan->log_sig_length + 1) * sizeof *table->start);
    if (!table->start) return SIGAD_ENOMEM;
    growing list = {.plan = plan};
    bool done = fill(plan, &list);
    sg_release(&plan->allocator, list.entry, list.capacity * sizeof *list.entry);
    return done ? SIGAD_OK : SIGAD_ENOMEM;
}

/* The entries of columns first .. last - 1 of a table, sorted by row: `next` [rows + 1] counts,
 * then says where the next one of each row goes. */
static void sort_by_row(const sg_sparse *table, int64_t first, int64_t last, int64_t rows,
                        int64_t *next, sg_term *term)
{
    memset(next, 0, (size_t)(rows + 1) * sizeof *next);
    for (int64_t e = table->start[first]; e < table->start[last]; e++)
        next[table->entry[e].row + 1]++;
    for (int64_t r = 0; r < rows; r++) next[r + 1] += next[r];
    for (int64_t column = first; column < last; column++)
        for (int64_t e = table->start[column]; e < table->start[column + 1]; e++) {
            sg_entry entry = table->entry[e];
            term[next[entry.row]++] = (sg_term){entry.row, (int32_t)column, entry.value};
        }
}

static void sort_terms(sigad_plan *plan, int64_t *next)
{
    const int64_t *rank = plan->lyndon_first;
    for (int32_t k = 0; k <= plan->degree + 1; k++)
        plan->term_first[k] = plan->bracket.start[rank[k]];
    for (int32_t k = 1; k <= plan->degree; k++)
        sort_by_row(&plan->bracket, rank[k], rank[k + 1], plan->size[k], next,
                    plan->term + plan->term_first[k]);
    sort_by_row(&plan->triangle, 0, plan->log_sig_length, plan->log_sig_length, next,
                plan->triangle_term);
}

static sigad_status build_terms(sigad_plan *plan)
{
    size_t levels = (size_t)plan->degree + 2;
    size_t rows =
        (size_t)(plan->sig_length > plan->log_sig_length ? plan->sig_length : plan->log_sig_length);
    int64_t count = plan->bracket.start[plan->log_sig_length];
    int64_t below = plan->triangle.start[plan->log_sig_length];
    plan->term_first = sg_arena_take(&plan->arena, levels * sizeof *plan->term_first);
    plan->term = sg_arena_take(&plan->arena, (size_t)count * sizeof *plan->term);
    plan->triangle_term = sg_arena_take(&plan->arena, (size_t)below * sizeof *plan->triangle_term);
    int64_t *next = sg_allocate(&plan->allocator, (rows + 1) * sizeof *next);
    bool good = plan->term_first && plan->term && plan->triangle_term && next;
    if (good) sort_terms(plan, next);
    sg_release(&plan->allocator, next, (rows + 1) * sizeof *next);
    return good ? SIGAD_OK : SIGAD_ENOMEM;
}

sigad_status sg_plan_build_tables(sigad_plan *plan)
{
    if (plan->size[plan->degree] > INT32_MAX) return SIGAD_ERANGE;
    sigad_status status = build_lyndon(plan);
    if (!status) status = build_runs(plan);
    if (!status) status = build_sparse(plan, &plan->bracket, fill_bracket);
    if (!status) status = build_sparse(plan, &plan->triangle, fill_triangle);
    if (!status) status = build_terms(plan);
    return status;
}
