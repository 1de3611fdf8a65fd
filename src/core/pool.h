/* Threads that wait for work: to start one takes longer than a short call does. One that has worked
 * watches for more for half a millisecond and then sleeps. */
#ifndef SG_POOL_H
#define SG_POOL_H

/* Calls body(user, 0) on the caller's thread and meanwhile body(user, worker) for workers of 1 ..
 * threads - 1, each on a thread of its own; returns when all that began have ended. Who cannot be
 * had, or has not begun when worker 0 is done, is left out: worker 0 does what nobody else took. */
void sg_pool_run(int threads, void (*body)(void *user, int worker), void *user);

/* A turn of a loop that waits for a thread at work; *turns is 0 at first. */
void sg_pool_wait(int *turns);
#endif
