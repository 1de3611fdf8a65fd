/* A network on log-signatures trained on the device that the program is linked with. */
#ifndef DEVICE_TRAIN_H
#define DEVICE_TRAIN_H

/* Trains in both types on the CPU and `runs` times on the device, every second time in three
 * contexts, so on three streams, at once: weights must agree within rounding, and those of the runs
 * in all bits. Returns how many did not; prints why. */
int device_train(int runs);

#endif
