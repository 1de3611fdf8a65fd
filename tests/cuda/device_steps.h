/* Steps of training on the device that the program is linked with. */
#ifndef DEVICE_STEPS_H
#define DEVICE_STEPS_H

/* Prints a table in Markdown: microseconds of a step, operation by operation and as a CUDA graph,
 * of a small model and of the example `hurst` with so many paths. 0, or 1 after a failure. */
int device_steps(int runs, int batch);
/* The example itself; returns its exit status. */
int device_hurst(const char *steps);

#endif
