/* A network on log-signatures trained on the device that the program is linked with. */
#ifndef DEVICE_TRAIN_H
#define DEVICE_TRAIN_H

/* Trains in both types on the CPU and `runs` times on the device: weights must agree within
 * rounding, and those of the runs in all bits. Returns how many trainings did not; prints why. */
int device_train(int runs);

#endif
