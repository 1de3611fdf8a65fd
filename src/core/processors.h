/* What the machine and the environment say about threads, asked for once in a process: to ask takes
 * a third of the time of a short path. */
#ifndef SG_PROCESSORS_H
#define SG_PROCESSORS_H
#include <stdbool.h>

/* Those that this process may use. */
int sg_processors(void);
/* As many, or OMP_NUM_THREADS, if that is less. */
int sg_usual_threads(void);
/* Whether OMP_WAIT_POLICY asks threads that have nothing to do to sleep at once: passive. */
bool sg_waits_passively(void);
#endif
