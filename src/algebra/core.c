#include "algebra/core.h"

bool sg_core_exists(int32_t letters, int32_t degree, int64_t words)
{
    return letters >= 2 && letters <= SG_CORE_LETTERS && degree >= 3 && degree <= SG_CORE_DEGREE &&
           words <= SG_CORE_WORDS;
}

static void lay_out_mixed(sg_core *core, int32_t a, int32_t m, int64_t *end)
{
    int32_t n = core->letters - a;
    for (int32_t j = 1; j <= m - 2; j++) {
        core->mixed[a][m][j] = *end;
        *end += core->power[n - 1][j] * core->power[n][m - 1 - j];
    }
}

static void lay_out(sg_core *core)
{
    int32_t d = core->letters, top = core->degree;
    int64_t end = 0;
    for (int32_t n = 0; n <= d; n++) {
        core->power[n][0] = 1;
        for (int32_t i = 1; i <= top; i++) core->power[n][i] = core->power[n][i - 1] * n;
    }
    for (int32_t m = 1; m < top; m++) {
        core->dense[m] = end;
        end += core->power[d][m];
    }
    for (int32_t a = 0; a < d; a++) core->minimal[a][1] = core->dense[1] + a;
    for (int32_t m = top; m >= 2; m--) {
        for (int32_t a = 0; a < d; a++) {
            core->minimal[a][m] = end;
            end += core->power[d - a][m - 1];
        }
        if (m == top) core->accumulated = end;
    }
    core->kept = d + end - core->minimal[0][top];
    for (int32_t a = 0; a < d; a++)
        for (int32_t m = 3; m < top; m++) lay_out_mixed(core, a, m, &end);
    core->dense[top] = core->late = end;
    end += core->power[d][top];
    int64_t shared = end;
    for (int32_t a = 0; a < d; a++) {
        int64_t last = shared;
        lay_out_mixed(core, a, top, &last);
        if (last > end) end = last;
    }
    core->entries = end;
    for (int32_t a = 0; a < d; a++)
        for (int32_t j = 1; j <= top - 3; j++) {
            core->table[a][j] = core->tables;
            core->tables += core->power[d - a - 1][j] * core->power[d - a][top - 1 - j];
        }
}

static int32_t *take(sg_arena *arena, int64_t count)
{
    return sg_arena_take(arena, (size_t)count * sizeof(int32_t));
}

static bool build_rows(sg_core *core, sg_arena *arena)
{
    for (int32_t a = 0; a < core->letters; a++)
        for (int32_t i = 0; i < core->degree; i++) {
            int32_t n = core->letters - a, *row = take(arena, core->power[n][i]);
            if (!row) return false;
            row[0] = 0;
            for (int64_t y = 0; i && y < core->power[n][i]; y++)
                row[y] = (int32_t)(y % n) + a + core->letters * core->row[a][i - 1][y / n];
            core->row[a][i] = row;
        }
    return true;
}

/* One u of rule[a][m][k], with index y in radix n - 1. */
static int32_t *write_rule(const sg_core *core, int32_t a, int32_t m, int32_t k, int64_t y,
                           int32_t *to)
{
    int32_t n = core->letters - a, v = m - 1 - k, u[SG_CORE_DEGREE];
    int64_t word = 0, mirror = 0, wide_mirror = 0; /* u in radix letters; u reversed */
    for (int32_t i = 0; i < k; i++, y /= n - 1) {
        u[i] = 1 + (int32_t)(y % (n - 1));
        word += (u[i] + a) * core->power[core->letters][i];
    }
    *to++ = (int32_t)(core->dense[m] + (word * core->letters + a) * core->power[core->letters][v]);
    *to++ = (int32_t)core->minimal[a][v + 1];
    for (int32_t l = 1; l <= k; l++) {
        mirror = mirror * (n - 1) + u[l - 1] - 1;
        wide_mirror = wide_mirror * n + u[l - 1];
        *to++ = (int32_t)(v == 0 ? core->minimal[a][l + 1] + wide_mirror
                                 : core->mixed[a][v + 1 + l][l] + mirror * core->power[n][v]);
    }
    for (int32_t l = 0; l < k; l++, word /= core->letters)
        *to++ = (int32_t)(core->dense[k - l] + word);
    return to;
}

/* One u of last[a][k]. */
static int32_t *write_last(const sg_core *core, int32_t a, int32_t k, int64_t y, int32_t *to)
{
    int32_t n = core->letters - a, v = core->degree - 1 - k, letter = 0;
    int64_t word = 0, mirror = 0, others = 0, wide_mirror = 0;
    for (int32_t i = 0; i < k; i++, y /= n - 1) {
        letter = 1 + (int32_t)(y % (n - 1));
        word += (letter + a) * core->power[core->letters][i];
        others = mirror;
        mirror = mirror * (n - 1) + letter - 1;
        wide_mirror = wide_mirror * n + letter;
    }
    *to++ = (int32_t)(v ? (word * core->letters + a) * core->power[core->letters][v - 1] : word);
    *to++ = (int32_t)(v == 1 ? core->minimal[a][core->degree] + wide_mirror * n
                             : core->table[a][k] + mirror * core->power[n][v]);
    int64_t second =
        core->minimal[a][core->degree] + letter; /* of one letter; none has no second */
    if (k > 1) second = core->table[a][k - 1] + others * core->power[n][v + 1] + letter;
    *to++ = (int32_t)second;
    return to;
}

static bool build_rules(sg_core *core, sg_arena *arena)
{
    for (int32_t a = 0; a < core->letters; a++)
        for (int32_t m = 2; m <= core->degree; m++)
            for (int32_t k = 0; k < m; k++) {
                int64_t count = core->power[core->letters - a - 1][k];
                int32_t *to = take(arena, count * (2 * k + 2));
                if (!to) return false;
                core->rule[a][m][k] = to;
                for (int64_t y = 0; y < count; y++) to = write_rule(core, a, m, k, y, to);
            }
    return true;
}

static bool build_last(sg_core *core, sg_arena *arena)
{
    for (int32_t a = 0; a < core->letters; a++)
        for (int32_t k = 0; k < core->degree; k++) {
            int64_t count = core->power[core->letters - a - 1][k];
            int32_t *to = take(arena, 3 * count);
            if (!to) return false;
            core->last[a][k] = to;
            for (int64_t y = 0; y < count; y++) to = write_last(core, a, k, y, to);
        }
    return true;
}

/* Word i of level m: in its dense level, but at the top where it ends in its smallest letter. */
static int64_t place_of(const sg_core *core, int32_t m, int64_t i)
{
    int32_t d = core->letters, last = (int32_t)(i % d), least = last;
    int64_t dense = 0, minimal = 0;
    for (int64_t rest = i, j = 0; j < m; j++, rest /= d) {
        int32_t letter = (int32_t)(rest % d);
        if (letter < least) least = letter;
        dense = dense * d + letter;
        if (j) minimal = minimal * (d - last) + letter - last;
    }
    return m == core->degree && least == last ? core->minimal[last][m] + minimal
                                              : core->dense[m] + dense;
}

static bool build_places(sg_core *core, sg_arena *arena)
{
    int64_t words = 0, i = 0;
    for (int32_t m = 1; m <= core->degree; m++) words += core->power[core->letters][m];
    core->place = take(arena, words);
    if (!core->place) return false;
    for (int32_t m = 1; m <= core->degree; m++)
        for (int64_t j = 0; j < core->power[core->letters][m]; j++)
            core->place[i++] = (int32_t)place_of(core, m, j);
    return true;
}

const sg_core *sg_core_build(sg_arena *arena, int32_t letters, int32_t degree)
{
    sg_core *core = sg_arena_take_zeroed(arena, sizeof *core);
    if (!core) return NULL;
    core->letters = letters;
    core->degree = degree;
    lay_out(core);
    bool built = build_rows(core, arena) && build_rules(core, arena) && build_last(core, arena) &&
                 build_places(core, arena);
    return built ? core : NULL;
}
