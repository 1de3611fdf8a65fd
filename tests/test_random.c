#include "core/random.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* Known answers that Salmon, Moraes, Dror and Shaw publish with Random123 (kat_vectors, philox4x32
 * with 10 rounds). Counter and key as words, lowest first. */
Test(random, philox_gives_the_published_answers)
{
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const uint32_t *c = known[i].counter, *k = known[i].key;
        sg_random_block block = sg_philox((uint64_t)k[1] << 32 | k[0], (uint64_t)c[3] << 32 | c[2],
                                          (uint64_t)c[1] << 32 | c[0]);
        cr_expect_arr_eq(block.word, known[i].answer, sizeof block.word);
    }
}

Test(random, keys_differ_by_every_letter_and_value)
{
    cr_expect_neq(sg_random_key(1, 2), sg_random_key(2, 1));
    cr_expect_neq(sg_random_key_text(1, "ab"), sg_random_key_text(1, "ba"));
    cr_expect_neq(sg_random_key_text(1, "ab"), sg_random_key_text(2, "ab"));
    cr_expect_eq(sg_random_key_text(1, "ab"), sg_random_key_text(1, "ab"));
    cr_expect_eq(sg_random_key_text(5, ""), 5);
}

/* Means of n draws lie within 5 standard errors of what they estimate. */
static void expect_mean(double sum, int64_t n, double mean, double deviation, const char *what)
{
    double off = fabs(sum / (double)n - mean);
    cr_expect(off < 5.0 * deviation / sqrt((double)n), "%s is off by %g", what, off);
}

enum { DRAWS = 200000 };

Test(random, uniform_has_its_moments)
{
    double sum = 0.0, squares = 0.0, pairs = 0.0, before = 0.5;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double u = sg_random_uniform(42, i);
        cr_assert(u >= 0.0 && u < 1.0);
        sum += u;
        squares += u * u;
        pairs += (u - 0.5) * (before - 0.5);
        before = u;
    }
    expect_mean(sum, DRAWS, 0.5, sqrt(1.0 / 12.0), "mean");
    expect_mean(squares, DRAWS, 1.0 / 3.0, sqrt(4.0 / 45.0), "mean square");
    expect_mean(pairs, DRAWS, 0.0, 1.0 / 12.0, "correlation of neighbours");
}

Test(random, normal_has_its_moments)
{
    double sum[5] = {0.0}, pairs = 0.0, before = 0.0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double x = sg_random_normal(43, i), power = 1.0;
        for (int k = 0; k < 5; k++, power *= x) sum[k] += power;
        pairs += x * before;
        before = x;
    }
    /* Var x^k = E x^2k - (E x^k)^2 with E x^2 = 1, E x^4 = 3, E x^6 = 15, E x^8 = 105. */
    expect_mean(sum[1], DRAWS, 0.0, 1.0, "mean");
    expect_mean(sum[2], DRAWS, 1.0, sqrt(2.0), "variance");
    expect_mean(sum[3], DRAWS, 0.0, sqrt(15.0), "third moment");
    expect_mean(sum[4], DRAWS, 3.0, sqrt(96.0), "fourth moment");
    expect_mean(pairs, DRAWS, 0.0, 1.0, "correlation of neighbours");
}

Test(random, a_draw_depends_on_key_and_position_only)
{
    double forward[16];
    for (uint64_t i = 0; i < 16; i++) forward[i] = sg_random_normal(9, i);
    for (uint64_t i = 16; i-- > 0;) cr_expect_eq(sg_random_normal(9, i), forward[i]);
    cr_expect_neq(sg_random_normal(10, 3), forward[3]);
}

Test(random, permutations_hold_each_number_once)
{
    enum { MOST = 300 };
    int64_t index[MOST];
    bool seen[MOST];
    for (int64_t n = 0; n <= MOST; n += 37) {
        memset(seen, 0, sizeof seen);
        sg_random_permutation((uint64_t)n, n, index);
        for (int64_t i = 0; i < n; i++) {
            cr_assert(index[i] >= 0 && index[i] < n && !seen[index[i]]);
            seen[index[i]] = true;
        }
    }
}

/* Each of the 6 orders of 3 comes up with probability 1/6. */
Test(random, permutations_are_uniform)
{
    int count[27] = {0}, draws = 12000;
    for (int k = 0; k < draws; k++) {
        int64_t index[3];
        sg_random_permutation((uint64_t)k, 3, index);
        count[9 * index[0] + 3 * index[1] + index[2]]++;
    }
    double sigma = sqrt(draws / 6.0 * 5.0 / 6.0);
    int orders = 0;
    for (int i = 0; i < 27; i++)
        if (count[i]) {
            orders++;
            cr_expect(fabs(count[i] - draws / 6.0) < 5.0 * sigma, "order %d came %d times", i,
                      count[i]);
        }
    cr_expect_eq(orders, 6);
}
