/* Words and Lyndon words: numbers against published counts, the generator against the definition.
 */
#include "algebra/words.h"
#include <criterion/criterion.h>
#include <string.h>

/* ---- the generator ----------------------------------------------------------------------------
 */

enum { MOST_WORDS = 40000, MOST_DEGREE = 12 };
typedef struct {
    int32_t letters;
    int64_t count[MOST_DEGREE + 1];
    int64_t total;
    int32_t length[MOST_WORDS];
    int64_t index[MOST_WORDS];
} list;

static void append(void *user, int32_t length, int64_t index)
{
    list *l = user;
    l->count[length]++;
    l->length[l->total] = length;
    l->index[l->total++] = index;
}

static void spell(int32_t letters, int32_t length, int64_t index, int *letter)
{
    for (int i = length - 1; i >= 0; i--, index /= letters) letter[i] = (int)(index % letters);
}

static int compare(const int *a, int a_length, const int *b, int b_length)
{
    for (int i = 0; i < a_length && i < b_length; i++)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return (a_length > b_length) - (a_length < b_length);
}

static bool is_lyndon(const int *word, int length)
{
    for (int i = 1; i < length; i++)
        if (compare(word, length, word + i, length - i) >= 0) return false;
    return true;
}

/* Every word that comes is one, they ascend strictly, and there are as many as Witt's formula has.
 */
static void check_generator(int32_t letters, int32_t degree)
{
    static list l;
    int32_t scratch[MOST_DEGREE];
    int before[MOST_DEGREE], word[MOST_DEGREE];
    memset(&l, 0, sizeof l);
    l.letters = letters;
    sg_lyndon_each(letters, degree, scratch, append, &l);
    for (int64_t i = 0; i < l.total; i++) {
        spell(letters, l.length[i], l.index[i], word);
        cr_assert(is_lyndon(word, l.length[i]));
        if (i) cr_assert_lt(compare(before, l.length[i - 1], word, l.length[i]), 0);
        memcpy(before, word, sizeof word);
    }
    for (int32_t k = 1; k <= degree; k++) {
        int64_t count;
        cr_assert(sg_lyndon_count(letters, k, &count));
        cr_assert_eq(l.count[k], count, "%d letters, length %d: %ld", letters, k, (long)l.count[k]);
    }
}

Test(words, generator_gives_the_lyndon_words_in_order)
{
    const int32_t size[][2] = {{1, 1}, {1, 5}, {2, 1}, {2, 2}, {2, 12},
                               {3, 8}, {4, 6}, {7, 4}, {30, 2}};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) check_generator(size[i][0], size[i][1]);
}

/* ---- numbers -----------------------------------------------------------------------------------
 */

Test(words, totals)
{
    int64_t n;
    cr_assert(sg_words_total(9, 9, &n) && n == 435848049);
    cr_assert(sg_words_total(10, 10, &n) && n == 11111111110);
    cr_assert(sg_words_total(400, 5, &n) && n == 10265664160400);
    cr_assert(sg_words_total(1, INT32_MAX, &n) && n == INT32_MAX);
    cr_assert(sg_words_total(2, 61, &n) && n == ((int64_t)1 << 62) - 2);
    cr_assert(sg_words_total(2, 62, &n) && n == INT64_MAX - 1);
    cr_assert(!sg_words_total(2, 63, &n));
    cr_assert(!sg_words_total(3, INT32_MAX, &n));
    cr_assert(!sg_words_total((int64_t)1 << 32, 2, &n));
}

Test(words, lyndon_totals)
{
    int64_t n;
    cr_assert(sg_lyndon_total(3, 4, &n) && n == 32);
    cr_assert(sg_lyndon_total(5, 12, &n) && n == 26039187);
    cr_assert(sg_lyndon_total(7, 4, &n) && n == 728);
    cr_assert(sg_lyndon_total(10, 10, &n) && n == 1125217654);
    cr_assert(sg_lyndon_total(1, INT32_MAX, &n) && n == 1);
}

/* Where letters^degree leaves 64 bits the count may still fit: 2^66 / 66 is 2^59.96. */
Test(words, lyndon_counts_near_the_limit)
{
    int64_t n;
    cr_assert(sg_lyndon_count(2, 61, &n) && n == ((int64_t)1 << 61) / 61); /* 61 is prime */
    cr_assert(sg_lyndon_count(2, 67, &n) && n == 2202596307308603178);     /* OEIS A001037 */
    cr_assert(!sg_lyndon_count(2, 70, &n));
    cr_assert(!sg_lyndon_count(2, INT32_MAX, &n));
    cr_assert(!sg_lyndon_total(2, 69, &n));
    cr_assert(sg_lyndon_count((int64_t)1 << 32, 1, &n) && n == (int64_t)1 << 32);
    cr_assert(sg_lyndon_count((int64_t)1 << 32, 2, &n) &&
              n == ((int64_t)1 << 31) * (((int64_t)1 << 32) - 1));
    cr_assert(!sg_lyndon_count((int64_t)1 << 33, 2, &n));
}
