/* Work on several threads. Work is cut by shape, never by the number of threads, so results do not
 * depend on it. */
#ifndef SG_PARALLEL_H
#define SG_PARALLEL_H
#include <stdint.h>

/* What a caller's thread count comes to: n_jobs as in the headers (0 is not allowed here; -1 all,
 * below -1 all + 1 + n_jobs but at least one). Never more than 64 or the number of processors,
 * whichever is larger. Results do not depend on the count. */
int sg_thread_count(int n_jobs);

/* Calls body(user, i, worker) for i = 0 .. count-1, each once, in any order, on at most `threads`
   threads; 0 <= worker < threads and no two calls with one worker run at once, so `worker` can
   choose a scratch area. With one thread, or one item, the caller's thread does it all and no other
   is started. */
void sg_parallel(int threads, int64_t count, void (*body)(void *user, int64_t index, int worker),
                 void *user);

/* Phases of such work: what belongs to one begins when all that belongs to those before it has
   ended. Cheaper than as many calls. At most SG_PHASES. */
enum { SG_PHASES = 4 };
typedef struct {
    int64_t count;
    void (*body)(void *user, int64_t index, int worker);
} sg_phase;
void sg_parallel_phases(int threads, int phases, const sg_phase *phase, void *user);
#endif
