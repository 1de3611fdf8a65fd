#include "algebra/sums.h"

bool sg_sums_exist(int32_t channels, bool time, int32_t degree, int64_t words)
{
    return channels <= SG_SUM_CHANNELS && 2 * channels + time > 1 && degree >= 2 &&
           degree <= SG_SUM_DEGREE && words <= SG_SUM_WORDS;
}

static void lay_out(sg_sums *sums)
{
    int32_t d = sums->channels;
    for (int w = 1; w <= sums->degree; w++) {
        for (int k = 0; k < d; k++)
            sums->first[w][k + 1] =
                sums->first[w][k] + (w == 1 ? 1 : sums->first[w - 1][d] - sums->first[w - 1][k]);
        sums->monomials[w] = w == 1 ? sums->letters : sums->first[w][d];
    }
    int32_t words[SG_SUM_DEGREE + 1] = {1};
    for (int n = 1; n <= sums->degree; n++) {
        for (int w = 1; w <= n; w++) {
            sums->block[n][w] = words[n];
            words[n] += words[n - w] * sums->monomials[w];
        }
        sums->level[n + 1] = sums->level[n] + words[n];
    }
}

/* Index of a monomial among those of its weight, from the sorted channels. */
static int32_t index_of_monomial(const sg_sums *sums, const int32_t *channel, int32_t weight)
{
    int32_t index = channel[weight - 1];
    for (int32_t i = 0; i < weight - 1; i++)
        index += sums->first[weight - i][channel[i]] - sums->first[weight - i - 1][channel[i]];
    return index;
}

static void sort(int32_t *channel, int32_t count)
{
    for (int32_t i = 1; i < count; i++)
        for (int32_t j = i; j > 0 && channel[j] < channel[j - 1]; j--) {
            int32_t other = channel[j];
            channel[j] = channel[j - 1];
            channel[j - 1] = other;
        }
}

/* Over all choices of channels, which meet each monomial at least once. */
static bool build_products(sg_sums *sums, sg_arena *arena)
{
    int32_t d = sums->channels, weight = sums->degree - 1, all = d;
    sums->product = sg_arena_take(arena, (size_t)(sums->monomials[weight] * d) * sizeof(int32_t));
    if (!sums->product) return false;
    for (int32_t i = 1; i < weight; i++) all *= d;
    for (int32_t i = 0; i < all * d; i++) {
        int32_t channel[SG_SUM_DEGREE], rest = i / d;
        for (int32_t j = 0; j < weight; j++, rest /= d) channel[j] = rest % d;
        sort(channel, weight);
        int32_t from = index_of_monomial(sums, channel, weight);
        channel[weight] = i % d;
        sort(channel, weight + 1);
        sums->product[from * d + i % d] = index_of_monomial(sums, channel, weight + 1);
    }
    return true;
}

/* ---- shapes: channels and time in a row, cut into blocks ----------------------------------------
 */

enum { LAG, LEAD, TIME, KINDS };

/* A block is a number of channels, or one step of time. */
typedef struct {
    int32_t blocks, size[SG_SUM_DEGREE];
    bool time[SG_SUM_DEGREE];
} shape;

static int32_t power(int32_t base, int32_t exponent)
{
    int32_t p = 1;
    while (exponent-- > 0) p *= base;
    return p;
}

/* The sum for the channels `index` says, the first one fastest. */
static int32_t place_of_sum(const sg_sums *sums, const shape *s, int32_t index)
{
    int32_t d = sums->channels, digit[SG_SUM_DEGREE], count = 0, weight = 0, at = 0;
    for (int32_t b = 0; b < s->blocks; b++)
        for (int32_t i = 0; !s->time[b] && i < s->size[b]; i++, index /= d)
            digit[count++] = index % d;
    for (int32_t b = s->blocks; b-- > 0;) {
        int32_t w = s->size[b], letter = d, *mine = digit + count - w;
        if (!s->time[b]) {
            sort(mine, w);
            letter = index_of_monomial(sums, mine, w);
            count -= w;
        }
        weight += w;
        at = sums->block[weight][w] + at * sums->monomials[w] + letter;
    }
    return sums->level[weight] + at;
}

enum { SHAPES = 2 * 3 * 3 * 3 * 3 * 3 };

/* Less than SHAPES, and different for each shape. */
static int32_t code_of(const shape *s)
{
    int32_t code = 1;
    for (int32_t b = 0; b < s->blocks; b++) {
        code = 3 * code + !s->time[b];
        for (int32_t i = 1; i < s->size[b]; i++) code = 3 * code + 2;
    }
    return code;
}

/* Where the sums of a shape are spread; `seen` has it by code, plus 1. */
static int32_t spread_of(sg_sums *sums, const shape *s, int32_t *seen)
{
    int32_t code = code_of(s), channels = 0;
    for (int32_t b = 0; b < s->blocks; b++) channels += s->time[b] ? 0 : s->size[b];
    if (!seen[code]) {
        seen[code] = sums->spreads + 1;
        int32_t count = power(sums->channels, channels);
        for (int32_t i = 0; sums->spread && i < count; i++)
            sums->spread[sums->spreads + i] = place_of_sum(sums, s, i);
        sums->spreads += count;
    }
    return seen[code] - 1;
}

/* ---- patterns: which letters of a word lead, lag, or are time
 * ------------------------------------ */

static double inverse_factorial(int32_t n)
{
    double f = 1;
    while (n > 1) f /= n--;
    return f;
}

/* Of one increment: lead and time first, then lag and time. */
static double coefficient_of_block(const int32_t *kind, int32_t count)
{
    double sum = 0;
    for (int32_t cut = 0; cut <= count; cut++) {
        bool possible = true;
        for (int32_t i = 0; i < count; i++)
            if (kind[i] == (i < cut ? LAG : LEAD)) possible = false;
        if (possible) sum += inverse_factorial(cut) * inverse_factorial(count - cut);
    }
    return sum;
}

/* Index of a factor, a new one if there is none like it. */
static int32_t place_of_factor(sg_sums *sums, sg_sum_factor factor)
{
    int32_t i = 0;
    while (i < sums->factors && (sums->factor[i].power != factor.power ||
                                 sums->factor[i].coefficient != factor.coefficient))
        i++;
    if (i == sums->factors) sums->factor[sums->factors++] = factor;
    return i;
}

/* One way to cut a pattern of n letters: a bit of `cuts` for each place between two. */
static bool make_term(sg_sums *sums, const int32_t *kind, int32_t n, int32_t cuts, int32_t *seen,
                      sg_sum_term *term)
{
    shape s = {.blocks = 0};
    sg_sum_factor factor = {.coefficient = 1};
    for (int32_t from = 0, to; from < n; from = to) {
        int32_t channels = 0;
        for (to = from; to == from || (to < n && !(cuts >> (to - 1) & 1)); to++)
            channels += kind[to] != TIME;
        s.time[s.blocks] = !channels;
        s.size[s.blocks++] = channels ? channels : 1;
        factor.power += to - from - (channels ? channels : 1);
        factor.coefficient *= coefficient_of_block(kind + from, to - from);
    }
    if (factor.coefficient == 0) return false;
    term->from = spread_of(sums, &s, seen);
    if (sums->factor) term->factor = place_of_factor(sums, factor);
    return true;
}

/* Place of a word in a tensor of words stored reversed, without scalar term. */
static int32_t place_of_word(const sg_sums *sums, const int32_t *kind, int32_t n, int32_t index)
{
    int32_t d = sums->channels, letters = 2 * d + sums->letters - d, at = 0, step = 1;
    for (int32_t i = 0; i < n; i++, step *= letters) {
        at += step; /* the levels below */
        if (kind[i] == TIME) {
            at += (letters - 1) * step;
        } else {
            at += (index % d + (kind[i] == LEAD ? d : 0)) * step;
            index /= d;
        }
    }
    return at - 1;
}

/* Counts terms, and writes them where there is room. */
static int32_t write_pattern(sg_sums *sums, const int32_t *kind, int32_t n, int32_t place,
                             int32_t first, int32_t *seen, sg_sum_pattern *pattern)
{
    int32_t channels = 0, terms = 0;
    for (int32_t i = 0; i < n; i++) channels += kind[i] != TIME;
    for (int32_t cuts = 0; cuts < 1 << (n - 1); cuts++) {
        sg_sum_term term;
        if (!make_term(sums, kind, n, cuts, seen, &term)) continue;
        if (sums->term) sums->term[first + terms] = term;
        terms++;
    }
    *pattern = (sg_sum_pattern){power(sums->channels, channels), place, first, terms};
    for (int32_t i = 0; sums->place && i < pattern->words; i++)
        sums->place[place + i] = place_of_word(sums, kind, n, i);
    return terms;
}

typedef struct {
    int32_t patterns, places, terms;
} counts;

/* Everything but what has no room yet, which is counted. */
static counts write_patterns(sg_sums *sums)
{
    counts c = {0, 0, 0};
    int32_t seen[SHAPES] = {0};
    sums->spreads = sums->factors = 0;
    int32_t kinds = sums->letters > sums->channels ? KINDS : KINDS - 1;
    for (int32_t n = 1; n <= sums->degree; n++)
        for (int32_t i = 0; i < power(kinds, n) * (n + 1); i++) {
            int32_t kind[SG_SUM_DEGREE], steps = i / power(kinds, n);
            sg_sum_pattern pattern;
            for (int32_t j = 0, rest = i; j < n; j++, rest /= kinds) {
                kind[j] = rest % kinds;
                steps -= kind[j] == TIME;
            }
            if (steps) continue; /* those with the same number of steps of time in a row */
            c.terms += write_pattern(sums, kind, n, c.places, c.terms, seen, &pattern);
            c.places += pattern.words;
            if (sums->pattern) sums->pattern[c.patterns] = pattern;
            c.patterns++;
        }
    return c;
}

const sg_sums *sg_sums_build(sg_arena *arena, int32_t channels, bool time, int32_t degree)
{
    sg_sums *sums = sg_arena_take_zeroed(arena, sizeof *sums);
    if (!sums) return NULL;
    sums->channels = channels;
    sums->degree = degree;
    sums->letters = channels + time;
    lay_out(sums);
    counts c = write_patterns(sums);
    sums->spread = sg_arena_take(arena, (size_t)sums->spreads * sizeof *sums->spread);
    sums->pattern = sg_arena_take(arena, (size_t)c.patterns * sizeof *sums->pattern);
    sums->term = sg_arena_take(arena, (size_t)c.terms * sizeof *sums->term);
    sums->place = sg_arena_take(arena, (size_t)c.places * sizeof *sums->place);
    sums->factor = sg_arena_take(arena, (size_t)c.terms * sizeof *sums->factor);
    if (!sums->spread || !sums->pattern || !sums->term || !sums->place || !sums->factor)
        return NULL;
    if (!build_products(sums, arena)) return NULL;
    sums->patterns = c.patterns;
    write_patterns(sums);
    return sums;
}
