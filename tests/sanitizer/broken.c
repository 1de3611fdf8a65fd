/* Each of these tests is wrong in a way that only a sanitizer sees. A sanitizer build that lets one
 * pass is no good. */
#include <criterion/criterion.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#if defined(BROKEN_LEAK)
Test(broken, leak)
{
    char *volatile lost = malloc(100);
    cr_assert_not_null(lost);
    lost = NULL;
}
#elif defined(BROKEN_OVERFLOW)
Test(broken, overflow)
{
    volatile char *volatile block = malloc(10);
    volatile int index = 10;
    block[index] = 1;
    free((char *)block);
}
#elif defined(BROKEN_UNDEFINED)
Test(broken, undefined)
{
    volatile int number = INT_MAX;
    number = number + 1;
}
#elif defined(BROKEN_RACE)
static int shared;

static void *count(void *unused)
{
    for (int i = 0; i < 1000; i++) shared++;
    return unused;
}

Test(broken, race)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, count, NULL), 0);
    count(NULL);
    pthread_join(thread, NULL);
}
#endif
