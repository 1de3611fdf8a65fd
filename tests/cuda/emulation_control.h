/* What the tests ask of the emulated device. */
#ifndef EMULATION_CONTROL_H
#define EMULATION_CONTROL_H
#ifdef __cplusplus
extern "C" {
#endif

/* In which order the warps of a block run, each as far as it can, and the threads of a warp. */
enum { EMULATION_UPWARDS, EMULATION_DOWNWARDS, EMULATION_SHUFFLED, EMULATION_SCHEDULES };

typedef struct {
    int multiprocessors;
    int schedule;
    int skipped_barrier; /* a barrier, by number, that does nothing; -1: none */
    int no_device;       /* the device is not there */
    int failing_launch;  /* the launch of that number from now on fails; -1: none */
    int failing_upload;  /* uploads find no memory */
} emulation;
extern emulation emulated;

/* Barriers are numbered in the order in which launches have met them. */
int emulation_barriers(void);
const char *emulation_barrier(int number); /* FILE:LINE */
int emulation_met(int number);             /* since the last look */
/* What was wrong with a launch since the last call; NULL: nothing. */
const char *emulation_fault(void);
/* Blocks of memory on the device that have not been released. */
int emulation_blocks(void);

#ifdef __cplusplus
}
#endif
#endif
