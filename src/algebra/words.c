#include "algebra/words.h"
#include "core/memory.h"

__extension__ typedef __int128 wide;

bool sg_words_total(int64_t letters, int32_t degree, int64_t *total)
{
    if (letters == 1) {
        *total = degree;
        return true;
    }
    int64_t power = 1, sum = 0;
    for (int32_t k = 1; k <= degree; k++)
        if (!sg_multiply(power, letters, &power) || !sg_add(sum, power, &sum)) return false;
    *total = sum;
    return true;
}

/* The Moebius function. */
static int moebius(int32_t n)
{
    int sign = 1;
    for (int32_t p = 2; p <= n; p++) {
        if (n % p) continue;
        n /= p;
        if (n % p == 0) return 0;
        sign = -sign;
    }
    return sign;
}

/* letters^exponent, or `limit` if that is less. */
static wide power_up_to(wide limit, int64_t letters, int32_t exponent)
{
    wide power = 1;
    while (exponent-- > 0 && power < limit) power *= letters;
    return power < limit ? power : limit;
}

/* Witt's formula: (1/k) sum over x | k of mu(k/x) letters^x (Reutenauer 1993, "Free Lie Algebras",
 * corollary 4.14). The terms may be k times larger than the result. */
bool sg_lyndon_count(int64_t letters, int32_t degree, int64_t *count)
{
    if (letters == 1) {
        *count = degree == 1;
        return true;
    }
    wide limit = (wide)1 << 80, sum = 0;
    if (degree > 70 || power_up_to(limit, letters, degree) >= limit) return false;
    for (int32_t x = 1; x <= degree; x++)
        if (degree % x == 0) sum += moebius(degree / x) * power_up_to(limit, letters, x);
    sum /= degree;
    if (sum > INT64_MAX) return false;
    *count = (int64_t)sum;
    return true;
}

bool sg_lyndon_total(int64_t letters, int32_t degree, int64_t *total)
{
    int64_t sum = 0, count;
    int32_t last = letters == 1 ? 1 : degree;
    for (int32_t k = 1; k <= last; k++)
        if (!sg_lyndon_count(letters, k, &count) || !sg_add(sum, count, &sum)) return false;
    *total = sum;
    return true;
}

/* Duval (1988), "Generation d'une section des classes de conjugaison et arbre des mots de Lyndon de
 * longueur bornee". */
void sg_lyndon_each(int32_t letters, int32_t degree, int32_t *word,
                    void (*visit)(void *user, int32_t length, int64_t index), void *user)
{
    int32_t length = 1;
    word[0] = -1;
    while (length > 0) {
        word[length - 1]++;
        int64_t index = 0;
        for (int32_t i = 0; i < length; i++) index = index * letters + word[i];
        visit(user, length, index);
        for (int32_t i = length; i < degree; i++) word[i] = word[i - length];
        length = degree;
        while (length > 0 && word[length - 1] == letters - 1) length--;
    }
}
