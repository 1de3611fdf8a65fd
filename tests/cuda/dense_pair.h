/* Arrays that stand on the host and on the device alike, to run the two tables of kernels beside
 * each other. */
#ifndef DENSE_PAIR_H
#define DENSE_PAIR_H
#include "ops/kernels.h"

typedef struct {
    int32_t dtype;
    int64_t n;
    void *host, *device;
} pair;

/* Places of the CPU's table and of the emulated device's; what the latter notes lies at `finding`.
 */
extern sg_place dense_host, dense_device;
void dense_begin(void);
void dense_end(void);
sg_finding dense_finding(void);

/* What is drawn from here on; the same for the same number. */
void dense_draws(int number);
/* Numbers that differ from call to call, low <= x < high; integers likewise. */
double dense_number(double low, double high);
int64_t dense_integer(int64_t low, int64_t high);
pair dense_drawn(int32_t dtype, int64_t n, double low, double high);
pair dense_filled(int32_t dtype, int64_t n, double value);
size_t dense_bytes(const pair *p);
/* What the host's array holds now goes to the device. */
void dense_upload(const pair *p);
void dense_release(pair *p);

/* Both hold the same but for rounding: relative to the larger of 1 and the entry. NaN equals NaN.
 */
void dense_expect(const pair *p, double rtol32, double rtol64, const char *format, ...)
    SIGAD_PRINTF(4, 5);
#endif
